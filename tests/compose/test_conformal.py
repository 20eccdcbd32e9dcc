"""Intervals from out-of-fold errors."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from skmtl.compose import ConformalTasks, PooledTasks, make_task_pipeline
from skmtl.datasets import make_related_tasks
from skmtl.kernel import MeanRegularizedKernelRegressor
from skmtl.linear_model import (
    LowRankRegressor,
    MeanRegularizedRegressor,
    PathSearchCV,
)
from skmtl.model_selection import TaskKFold

MODEL = MeanRegularizedRegressor(alpha_intercept=1.0)
FOLDS = TaskKFold(3)


def draw(n_tasks=6, n_samples=7, seed=0):
    X, y = make_related_tasks(n_tasks, n_samples, 2, random_state=seed)
    return X[:, :-1], y, X[:, -1].astype(int)


class _WithoutStd(RegressorMixin, BaseEstimator):
    """A model of tasks that returns no standard deviations."""

    def __init__(self, model, task_column=None):
        self.model = model
        self.task_column = task_column

    def fit(self, X, y, task=None):
        self.model_ = clone(self.model).fit(X, y, task=task)
        return self

    def predict(self, X, task=None):
        return self.model_.predict(X, task=task)


def smallest(values, weights, share):
    """Return the smallest value at which the weights add up to the share."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) >= share - 1e-12
    return values[order][reached.argmax()] if reached.any() else np.inf


def naive_ends(fits, tests, weights, y, predict, coverage):
    """Return the interval of one row, by every fit and every error."""
    low, high = np.zeros(len(y)), np.zeros(len(y))
    for model, test in zip(fits, tests, strict=True):
        fitted, std, mean, scale = predict(model, test)
        size = scale * np.abs(y[test] - fitted) / std
        low[test], high[test] = size - mean, size + mean
    return -smallest(low, weights, coverage), smallest(high, weights, coverage)


def test_intervals_of_a_seen_task_are_those_of_every_fold():
    X, y, task = draw()
    model = ConformalTasks(MODEL, cv=FOLDS).fit(X, y, task=task)
    splits = list(FOLDS.split(X, y, task))
    fits = [clone(MODEL).fit(X[a], y[a], task=task[a]) for a, _ in splits]
    weights, new = np.full(len(y), 1 / (len(y) + 1)), X[:1] + 0.1

    def predict(fit, test):
        fitted, std = fit.predict(X[test], task=task[test], return_std=True)
        mean, scale = fit.predict(new, task=task[:1], return_std=True)
        return fitted, std, mean[0], scale[0]

    expected = naive_ends(fits, [b for _, b in splits], weights, y, predict, 0.8)
    ends = model.predict_interval(new, 0.8, task=task[:1])
    assert_allclose(ends[0], expected, rtol=1e-7)


def test_intervals_of_an_unseen_task_give_all_tasks_the_same_weight():
    X, y, task = draw()
    kept = (task > 2) | (np.arange(len(y)) % 2 > 0)
    X, y, task = X[kept], y[kept], task[kept]
    model = ConformalTasks(Ridge(), task_cv=6).fit(X, y, task=task)
    tests = [np.flatnonzero(task == t) for t in range(6)]
    fits = [Ridge().fit(X[task != t], y[task != t]) for t in range(6)]

    def predict(fit, test):
        return fit.predict(X[test]), 1.0, fit.predict(X[:1])[0], 1.0

    weights = 1 / (7 * np.bincount(task)[task])
    expected = naive_ends(fits, tests, weights, y, predict, 0.7)
    ends = model.predict_interval(X[:1], 0.7, task=[99])
    assert_allclose(ends[0], expected, rtol=1e-7)


def test_few_tasks_say_little_about_another():
    X, y, task = draw(8)
    model = ConformalTasks(Ridge()).fit(X, y, task=task)
    assert np.isinf(model.predict_interval(X[:2], 0.9, task=[99, 99])).all()
    assert np.isfinite(model.predict_interval(X[:2], 0.8, task=[99, 99])).all()
    alone = ConformalTasks(Ridge()).fit(X, y, task=task * 0)
    assert np.isinf(alone.predict_interval(X[:2], 0.5, task=[99, 99])).all()


def test_a_regressor_of_one_table_is_fitted_to_all_tasks():
    X, y, task = draw()
    model = ConformalTasks(Ridge(2.0)).fit(X, y, task=task)
    assert_allclose(model.predict(X, task=task), Ridge(2.0).fit(X, y).predict(X))
    pooled = ConformalTasks(PooledTasks(Ridge(2.0))).fit(X, y, task=task)
    ends = [each.predict_interval(X, task=task) for each in (model, pooled)]
    assert_allclose(*ends)
    assert model.score(X, y, task=task) == pytest.approx(
        Ridge(2.0).fit(X, y).score(X, y)
    )


def test_a_pipeline_gets_its_task_column():
    X, y, task = draw()
    table = np.column_stack([X * 3 + 1, task])
    pipeline = make_task_pipeline(StandardScaler(), clone(MODEL), task_column=-1)
    model = ConformalTasks(pipeline, task_column=-1).fit(table, y)
    table[:2, -1] = 99
    ends, prediction = model.predict_interval(table), model.predict(table)
    assert ((ends[:, 0] <= prediction) & (prediction <= ends[:, 1])).all()
    assert (np.diff(ends)[:2] > np.diff(ends)[2:].max()).all()
    with pytest.raises(
        ValueError, match="task_column must be set in ConformalTasks too"
    ):
        ConformalTasks(pipeline).fit(table, y)


@pytest.mark.full
def test_a_search_around_a_model_of_tasks_gets_labels():
    """Its fit accepts task=, but only the model inside has a task column."""
    X, y, task = draw()
    table = np.column_stack([X, task])
    inner = LowRankRegressor(task_column=-1, handle_unknown="error")
    search = PathSearchCV(inner, alphas=[0.2])
    by_column = ConformalTasks(search, task_column=-1, cv=2, task_cv=2).fit(table, y)
    inner = LowRankRegressor()
    search = PathSearchCV(inner, alphas=[0.2])
    by_label = ConformalTasks(search, cv=2, task_cv=2).fit(X, y, task=task)
    table[:2, -1] = 99
    ends = by_label.predict_interval(X, 0.5, task=table[:, -1].astype(int))
    assert np.isfinite(ends).all()
    assert_allclose(by_column.predict_interval(table, 0.5), ends)


def test_a_task_column_inside_only_is_refused():
    X, y, _ = draw()
    search = PathSearchCV(LowRankRegressor(task_column=-1))
    with pytest.raises(
        ValueError, match=r"got PathSearchCV\(estimator__task_column=-1"
    ):
        ConformalTasks(search).fit(X, y)


def test_columns_of_targets_are_rows_with_a_task_each():
    X, y = np.random.default_rng(0).normal(size=(2, 20, 3))
    wide = ConformalTasks(MODEL, cv=2).fit(X, y)
    tall = ConformalTasks(MODEL, cv=2)
    tall.fit(np.tile(X, (3, 1)), y.T.ravel(), task=np.repeat(wide.tasks_, 20))
    ends = wide.predict_interval(X[:4])
    assert ends.shape == (4, 3, 2)
    expected = tall.predict_interval(X[:4], task=np.repeat(wide.tasks_[1], 4))
    assert_allclose(ends[:, 1], expected)


def test_classes_are_refused():
    with pytest.raises(ValueError, match="estimator must be a regressor"):
        ConformalTasks(LogisticRegression()).fit(np.arange(4.0)[:, None], [0, 1, 0, 1])


def test_a_coverage_that_is_no_share_is_refused():
    X, y, task = draw(3)
    model = ConformalTasks(MODEL).fit(X, y, task=task)
    with pytest.raises(ValueError, match="coverage must be a share"):
        model.predict_interval(X, 1.0, task=task)


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:The targets of tasks should have similar")
@pytest.mark.parametrize("estimator", [MODEL, Ridge()])
def test_intervals_cover_their_share_whatever_the_errors(estimator):
    rng, covered = np.random.default_rng(0), []
    for seed in range(5):
        X, y, task = draw(60, 30, seed)
        y = y + X[:, 0] ** 2 + rng.standard_t(2.1, len(y))
        train = (task < 40) & (np.arange(len(y)) % 4 > 0)
        model = ConformalTasks(estimator).fit(X[train], y[train], task=task[train])
        ends = model.predict_interval(X, task=task)
        inside = (ends[:, 0] <= y) & (y <= ends[:, 1])
        covered.append([inside[~train & (task < 40)].mean(), inside[task >= 40].mean()])
    assert_allclose(np.mean(covered, axis=0), 0.9, atol=0.03)


@pytest.mark.full
def test_fits_without_residuals_have_the_scale_one():
    """Their standard deviations are unknown."""
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(30, 60)), np.arange(30) % 5
    y = X[:, 0] + rng.normal(size=30)
    exact = MeanRegularizedRegressor(1e-12)
    with pytest.raises(ValueError, match="fits its rows exactly"):
        exact.fit(X, y, task=task).predict(X, task=task, return_std=True)
    model = ConformalTasks(exact).fit(X, y, task=task)
    scaled = ConformalTasks(_WithoutStd(exact)).fit(X, y, task=task)
    labels = np.arange(30) % 6  # the last is unseen
    found = model.predict_interval(X, coverage=0.6, task=labels)
    assert_allclose(found, scaled.predict_interval(X, coverage=0.6, task=labels))
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "model", [MeanRegularizedRegressor(), MeanRegularizedKernelRegressor()]
)
def test_infinite_standard_deviations_have_the_scale_one(model):
    """Those of an unseen task are infinite for a fit to one other."""
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(40, 2)), np.arange(40) % 2
    y = X[:, 0] + rng.normal(size=40)
    model = ConformalTasks(model).fit(X, y, task=task)
    scaled = ConformalTasks(_WithoutStd(model.estimator)).fit(X, y, task=task)
    found = model.predict_interval(X, coverage=0.5, task=9)
    assert_allclose(found, scaled.predict_interval(X, coverage=0.5, task=9))
    assert np.isfinite(found).all()
