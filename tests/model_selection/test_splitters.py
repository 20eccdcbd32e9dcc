"""Splitters hold out parts of every task, or whole tasks."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.datasets import make_related_tasks
from skmtl.model_selection import LeaveOneTaskOut, TaskKFold, TaskShuffleSplit

SPLITTERS = [
    TaskKFold(3, task_column="task"),
    TaskKFold(3, task_column="task", shuffle=True, random_state=0),
    TaskShuffleSplit(4, task_column="task", random_state=0),
    LeaveOneTaskOut(task_column="task"),
]
each_splitter = pytest.mark.parametrize("splitter", SPLITTERS, ids=repr)
task_labels = st.lists(st.integers(0, 6), min_size=5, max_size=60).map(np.array)
task_and_class = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["ant", "bee", "cat"])),
    min_size=5,
    max_size=80,
)


def split(splitter, labels):
    """Split rows given by their tasks only."""
    return list(splitter.split(np.zeros((len(labels), 1)), groups=labels))


def count_held_out(labels, splits):
    """Rows of each task in each test: (n_splits, n_tasks)."""
    tasks = np.unique(labels)
    return np.array([(labels[test, None] == tasks).sum(axis=0) for _, test in splits])


def split_classes(splitter, labels, y):
    """Rows of each task and class in each test: (n_splits, n_tasks, n_classes)."""
    splits = splitter.split(np.zeros((len(y), 1)), y, labels)
    is_task = labels[:, None, None] == np.unique(labels)[:, None]
    cells = is_task & (y[:, None, None] == np.unique(y))
    return np.array([cells[test].sum(axis=0) for _, test in splits])


@pytest.fixture
def frame():
    names = ["east", "north", "south", "west", "island"]
    return make_related_tasks(
        5, [12, 7, 9, 15, 1], 3, task_names=names, as_frame=True, random_state=0
    )


@given(task_labels, st.integers(2, 5), st.booleans())
def test_each_row_is_held_out_once_and_folds_are_even(labels, n_splits, shuffle):
    splits = split(TaskKFold(n_splits, shuffle=shuffle), labels)
    held_out = np.concatenate([test for _, test in splits])
    assert sorted(held_out) == list(range(len(labels)))
    counts = count_held_out(labels, splits)
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=1)) <= 1


@given(task_labels, st.floats(0.01, 0.99))
def test_every_task_has_held_out_and_training_rows(labels, test_size):
    sizes = np.unique(labels, return_counts=True)[1]
    splitter = TaskShuffleSplit(3, test_size=test_size, random_state=0)
    expected = [
        0 if size == 1 else min(max(round(test_size * size), 1), size - 1)
        for size in sizes.tolist()
    ]
    splits = split(splitter, np.append(labels, [9, 9]))
    counts = count_held_out(np.append(labels, [9, 9]), splits)
    np.testing.assert_array_equal(counts, [[*expected, 1]] * 3)


@given(task_and_class, st.integers(2, 5), st.booleans())
def test_stratified_folds_have_each_class_of_a_task_evenly(pairs, n_splits, shuffle):
    labels, y = map(np.array, zip(*pairs, strict=True))
    splitter = TaskKFold(n_splits, stratify=True, shuffle=shuffle)
    counts = split_classes(splitter, labels, y)
    assert counts.sum() == len(y)
    assert np.ptp(counts, axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=2), axis=0).max() <= 1
    assert np.ptp(counts.sum(axis=(1, 2))) <= 1


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(
    ("n_splits", "classes"), [(2, "ab"), (2, "aab"), (5, "aabbb"), (3, "abbbbb")]
)
def test_folds_of_equal_tasks_have_each_class_evenly(n_splits, classes, shuffle):
    labels, y = np.repeat(range(60), len(classes)), np.array([*classes] * 60)
    splitter = TaskKFold(n_splits, stratify=True, shuffle=shuffle)
    by_class = split_classes(splitter, labels, y).sum(axis=1)
    assert np.ptp(by_class, axis=0).max() == 0


def test_tasks_of_one_row_share_their_classes_among_the_folds():
    counts = split_classes(
        TaskKFold(2, stratify=True), np.arange(40), np.array(["a", "b"] * 20)
    )
    np.testing.assert_array_equal(counts.sum(axis=1), [[10, 10], [10, 10]])


@given(task_and_class, st.floats(0.01, 0.99))
def test_a_stratified_draw_holds_out_the_part_of_each_class(pairs, test_size):
    labels, y = map(np.array, zip(*pairs, ("z", "ant"), ("z", "ant"), strict=True))
    splitter = TaskShuffleSplit(3, test_size=test_size, random_state=0)
    plain = split_classes(splitter, labels, y).sum(axis=2)
    splitter = TaskShuffleSplit(3, test_size=test_size, stratify=True, random_state=0)
    counts = split_classes(splitter, labels, y)
    np.testing.assert_array_equal(counts.sum(axis=2), plain)
    all_rows = split_classes(LeaveOneTaskOut(), labels, y).sum(axis=0)
    parts = plain[0] / all_rows.sum(axis=1)
    assert np.abs(counts - all_rows * parts[:, None]).max() < 1


def test_a_stratified_draw_is_fair_to_each_row():
    labels, y = np.repeat([0, 1], [7, 5]), np.array([*"aaabbbbaabbb"])
    splitter = TaskShuffleSplit(4000, stratify=True, random_state=0)
    splits = splitter.split(np.zeros((12, 1)), y, labels)
    held_out = np.bincount(np.concatenate([test for _, test in splits])) / 4000
    expected = np.repeat([2 / 7, 1 / 5], [7, 5])
    np.testing.assert_allclose(held_out, expected, atol=0.03)  # 4 standard errors


@pytest.mark.parametrize(
    "convert",
    [list, pd.Series, pl.Series, pd.Categorical, lambda y: np.array(y) == "dog"],
    ids=["list", "pandas", "polars", "categorical", "bool"],
)
@pytest.mark.parametrize("Splitter", [TaskKFold, TaskShuffleSplit])
def test_classes_of_any_kind_are_stratified_alike(Splitter, convert):
    y, labels = ["cat", "dog", "dog", "cat"] * 6, np.repeat([0, 1, 2], 8)
    splitter = Splitter(4, stratify=True)
    for _, test in splitter.split(np.zeros((24, 1)), convert(y), labels):
        assert sorted(np.array(y)[test]) == ["cat"] * 3 + ["dog"] * 3


def test_stratified_splits_work_in_cross_validate_and_grid_search():
    X, y = make_related_tasks(4, 30, 2, as_frame=True, random_state=0)
    y = np.where(y > y.quantile(0.8), "high", "low")
    options = {"task_column": "task", "stratify": True}
    splitters = [
        TaskKFold(3, **options),
        TaskShuffleSplit(3, **options, random_state=0),
    ]
    for splitter in splitters:
        scores = cross_validate(LogisticRegression(), X, y, cv=splitter)["test_score"]
        search = GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=splitter)
        assert search.fit(X, y).best_score_ == pytest.approx(scores.mean())


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "y must hold classes if stratify"),
        ([[0, 1], [1, 0], [1, 1], [0, 0]], "y must be 1-d if stratify.*Got 2 columns"),
        ([0.0, 1.0, 2.5, 1.0], r"y must hold classes.*such as 2.5; use stratify"),
        ([0.0, 1.0, np.nan, 1.0], "y contains NaN"),
    ],
)
@pytest.mark.parametrize("Splitter", [TaskKFold, TaskShuffleSplit])
def test_a_target_without_classes_is_not_stratified(Splitter, y, message):
    splitter = Splitter(2, stratify=True)
    with pytest.raises(ValueError, match=message):
        next(splitter.split(np.zeros((4, 1)), y, groups=[0, 0, 1, 1]))


@each_splitter
def test_train_and_test_share_the_rows_in_ascending_order(splitter, frame):
    X, y = frame
    splits = list(splitter.split(X, y))
    assert len(splits) == splitter.get_n_splits(X, y)
    for train, test in splits:
        np.testing.assert_array_equal(
            np.sort(np.concatenate([train, test])), np.arange(len(X))
        )
        assert (np.diff(train) > 0).all()
        assert (np.diff(test) > 0).all()


@each_splitter
def test_containers_and_groups_give_the_same_splits(splitter, frame):
    X, _ = frame
    by_groups = type(splitter)(**{**vars(splitter), "task_column": None})
    by_position = type(splitter)(**{**vars(splitter), "task_column": -1})
    expected = [test.tolist() for _, test in splitter.split(X)]
    codes = X["task"].rank(method="dense")
    others = [
        splitter.split(pl.from_pandas(X)),
        splitter.split(pa.Table.from_pandas(X)),
        splitter.split(X.set_index("task")),
        splitter.split(X.astype({"task": "category"})),
        by_position.split(X.to_numpy()),
        by_groups.split(X.drop(columns="task"), groups=X["task"]),
        by_groups.split(X.to_numpy(), groups=X["task"].tolist()),
        by_position.split(csr_array(X.assign(task=codes).to_numpy(dtype=float))),
    ]
    for other in others:
        assert [test.tolist() for _, test in other] == expected


def test_without_shuffling_rows_are_assigned_in_turn_across_tasks():
    splits = split(TaskKFold(2), np.array([5, 3, 3, 5, 3]))
    assert [test.tolist() for _, test in splits] == [[1, 3, 4], [0, 2]]


def test_tasks_of_one_row_are_spread_over_the_folds():
    splits = split(TaskKFold(5), np.arange(100))
    assert [len(test) for _, test in splits] == [20] * 5


@pytest.mark.parametrize("splitter", [TaskKFold(3, shuffle=True), TaskShuffleSplit(3)])
def test_a_seed_repeats_the_draw_and_a_generator_continues(splitter):
    labels = np.repeat([0, 1, 2], 20)
    draw = [
        str(split(splitter.__class__(**{**vars(splitter), "random_state": s}), labels))
        for s in (0, 0, 1)
    ]
    assert draw[0] == draw[1] != draw[2]
    splitter = type(splitter)(**{**vars(splitter), "random_state": None})
    assert str(split(splitter, labels)) != str(split(splitter, labels))


def test_shuffled_tasks_of_one_row_change_folds_with_the_seed():
    def first(seed):
        splitter = TaskKFold(2, shuffle=True, random_state=seed)
        return split(splitter, np.arange(20))[0][1].tolist()

    assert first(0) != first(1)


def test_leaving_one_task_out_goes_through_tasks_in_order():
    labels = np.array(["b", "a", "b", "c"])
    splits = split(LeaveOneTaskOut(), labels)
    assert [labels[test].tolist() for _, test in splits] == [["a"], ["b", "b"], ["c"]]


def test_splitters_print_their_parameters():
    text = "TaskShuffleSplit(n_splits=9, random_state=None, stratify=False,"
    assert repr(TaskShuffleSplit(9)).startswith(text)


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.DataFrame])
@each_splitter
def test_splitters_work_in_cross_validate_and_grid_search(splitter, convert, frame):
    X, y = frame
    X = convert(X.assign(task=X["task"].map(len)).to_dict("list"))  # numbers only
    model = make_pipeline(StandardScaler(), Ridge())
    scoring = "neg_mean_squared_error"
    scores = cross_validate(model, X, y, cv=splitter, scoring=scoring)["test_score"]
    assert len(scores) == splitter.get_n_splits(X)
    search = GridSearchCV(
        model, {"ridge__alpha": [0.1, 1.0]}, cv=splitter, scoring=scoring
    ).fit(X, y)
    np.testing.assert_allclose(search.cv_results_["mean_test_score"][1], scores.mean())


def test_groups_reach_the_splitter_in_both_ways_of_scikit_learn():
    X, y = make_related_tasks(4, 6, random_state=0)
    labels = X[:, -1]
    plain = cross_validate(Ridge(), X, y, groups=labels, cv=LeaveOneTaskOut())
    with sklearn.config_context(enable_metadata_routing=True):
        routed = cross_validate(
            Ridge(), X, y, params={"groups": labels}, cv=LeaveOneTaskOut()
        )
    np.testing.assert_array_equal(plain["test_score"], routed["test_score"])
    assert len(plain["test_score"]) == 4


@pytest.mark.parametrize(
    ("splitter", "message"),
    [
        (TaskKFold(1), "n_splits must be an integer of at least 2. Got 1"),
        (TaskKFold(2.0), "n_splits must be an integer of at least 2. Got 2.0"),
        (TaskKFold(9), "n_splits must not exceed the number of rows. Got n_splits=9"),
        (TaskKFold(2, random_state=0), "random_state must be None unless shuffle"),
        (TaskShuffleSplit(0), "n_splits must be an integer of at least 1. Got 0"),
        (TaskShuffleSplit(test_size=1.0), "above 0 and below 1. Got 1.0"),
        (TaskShuffleSplit(test_size=3), "above 0 and below 1. Got 3"),
        (TaskShuffleSplit(test_size="a"), "above 0 and below 1. Got 'a'"),
    ],
)
def test_impossible_parameters_are_refused(splitter, message):
    with pytest.raises(ValueError, match=message):
        split(splitter, np.array([1, 1, 2, 2]))


def test_a_split_that_the_tasks_do_not_allow_is_refused():
    with pytest.raises(ValueError, match="At least one task must have two rows"):
        split(TaskShuffleSplit(), np.arange(4))
    with pytest.raises(ValueError, match="needs at least 2 tasks"):
        split(LeaveOneTaskOut(), np.zeros(4))


@each_splitter
def test_without_tasks_the_error_names_the_arguments(splitter):
    splitter = type(splitter)(**{**vars(splitter), "task_column": None})
    name, X = type(splitter).__name__, np.zeros((4, 2))
    with pytest.raises(ValueError, match=rf"use {name}\(task_column=...\), or pass"):
        next(splitter.split(X, np.zeros(4)))
    with pytest.raises(ValueError, match=r"but a 2-d y.*with KFold"):
        next(splitter.split(X, np.zeros((4, 3))))


@each_splitter
def test_rows_and_labels_of_different_number_are_refused(splitter):
    splitter = type(splitter)(**{**vars(splitter), "task_column": None})
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        next(splitter.split(np.zeros((4, 2)), groups=[1, 2, 3]))


def test_a_scaled_task_column_is_refused():
    X = StandardScaler().fit_transform(make_related_tasks(random_state=0)[0])
    with pytest.raises(ValueError, match="non-integer float"):
        next(TaskKFold(task_column=-1).split(X))
