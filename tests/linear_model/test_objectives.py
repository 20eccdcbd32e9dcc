"""The objective of exact fits is the value of the formula in their docstring."""

import numpy as np
import pytest

from skmtl.linear_model import (
    GraphRegularizedRegressor,
    MeanRegularizedRegressor,
    MultiTaskRidge,
)

SIZES = {"tall": (30, 3), "wide": (4, 9)}
each_size = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
each_weight = pytest.mark.parametrize("weighted", [False, True])


def draw(size):
    """Return rows of four tasks, and their weights."""
    n_rows, n_features = size
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(4), n_rows)
    X = rng.normal(size=(len(task), n_features)) + 1
    y = X.sum(axis=1) + task + rng.normal(size=len(task))
    return X, y, task, rng.uniform(0.5, 2.0, len(task))


def fit(model, size, weighted):
    """Return the fitted model, and its weighted sum of squares."""
    X, y, task, weight = draw(size)
    weight = weight if weighted else np.ones(len(y))
    model.fit(X, y, sample_weight=weight if weighted else None, task=task)
    residuals = y - (X * model.coef_[task]).sum(axis=1) - model.intercept_[task]
    return model, weight @ residuals**2


@each_size
@each_weight
def test_the_objective_of_ridge(size, weighted):
    model, loss = fit(MultiTaskRidge(2.0), size, weighted)
    expected = loss + 2.0 * (model.coef_**2).sum()
    assert model.objective_ == pytest.approx(expected, rel=1e-9)


@each_size
@each_weight
@pytest.mark.parametrize("alpha_intercept", [0.0, 3.0])
def test_the_objective_of_mean_regularisation(size, weighted, alpha_intercept):
    given = {"alpha_shared": 0.5, "alpha_intercept": alpha_intercept}
    model, loss = fit(MeanRegularizedRegressor(2.0, **given), size, weighted)
    expected = loss + 2.0 * ((model.coef_ - model.coef_shared_) ** 2).sum()
    expected += 0.5 * (model.coef_shared_**2).sum()
    gaps = model.intercept_ - model.intercept_.mean()  # the best centre
    expected += alpha_intercept * (gaps**2).sum()
    assert model.objective_ == pytest.approx(expected, rel=1e-9)


@each_size
@each_weight
@pytest.mark.parametrize(
    "graph",
    [
        "chain",
        "complete",
        {0: "a", 1: "a", 2: "b", 3: "b"},
        [(0, 1, 2.0), (1, 2), (2, 3)],
    ],
    ids=["chain", "complete", "groups", "edges"],
)
def test_the_objective_of_a_graph(size, weighted, graph):
    model = GraphRegularizedRegressor(graph, 2.0, alpha_ridge=0.5)
    model, loss = fit(model, size, weighted)
    nodes, adjacency = model.coef_nodes_, model.adjacency_.toarray()
    gaps = ((nodes[:, None] - nodes) ** 2).sum(axis=2)
    expected = loss + 2.0 * (np.triu(adjacency) * gaps).sum()
    expected += 0.5 * (model.coef_**2).sum()
    assert model.objective_ == pytest.approx(expected, rel=1e-9)
