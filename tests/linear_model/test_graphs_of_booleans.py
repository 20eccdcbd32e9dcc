"""Labels that are booleans name the nodes of graphs and chains as integers do."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skmtl.linear_model import (
    FusedRegressor,
    GraphRegularizedClassifier,
    GraphRegularizedRegressor,
)

MODELS = [
    FusedRegressor(),
    FusedRegressor(graph=[True, False]),
    FusedRegressor(graph=[(False, True)]),
    GraphRegularizedRegressor("chain"),
    GraphRegularizedRegressor("complete"),
    GraphRegularizedRegressor([False, True]),
    GraphRegularizedRegressor({False: ("a",), True: ("a",)}),
    GraphRegularizedRegressor(np.array([[0.0, 1.0], [1.0, 0.0]])),
    GraphRegularizedClassifier("chain"),
    GraphRegularizedClassifier([(True, False)]),
]


def predict(model, X, y, labels, new):
    return model.fit(X, y, task=labels).predict(X[: len(new)], task=new)


@pytest.mark.parametrize("model", MODELS, ids=repr)
@pytest.mark.parametrize("as_labels", [np.asarray, pd.Series, pd.Categorical])
def test_booleans_are_nodes_as_0_and_1_are(model, as_labels):
    rng = np.random.default_rng(0)
    X, labels = rng.normal(size=(30, 2)), np.arange(30) % 3 == 1
    y = (X[:, 0] + labels > 0).astype(int)
    known = predict(model, X, y, as_labels(labels), [True, False])
    assert_array_equal(known, predict(model, X, y, labels.astype(int), [1, 0]))


def test_a_boolean_without_rows_is_a_node():
    rng = np.random.default_rng(0)
    X, model = rng.normal(size=(20, 2)), GraphRegularizedRegressor([False, True])
    model.fit(X, X[:, 0], task=np.zeros(20, dtype=bool))
    assert model.nodes_.tolist() == [False, True]
    assert_array_equal(model.predict(X, task=True), model.predict(X, task=False))
