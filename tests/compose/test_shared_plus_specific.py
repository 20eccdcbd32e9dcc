"""A shared part of any kind, and a model of tasks."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.tree import DecisionTreeRegressor

from skmtl.compose import PooledTasks, SharedPlusSpecific
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
)
from skmtl.model_selection import TaskKFold

TREE = DecisionTreeRegressor(max_depth=4, random_state=0)
LINES = MeanRegularizedRegressor()


class Memory(RegressorMixin, BaseEstimator):
    """Predict the target of a row of `fit`, and 0 for other rows."""

    def fit(self, X, y, sample_weight=None, task=None):
        self.table_ = dict(zip(np.asarray(X)[:, 0].tolist(), y, strict=True))
        return self

    def predict(self, X):
        return np.array([self.table_.get(x, 0.0) for x in np.asarray(X)[:, 0].tolist()])


@pytest.fixture(scope="module")
def rows():
    """Rows of tasks with one bend and slopes of their own."""
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(6), 40)
    X = rng.uniform(-2, 2, size=(240, 2))
    y = (
        np.abs(X[:, 0])
        + rng.normal(size=6)[task] * X[:, 1]
        + 0.1 * rng.normal(size=240)
    )
    return X, y, task


def out_of_fold(model, splits, X, y, task):
    found = np.empty(len(y))
    for train, test in splits:
        fitted = clone(model).fit(X[train], y[train], task=task[train])
        found[test] = fitted.predict(X[test], task=task[test])
    return found


def test_the_shared_part_learns_what_is_left_out_of_fold(rows):
    X, y, task = rows
    splits = list(KFold(4, shuffle=True, random_state=0).split(X))
    model = SharedPlusSpecific(TREE, LINES, cv=splits).fit(X, y, task=task)
    left = y - out_of_fold(LINES, splits, X, y, task)
    bend = out_of_fold(PooledTasks(TREE), splits, X, left, task)
    weight = bend @ left / (bend @ bend)
    assert 0.3 < weight < 1
    assert_allclose(model.shared_weight_, weight)
    own = clone(LINES).fit(X, y, task=task)
    shared = clone(TREE).fit(X, left)
    for labels in (task, np.repeat(99, 240)):
        expected = own.predict(X, task=labels) + weight * shared.predict(X)
        assert_allclose(model.predict(X, task=labels), expected)


def test_a_shared_prediction_is_one_more_feature(rows):
    X, y, task = rows
    splits = list(KFold(4, shuffle=True, random_state=0).split(X))
    shared = PooledTasks(TREE, task_encoding="onehot")
    model = SharedPlusSpecific(
        TREE, LINES, order="shared_first", task_encoding="onehot", cv=splits
    ).fit(X, y, task=task)
    feature = out_of_fold(shared, splits, X, y, task)
    mean, spread = feature.mean(), feature.std()
    wide = np.column_stack([X, (feature - mean) / spread])
    own = clone(LINES).fit(wide, y, task=task)
    assert_allclose(model.specific_.coef_, own.coef_)
    feature = shared.fit(X, y, task=task).predict(X, task=task)
    wide = np.column_stack([X, (feature - mean) / spread])
    assert_allclose(model.predict(X, task=task), own.predict(wide, task=task))
    assert model.shared_weight_ == 1


@pytest.mark.parametrize("order", ["specific_first", "shared_first"])
def test_both_parts_predict_better_than_one(rows, order):
    X, y, task = rows
    train = np.arange(240) % 2 == 0

    def error(model):
        fitted = clone(model).fit(X[train], y[train], task=task[train])
        found = fitted.predict(X[~train], task=task[~train])
        return np.mean((found - y[~train]) ** 2)

    model = SharedPlusSpecific(TREE, LINES, order=order)
    trees = PooledTasks(TREE, task_encoding="auto")
    assert error(model) < min(error(LINES), error(trees)) / 1.3


def test_a_part_does_not_trust_what_the_other_has_memorised():
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(100, 1)), np.repeat([0, 1], 50)
    y = X[:, 0] + 0.1 * rng.normal(size=100)
    model = SharedPlusSpecific(Memory(), LINES, order="shared_first")
    model = model.set_params(task_encoding=None).fit(X, y, task=task)
    # Out of fold, the memory predicts 0: it is no feature of any use.
    assert_allclose(model.specific_.coef_[:, 1], 0)
    assert model.score(X, y, task=task) > 0.9
    model.set_params(order="specific_first").fit(X, y, task=task)
    assert model.shared_weight_ == 0


def test_nothing_is_added_where_nothing_is_left(rows):
    X, _, task = rows
    y = X[:, 0] + task
    model = SharedPlusSpecific(DummyRegressor(), LINES.set_params(alpha=1e-6))
    model.fit(X, y, task=task)
    assert_allclose(model.predict(X, task=task), y, atol=1e-4)


@pytest.mark.full
def test_columns_and_frames_are_the_same_tasks_as_rows(rows):
    X, y, task = rows
    words = np.array([f"s{t}" for t in task])
    frame = pd.DataFrame({"u": X[:, 0], "school": words, "v": X[:, 1]})
    for order in ("specific_first", "shared_first"):
        model = SharedPlusSpecific(Ridge(), LINES, order=order)
        found = model.fit(X, y, task=task).predict(X, task=task)
        model = model.set_params(task_column="school").fit(frame, y)
        assert_allclose(model.predict(frame), found)
        assert model.tasks_.tolist() == sorted(set(words))
        Y = np.column_stack([y, 2 * y])
        wide = model.set_params(task_column=None).fit(X, Y)
        assert wide.predict(X).shape == (240, 2)


def test_weights_reach_both_parts(rows):
    X, y, task = rows
    rng = np.random.default_rng(0)
    kept = rng.random(240) < 0.7
    wrong = np.where(kept, y, 100.0)
    for order in ("specific_first", "shared_first"):
        splits = list(KFold(3).split(X))
        inner = np.flatnonzero(kept)
        place = np.cumsum(kept) - 1
        fewer = [
            (place[train[kept[train]]], place[test[kept[test]]])
            for train, test in splits
        ]
        model = SharedPlusSpecific(
            LinearRegression(), LINES, order=order, task_encoding=None, cv=splits
        )
        found = model.fit(X, wrong, sample_weight=kept.astype(float), task=task)
        found = found.predict(X, task=task)
        model.set_params(cv=fewer).fit(X[inner], y[inner], task=task[inner])
        assert_allclose(found, model.predict(X, task=task), rtol=1e-6)


@pytest.mark.full
def test_classes_follow_the_log_odds(rows):
    X, _, task = rows
    rng = np.random.default_rng(0)
    bend = 6 * (np.abs(X[:, 0]) - 1) + rng.normal(size=6)[task] * X[:, 1]
    y = np.where(bend + rng.logistic(size=240) > 0, "yes", "no")
    lines = MeanRegularizedClassifier()
    trees = RandomForestClassifier(30, min_samples_leaf=5, random_state=0)
    model = SharedPlusSpecific(trees, lines, order="shared_first", task_encoding=None)
    train = np.arange(240) % 2 == 0
    model.fit(X[train], y[train], task=task[train])
    lines.fit(X[train], y[train], task=task[train])
    test = {"X": X[~train], "y": y[~train], "task": task[~train]}
    assert model.score(**test) > lines.score(**test) + 0.1
    assert model.classes_.tolist() == ["no", "yes"]
    assert model.specific_.coef_.shape == (6, 3)
    three = np.where(X[:, 1] > 1, "maybe", y)
    model.fit(X, three, task=task)
    assert model.predict_proba(X, task=task).shape == (240, 3)


def test_counts_follow_the_logarithm(rows):
    X, _, task = rows
    rate = np.exp(np.abs(X[:, 0]))
    y = np.random.default_rng(0).poisson(rate)
    lines = MeanRegularizedPoissonRegressor()
    model = SharedPlusSpecific(TREE, lines, order="shared_first").fit(X, y, task=task)
    found = model.predict(X, task=task)
    assert np.corrcoef(np.log(found), np.log(rate))[0, 1] > 0.8
    with pytest.raises(ValueError, match="Set order='shared_first'"):
        model.set_params(order="specific_first").fit(X, y, task=task)


def test_folds_may_be_given(rows):
    X, y, task = rows
    found = [
        SharedPlusSpecific(Ridge(), LINES, cv=cv).fit(X, y, task=task)
        for cv in (TaskKFold(3), list(TaskKFold(3).split(X, y, task)))
    ]
    assert_array_equal(*(model.predict(X, task=task) for model in found))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (SharedPlusSpecific(Ridge(), Ridge()), "specific must be a model of tasks"),
        (SharedPlusSpecific(Ridge(), LINES, cv=999), "at most the number of rows"),
        (SharedPlusSpecific(Ridge(), LINES, cv=ShuffleSplit(3)), "test each row once"),
        (
            SharedPlusSpecific(LogisticRegression(), LINES, order="shared_first"),
            "both be classifiers or both regressors",
        ),
    ],
)
def test_errors_say_what_to_do(rows, model, message):
    X, y, task = rows
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, task=task)


def test_an_unseen_task_may_be_refused(rows):
    X, y, task = rows
    model = SharedPlusSpecific(Ridge(), LINES, handle_unknown="error")
    model.fit(X, y, task=task)
    with pytest.raises(ValueError, match="labels not seen in fit"):
        model.predict(X, task=np.repeat(99, 240))


@pytest.mark.parametrize("order", ["specific_first", "shared_first"])
@pytest.mark.parametrize(
    ("value", "message"),
    [("red", "column 'v' of X holds 'red' in row 9,"), (np.nan, "'v', row 9")],
)
def test_an_invalid_value_is_named_once(order, value, message):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(20, 2)), columns=["u", "v"]).astype(object)
    frame.loc[9, "v"] = value
    model = SharedPlusSpecific(Ridge(), MeanRegularizedRegressor(), order=order, cv=2)
    with pytest.raises(ValueError, match=message) as raised:
        model.fit(frame, rng.normal(size=20), task=np.arange(20) % 2)
    assert str(raised.value).count(" column 'v'") == 1
