"""Counts of tasks: scikit-learn's PoissonRegressor, and glum, as the oracles."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import d2_tweedie_score
from sklearn.model_selection import cross_validate

from skmtl.linear_model import MeanRegularizedPoissonRegressor

SIZES = 30, 22, 41, 17
N_ROWS = sum(SIZES)
LEARNT = ("coef_", "intercept_", "coef_shared_", "intercept_shared_")
STRENGTHS = [
    {},
    {"alpha": 0.3, "alpha_shared": 0.1, "alpha_intercept": 2.0},
    {"alpha": np.inf, "alpha_intercept": np.inf},
    {"fit_intercept": False},
]
each_strength = pytest.mark.parametrize("params", STRENGTHS, ids=str)


@pytest.fixture
def counts():
    """Return X, counts and labels of four uneven tasks, rows mixed."""
    rng = np.random.default_rng(5)
    task = rng.permutation(np.repeat([3, 1, 8, 5], SIZES))
    X = rng.normal(size=(N_ROWS, 3))
    score = 0.4 * X @ [1.0, -1.0, 0.5] + task / 8 + 0.2 * X[:, 0] * np.sin(task)
    return X, rng.poisson(np.exp(score)).astype(float), task


@pytest.fixture
def exposure():
    return np.random.default_rng(6).uniform(0.2, 5.0, size=N_ROWS)


@pytest.fixture
def weight():
    return np.random.default_rng(7).integers(0, 4, size=N_ROWS).astype(float)


def model(**params):
    return MeanRegularizedPoissonRegressor(**params)


def oracle(strength, X, y, weight=None, fit_intercept=True):
    """Fit scikit-learn's model, whose loss is a mean."""
    total = len(y) if weight is None else weight.sum()
    poisson = PoissonRegressor(
        alpha=strength / total,
        solver="newton-cholesky",
        tol=1e-10,
        fit_intercept=fit_intercept,
    )
    return poisson.fit(X, y, sample_weight=weight)


def assert_alike(first, second, rtol=1e-6, atol=1e-7):
    for name in LEARNT:
        values = getattr(first, name), getattr(second, name)
        assert_allclose(*values, rtol=rtol, atol=atol, err_msg=name)


# Other people's models


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_one_task_is_scikit_learns(counts, weight, fit_intercept):
    """Two pulls in a row, of 3 and 1.5, are one of 1."""
    X, y, _ = counts
    found = model(alpha=3.0, alpha_shared=1.5, fit_intercept=fit_intercept)
    found.fit(X, y, sample_weight=weight)
    expected = oracle(1.0, X, y, weight, fit_intercept)
    assert_allclose(found.coef_, expected.coef_, rtol=1e-6)
    assert found.intercept_ == pytest.approx(expected.intercept_, rel=1e-6)
    assert_allclose(found.predict(X), expected.predict(X), rtol=1e-6)
    score = found.score(X, y, sample_weight=weight)
    assert score == pytest.approx(expected.score(X, y, sample_weight=weight))


def test_endless_strengths_pool_all_rows(counts, weight):
    X, y, task = counts
    found = model(alpha=np.inf, alpha_shared=2.0, alpha_intercept=np.inf)
    found.fit(X, y, task=task, sample_weight=weight)
    expected = oracle(2.0, X, y, weight)
    assert_allclose(found.coef_, np.tile(expected.coef_, (4, 1)), rtol=1e-6)
    assert_allclose(found.intercept_, expected.intercept_, rtol=1e-6)


@pytest.mark.parametrize(
    ("alpha", "alpha_shared", "strength"), [(0.0, 1.0, 0.0), (2.0, 1e12, 2.0)]
)
def test_tasks_without_a_centre_are_apart(counts, alpha, alpha_shared, strength):
    X, y, task = counts
    found = model(alpha=alpha, alpha_shared=alpha_shared).fit(X, y, task=task)
    alone = [oracle(strength, X[task == t], y[task == t]) for t in found.tasks_]
    assert_allclose(found.coef_, [each.coef_ for each in alone], rtol=1e-5, atol=1e-6)
    levels = [each.intercept_ for each in alone]
    assert_allclose(found.intercept_, levels, rtol=1e-5, atol=1e-6)


def test_tasks_are_rows_of_one_augmented_design(counts, weight):
    """The centre's columns, and columns of each task, in units of their strengths."""
    X, y, task = counts
    alpha, alpha_shared, alpha_intercept = np.array([0.5, 2.0, 3.0]), 0.7, 1.6
    found = model(
        alpha=alpha, alpha_shared=alpha_shared, alpha_intercept=alpha_intercept
    ).fit(X, y, task=task, sample_weight=weight)
    labels, codes = np.unique(task, return_inverse=True)
    own = (np.eye(4)[codes][:, :, None] * (X / np.sqrt(alpha))[:, None]).reshape(
        N_ROWS, -1
    )
    levels = np.eye(4)[codes] / np.sqrt(alpha_intercept)
    wide = np.hstack([X / np.sqrt(alpha_shared), own, levels])
    expected = oracle(1.0, wide, y, weight)
    shared = expected.coef_[:3] / np.sqrt(alpha_shared)
    coef = shared + expected.coef_[3:15].reshape(4, 3) / np.sqrt(alpha)
    assert_array_equal(found.tasks_, labels)
    assert_allclose(found.coef_shared_, shared, rtol=1e-5, atol=1e-7)
    assert_allclose(found.coef_, coef, rtol=1e-5, atol=1e-7)
    apart = expected.coef_[15:] / np.sqrt(alpha_intercept)
    assert_allclose(found.intercept_, expected.intercept_ + apart, rtol=1e-5)


@pytest.mark.peers
def test_tasks_are_a_model_of_glum_with_their_precision(counts, weight):
    glum = pytest.importorskip("glum", reason="glum is not installed")
    X, y, task = counts
    found = model(alpha=0.8, alpha_shared=0.4)
    found.fit(X, y, task=task, sample_weight=weight)
    codes = np.unique(task, return_inverse=True)[1]
    own = (np.eye(4)[codes][:, :, None] * X[:, None]).reshape(N_ROWS, -1)
    centre = 0.8 * np.eye(4) - 0.8**2 / (4 * 0.8 + 0.4)
    penalty = np.zeros((16, 16))
    penalty[:12, :12] = np.kron(centre, np.eye(3)) / weight.sum()
    expected = glum.GeneralizedLinearRegressor(
        family="poisson", alpha=1.0, P2=penalty, fit_intercept=False, gradient_tol=1e-9
    ).fit(np.hstack([own, np.eye(4)[codes]]), y, sample_weight=weight)
    assert_allclose(found.coef_.ravel(), expected.coef_[:12], rtol=1e-5, atol=1e-6)
    assert_allclose(found.intercept_, expected.coef_[12:], rtol=1e-5, atol=1e-6)


# Exposures


@each_strength
def test_an_exposure_makes_counts_weighted_rates(counts, exposure, params):
    X, y, task = counts
    first = model(**params).fit(X, y, task=task, exposure=exposure)
    second = model(**params)
    second.fit(X, y / exposure, task=task, sample_weight=exposure)
    assert_alike(first, second, rtol=0, atol=0)


def test_an_exposure_is_an_offset(counts, exposure):
    """What is left of the counts, after means with the offset, is without slope."""
    X, y, task = counts
    plain = model(alpha=np.inf, alpha_intercept=np.inf, alpha_shared=1e-9)
    plain.fit(X, y, task=task, exposure=exposure)
    mean = plain.predict(X, task=task, exposure=exposure)
    left = np.column_stack([X, np.ones(N_ROWS)]).T @ (y - mean)
    assert_allclose(left, 0, atol=1e-6 * N_ROWS)


def test_an_exposure_of_twos_is_two_rows_of_which_one_counts_nothing(counts):
    X, y, task = counts
    twice = model().fit(X, y, task=task, exposure=np.full(N_ROWS, 2.0))
    double, none = np.vstack([X, X]), np.append(y, np.zeros(N_ROWS))
    rows = model().fit(double, none, task=np.append(task, task))
    assert_alike(twice, rows)


def test_means_are_rates_times_exposures(counts, exposure):
    X, y, task = counts
    found = model().fit(X, y, task=task, exposure=exposure)
    rate = found.predict(X, task=task)
    expected = rate * exposure
    assert_allclose(found.predict(X, task=task, exposure=exposure), expected)
    Y = np.column_stack([y, y + 1])
    wide = model().fit(X, Y, exposure=exposure)
    expected = wide.predict(X) * exposure[:, None]
    assert_allclose(wide.predict(X, exposure=exposure), expected)


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_the_unit_of_exposures_moves_intercepts_only(counts, exposure, unit):
    """Also where a task has no counts, and gets a pseudo-row."""
    X, y, task = counts
    y = np.where(task == 8, 0.0, y)
    first = model().fit(X, y, task=task, exposure=exposure)
    second = model().fit(X, y, task=task, exposure=unit * exposure)
    assert_allclose(first.coef_, second.coef_, rtol=1e-5, atol=1e-6)
    level = second.intercept_ + np.log(unit)
    assert_allclose(first.intercept_, level, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("exposure", "words"),
    [
        (np.zeros(N_ROWS), "exposure must be above 0, got 0.0 in row 0"),
        (-np.ones(N_ROWS), "exposure must be above 0"),
        (np.ones((N_ROWS, 2)), "exposure must be one number per row"),
        (np.ones(3), "inconsistent numbers of samples"),
        (np.full(N_ROWS, np.nan), "exposure contains NaN"),
    ],
    ids=["zero", "negative", "two columns", "too short", "not a number"],
)
def test_an_exposure_must_be_a_positive_number_per_row(counts, exposure, words):
    X, y, task = counts
    with pytest.raises(ValueError, match=words):
        model().fit(X, y, task=task, exposure=exposure)
    found = model().fit(X, y, task=task)
    with pytest.raises(ValueError, match=words):
        found.predict(X, task=task, exposure=exposure)


def test_an_exposure_is_routed(counts, exposure):
    X, y, task = counts
    with config_context(enable_metadata_routing=True):
        params = {"task": task, "exposure": exposure}
        scores = cross_validate(model(), X, y, cv=3, params=params)
    assert np.isfinite(scores["test_score"]).all()


# Scores


def test_a_score_is_scikit_learns_share_of_the_deviance(counts, weight, exposure):
    X, y, task = counts
    found = model().fit(X, y, task=task)
    mean = found.predict(X, task=task)
    expected = d2_tweedie_score(y, mean, power=1, sample_weight=weight)
    score = found.score(X, y, task=task, sample_weight=weight)
    assert score == pytest.approx(expected)
    rate, unit = y / exposure, weight * exposure
    expected = d2_tweedie_score(rate, mean, power=1, sample_weight=unit)
    params = {"task": task, "sample_weight": weight, "exposure": exposure}
    assert found.score(X, y, **params) == pytest.approx(expected)


def test_a_score_of_columns_is_the_mean_of_theirs(counts):
    X, y, _ = counts
    Y = np.column_stack([y, y[::-1], y])
    Y[::3, 0], Y[:, 2] = np.nan, np.where(np.arange(N_ROWS) < 5, y, np.nan)
    found = model().fit(X, Y)
    known = ~np.isnan(Y)
    means = found.predict(X)
    shares = [
        d2_tweedie_score(Y[seen, k], means[seen, k], power=1)
        for k, seen in enumerate(known.T)
    ]
    assert found.score(X, Y) == pytest.approx(np.mean(shares))


def test_a_score_of_counts_that_are_all_alike_is_zero_or_one(counts):
    X, y, task = counts
    found = model().fit(X, y, task=task)
    assert found.score(X, np.full(N_ROWS, 3.0), task=task) == 0.0


# Tasks, rows and columns


@each_strength
def test_the_three_layouts_give_the_same_model(params):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(25, 3))
    Y = rng.poisson(2.0, size=(25, 4)).astype(float)
    Y[rng.random(Y.shape) < 0.2] = np.nan
    rows, codes = np.nonzero(~np.isnan(Y))
    wide = model(**params).fit(X, Y)
    keyword = model(**params).fit(X[rows], Y[rows, codes], task=codes)
    column = model(task_column="task", **params)
    frame = pd.DataFrame(X[rows], columns=["a", "b", "c"]).assign(task=codes)
    column.fit(frame, Y[rows, codes])
    assert_alike(wide, keyword)
    assert_alike(column, keyword)
    found = wide.predict(X)[rows, codes]
    assert_allclose(found, keyword.predict(X[rows], task=codes), rtol=1e-6)
    assert_allclose(found, column.predict(frame), rtol=1e-6)


@each_strength
def test_integer_weights_are_repetitions(counts, weight, params):
    X, y, task = counts
    y[weight == 0] = 0.0
    first = model(**params).fit(X, y, task=task, sample_weight=weight)
    again = np.repeat(np.arange(N_ROWS), weight.astype(int))
    second = model(**params).fit(X[again], y[again], task=task[again])
    assert_alike(first, second)


@pytest.mark.full
@each_strength
def test_a_sparse_design_is_a_dense_one(counts, params):
    X, y, task = counts
    thin = np.where(np.abs(X) > 0.5, X, 0.0)
    first = model(**params).fit(thin, y, task=task)
    second = model(**params).fit(sparse.csr_array(thin), y, task=task)
    assert_alike(first, second)


def test_float32_stays_float32(counts):
    X, y, task = counts
    small = model().fit(X.astype(np.float32), y, task=task)
    assert {getattr(small, name).dtype for name in LEARNT} == {np.dtype(np.float32)}
    assert small.predict(X.astype(np.float32), task=task).dtype == np.float32
    assert_alike(small, model().fit(X, y, task=task), rtol=1e-4, atol=1e-5)


def test_tasks_not_seen_have_the_shared_part(counts):
    X, y, task = counts
    found = model().fit(X, y, task=task)
    expected = np.exp(X @ found.coef_shared_ + found.intercept_shared_)
    assert_allclose(found.predict(X, task=np.full(N_ROWS, 99)), expected)


def test_a_pickle_predicts_the_same(counts):
    X, y, task = counts
    found = model().fit(X, y, task=task)
    again = pickle.loads(pickle.dumps(found))
    assert_array_equal(found.predict(X, task=task), again.predict(X, task=task))


def test_a_warm_start_begins_at_the_last_solution(counts):
    X, y, task = counts
    found = model(warm_start=True).fit(X, y, task=task)
    first = found.n_iter_
    assert found.fit(X, y, task=task).n_iter_ < first


# What is ugly


@pytest.mark.parametrize(
    ("exposed", "unit"),
    [(None, 1.0), (np.full(N_ROWS, 1e3), 1e3)],
    ids=["none", "some"],
)
def test_a_task_without_counts_gets_a_pseudo_row(counts, exposed, unit):
    """As if one row more, of mean exposure, had the mean rate of all tasks."""
    X, y, task = counts
    X, y = 0 * X, np.where(task == 8, 0.0, y)
    found = model().fit(X, y, task=task, exposure=exposed)
    mean = y.mean() / unit
    expected = mean / ((task == 8).sum() + 1)
    assert np.exp(found.intercept_[3]) == pytest.approx(expected)
    assert np.isfinite(found.intercept_).all()
    own = y[task == 1].mean() / unit
    assert np.exp(found.intercept_[0]) == pytest.approx(own)


def test_a_task_without_counts_is_as_it_is_where_intercepts_are_pulled(counts):
    X, y, task = counts
    y = np.where(task == 8, 0.0, y)
    found = model(alpha_intercept=0.5).fit(X, y, task=task)
    own = task == 8
    left = (found.predict(X[own], task=task[own]) - y[own]).sum()
    pull = 0.5 * (found.intercept_[3] - found.intercept_.mean())
    assert left + pull == pytest.approx(0, abs=1e-5)


def test_counts_below_zero_are_refused(counts):
    X, y, task = counts
    y[4] = -1.0
    with pytest.raises(ValueError, match=r"out of the valid range.*0 or more, got -1"):
        model().fit(X, y, task=task)


def test_zeros_only_are_refused(counts, weight):
    X, y, task = counts
    with pytest.raises(ValueError, match="y must have a count above 0"):
        model().fit(X, 0 * y, task=task)
    with pytest.raises(ValueError, match="in a row with weight above 0"):
        model().fit(X, y * (weight == 0), task=task, sample_weight=weight)


@pytest.mark.parametrize("size", [1e-6, 1e6])
@each_strength
def test_counts_of_any_size_have_a_lowest_point(counts, params, size):
    X, y, task = counts
    found = model(**params).fit(X, size * y, task=task)
    assert found.optimality_ < 1e-6


def test_a_limit_of_steps_is_told(counts):
    X, y, task = counts
    with pytest.warns(ConvergenceWarning, match="Raise max_iter"):
        model(max_iter=1).fit(X, y, task=task)


def test_negative_counts_cannot_be_scored():
    X, y = np.zeros((4, 1)), np.arange(4.0)
    model = MeanRegularizedPoissonRegressor().fit(X, y, task=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="y must hold counts, 0 or more, got -2"):
        model.score(X, y - 2, task=[0, 0, 1, 1])
