import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cases import parametrize
from dense import Dense
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.linalg import LinAlgWarning
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, PredefinedSplit, cross_val_score

from skmtl.datasets import make_related_tasks
from skmtl.linear_model import (
    MeanRegularizedRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskRidge,
    MultiTaskRidgeCV,
)

# Grids here have few strengths on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:The error still falls:UserWarning")

N_TASKS, N_FEATURES = 5, 4
SIZES = np.array([9, 14, 6, 21, 11])
LEARNT = ("coef_", "intercept_", "coef_shared_", "intercept_shared_")


@pytest.fixture
def tasks():
    """Return X, y, labels of rows of uneven tasks, mixed."""
    rng = np.random.default_rng(7)
    labels = rng.permutation(np.repeat(np.arange(N_TASKS) * 10, SIZES))
    X = rng.normal(size=(len(labels), N_FEATURES)) + 2
    coef = rng.normal(1.0, 0.5, size=(N_TASKS, N_FEATURES))
    y = (X * coef[labels // 10]).sum(axis=1) + labels / 20
    return X, y + rng.normal(size=len(y)), labels


@pytest.fixture
def outputs():
    """Return X, Y of tasks that share rows."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(40, N_FEATURES)) + 2
    Y = X @ rng.normal(1, 0.5, size=(N_FEATURES, N_TASKS)) + np.arange(N_TASKS)
    return X, Y + np.geomspace(0.1, 10, N_TASKS) * rng.normal(size=Y.shape)


def weights_of(y, seed=3):
    return np.random.default_rng(seed).integers(0, 4, len(y)).astype(float)


def dense_of(model, X, y, labels, weight=None):
    """State what a mean-regularised model minimises in one dense matrix."""
    codes = np.unique(labels, return_inverse=True)[1]
    return Dense(
        X,
        y,
        codes,
        codes.max() + 1,
        np.ones(len(y)) if weight is None else weight,
        np.broadcast_to(np.asarray(model.alpha, float), X.shape[1]).copy(),
        model.alpha_shared,
        model.alpha_intercept,
        model.fit_intercept,
    )


def assert_alike(first, second, rtol=1e-8, atol=1e-10):
    for name in LEARNT:
        assert_allclose(
            getattr(first, name),
            getattr(second, name),
            rtol=rtol,
            atol=atol,
            err_msg=name,
        )


def stack(X, Y):
    """Return the rows of X once for each column of Y, with labels."""
    labels = np.repeat(np.arange(Y.shape[1]), len(Y))
    return np.tile(X, (Y.shape[1], 1)), Y.T.ravel(), labels


# -- tasks apart: scikit-learn's Ridge


@pytest.mark.parametrize("alpha", [0.0, 0.3, 50.0])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_ridge_of_rows_is_a_ridge_of_each_task(tasks, alpha, fit_intercept, weighted):
    X, y, labels = tasks
    weight = weights_of(y) if weighted else np.ones(len(y))
    model = MultiTaskRidge(alpha, fit_intercept=fit_intercept)
    model.fit(X, y, sample_weight=weight, task=labels)
    for t, task in enumerate(model.tasks_):
        rows = labels == task
        ridge = Ridge(alpha, fit_intercept=fit_intercept, solver="svd")
        ridge.fit(X[rows], y[rows], weight[rows])
        assert_allclose(model.coef_[t], ridge.coef_, rtol=1e-8)
        assert_allclose(model.intercept_[t], ridge.intercept_, rtol=1e-8)
        expected = ridge.predict(X[rows])
        assert_allclose(model.predict(X[rows], task=labels[rows]), expected)


@pytest.mark.parametrize("alpha", [0.5, np.array([0.1, 1.0, 3.0, 10.0, 200.0])])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_ridge_of_outputs_is_the_ridge_of_scikit_learn(outputs, alpha, fit_intercept):
    X, Y = outputs
    weight = weights_of(Y)
    model = MultiTaskRidge(alpha, fit_intercept=fit_intercept).fit(X, Y, weight)
    ridge = Ridge(alpha, fit_intercept=fit_intercept).fit(X, Y, weight)
    assert_allclose(model.coef_, ridge.coef_, rtol=1e-8)
    assert_allclose(model.intercept_, ridge.intercept_, rtol=1e-8, atol=1e-12)
    assert_allclose(model.predict(X), ridge.predict(X))
    assert_allclose(model.score(X, Y), ridge.score(X, Y))


def test_ridge_of_a_single_output_has_the_shapes_of_scikit_learn(tasks):
    X, y, _ = tasks
    model, ridge = MultiTaskRidge(2.0).fit(X, y), Ridge(2.0).fit(X, y)
    assert model.coef_.shape == ridge.coef_.shape
    assert np.ndim(model.intercept_) == 0
    assert_allclose(model.coef_, ridge.coef_)
    assert_allclose(model.intercept_, ridge.intercept_)


def test_a_mapping_of_strengths_finds_its_tasks(tasks):
    X, y, labels = tasks
    by_label = {30: 4.0, 0: 1.0, 10: 2.0, 40: 5.0, 20: 3.0}
    given_by_label = MultiTaskRidge(by_label).fit(X, y, task=labels)
    in_order = MultiTaskRidge([1.0, 2.0, 3.0, 4.0, 5.0]).fit(X, y, task=labels)
    assert_alike(given_by_label, in_order)


def test_ridge_without_strength_has_the_least_norm_where_rows_are_few(tasks):
    X, y, labels = tasks
    X = np.column_stack([X, X[:, 0] + X[:, 1], np.full(len(y), 0.1), X[:, 2] ** 2])
    rows = np.concatenate([np.flatnonzero(labels == task)[:5] for task in (0, 20)])
    model = MultiTaskRidge(0.0).fit(X[rows], y[rows], task=labels[rows])
    for t, task in enumerate(model.tasks_):
        own = rows[labels[rows] == task]
        expected = LinearRegression().fit(X[own], y[own])
        assert_allclose(model.coef_[t], expected.coef_, rtol=1e-6, atol=1e-9)
        assert_allclose(model.intercept_[t], expected.intercept_, rtol=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_rows", [40, 6])
def test_chosen_strengths_are_those_of_scikit_learn(outputs, fit_intercept, n_rows):
    X, Y = outputs[0][:n_rows], outputs[1][:n_rows]
    alphas = np.geomspace(1e-2, 1e3, 11)
    model = MultiTaskRidgeCV(alphas, fit_intercept=fit_intercept).fit(X, Y)
    ridge = RidgeCV(alphas, fit_intercept=fit_intercept, alpha_per_target=True)
    ridge.fit(X, Y)
    assert_array_equal(model.alpha_, ridge.alpha_)
    assert_allclose(model.coef_, ridge.coef_, rtol=1e-7, atol=1e-10)
    assert_allclose(model.intercept_, ridge.intercept_, rtol=1e-7, atol=1e-10)
    assert_allclose(model.best_score_, ridge.best_score_, rtol=1e-7)


def test_a_common_strength_is_that_of_scikit_learn(outputs):
    X, Y = outputs
    alphas = np.geomspace(1e-2, 1e3, 11)
    model = MultiTaskRidgeCV(alphas, alpha_per_task=False).fit(X, Y)
    ridge = RidgeCV(alphas).fit(X, Y)
    assert model.alpha_ == ridge.alpha_
    assert_allclose(model.coef_, ridge.coef_)
    assert_allclose(model.best_score_, ridge.best_score_)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("task_weight", [None, "balanced"])
def test_chosen_strengths_of_rows_are_those_of_each_task(
    tasks, fit_intercept, task_weight
):
    """Weights are ones: RidgeCV squares those in its errors, we do not."""
    X, y, labels = tasks
    alphas = np.geomspace(1e-2, 1e3, 11)
    model = MultiTaskRidgeCV(
        alphas, fit_intercept=fit_intercept, task_weight=task_weight
    ).fit(X, y, task=labels)
    factor = 1.0 if task_weight is None else SIZES.mean() / SIZES
    for t, task in enumerate(model.tasks_):
        rows = labels == task
        unit = np.broadcast_to(factor, SIZES.shape)[t]
        ridge = RidgeCV(alphas / unit, fit_intercept=fit_intercept)
        ridge.fit(X[rows], y[rows])
        assert_allclose(model.alpha_[t], ridge.alpha_ * unit)
        assert_allclose(model.coef_[t], ridge.coef_, rtol=1e-7)
        assert_allclose(model.best_score_[t], ridge.best_score_, rtol=1e-7)


@pytest.mark.parametrize("cv", [4, KFold(3, shuffle=True, random_state=0)])
def test_folds_choose_as_scores_of_folds_do(outputs, cv):
    X, Y = outputs
    alphas = np.array([0.1, 10.0, 1000.0])
    model = MultiTaskRidgeCV(alphas, cv=cv).fit(X, Y)
    folds = {4: PredefinedSplit(np.arange(40) % 4)}.get(cv, cv)
    for t in range(N_TASKS):
        errors = [
            -cross_val_score(
                Ridge(a), X, Y[:, t], cv=folds, scoring="neg_mean_squared_error"
            )
            for a in alphas
        ]
        sizes = [len(test) for _, test in folds.split(X)]
        means = np.average(errors, axis=1, weights=sizes)
        assert model.alpha_[t] == alphas[means.argmin()]
        assert_allclose(model.best_score_[t], -means.min(), rtol=1e-10)


# -- tasks around a centre: one dense least-squares problem

STRENGTHS = [
    {"alpha": 0.7},
    {"alpha": 3.0, "alpha_shared": 2.0},
    {"alpha": 3.0, "alpha_intercept": 0.5},
    {"alpha": 0.2, "alpha_intercept": np.inf},
    {"alpha": [0.1, 1.0, 10.0, 100.0], "alpha_intercept": 4.0},
    {"alpha": [0.1, np.inf, 10.0, 1.0]},
    {"alpha": np.inf, "alpha_intercept": 2.0},
    {"alpha": 2.0, "fit_intercept": False},
]
each_strength = pytest.mark.parametrize("strengths", STRENGTHS, ids=str)


@each_strength
@pytest.mark.parametrize("weighted", [True, False])
def test_a_model_solves_the_dense_problem(tasks, strengths, weighted):
    X, y, labels = tasks
    weight = weights_of(y) if weighted else None
    model = MeanRegularizedRegressor(**strengths)
    model.fit(X, y, sample_weight=weight, task=labels)
    dense = dense_of(model, X, y, labels, weight)
    coef, intercept, shared, intercept_shared, _ = dense.solve()
    assert_allclose(model.coef_, coef, rtol=1e-7)
    assert_allclose(model.intercept_, intercept, rtol=1e-7, atol=1e-10)
    assert_allclose(model.coef_shared_, shared, rtol=1e-7)
    pulled = model.alpha_intercept > 0 or not model.fit_intercept
    level = np.average(y - X @ shared, weights=weight)
    expected = intercept_shared if pulled else level
    assert_allclose(model.intercept_shared_, expected, rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("alpha", [1e7, 1e10, 1e13, np.inf])
def test_the_strongest_pull_pools_the_rows_with_an_intercept_per_task(tasks, alpha):
    X, y, labels = tasks
    model = MeanRegularizedRegressor(alpha).fit(X, y, task=labels)
    dummies = (labels[:, None] == model.tasks_).astype(float)
    pooled = LinearRegression(fit_intercept=False).fit(np.hstack([X, dummies]), y)
    rtol = 1e-9 + 1e3 / alpha
    assert_allclose(model.coef_shared_, pooled.coef_[:N_FEATURES], rtol=rtol)
    assert_allclose(model.coef_ - model.coef_shared_, 0, atol=1e-12 + 1e3 / alpha)
    assert_allclose(model.intercept_, pooled.coef_[N_FEATURES:], rtol=rtol)


def test_the_strongest_pulls_make_one_model_of_all_rows(tasks):
    X, y, labels = tasks
    model = MeanRegularizedRegressor(np.inf, alpha_intercept=np.inf)
    model.fit(X, y, task=labels)
    pooled = LinearRegression().fit(X, y)
    assert_allclose(model.coef_, np.tile(pooled.coef_, (N_TASKS, 1)), rtol=1e-9)
    assert_allclose(model.intercept_, pooled.intercept_, rtol=1e-9)
    assert_allclose(model.predict(X, task=labels), pooled.predict(X))


@pytest.mark.parametrize("alpha", [0.0, 1e-12, 1e-9])
def test_the_weakest_pull_leaves_tasks_apart(tasks, alpha):
    X, y, labels = tasks
    model = MeanRegularizedRegressor(alpha).fit(X, y, task=labels)
    apart = MultiTaskRidge(0.0).fit(X, y, task=labels)
    assert_allclose(model.coef_, apart.coef_, rtol=1e-7)
    assert_allclose(model.intercept_, apart.intercept_, rtol=1e-6)


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("alpha_intercept", [0.0, 2.0, np.inf])
def test_one_task_is_least_squares_whatever_the_pull(tasks, alpha, alpha_intercept):
    """The centre comes to the task for nothing."""
    X, y, _ = tasks
    model = MeanRegularizedRegressor(alpha, alpha_intercept=alpha_intercept).fit(X, y)
    expected = LinearRegression().fit(X, y)
    assert model.coef_.shape == (N_FEATURES,)
    assert_allclose(model.coef_, expected.coef_, rtol=1e-7)
    assert_allclose(model.coef_shared_, expected.coef_, rtol=1e-7)
    assert_allclose(model.intercept_, expected.intercept_, rtol=1e-7)


def test_one_task_with_a_pulled_centre_is_ridge(tasks):
    """Two springs in a row are as strong as their harmonic sum."""
    X, y, _ = tasks
    model = MeanRegularizedRegressor(3.0, alpha_shared=6.0).fit(X, y)
    expected = Ridge(1 / (1 / 3 + 1 / 6)).fit(X, y)
    assert_allclose(model.coef_, expected.coef_)
    assert_allclose(model.intercept_, expected.intercept_)
    assert_allclose(model.coef_shared_, expected.coef_ / 3)


def test_a_model_is_a_ridge_on_augmented_features(tasks):
    """Every feature once for all, and once for each task (Daume 2007)."""
    X, y, labels = tasks
    model = MeanRegularizedRegressor(2.0, alpha_shared=0.5, fit_intercept=False)
    model.fit(X, y, task=labels)
    own = (labels[:, None] == model.tasks_)[:, :, None] * X[:, None]
    design = np.hstack([X / np.sqrt(0.5), own.reshape(len(X), -1) / np.sqrt(2.0)])
    ridge = Ridge(1.0, fit_intercept=False).fit(design, y)
    shared = ridge.coef_[:N_FEATURES] / np.sqrt(0.5)
    apart = ridge.coef_[N_FEATURES:].reshape(N_TASKS, -1) / np.sqrt(2.0)
    assert_allclose(model.coef_shared_, shared)
    assert_allclose(model.coef_, shared + apart)


def test_a_model_is_a_kernel_ridge_with_a_kernel_over_tasks(tasks):
    """The kernel is the inverse precision of the tasks times that of the rows."""
    X, y, labels = tasks
    alpha, alpha_shared = 2.0, 0.5
    model = MeanRegularizedRegressor(
        alpha, alpha_shared=alpha_shared, fit_intercept=False
    ).fit(X, y, task=labels)
    total = N_TASKS * alpha + alpha_shared
    precision = alpha * np.eye(N_TASKS) - alpha**2 / total
    codes = labels // 10
    gram = np.linalg.inv(precision)[np.ix_(codes, codes)] * (X @ X.T)
    expected = KernelRidge(alpha=1.0, kernel="precomputed").fit(gram, y).predict(gram)
    assert_allclose(model.predict(X, task=labels), expected)


def test_a_precision_of_tasks_is_what_the_centre_leaves(tasks):
    """Pulling to the mean and to zero, as other software states it.

    ``a sum ||w_t - mean||^2 + r sum ||w_t||^2`` has ``alpha = a + r`` and
    ``alpha_shared = n_tasks alpha r / a``.
    """
    X, y, labels = tasks
    a, r = 4.0, 0.5
    model = MeanRegularizedRegressor(
        a + r, alpha_shared=N_TASKS * (a + r) * r / a, fit_intercept=False
    ).fit(X, y, task=labels)
    coef, codes = model.coef_, labels // 10
    left = y - (X * coef[codes]).sum(axis=1)
    gradient = np.array([-X[codes == t].T @ left[codes == t] for t in range(N_TASKS)])
    gradient += a * (coef - coef.mean(axis=0)) + r * coef
    assert_allclose(gradient, 0, atol=1e-10 * np.abs(X.T @ y).max())


# -- uncertainty


@each_strength
def test_standard_deviations_are_those_of_the_dense_posterior(tasks, strengths):
    X, y, labels = tasks
    model = MeanRegularizedRegressor(**strengths).fit(X, y, task=labels)
    dense = dense_of(model, X, y, labels)
    codes = labels // 10
    prediction, std = model.predict(X, task=labels, return_std=True)
    left = len(y) - dense.degrees_of_freedom()
    sigma2 = ((y - prediction) ** 2).sum() / left
    expected = np.sqrt(sigma2 * (1 + dense.variance(X, codes)))
    assert_allclose(prediction, model.predict(X, task=labels))
    assert_allclose(std, expected, rtol=1e-7)


def test_standard_deviations_of_outputs_are_those_of_rows(outputs):
    X, Y = outputs
    stacked, y, labels = stack(X, Y)
    wide = MeanRegularizedRegressor(2.0, alpha_intercept=1.0).fit(X, Y)
    tall = MeanRegularizedRegressor(2.0, alpha_intercept=1.0)
    tall.fit(stacked, y, task=labels)
    _, std = wide.predict(X, return_std=True)
    assert std.shape == Y.shape
    expected = tall.predict(stacked, task=labels, return_std=True)[1]
    assert_allclose(std.T.ravel(), expected)


@pytest.mark.parametrize("new", [False, True])
def test_intervals_cover_what_they_promise(new):
    X, y = make_related_tasks(60, 40, 3, spread=0.5, random_state=0)
    task, X = X[:, -1].astype(int), X[:, :-1]
    number = np.arange(len(y))
    rows = (task < 40) & (number % 4 > 0)
    model = MeanRegularizedRegressorCV(method="reml").fit(
        X[rows], y[rows], task=task[rows]
    )
    test = task >= 40 if new else (task < 40) & (number % 4 == 0)
    prediction, std = model.predict(X[test], task=task[test], return_std=True)
    covered = (np.abs(y[test] - prediction) < 1.96 * std).mean()
    assert_allclose(covered, 0.95, atol=0.03)


def test_a_model_that_fits_its_rows_exactly_does_not_know_the_noise(tasks):
    X, y, labels = tasks
    rows = np.concatenate([np.flatnonzero(labels == t)[:2] for t in (0, 10)])
    model = MeanRegularizedRegressor(0.0).fit(X[rows], y[rows], task=labels[rows])
    message = "more rows than degrees of freedom, .* Raise alpha, or fit more rows"
    with pytest.raises(ValueError, match=message):
        model.predict(X[rows], task=labels[rows], return_std=True)


# -- a new task


@pytest.mark.parametrize("alpha_intercept", [0.0, 0.5, np.inf])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("label", [25, -3, 99])
def test_a_new_task_is_solved_with_the_centre_as_it_was(
    tasks, alpha_intercept, fit_intercept, label
):
    X, y, labels = tasks
    model = MeanRegularizedRegressor(
        2.0, alpha_intercept=alpha_intercept, fit_intercept=fit_intercept
    ).fit(X, y, task=labels)
    old = {name: np.copy(getattr(model, name)) for name in LEARNT}
    rng = np.random.default_rng(0)
    new_X, new_y, weight = rng.normal(size=(3, 4)), rng.normal(size=3), rng.random(3)
    model.adapt(new_X, new_y, sample_weight=weight, task=label)
    t = int(np.flatnonzero(model.tasks_ == label)[0])
    others = np.delete(np.arange(N_TASKS + 1), t)
    assert_array_equal(model.tasks_, np.sort([0, 10, 20, 30, 40, label]))
    assert model.n_tasks_ == N_TASKS + 1
    assert_array_equal(model.coef_[others], old["coef_"])
    assert_array_equal(model.intercept_[others], old["intercept_"])
    assert_array_equal(model.coef_shared_, old["coef_shared_"])
    assert_array_equal(model.intercept_shared_, old["intercept_shared_"])
    # around the fixed centre, in one dense least-squares problem
    left = new_y - new_X @ old["coef_shared_"] - old["intercept_shared_"]
    level = np.ones((3, 1)) * float(fit_intercept and alpha_intercept < np.inf)
    design = np.hstack([new_X, level]) * np.sqrt(weight)[:, None]
    finite = np.sqrt(np.nan_to_num(alpha_intercept, posinf=1.0))
    pull = np.diag(np.append(np.full(4, np.sqrt(2.0)), finite))
    target = np.append(left * np.sqrt(weight), np.zeros(5))
    expected = np.linalg.lstsq(np.vstack([design, pull]), target)[0]
    assert_allclose(model.coef_[t] - old["coef_shared_"], expected[:4], rtol=1e-7)
    gap = model.intercept_[t] - old["intercept_shared_"]
    assert_allclose(gap, expected[4], rtol=1e-7, atol=1e-10)


def test_a_new_task_may_come_by_its_column(tasks):
    X, y, labels = tasks
    table = np.column_stack([labels, X])
    model = MeanRegularizedRegressor(task_column=0).fit(table, y)
    keyword = MeanRegularizedRegressor().fit(X, y, task=labels)
    model.adapt(np.column_stack([np.full(4, 7), X[:4]]), y[:4])
    keyword.adapt(X[:4], y[:4], task=7)
    assert_alike(model, keyword)


def test_adapt_takes_one_task_that_is_new(tasks):
    X, y, labels = tasks
    model = MeanRegularizedRegressor().fit(X, y, task=labels)
    before = pickle.dumps(vars(model))
    with pytest.raises(ValueError, match=r"one new task, got tasks \[10\]"):
        model.adapt(X[:4], y[:4], task=10)
    column = MeanRegularizedRegressor(task_column=0)
    column.fit(np.column_stack([labels, X]), y)
    two = np.column_stack([[7, 7, 8, 8], X[:4]])
    with pytest.raises(ValueError, match=r"one new task, got tasks \[7, 8\]"):
        column.adapt(two, y[:4])
    with pytest.raises(ValueError, match="a task label on every row"):
        MeanRegularizedRegressor().fit(X, y).adapt(X, y, task=3)
    with pytest.raises(NotFittedError):
        MeanRegularizedRegressor().adapt(X, y, task=3)
    assert pickle.dumps(vars(model)) == before


# -- batches

PLAIN = [
    MultiTaskRidge(0.5),
    MultiTaskRidge(0.0),
    MeanRegularizedRegressor(0.5),
    MeanRegularizedRegressor(0.5, alpha_shared=1.0, alpha_intercept=2.0),
    MeanRegularizedRegressor([1.0, 2.0, np.inf], alpha_intercept=np.inf),
    MeanRegularizedRegressor(2.0, fit_intercept=False),
    MeanRegularizedRegressor(2.0, task_weight="balanced"),
]


@pytest.mark.parametrize("model", PLAIN, ids=str)
@given(seed=st.integers(0, 10_000), n_batches=st.integers(1, 6))
def test_batches_in_any_order_are_one_fit(model, seed, n_batches):
    rng = np.random.default_rng(seed)
    labels = np.repeat(["a", "b", "c"], [9, 17, 12])
    X, y = rng.normal(size=(38, 3)) + 5, rng.normal(size=38)
    weight = rng.integers(0, 4, 38) + 0.5
    whole = clone(model).fit(X, y, weight, task=labels)
    parts = clone(model)
    for rows in np.array_split(rng.permutation(38), n_batches):
        parts.partial_fit(X[rows], y[rows], weight[rows], task=labels[rows])
    assert_alike(parts, whole, rtol=1e-6, atol=1e-8)
    assert_array_equal(parts.tasks_, whole.tasks_)


def test_batches_of_outputs_are_one_fit(outputs):
    X, Y = outputs
    whole = MeanRegularizedRegressor(2.0).fit(X, Y)
    parts = MeanRegularizedRegressor(2.0).fit(X[:25], Y[:25])
    parts.partial_fit(X[25:], Y[25:])
    assert_alike(parts, whole)


def test_a_refit_forgets_batches(tasks):
    X, y, labels = tasks
    model = MeanRegularizedRegressor().partial_fit(X, y, task=labels)
    model.fit(X[:30], y[:30], task=labels[:30])
    expected = MeanRegularizedRegressor().fit(X[:30], y[:30], task=labels[:30])
    assert_alike(model, expected, rtol=0, atol=0)


def test_a_refit_forgets_the_uncertainty_of_other_rows(tasks):
    X, y, labels = tasks
    rng = np.random.default_rng(0)
    wide, target = rng.normal(size=(24, 100)), rng.normal(size=24)
    again = MeanRegularizedRegressor(alpha_shared=1.0).fit(X, y, task=labels)
    again.fit(wide, target, task=np.arange(24) % 3)
    anew = MeanRegularizedRegressor(alpha_shared=1.0)
    anew.fit(wide, target, task=np.arange(24) % 3)
    assert vars(again).keys() == vars(anew).keys()
    stds = [
        model.predict(wide, task=np.arange(24) % 3, return_std=True)[1]
        for model in (again, anew)
    ]
    assert_array_equal(*stds)


def test_batches_need_moments_that_a_fit_of_few_rows_does_not_keep():
    rng = np.random.default_rng(0)
    X, y, labels = rng.normal(size=(12, 100)), rng.normal(size=12), [0, 1, 2] * 4
    model = MeanRegularizedRegressor().fit(X, y, task=labels)
    with pytest.raises(ValueError, match="fewer rows per task than features"):
        model.partial_fit(X, y, task=labels)
    twice = MeanRegularizedRegressor()
    twice.partial_fit(X[:6], y[:6], task=labels[:6])
    twice.partial_fit(X[6:], y[6:], task=labels[6:])
    assert_alike(twice, model, rtol=1e-6, atol=1e-8)


# -- strengths from the data


@pytest.mark.parametrize("method", ["loo", "gcv", "cv"])
def test_the_best_of_a_grid_is_chosen_and_fitted(tasks, method):
    X, y, labels = tasks
    model = MeanRegularizedRegressorCV(
        [0.1, 1.0, 10.0, 100.0],
        alphas_shared=[0.0, 2.0],
        alphas_intercept=[0.1, 1.0, np.inf],
        method=method,
    ).fit(X, y, task=labels)
    scores = model.cv_results_["mean_test_score"]
    best = np.nanargmax(scores)
    assert len(scores) == 24
    assert model.alpha_ == model.cv_results_["alpha"][best]
    assert model.alpha_intercept_ == model.cv_results_["alpha_intercept"][best]
    assert model.best_score_ == scores[best]
    plain = MeanRegularizedRegressor(
        model.alpha_,
        alpha_shared=model.alpha_shared_,
        alpha_intercept=model.alpha_intercept_,
    ).fit(X, y, task=labels)
    assert_alike(model, plain)
    assert_allclose(model.tau2_, model.sigma2_ / model.alpha_)
    assert_allclose(model.tau2_intercept_, model.sigma2_ / model.alpha_intercept_)
    stds = [m.predict(X, task=labels, return_std=True)[1] for m in (model, plain)]
    assert_allclose(*stds)


@pytest.mark.parametrize("alpha_intercept", [0.5, np.inf])
def test_leave_one_out_scores_are_of_models_without_the_row(tasks, alpha_intercept):
    X, y, labels = (values[:25] for values in tasks)
    model = MeanRegularizedRegressorCV(
        [0.7], alphas_shared=[0.0], alphas_intercept=[alpha_intercept], method="loo"
    ).fit(X, y, task=labels)
    plain = MeanRegularizedRegressor(0.7, alpha_intercept=alpha_intercept)
    errors = []
    for row in range(25):
        kept = np.arange(25) != row
        plain.fit(X[kept], y[kept], task=labels[kept])
        errors.append(y[row] - plain.predict(X[[row]], task=labels[[row]])[0])
    assert_allclose(model.best_score_, -np.square(errors).mean(), rtol=1e-9)


@pytest.mark.parametrize("cv", [3, KFold(4), [(np.arange(20), np.arange(20, 60))]])
def test_scores_of_folds_are_those_of_refits(tasks, cv):
    X, y, labels = tasks
    table = np.column_stack([X, labels])
    model = MeanRegularizedRegressorCV(
        [0.7, 20.0],
        alphas_shared=[0.0],
        alphas_intercept=[0.5, np.inf],
        method="cv",
        cv=cv,
        task_column=-1,
    ).fit(table, y)
    results = model.cv_results_
    for k in range(4):
        plain = MeanRegularizedRegressor(
            results["alpha"][k],
            alpha_intercept=results["alpha_intercept"][k],
            task_column=-1,
        )
        dealt = np.empty(len(y), dtype=int)
        dealt[np.argsort(labels, kind="stable")] = np.arange(len(y)) % 3
        folds = {3: PredefinedSplit(dealt)}.get(str(cv) == "3" and 3, cv)
        expected = cross_val_score(
            plain, table, y, cv=folds, scoring="neg_mean_squared_error"
        )
        found = [results[f"split{i}_test_score"][k] for i in range(len(expected))]
        assert_allclose(found, expected, rtol=1e-10)
        assert_allclose(results["mean_test_score"][k], expected.mean(), rtol=1e-10)


@pytest.mark.parametrize("structure", ["one", "per_feature"])
@pytest.mark.parametrize("fit_intercept", [False, True])
def test_likely_strengths_are_a_stationary_point(tasks, structure, fit_intercept):
    X, y, labels = tasks
    model = MeanRegularizedRegressorCV(
        method="reml",
        alphas_shared=[0.0],
        alpha_structure=structure,
        fit_intercept=fit_intercept,
    ).fit(X, y, task=labels)
    alpha = np.minimum(np.broadcast_to(model.alpha_, 4), 1e9)
    plain = MeanRegularizedRegressor(
        alpha,
        alpha_intercept=min(model.alpha_intercept_, 1e9),
        fit_intercept=fit_intercept,
    )
    dense = dense_of(plain, X, y, labels)
    best = dense.criterion()
    assert_allclose(-2 * model.best_score_, best, rtol=1e-6)
    for factor in (0.9, 1.1):
        for part in range(4):
            step = np.where((np.arange(4) == part) | (structure == "one"), factor, 1.0)
            assert replace(dense, alpha=alpha * step).criterion() > best - 1e-6
    assert len(model.cv_results_["log_likelihood"]) == len(model.cv_results_["alpha"])


def test_likely_strengths_are_ratios_of_variances():
    X, y = make_related_tasks(
        300, 15, 3, spread=0.5, noise=2.0, intercept_spread=1.5, random_state=1
    )
    model = MeanRegularizedRegressorCV(method="reml", task_column=-1).fit(X, y)
    assert_allclose(model.sigma2_, 4, rtol=0.1)
    assert_allclose(model.tau2_, 0.25, rtol=0.25)
    assert_allclose(model.tau2_intercept_, 2.25, rtol=0.25)


def test_one_strength_per_feature_tells_which_features_differ():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(100), 20)
    X = rng.normal(size=(2000, 2))
    y = X @ [1, 1] + rng.normal(size=100)[labels] * X[:, 1] + rng.normal(size=2000)
    model = MeanRegularizedRegressorCV(method="reml", alpha_structure="per_feature")
    model.fit(X, y, task=labels)
    assert model.alpha_.shape == (2,)
    assert_allclose(model.tau2_, [0, 1], atol=0.2)


@pytest.mark.parametrize("method", ["loo", "gcv", "cv", "reml"])
def test_a_single_task_chooses_only_the_strength_of_the_centre(tasks, method):
    X, y, _ = tasks
    model = MeanRegularizedRegressorCV(method=method).fit(X, y)
    ridge = Ridge(model.alpha_shared_).fit(X, y)
    assert_allclose(model.coef_, ridge.coef_)
    assert model.alpha_ == model.alpha_intercept_ == np.inf
    plain = MeanRegularizedRegressorCV(method=method, alphas_shared=[0.0]).fit(X, y)
    assert_allclose(plain.coef_, LinearRegression().fit(X, y).coef_)


@pytest.mark.parametrize("method", ["loo", "gcv", "cv", "reml"])
def test_strengths_of_outputs_are_those_of_rows(outputs, method):
    X, Y = outputs
    stacked, y, labels = stack(X, Y)
    rows_of_folds = np.tile(np.arange(40) % 3, N_TASKS)
    wide = MeanRegularizedRegressorCV(method=method, cv=3).fit(X, Y)
    cv = PredefinedSplit(rows_of_folds)
    tall = MeanRegularizedRegressorCV(method=method, cv=cv)
    tall.fit(stacked, y, task=labels)
    assert_allclose(wide.alpha_, tall.alpha_, rtol=1e-4)
    assert_allclose(wide.alpha_intercept_, tall.alpha_intercept_, rtol=1e-4)
    assert_allclose(wide.best_score_, tall.best_score_, rtol=1e-8)
    assert_alike(wide, tall, rtol=1e-4, atol=1e-6)


# -- numbers that come in other forms


def test_float32_stays_and_is_computed_safely(tasks):
    X, y, labels = tasks
    X = (X + 1e4).astype(np.float32)
    exact = MeanRegularizedRegressor(2.0).fit(X.astype(float), y, task=labels)
    model = MeanRegularizedRegressor(2.0).fit(X, y, task=labels)
    for name in ("coef_", "intercept_", "coef_shared_"):
        assert getattr(model, name).dtype == np.float32
    assert_allclose(model.coef_, exact.coef_, rtol=1e-5)
    assert model.predict(X, task=labels).dtype == np.float32


@pytest.mark.parametrize(
    "make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array]
)
def test_sparse_rows_are_dense_rows(tasks, make):
    X, y, labels = tasks
    X = X * (np.random.default_rng(0).random(X.shape) > 0.5)
    for model in (MultiTaskRidge(), MeanRegularizedRegressor(alpha_intercept=1.0)):
        dense = clone(model).fit(X, y, task=labels)
        model.fit(make(X), y, task=labels)
        assert_alike(model, dense)
        found = model.predict(make(X), task=labels)
        assert_allclose(found, dense.predict(X, task=labels))
    stds = [
        model.predict(rows, task=labels, return_std=True)[1] for rows in (X, make(X))
    ]
    assert_allclose(*stds)


def test_many_sparse_columns_of_few_rows_are_solved_in_the_rows():
    rng = np.random.default_rng(0)
    X = sparse.random_array((60, 400), density=0.05, random_state=rng, format="csr")
    y, labels = rng.normal(size=60), np.arange(60) % 4
    model = MeanRegularizedRegressor(0.5, alpha_shared=0.1).fit(X, y, task=labels)
    dense = MeanRegularizedRegressor(0.5, alpha_shared=0.1)
    dense.partial_fit(X.toarray(), y, task=labels)
    assert_alike(model, dense, rtol=1e-6, atol=1e-8)
    assert not hasattr(model, "moments_")
    stds = [m.predict(X, task=labels, return_std=True)[1] for m in (model, dense)]
    assert_allclose(*stds, rtol=1e-6)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_tasks_of_few_rows_are_weighted_as_their_rows(fit_intercept):
    rng = np.random.default_rng(0)
    X, y, labels = rng.normal(size=(24, 100)), rng.normal(size=24), np.arange(24) % 3
    weight = np.array([2.0, 0.1, 1.0])
    by_task = dict(enumerate(weight))
    for model in (
        MultiTaskRidge(),
        MultiTaskRidgeCV([0.1, 3.0, 100.0]),
        MeanRegularizedRegressor(2.0, alpha_shared=1.0),
    ):
        model.set_params(fit_intercept=fit_intercept)
        expected = clone(model).fit(X, y, sample_weight=weight[labels], task=labels)
        model.set_params(task_weight=by_task).fit(X, y, task=labels)
        assert_alike(model, expected)


@pytest.mark.parametrize("alpha_intercept", [0.0, 1.0, np.inf])
def test_wide_rows_without_pull_on_the_centre_have_the_least_norm(alpha_intercept):
    rng = np.random.default_rng(0)
    X, y, labels = rng.normal(size=(20, 100)), rng.normal(size=20), np.arange(20) % 4
    model = MeanRegularizedRegressor(2.0, alpha_intercept=alpha_intercept)
    model.fit(X, y, task=labels)
    limit = MeanRegularizedRegressor(
        2.0, alpha_shared=1e-7, alpha_intercept=alpha_intercept
    ).fit(X, y, task=labels)
    assert_alike(model, limit, rtol=1e-5, atol=1e-6)
    assert_allclose(model.predict(X, task=labels), y, atol=1e-6)


# -- constant, equal, and badly scaled columns

GRID = [0.1, 1.0, 30.0]
LEVELS = [1.0, np.inf]
ALL = [
    MultiTaskRidge(),
    MultiTaskRidge(0.0),
    MultiTaskRidgeCV(GRID),
    MultiTaskRidgeCV(GRID, cv=3),
    MeanRegularizedRegressor(),
    MeanRegularizedRegressor(alpha_intercept=1.0),
    MeanRegularizedRegressor(alpha_intercept=np.inf),
    MeanRegularizedRegressor(0.0),
    MeanRegularizedRegressorCV(GRID, alphas_intercept=LEVELS),
    MeanRegularizedRegressorCV(GRID, alphas_intercept=LEVELS, method="gcv"),
    MeanRegularizedRegressorCV(GRID, alphas_intercept=LEVELS, method="cv"),
    MeanRegularizedRegressorCV(method="reml"),
    MeanRegularizedRegressorCV(method="reml", alpha_structure="per_feature"),
]
each_model = pytest.mark.parametrize("model", ALL, ids=str)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e5 / 3, -7e-5, 1e-300])
@pytest.mark.parametrize("model", [*ALL[:5], ALL[7]], ids=str)
def test_a_constant_column_changes_nothing(tasks, model, value):
    X, y, labels = tasks
    expected = clone(model).fit(X, y, task=labels)
    model = clone(model)
    model.fit(np.column_stack([X, np.full(len(y), value)]), y, task=labels)
    assert_allclose(model.coef_[:, :4], expected.coef_, rtol=1e-8)
    assert_allclose(model.coef_[:, 4] * value, 0, atol=1e-9)
    assert_allclose(model.intercept_, expected.intercept_, rtol=1e-7)


@each_model
@parametrize("value", [0.0, 0.1, 1e5 / 3, -7e-5, 1e-300], short=[0.1, 1e-300])
def test_a_constant_column_is_never_part_of_the_centre(tasks, model, value):
    """Where intercepts are pulled, it is a way around the pull of the own parts."""
    X, y, labels = tasks
    model = clone(model)
    model.fit(np.column_stack([X, np.full(len(y), value)]), y, task=labels)
    assert_allclose(model.coef_shared_[4] * value, 0, atol=1e-9)
    assert np.abs(model.coef_[:, :4]).max() < 3
    assert (
        model.score(np.column_stack([X, np.full(len(y), value)]), y, task=labels) > 0.8
    )


@each_model
def test_a_column_given_twice_shares_its_coefficient(tasks, model):
    X, y, labels = tasks
    model = clone(model)
    model.fit(np.column_stack([X, X[:, 0]]), y, task=labels)
    assert_allclose(model.coef_[:, 4], model.coef_[:, 0], rtol=1e-4, atol=1e-6)


@pytest.mark.filterwarnings("ignore::scipy.linalg.LinAlgWarning")
@pytest.mark.parametrize("model", ALL[:11], ids=str)
@pytest.mark.parametrize("scale", [1e6, 1e9])
def test_a_column_in_large_units_hides_no_other(tasks, model, scale):
    X, y, labels = tasks
    expected = clone(model).fit(X, y, task=labels).score(X, y, task=labels)
    scaled = X * np.array([1.0, scale, 1.0, 1.0])
    found = clone(model).fit(scaled, y, task=labels).score(scaled, y, task=labels)
    assert_allclose(found, expected, atol=0.03)


def test_units_of_features_and_strengths_go_together(tasks):
    X, y, labels = tasks
    units = np.array([1e-6, 1e6, 1.0, 1e3])
    alpha = np.array([0.5, 1.0, 2.0, 3.0])
    plain = MeanRegularizedRegressor(alpha).fit(X, y, task=labels)
    scaled = MeanRegularizedRegressor(alpha * units**2).fit(X * units, y, task=labels)
    assert_allclose(scaled.coef_ * units, plain.coef_, rtol=1e-7)
    assert_allclose(scaled.intercept_, plain.intercept_, rtol=1e-6)


def test_an_ill_conditioned_task_is_warned_of(tasks):
    X, y, labels = tasks
    X = np.column_stack([X, X[:, 0] + 1e-6 * np.cos(np.arange(len(y)))])
    with pytest.warns(LinAlgWarning, match="condition number .* Scale the features"):
        MultiTaskRidge(0.0).fit(X, y, task=labels)


# -- refusals


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            MultiTaskRidge([1.0, 2.0]),
            r"one per task, of shape \(5,\), got shape \(2,\)",
        ),
        (MultiTaskRidge({0: 1.0, 10: 1.0}), r"5 tasks, got none for \[20, 30, 40\]"),
        (MultiTaskRidge([1.0, -1, 1, 1, 1]), r"finite and 0 or more, got -1.0 to 1.0"),
        (MultiTaskRidge([np.nan, 1, 1, 1, 1]), "alpha must be finite and 0 or more"),
        (MultiTaskRidge(-1.0), "'alpha' parameter of MultiTaskRidge must be"),
        (MultiTaskRidgeCV([0.0, 1.0]), r"alphas must be a list of positive numbers"),
        (MultiTaskRidgeCV([]), r"alphas must be a list of positive numbers, got \[\]"),
        (MultiTaskRidgeCV([np.inf]), r"alphas must be a list of positive numbers"),
        (MeanRegularizedRegressor([1.0, 2.0]), r"one per feature, of shape \(4,\)"),
        (
            MeanRegularizedRegressor([1.0, -2.0, 1, 1]),
            "alpha must be 0 or more, got -2",
        ),
        (MeanRegularizedRegressor([np.nan] * 4), "alpha must be 0 or more, got nan"),
        (MeanRegularizedRegressor(alpha_shared=-1.0), "'alpha_shared' parameter"),
        (MeanRegularizedRegressor(alpha_intercept=-1), "'alpha_intercept' parameter"),
        (MeanRegularizedRegressorCV([-1.0]), "alphas must be a list of positive"),
        (
            MeanRegularizedRegressorCV(alphas_intercept=[0.0]),
            "alphas_intercept must be",
        ),
        (MeanRegularizedRegressorCV(alphas_shared=[-1.0]), "numbers, 0 or more, got"),
        (
            MeanRegularizedRegressorCV(alphas_shared=[0.0, 1.0], method="reml"),
            "alphas_shared must not mix 0 with other strengths",
        ),
        (MeanRegularizedRegressorCV(alpha_structure="full"), "'alpha_structure' param"),
        (MeanRegularizedRegressorCV(method="ml"), "'method' parameter"),
    ],
)
def test_parameters_that_cannot_be_are_refused(tasks, model, message):
    X, y, labels = tasks
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, task=labels)


def test_likelihood_needs_more_rows_than_features(tasks):
    X, y, labels = tasks
    model = MeanRegularizedRegressorCV(method="reml", alphas_shared=[0.0])
    with pytest.raises(ValueError, match=r"needs more rows than features, .* weight 5"):
        model.fit(X[:5], y[:5], task=labels[:5])


def test_score_is_r2_over_all_rows(tasks):
    X, y, labels = tasks
    weight = weights_of(y)
    model = MeanRegularizedRegressor().fit(X, y, task=labels)
    expected = r2_score(y, model.predict(X, task=labels), sample_weight=weight)
    assert_allclose(model.score(X, y, weight, task=labels), expected)


def test_score_of_outputs_leaves_out_what_is_missing(outputs):
    X, Y = outputs
    Y = Y.copy()
    Y[::3, 0] = Y[5:, 4] = np.nan
    model = MeanRegularizedRegressor().fit(X, Y)
    prediction = model.predict(X)
    expected = [
        r2_score(Y[seen, t], prediction[seen, t])
        for t, seen in enumerate(~np.isnan(Y.T))
    ]
    assert_allclose(model.score(X, Y), np.mean(expected))


def test_columns_are_named_by_the_frame_of_targets(outputs):
    X, Y = outputs
    frame = pd.DataFrame(Y[:, :3], columns=["z", "a", "m"])
    model = MultiTaskRidge().fit(X, frame)
    assert model.tasks_.tolist() == ["z", "a", "m"]
    assert_allclose(model.coef_, MultiTaskRidge().fit(X, Y[:, :3]).coef_)


def test_a_few_rows_are_predicted_as_many_are():
    X, y = make_related_tasks(n_tasks=20, n_samples=5, random_state=0)
    X[::7, -1] += 100  # unseen tasks
    model = MeanRegularizedRegressor(task_column=-1).fit(X[1::7], y[1::7])
    many = model.predict(X)
    few = np.concatenate([model.predict(X[i : i + 2]) for i in range(0, len(X), 2)])
    assert_allclose(few, many, rtol=1e-12)
