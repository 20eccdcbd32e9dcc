"""The features that a network has learnt, as a step of a pipeline."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.pipeline import make_pipeline

from skmtl.linear_model import MeanRegularizedRegressor
from skmtl.neural_network import MultiTaskMLPRegressor, SharedFeatures

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 2))
TASK = np.arange(30) % 3
Y = np.abs(X[:, 0]) + TASK
NAMES = np.array(["a", "b", "c"])[TASK]
NETWORK = {"hidden_layer_sizes": (4,), "max_iter": 30, "tol": 10.0, "random_state": 0}
FRAME = pd.DataFrame({"x": X[:, 0], "school": NAMES, "z": X[:, 1]}, index=TASK + 7)


def network(**given):
    return MultiTaskMLPRegressor(**NETWORK, **given)


def test_a_linear_model_stands_on_the_learnt_features():
    rows = np.column_stack([TASK, X])
    linear = MeanRegularizedRegressor(task_column=-1)
    pipeline = make_pipeline(SharedFeatures(network(task_column=0)), linear)
    found = pipeline.fit(rows, Y).predict(rows)
    alone = network(task_column=0).fit(rows, Y)
    features = alone.shared_features(rows)
    by_hand = MeanRegularizedRegressor().fit(features, Y, task=TASK)
    assert_array_equal(found, by_hand.predict(features, task=TASK))


def test_fit_transform_is_fit_then_transform():
    rows, model = np.column_stack([X, TASK]), SharedFeatures(network(task_column=-1))
    both = model.fit_transform(rows, Y)
    assert_array_equal(both, model.fit(rows, Y).transform(rows))
    assert_array_equal(both[:, -1], TASK)


def test_labels_that_are_text_make_an_array_of_objects():
    rows = np.column_stack([NAMES.astype(object), X])
    found = SharedFeatures(network(task_column=0)).fit_transform(rows, Y)
    assert found.dtype == object
    assert_array_equal(found[:, -1], NAMES)


def test_a_dataframe_of_pandas_keeps_its_index_and_its_labels():
    data = FRAME.assign(school=FRAME["school"].astype("category"))
    model = SharedFeatures(network(task_column="school"))
    found = model.fit_transform(data, Y)
    names = ["shared0", "shared1", "shared2", "shared3", "school"]
    assert list(found.columns) == names
    assert model.get_feature_names_out().tolist() == names
    pd.testing.assert_index_equal(found.index, data.index)
    pd.testing.assert_series_equal(found["school"], data["school"])
    with pytest.warns(UserWarning, match="was fitted with feature names"):
        as_array = model.transform(data.to_numpy(dtype=object))
    assert_array_equal(as_array, found.to_numpy(dtype=object))


@pytest.mark.parametrize(
    ("table", "library"),
    [(pl.from_pandas(FRAME), pl), (pa.Table.from_pandas(FRAME, None, False), pd)],
    ids=["polars", "pyarrow"],
)
def test_other_dataframes_give_dataframes(table, library):
    found = SharedFeatures(network(task_column="school")).fit_transform(table, Y)
    assert type(found) is library.DataFrame
    expected = SharedFeatures(network(task_column="school")).fit_transform(FRAME, Y)
    assert_array_equal(found.to_numpy(), expected.to_numpy())


def test_labels_in_the_index_stay_there():
    data = FRAME.set_index("school")
    model = SharedFeatures(network(task_column="school"))
    found = model.fit_transform(data, Y)
    assert found.shape == (30, 4)
    assert found.index.tolist() == NAMES.tolist()
    assert model.get_feature_names_out().tolist() == list(found.columns)


def test_nested_labels_are_the_last_columns():
    rows = np.column_stack([TASK, X, TASK + 5])
    found = SharedFeatures(network(task_column=[3, 0])).fit_transform(rows, Y)
    assert_array_equal(found[:, -2:], rows[:, [3, 0]])


def test_set_output_chooses_the_library():
    rows, model = np.column_stack([X, TASK]), SharedFeatures(network(task_column=-1))
    found = model.set_output(transform="pandas").fit_transform(rows, Y)
    assert list(found.columns) == model.get_feature_names_out().tolist()
    assert found["task"].tolist() == TASK.tolist()


def test_sparse_rows_with_the_argument_task_give_features_only():
    model = SharedFeatures(network(task_encoding=True))
    found = model.fit_transform(csr_array(X), Y, task=TASK)
    assert_allclose(found, model.estimator_.shared_features(X, TASK), rtol=1e-12)
    assert_array_equal(found, model.transform(csr_array(X), task=TASK))


def test_metadata_routing_passes_labels_and_weights():
    with config_context(enable_metadata_routing=True):
        inner = MeanRegularizedRegressor()
        inner.set_fit_request(sample_weight=False, task=True)
        inner.set_predict_request(task=True)
        features = SharedFeatures(network())
        features.set_fit_request(sample_weight=True, task=True)
        features.set_transform_request(task=True)
        pipeline = make_pipeline(features, inner)
        weight = 1.0 + (Y > 1)
        pipeline.fit(X, Y, task=TASK, sample_weight=weight)
        found = pipeline.predict(X, task=TASK)
    by_hand = network().fit(X, Y, weight, TASK).shared_features(X, TASK)
    linear = MeanRegularizedRegressor().fit(by_hand, Y, task=TASK)
    assert_array_equal(found, linear.predict(by_hand, task=TASK))


def test_a_network_without_a_trunk_raises_an_error():
    model = SharedFeatures(network(sharing="soft"))
    with pytest.raises(ValueError, match="needs a trunk that all tasks share"):
        model.fit(X, Y, task=TASK)
    assert not hasattr(model, "estimator_")
