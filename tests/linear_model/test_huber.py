"""Tasks with outliers: scikit-learn's HuberRegressor, and SciPy, as the oracles."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.optimize import brentq, minimize
from scipy.special import huber
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import HuberRegressor

from skmtl.linear_model import MeanRegularizedHuberRegressor, MeanRegularizedRegressor
from skmtl.problems.newton import fit_scale

SIZES = 30, 22, 41, 17
N_ROWS = sum(SIZES)
LEARNT = ("coef_", "intercept_", "coef_shared_", "intercept_shared_", "scale_")
STRENGTHS = [
    {},
    {"alpha": 0.3, "alpha_shared": 0.1, "alpha_intercept": 2.0, "epsilon": 1.1},
    {"alpha": np.inf, "alpha_intercept": np.inf},
    {"fit_intercept": False},
]
each_strength = pytest.mark.parametrize("params", STRENGTHS, ids=str)


@pytest.fixture
def spoiled():
    """Return X, targets, labels of four uneven tasks, and which rows are far off."""
    rng = np.random.default_rng(5)
    task = rng.permutation(np.repeat([3, 1, 8, 5], SIZES))
    X = rng.normal(size=(N_ROWS, 3))
    y = X @ [1.0, -1.0, 0.5] + 0.2 * X[:, 0] * np.sin(task) + task / 8
    y += 0.1 * rng.normal(size=N_ROWS)
    far = np.arange(N_ROWS) % 10 == 3
    y[far] += 20 * rng.choice([-1, 2], size=far.sum())
    return X, y, task, far


@pytest.fixture
def weight():
    return np.random.default_rng(7).integers(0, 4, size=N_ROWS).astype(float)


def model(**params):
    return MeanRegularizedHuberRegressor(**params)


def oracle(strength, X, y, weight=None, **params):
    tight = HuberRegressor(alpha=strength, tol=1e-9, max_iter=10000, **params)
    return tight.fit(X, y, sample_weight=weight)


# The scale is found to the root of tol, 1e-5.
def assert_alike(first, second, rtol=1e-4, atol=1e-5):
    for name in LEARNT:
        values = getattr(first, name), getattr(second, name)
        assert_allclose(*values, rtol=rtol, atol=atol, err_msg=name)


# Other people's models


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("epsilon", [1.1, 1.35, 3.0])
def test_one_task_without_penalties_equals_scikit_learn(
    spoiled, weight, fit_intercept, epsilon
):
    X, y, _, _ = spoiled
    params = {"epsilon": epsilon, "fit_intercept": fit_intercept}
    found = model(alpha_shared=0.0, **params).fit(X, y, sample_weight=weight)
    expected = oracle(0.0, X, y, weight, **params)
    assert_allclose(found.coef_, expected.coef_, rtol=1e-4, atol=1e-4)
    assert_allclose(found.intercept_, expected.intercept_, rtol=1e-4, atol=1e-4)
    assert found.scale_ == pytest.approx(expected.scale_, rel=1e-4)
    assert_array_equal(found.outliers_, expected.outliers_)


def test_endless_strengths_pool_all_rows(spoiled):
    X, y, task, _ = spoiled
    found = model(alpha=np.inf, alpha_shared=0.0, alpha_intercept=np.inf)
    found.fit(X, y, task=task)
    expected = oracle(0.0, X, y)
    assert_allclose(found.coef_, np.tile(expected.coef_, (4, 1)), rtol=1e-4, atol=1e-4)
    assert_allclose(found.intercept_, expected.intercept_, rtol=1e-4)
    assert found.scale_ == pytest.approx(expected.scale_, rel=1e-4)


def test_at_a_given_scale_it_equals_scikit_learn_with_a_scaled_alpha(spoiled):
    """scikit-learn's alpha is not relative to the scale; ours is."""
    X, y, _, _ = spoiled
    found = model(alpha=3.0, alpha_shared=1.5).fit(X, y)
    left = y - found.predict(X)
    slope = np.clip(left, -1.35 * found.scale_, 1.35 * found.scale_)
    # Strengths of 3 and 1.5 in series equal one of 1.
    assert_allclose(X.T @ slope, found.coef_, rtol=1e-4, atol=1e-4)
    assert slope.sum() == pytest.approx(0, abs=1e-3)


def test_the_objective_is_the_lowest_that_scipy_finds(spoiled, weight):
    X, y, task, _ = spoiled
    found = model(alpha=0.8, alpha_shared=0.4, alpha_intercept=0.6)
    found.fit(X, y, task=task, sample_weight=weight)
    codes = np.unique(task, return_inverse=True)[1]

    def value(flat):
        own, levels, centre, scale = flat[:12], flat[12:16], flat[16:20], flat[20]
        coef, s = own.reshape(4, 3), np.exp(scale)
        left = y - (X * coef[codes]).sum(axis=1) - levels[codes]
        pull = 0.8 * ((coef - centre[:3]) ** 2).sum() + 0.4 * (centre[:3] ** 2).sum()
        pull += 0.6 * ((levels - centre[3]) ** 2).sum()
        return weight @ (s / 2 + s * huber(1.35, left / s)) + pull / (2 * s)

    start = np.concatenate(
        [
            found.coef_.ravel(),
            found.intercept_,
            found.coef_shared_,
            [found.intercept_.mean(), np.log(found.scale_)],
        ]
    )
    assert value(start) == pytest.approx(found.objective_)
    near = start + 0.1 * np.random.default_rng(0).normal(size=21)
    other = minimize(value, near, tol=1e-10, options={"maxiter": 2000})
    assert found.objective_ == pytest.approx(other.fun, rel=1e-7)
    assert_allclose(start, other.x, rtol=1e-3, atol=1e-3)


@each_strength
def test_without_outliers_it_equals_the_squared_loss(spoiled, params):
    X, y, task, _ = spoiled
    found = model(**{**params, "epsilon": 1e6}).fit(X, y, task=task)
    names = ("alpha", "alpha_shared", "alpha_intercept", "fit_intercept")
    squared = MeanRegularizedRegressor(**{name: getattr(found, name) for name in names})
    squared.fit(X, y, task=task)
    assert_allclose(found.coef_, squared.coef_, rtol=1e-5, atol=1e-6)
    assert_allclose(found.intercept_, squared.intercept_, rtol=1e-5, atol=1e-6)
    assert not found.outliers_.any()


# The scale


@pytest.mark.parametrize("pull", [0.0, 0.3, 10.0])
@given(seed=st.integers(0, 2**32 - 1), epsilon=st.floats(1.01, 5.0))
def test_at_the_scale_the_mean_clipped_square_is_one(pull, seed, epsilon):
    rng = np.random.default_rng(seed)
    sizes, weight = np.abs(rng.standard_cauchy(20)), rng.uniform(0, 2, size=20)

    def excess(scale):
        mean = weight @ np.minimum(sizes / scale, epsilon) ** 2 - weight.sum()
        return mean + pull / scale**2

    expected = brentq(excess, 1e-6 * sizes.min(), 1e3 * sizes.max(), xtol=1e-14)
    found = fit_scale(sizes, weight, epsilon, pull)
    assert found == pytest.approx(expected, rel=1e-9)


def test_the_scale_of_nothing_is_nothing():
    ones = np.ones(4)
    assert fit_scale(0 * ones, ones, 1.35) == 0
    assert fit_scale(np.array([0.0, 0.0, 0.0, 5.0]), ones, 1.35) == 0


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_the_scale_neither_over_nor_underflows(unit):
    sizes = np.array([1.0, 2.0, 3.0])
    expected = unit * fit_scale(sizes, np.ones(3), 2.0)
    assert fit_scale(unit * sizes, np.ones(3), 2.0) == pytest.approx(
        expected, rel=1e-12
    )


# What it is for


def test_outliers_are_found_and_do_no_harm(spoiled):
    X, y, task, far = spoiled
    found = model(epsilon=2.0).fit(X, y, task=task)
    assert found.outliers_[far].all()
    assert found.outliers_[~far].mean() < 0.05
    clean = model(epsilon=2.0).fit(X[~far], y[~far], task=task[~far])
    squared = MeanRegularizedRegressor().fit(X, y, task=task)
    harm = np.abs(found.coef_ - clean.coef_).max()
    assert harm < 0.1
    assert np.abs(squared.coef_ - clean.coef_).max() > 10 * harm


def test_farther_outliers_change_nothing(spoiled):
    """Beyond the squares, only the side on which a target lies matters."""
    X, y, task, far = spoiled
    first = model(epsilon=2.0).fit(X, y, task=task)
    mean = first.predict(X, task=task)
    farther = np.where(far, mean + 1e3 * (y - mean), y)
    second = model(epsilon=2.0).fit(X, farther, task=task)
    assert_alike(first, second, rtol=1e-3, atol=1e-4)


# Tasks, rows and columns


@each_strength
def test_the_three_layouts_give_the_same_model(params):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(25, 3))
    Y = X @ rng.normal(size=(3, 4)) + 0.5 * rng.standard_cauchy(size=(25, 4))
    Y[rng.random(Y.shape) < 0.2] = np.nan
    rows, codes = np.nonzero(~np.isnan(Y))
    wide = model(**params).fit(X, Y)
    keyword = model(**params).fit(X[rows], Y[rows, codes], task=codes)
    column = model(task_column="task", **params)
    frame = pd.DataFrame(X[rows], columns=["a", "b", "c"]).assign(task=codes)
    column.fit(frame, Y[rows, codes])
    assert_alike(wide, keyword)
    assert_alike(column, keyword)
    assert wide.outliers_.shape == Y.shape
    assert_array_equal(wide.outliers_[rows, codes], keyword.outliers_)
    assert not wide.outliers_[np.isnan(Y)].any()


@each_strength
def test_integer_weights_are_repetitions(spoiled, weight, params):
    X, y, task, _ = spoiled
    first = model(**params).fit(X, y, task=task, sample_weight=weight)
    again = np.repeat(np.arange(N_ROWS), weight.astype(int))
    second = model(**params).fit(X[again], y[again], task=task[again])
    assert_alike(first, second)
    assert_array_equal(first.outliers_[again], second.outliers_)


@each_strength
def test_a_sparse_design_is_a_dense_one(spoiled, params):
    X, y, task, _ = spoiled
    thin = np.where(np.abs(X) > 0.5, X, 0.0)
    first = model(**params).fit(thin, y, task=task)
    second = model(**params).fit(sparse.csr_array(thin), y, task=task)
    assert_alike(first, second)
    assert_array_equal(first.outliers_, second.outliers_)


@pytest.mark.parametrize("unit", [1e-60, 1e-6, 1e6, 1e60])
@each_strength
def test_the_unit_of_targets_is_that_of_coefficients_and_scale(spoiled, params, unit):
    X, y, task, _ = spoiled
    first = model(**params).fit(X, y, task=task)
    other = model(**params).fit(X, unit * y, task=task)
    for name in LEARNT:
        values = getattr(other, name) / unit, getattr(first, name)
        assert_allclose(*values, rtol=1e-4, atol=1e-5, err_msg=name)
    assert_array_equal(first.outliers_, other.outliers_)


def test_it_is_as_good_as_scikit_learns_on_targets_of_any_unit():
    """House prices in thousands and in ones, with some outliers."""
    rng = np.random.default_rng(0)
    X, task = rng.normal(size=(500, 3)), np.arange(500) % 10
    price = 300 + X @ [60, -30, 20] + 20 * rng.normal(size=10)[task]
    price += 30 * rng.normal(size=500)
    clean = np.arange(500) % 50 > 0
    price[~clean] += 2000
    pooled = HuberRegressor(max_iter=10000).fit(X, price).score(X[clean], price[clean])
    for unit in (1.0, 1000.0):
        found = model().fit(X, unit * price, task=task)
        score = found.score(X[clean], unit * price[clean], task=task[clean])
        assert score > pooled


def test_float32_stays_float32(spoiled):
    X, y, task, _ = spoiled
    small = model().fit(X.astype(np.float32), y, task=task)
    assert small.coef_.dtype == small.predict(X.astype(np.float32), task=task).dtype
    assert small.coef_.dtype == np.float32
    assert_alike(small, model().fit(X, y, task=task), rtol=1e-4, atol=1e-5)


def test_a_pickle_predicts_the_same(spoiled):
    X, y, task, _ = spoiled
    found = model().fit(X, y, task=task)
    again = pickle.loads(pickle.dumps(found))
    assert_array_equal(found.predict(X, task=task), again.predict(X, task=task))


def test_a_warm_start_begins_at_the_last_solution(spoiled):
    X, y, task, _ = spoiled
    found = model(warm_start=True).fit(X, y, task=task)
    first = found.n_iter_
    assert found.fit(X, y, task=task).n_iter_ < first


# What is ugly


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_targets_that_are_all_alike_are_predicted(level):
    X = np.random.default_rng(0).normal(size=(12, 2))
    found = model().fit(X, np.full(12, level), task=np.arange(12) % 3)
    assert_allclose(found.coef_, 0, atol=1e-9)
    assert_allclose(found.intercept_, level)
    assert not found.outliers_.any()


def test_targets_without_noise_or_penalty_have_the_smallest_scale():
    X = np.random.default_rng(0).normal(size=(60, 2))
    found = model(alpha_shared=0.0).fit(X, X @ [1.0, 2.0], task=np.arange(60) % 3)
    assert_allclose(found.coef_, np.tile([1.0, 2.0], (3, 1)), atol=1e-3)
    assert 0 < found.scale_ < 1e-3


def test_a_limit_of_steps_is_told(spoiled):
    X, y, task, _ = spoiled
    with pytest.warns(ConvergenceWarning, match="Raise max_iter"):
        model(max_iter=1).fit(X, y, task=task)


def test_squares_end_at_the_scale_at_least(spoiled):
    X, y, task, _ = spoiled
    with pytest.raises(ValueError, match="'epsilon' parameter"):
        model(epsilon=0.9).fit(X, y, task=task)
