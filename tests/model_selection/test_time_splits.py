"""Splits in time train on earlier rows of every task and test on later rows."""

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_validate

from skmtl.datasets import make_related_tasks
from skmtl.inspection import compare_tasks
from skmtl.model_selection import TaskTimeSeriesSplit

task_and_time = st.lists(
    st.tuples(st.integers(0, 4), st.integers(-3, 12)), max_size=50
).map(lambda pairs: np.array([*pairs, *((9, time) for time in range(8))]))


def split(splitter, labels, times, **options):
    X = np.zeros((len(labels), 1))
    return list(splitter.split(X, groups=labels, time=times, **options))


@pytest.fixture
def weekly():
    X, y = make_related_tasks(4, 12, 2, as_frame=True, random_state=0)
    order = np.random.default_rng(0).permutation(len(X))
    return X.assign(week=np.arange(len(X)) % 12).iloc[order], y.iloc[order]


@given(task_and_time, st.integers(1, 5))
def test_within_a_task_training_rows_are_earlier_than_held_out_rows(rows, n_splits):
    labels, times = rows.T
    splits = split(TaskTimeSeriesSplit(n_splits), labels, times)
    assert len(splits) == n_splits
    for train, test in splits:
        for task in np.unique(labels[test]):
            past, future = (times[i][labels[i] == task] for i in (train, test))
            assert past.max() < future.min()


@given(task_and_time, st.integers(1, 5))
def test_every_row_after_the_first_period_is_held_out_once(rows, n_splits):
    labels, times = rows.T
    splits = split(TaskTimeSeriesSplit(n_splits), labels, times)
    held_out = np.concatenate([test for _, test in splits])
    first = np.setdiff1d(np.arange(len(labels)), held_out)
    assert len(set(held_out)) == len(held_out)
    np.testing.assert_array_equal(first, np.intersect1d(first, splits[0][0]))
    np.testing.assert_array_equal(np.unique(labels[first]), np.unique(labels))


@given(task_and_time, st.integers(1, 5))
def test_at_the_same_times_no_training_row_is_later(rows, n_splits):
    labels, times = rows.T
    splitter = TaskTimeSeriesSplit(n_splits, same_times=True)
    for train, test in split(splitter, labels, times):
        assert times[train].max() < times[test].min()


@pytest.mark.parametrize("same_times", [False, True])
@given(rows=task_and_time)
def test_the_order_of_rows_does_not_matter(same_times, rows):
    order = np.random.default_rng(0).permutation(len(rows))
    splitter = TaskTimeSeriesSplit(3, same_times=same_times)
    plain, moved = split(splitter, *rows.T), split(splitter, *rows[order].T)
    for (_, test), (_, test_moved) in zip(plain, moved, strict=True):
        assert sorted(order[test_moved]) == test.tolist()


def test_one_task_is_split_as_by_scikit_learn():
    X = np.zeros((24, 1))
    ours = TaskTimeSeriesSplit(5).split(X, groups=np.zeros(24, dtype=int))
    for pair, expected in zip(ours, TimeSeriesSplit(5).split(X), strict=True):
        assert [*map(list, pair)] == [*map(list, expected)]


def test_containers_of_times_give_the_same_splits(weekly):
    X, _ = weekly
    day = pd.Timestamp("2023-12-31") + pd.to_timedelta(X["week"].to_numpy() * 7, "D")
    labels = X["task"].to_numpy()
    expected = str(split(TaskTimeSeriesSplit(3), labels, X["week"]))
    dates = pd.Series(day)
    for times in (
        X["week"].astype("Int64"),
        X["week"] / 7,
        day,
        dates.dt.tz_localize("Europe/Berlin"),
        dates.dt.strftime("%Y-%m-%d"),
        [each.date() for each in day],
        pl.Series(X["week"].to_numpy()),
        [datetime.datetime(2024, 1, 1) + datetime.timedelta(w) for w in X["week"]],
    ):
        assert str(split(TaskTimeSeriesSplit(3), labels, times)) == expected
    by_name = TaskTimeSeriesSplit(3, task_column="task", time_column="week")
    assert str(list(by_name.split(X))) == expected
    assert str(list(by_name.split(pl.from_pandas(X)))) == expected
    assert str(list(by_name.split(X.set_index("week")))) == expected
    by_place = TaskTimeSeriesSplit(3, task_column=-2, time_column=-1)
    assert str(list(by_place.split(X.to_numpy()))) == expected


def test_without_times_rows_are_in_their_order():
    labels = np.array([7, 8, 7, 8, 7, 7, 8])
    (pair,) = split(TaskTimeSeriesSplit(1), labels, None)
    assert [rows.tolist() for rows in pair] == [[0, 1, 2, 3], [4, 5, 6]]


@pytest.mark.full
def test_it_works_in_cross_validate_grid_search_and_comparisons(weekly):
    X, y = weekly
    splitter = TaskTimeSeriesSplit(3, task_column="task", time_column="week")
    scores = cross_validate(Ridge(), X, y, cv=splitter)["test_score"]
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, cv=splitter).fit(X, y)
    assert search.best_score_ == pytest.approx(scores.mean())
    comparison = compare_tasks(None, X, y, task_column="task", cv=splitter)
    assert comparison.fold_errors.shape == (4, 3)
    first = np.flatnonzero(np.isnan(comparison.predictions[0]))
    np.testing.assert_array_equal(first, next(splitter.split(X))[0])


def test_times_reach_the_splitter_by_metadata_routing(weekly):
    X, y = weekly
    splitter = TaskTimeSeriesSplit(3, task_column="task")
    with sklearn.config_context(enable_metadata_routing=True):
        params = {"time": X["week"].to_numpy()}
        routed = cross_validate(Ridge(), X, y, params=params, cv=splitter)
    splitter.time_column = "week"
    plain = cross_validate(Ridge(), X, y, cv=splitter)
    np.testing.assert_array_equal(plain["test_score"], routed["test_score"])


@pytest.mark.parametrize(
    ("splitter", "times", "message"),
    [
        (TaskTimeSeriesSplit(0), [1, 2, 3, 4], "n_splits must be an integer"),
        (TaskTimeSeriesSplit(2), [1, 2, 1, 2], "must have later rows.*use fewer"),
        (TaskTimeSeriesSplit(1), [1, 2, np.nan, 4], "missing value in row 2"),
        (TaskTimeSeriesSplit(1), ["2024-01-01", None] * 2, "missing value in row 1"),
        (TaskTimeSeriesSplit(1), ["31/12/2024"] * 4, "Got the text '31/12/2024'"),
        (TaskTimeSeriesSplit(1), ["9", "10", "1", "2"], "Got the text '9'"),
        (TaskTimeSeriesSplit(1), [[1], [2], [3], [4]], "time must be 1-d"),
        (TaskTimeSeriesSplit(1), [1, 2, 3], "inconsistent numbers of samples"),
        (TaskTimeSeriesSplit(1, time_column="day"), [1, 2, 3, 4], "given once"),
        (TaskTimeSeriesSplit(1, time_column=5), None, "time_column must be a position"),
    ],
)
def test_times_that_cannot_be_split_are_refused(splitter, times, message):
    with pytest.raises(ValueError, match=message):
        split(splitter, [0, 0, 1, 1], times)
