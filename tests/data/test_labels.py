"""Task labels mean the same in every call, and none are merged."""

from itertools import permutations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.compose import IndependentTasks, PooledTasks, TaskAware, make_task_pipeline
from skmtl.data import encode_tasks, find_tasks, join_tasks, read_task_weight
from skmtl.inspection import compare_tasks
from skmtl.linear_model import (
    ClusteredRegressor,
    GraphRegularizedRegressor,
    JointFeatureRegressor,
    MeanRegularizedRegressor,
    MixedTaskModel,
    MultiTaskLogisticRegression,
    MultiTaskPoissonRegressor,
    MultiTaskRidge,
)
from skmtl.metrics import find_task_column, make_task_scorer, task_scores
from skmtl.model_selection import LeaveOneTaskOut, TaskKFold, TaskShuffleSplit

ONE_KIND = "all booleans, all integers or all strings, got both"
X = np.random.default_rng(0).normal(size=(60, 2))
NUMBERS = np.tile([1, 2, 3], 20)
Y = X[:, 0] + 10 * NUMBERS


def objects(*values):
    return np.array(values, dtype=object)


@pytest.mark.parametrize(
    "labels",
    [
        [1, 1.0],
        [1, True],
        [1.0, True],
        [np.int64(1), 2.0],
        [1, "1"],
        [True, "True"],
        objects(1, 1.0),
        objects(1, True),
        objects("1", 1),
        pd.Series([1, True], dtype=object),
        pd.Series([1, 1.0], dtype=object),
        pd.Series(["1", 1], dtype=object),
        pd.Index([1, "1"], dtype=object),
    ],
    ids=repr,
)
def test_labels_of_several_kinds_are_refused(labels):
    with pytest.raises(ValueError, match=ONE_KIND):
        encode_tasks(labels)


ROUNDED = {
    "float64": np.array([2.0**53, 1]),
    "below": np.array([-(2.0**53)]),
    "float32": np.array([2**24], dtype=np.float32),
    "float16": np.array([2**11], dtype=np.float16),
    "objects": objects(np.float32(2**24)),
    "pandas": pd.Series([2**24], dtype="float32"),
    "nullable": pd.Series([2**24], dtype="Float32"),
    "pandas arrow": pd.Series([2**24], dtype="float32[pyarrow]"),
    "categories": pd.Series([2**24], dtype="float32").astype("category"),
    "polars": pl.Series([2.0**24], dtype=pl.Float32),
    "arrow": pa.array([2.0**24], pa.float32()),
}


@pytest.mark.parametrize("labels", ROUNDED.values(), ids=ROUNDED)
def test_floats_too_large_for_exact_integers_are_refused(labels):
    with pytest.raises(
        ValueError, match=r"different labels may have become equal. Separate"
    ):
        encode_tasks(labels)


@pytest.mark.parametrize(
    ("dtype", "digits"), [(np.float64, 53), (np.float32, 24), (np.float16, 11)]
)
def test_exact_whole_floats_are_integers(dtype, digits):
    largest = 2**digits - 1
    labels = np.array([largest, -largest], dtype=dtype)
    assert encode_tasks(labels)[0].tolist() == [-largest, largest]


@pytest.mark.parametrize(
    "labels",
    [
        np.array([2**63], dtype=">u8"),
        pd.Series([2**63], dtype="UInt64"),
        pl.Series([2**64 - 1], dtype=pl.UInt64),
        pa.array([2**63], pa.uint64()),
    ],
    ids=lambda labels: type(labels).__module__,
)
def test_integers_beyond_int64_are_refused(labels):
    with pytest.raises(ValueError, match=r"fit 64 bits, got [0-9]+. Use strings"):
        encode_tasks(labels)


def test_customers_beside_features_in_a_float_array_are_not_merged():
    table = np.c_[X, 2**24 + NUMBERS].astype(np.float32)
    with pytest.raises(ValueError, match=r"as float32, which rounds .* from 2\*\*24"):
        MeanRegularizedRegressor(task_column=-1).fit(table, Y)
    frame = pd.DataFrame(X).assign(customer=2**53 + NUMBERS)
    frame.columns = ["a", "b", "customer"]
    model = MeanRegularizedRegressor(alpha=0.01, task_column="customer").fit(frame, Y)
    assert model.tasks_.tolist() == [2**53 + 1, 2**53 + 2, 2**53 + 3]
    assert model.score(frame, Y) > 0.999


def test_a_transformer_in_front_loses_no_digit_of_a_label():
    table = np.c_[np.arange(4), 2**53 + np.arange(4)]
    scaled = TaskAware(StandardScaler(), task_column=1).fit_transform(table)
    assert scaled[:, 1].tolist() == [2**53, 2**53 + 1, 2**53 + 2, 2**53 + 3]


BOOLEANS = {
    "list": [True, False],
    "numpy": np.array([True, False]),
    "nullable": pd.Series([True, False], dtype="boolean"),
    "categories": pd.Series([True, False], dtype="category"),
    "polars": pl.Series([True, False]),
    "arrow": pa.array([True, False]),
}


@pytest.mark.parametrize("labels", BOOLEANS.values(), ids=BOOLEANS)
def test_booleans_are_labels_of_their_own_kind(labels):
    tasks, codes = encode_tasks(labels)
    assert tasks.dtype == bool
    assert codes.tolist() == [1, 0]
    assert find_tasks(labels, tasks).tolist() == [1, 0]


def test_text_is_never_read_as_a_number():
    labels = ["01", "1", "001", "1.0", "TRUE", "True", " 1"]
    assert encode_tasks(labels)[0].tolist() == sorted(labels)


KNOWN = {"booleans": [False, True], "integers": [0, 1], "strings": ["0", "1"]}


@pytest.mark.parametrize(("known", "given"), [*permutations(KNOWN, 2)])
def test_labels_of_another_kind_are_refused_everywhere(known, given):
    for give in _ways_to_give(KNOWN[known], KNOWN[given]):
        with pytest.raises(ValueError, match="task labels must be all booleans"):
            give()


def _ways_to_give(known, other):
    task, X, y = known * 2, [[0.0], [1.0], [2.0], [3.0]], [1.0, 2.0, 3.0, 4.0]
    model = MeanRegularizedRegressor().fit(X, y, task=task)
    apart = IndependentTasks().fit(X, y, task=task)
    weighted = MeanRegularizedRegressor(task_weight=dict.fromkeys(other, 1.0))
    return [
        lambda: model.predict(X, task=other * 2),
        lambda: model.score(X, y, task=other * 2),
        lambda: model.partial_fit(X, y, task=other * 2),
        lambda: model.adapt(X, y, task=other[0]),
        lambda: apart.predict(X, task=other * 2),
        lambda: task_scores(model, X, y, task=other * 2),
        lambda: weighted.fit(X, y, task=task),
    ]


def test_a_mixture_is_refused_by_splitters_metrics_and_weights():
    mixed = [1, 1.0, True] * 2
    X, y = np.arange(6.0)[:, None], np.arange(6.0)
    model = MultiTaskRidge().fit(X, y)
    places = [
        lambda: list(TaskKFold(2).split(X, y, groups=mixed)),
        lambda: LeaveOneTaskOut().get_n_splits(X, y, groups=mixed),
        lambda: task_scores(model, X, y, task=mixed),
        lambda: compare_tasks(None, X, y, task=mixed),
        lambda: read_task_weight({1: 1.0, "1": 2.0}, np.array([1]), np.ones(1)),
    ]
    for give in places:
        with pytest.raises(ValueError, match=ONE_KIND):
            give()


SCHOOLS = pd.DataFrame(
    {
        "school": np.repeat(["Ash", "Elm"], 30),
        "a": X[:, 0],
        "class": NUMBERS,
        "b": X[:, 1],
    }
)
COLUMNS = ["school", "class"]
JOINED = SCHOOLS.drop(columns=COLUMNS).assign(
    task=SCHOOLS["school"] + "/" + SCHOOLS["class"].astype(str)
)
NESTED = ["Ash/1", "Ash/2", "Ash/3", "Elm/1", "Elm/2", "Elm/3"]
COUNTS = np.rint(np.exp(0.3 * X[:, 0]) + NUMBERS)
MODELS = {
    "ridge": (MultiTaskRidge(), Y),
    "joint": (JointFeatureRegressor(), Y),
    "classes": (MultiTaskLogisticRegression(), X[:, 1] > 0),
    "counts": (MultiTaskPoissonRegressor(), COUNTS),
    "mixed": (MixedTaskModel(dict.fromkeys(NESTED, "squared")), Y),
    "mixed by tuples": (
        MixedTaskModel({(s, c): "squared" for s in ("Ash", "Elm") for c in (1, 2, 3)}),
        Y,
    ),
    "independent": (IndependentTasks(), Y),
    "pooled": (PooledTasks(task_intercepts=True), Y),
}
TABLES = {
    "pandas": (SCHOOLS, COLUMNS),
    "polars": (pl.from_pandas(SCHOOLS), COLUMNS),
    "arrow": (pa.Table.from_pandas(SCHOOLS), COLUMNS),
    "positions": (SCHOOLS, [0, -2]),
    "objects": (SCHOOLS.to_numpy(), [0, 2]),
    "index": (SCHOOLS.set_index(COLUMNS), COLUMNS),
    "index and column": (SCHOOLS.set_index("school"), COLUMNS),
}


@pytest.mark.parametrize(("model", "target"), MODELS.values(), ids=MODELS)
def test_nested_tasks_are_those_of_the_joined_labels(model, target):
    nested = model.set_params(task_column=COLUMNS).fit(SCHOOLS, target)
    found, score = nested.predict(SCHOOLS), nested.score(SCHOOLS, target)
    assert nested.tasks_.tolist() == NESTED
    joined = model.set_params(task_column="task").fit(JOINED, target)
    np.testing.assert_allclose(
        found.astype(float), joined.predict(JOINED).astype(float), rtol=1e-9
    )
    assert score == pytest.approx(joined.score(JOINED, target))


@pytest.mark.parametrize(("table", "columns"), TABLES.values(), ids=TABLES)
def test_nested_tasks_are_read_from_any_table_and_through_pipelines(table, columns):
    alone = MeanRegularizedRegressor(task_column=columns).fit(table, Y)
    model = make_task_pipeline(
        StandardScaler(), MeanRegularizedRegressor(), task_column=columns
    )
    model.fit(table, Y)
    assert alone.tasks_.tolist() == model[-1].tasks_.tolist() == NESTED
    assert model[-1].coef_.shape == (6, 2)
    assert model.score(table, Y) > 0.9


def test_splitters_metrics_and_comparisons_take_nested_tasks():
    model = MeanRegularizedRegressor(task_column=COLUMNS)
    scores = task_scores(model.fit(SCHOOLS, Y), SCHOOLS, Y)
    assert scores.tasks.tolist() == NESTED
    assert LeaveOneTaskOut(task_column=COLUMNS).get_n_splits(SCHOOLS) == len(NESTED)
    for splitter in (TaskKFold(2), TaskShuffleSplit(2, random_state=0)):
        splitter.task_column = COLUMNS
        scorer = make_task_scorer("rmse", task_column=COLUMNS)
        found = cross_val_score(model, SCHOOLS, Y, cv=splitter, scoring=scorer)
        assert (found > -1).all()
    for table, columns in (SCHOOLS, COLUMNS), (SCHOOLS.to_numpy(), [0, 2]):
        models = [
            make_pipeline(StandardScaler(), MeanRegularizedRegressor()),
            make_pipeline(StandardScaler(), PooledTasks()),
        ]
        compared = compare_tasks(models, table, Y, task_column=columns, cv=2)
        assert compared.tasks.tolist() == NESTED
    declared = [MeanRegularizedRegressor(task_column=COLUMNS), PooledTasks()]
    assert compare_tasks(declared, SCHOOLS, Y, cv=2).tasks.tolist() == NESTED
    assert find_task_column(make_task_pipeline(model, task_column=COLUMNS)) == COLUMNS


def test_an_unseen_class_of_a_known_school_is_predicted_with_the_shared_part():
    model = JointFeatureRegressor(task_column=COLUMNS).fit(SCHOOLS, Y)
    new = SCHOOLS.head(3).assign(**{"class": 9})
    expected = new[["a", "b"]] @ model.coef_shared_ + model.intercept_shared_
    np.testing.assert_allclose(model.predict(new), expected)


def test_tuples_stand_for_nested_labels():
    weights = {(s, c): float(c) for s in ("Ash", "Elm") for c in (1, 2, 3)}
    by_tuple = JointFeatureRegressor(task_column=COLUMNS, task_weight=weights)
    by_text = JointFeatureRegressor(
        task_column="task", task_weight=dict(zip(NESTED, [1.0, 2, 3] * 2, strict=True))
    )
    by_tuple.fit(SCHOOLS, Y)
    np.testing.assert_allclose(by_tuple.coef_, by_text.fit(JOINED, Y).coef_)
    model = MeanRegularizedRegressor().fit(X, Y, task=JOINED["task"])
    assert "Elm/4" in model.adapt(X[:5], Y[:5], task=("Elm", 4)).tasks_


def test_parts_with_slashes_are_not_merged():
    labels = join_tasks([["a/b", "a", "a\\"], ["c", "b/c", "/b"]])
    assert labels.tolist() == ["a\\/b/c", "a/b\\/c", "a\\\\/\\/b"]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([], "must name distinct columns, got"),
        (["class", "class"], "must name distinct columns, got"),
        (["class", -2], "must name distinct columns, got"),
        (["class", "q"], "task_column='q' must be a column of X"),
        (["school", "class", "a", "b"], "features besides its task column, got 4"),
    ],
)
def test_invalid_lists_of_task_columns_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        MultiTaskRidge(task_column=columns).fit(SCHOOLS, Y)


def test_nested_labels_name_the_nodes_of_a_graph():
    schools = {label: label[:3] for label in NESTED}
    model = GraphRegularizedRegressor(schools, alpha=0.01, task_column=COLUMNS)
    assert model.fit(SCHOOLS, Y).score(SCHOOLS, Y) > 0.99


@pytest.mark.parametrize("n_features", [1, 3])
def test_clusters_are_found_without_a_warning(n_features):
    rng = np.random.default_rng(0)
    task = np.repeat([0, 1], 10)
    for _ in range(5):
        X, y = rng.normal(size=(20, n_features)), rng.normal(size=20)
        model = ClusteredRegressor(2).fit(X, y, task=task)
        assert model.task_labels_.tolist() in ([0, 0], [0, 1])
