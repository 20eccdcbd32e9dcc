"""Intervals of the target, for seen and unseen tasks."""

import numpy as np
import pytest
from exact_rows import by_eigenvectors, by_inversion, by_rows, rows_of, strengths_of
from numpy.testing import assert_allclose
from scipy.optimize import approx_fprime, minimize_scalar
from scipy.stats import multivariate_normal
from scipy.stats import t as student

from skmtl.couplings import ToMean
from skmtl.data import summarise
from skmtl.datasets import make_related_tasks
from skmtl.linear_model import MeanRegularizedRegressor, MeanRegularizedRegressorCV
from skmtl.selection import NewTaskVariances, leave_tasks_out

SIZES = 9, 12, 7, 20, 8
CODES = np.repeat(np.arange(len(SIZES)), SIZES)
COUPLING = ToMean(2.0, 0.5, 3.0)


@pytest.fixture(scope="module")
def rows():
    return rows_of(SIZES, 3)


@pytest.fixture(scope="module")
def errors(rows):
    """Return the errors of tasks, each predicted by a model of the others."""
    model, found = (
        MeanRegularizedRegressor(**COUPLING.get_params()),
        np.zeros(len(CODES)),
    )
    for task in range(len(SIZES)):
        out = task == CODES
        model.fit(rows.X[~out], rows.y[~out], task=CODES[~out])
        found[out] = rows.y[out] - model.predict(rows.X[out], task=99)
    return found


def minus_log_likelihood(logs, X, errors):
    """Return that of a random coefficients model around zero, by dense matrices."""
    noise, own, intercept = np.exp(logs)
    total = 0.0
    for task in range(len(SIZES)):
        Z, e = X[task == CODES], errors[task == CODES]
        cov = noise * np.eye(len(Z)) + own * Z @ Z.T + intercept
        total -= multivariate_normal(np.zeros(len(Z)), cov).logpdf(e)
    return total


@pytest.mark.parametrize("solve", [by_inversion, by_eigenvectors, by_rows])
def test_errors_of_tasks_left_out_are_those_of_refits(rows, errors, solve):
    found = leave_tasks_out(solve(rows, strengths_of(rows, COUPLING), True))
    expected = summarise(rows.X, errors, CODES)
    for name in ("y_mean", "xy", "yy"):
        assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-7)


def test_variances_of_new_tasks_fit_the_errors_of_tasks_left_out(rows, errors):
    fit = by_inversion(rows, strengths_of(rows, COUPLING), True)
    found = NewTaskVariances.of(fit)
    variances, freedom = found.at(rows.X)
    totals = [np.bincount(CODES, each) for each in (errors**2, variances)]
    assert_allclose(np.average(totals[0] / totals[1], weights=SIZES), 1)
    between = variances - found.noise
    assert_allclose(between, rows.X**2 @ found.own + found.intercept)
    # Both variances of tasks were multiplied by one factor after the likelihood.
    logs, scale = np.log([found.noise, found.own[0], found.intercept]), np.arange(3) > 0

    def along(factor):
        return minus_log_likelihood(logs + factor * scale, rows.X, errors)

    best = logs + minimize_scalar(along, (-1, 1)).x * scale
    gradient = approx_fprime(best, minus_log_likelihood, 1e-6, rows.X, errors)
    assert np.abs(gradient).max() < 1e-3
    assert ((freedom > len(SIZES) - 1) & (freedom < len(CODES))).all()


def test_variances_of_new_tasks_are_those_of_the_draws():
    X, y = make_related_tasks(200, 20, 3, spread=0.5, random_state=0)
    model = MeanRegularizedRegressor(1.0, task_column=-1).fit(X, y)
    new = np.array([[0.0, 0.0, 0.0, -1.0], [2.0, 0.0, 0.0, -1.0]])
    variance = model.predict(new, return_std=True)[1] ** 2
    assert_allclose(np.diff(variance), 4 * 0.5**2, rtol=0.15)


@pytest.mark.full
def test_scaled_residuals_are_errors_of_refits_without_the_row(rows):
    model = MeanRegularizedRegressorCV(
        [2.0], alphas_shared=[0.5], alphas_intercept=[3.0]
    )
    model.fit(rows.X, rows.y, task=CODES)
    sizes = []
    for i in range(len(CODES)):
        kept = np.arange(len(CODES)) != i
        refit = MeanRegularizedRegressor(**COUPLING.get_params())
        refit.fit(rows.X[kept], rows.y[kept], task=CODES[kept])
        posterior = refit._posterior()
        found, std = refit.predict(rows.X[[i]], task=CODES[[i]], return_std=True)
        std = std / np.sqrt(posterior.noise_variance)
        sizes.append(np.abs(rows.y[i] - found[0]) / std[0])
    ends = model.predict_interval(rows.X, 0.8, task=CODES)
    std = model.predict(rows.X, task=CODES, return_std=True)[1]
    rank = int(np.ceil(0.8 * (len(CODES) + 1)))
    size = np.sort(sizes)[rank - 1] / np.sqrt(model.sigma2_)
    assert_allclose((ends[:, 1] - ends[:, 0]) / 2, size * std, rtol=1e-7)


def test_given_strengths_give_intervals_of_student(rows):
    model = MeanRegularizedRegressor(**COUPLING.get_params())
    model.fit(rows.X, rows.y, task=CODES)
    prediction, std = model.predict(rows.X, task=CODES, return_std=True)
    posterior = model._posterior()
    left = len(CODES) - posterior.degrees_of_freedom
    half = student.ppf(0.975, left) * std
    ends = model.predict_interval(rows.X, 0.95, task=CODES)
    assert_allclose(ends, np.stack([prediction - half, prediction + half], axis=1))


def test_intervals_of_outputs_are_those_of_rows():
    X, Y = np.random.default_rng(0).normal(size=(2, 30, 3))
    labels = np.repeat(np.arange(3), 30)
    wide = MeanRegularizedRegressor(alpha_intercept=1.0).fit(X, Y)
    tall = MeanRegularizedRegressor(alpha_intercept=1.0)
    tall.fit(np.tile(X, (3, 1)), Y.T.ravel(), task=labels)
    ends = wide.predict_interval(X[:5])
    assert ends.shape == (5, 3, 2)
    for task in range(3):
        assert_allclose(ends[:, task], tall.predict_interval(X[:5], task=[task] * 5))


def test_a_single_task_does_not_tell_of_others(rows):
    first = CODES == 0
    model = MeanRegularizedRegressor().fit(
        rows.X[first], rows.y[first], task=CODES[first]
    )
    ends = model.predict_interval(rows.X[:2], task=[99, 99])
    assert_allclose(ends, [[-np.inf, np.inf]] * 2)


@pytest.mark.parametrize("coverage", [0, 1, 90, "90%"])
def test_a_coverage_that_is_no_share_is_refused(rows, coverage):
    model = MeanRegularizedRegressor().fit(rows.X, rows.y, task=CODES)
    with pytest.raises(
        ValueError, match="coverage must be a share above 0 and below 1"
    ):
        model.predict_interval(rows.X, coverage, task=CODES)


@pytest.mark.full
@pytest.mark.parametrize("heavy", [False, True])
def test_intervals_cover_their_share_of_new_rows(heavy):
    rng, covered = np.random.default_rng(0), []
    for seed in range(5):
        X, y = make_related_tasks(60, 40, 3, spread=0.5, random_state=seed)
        y = y + heavy * rng.standard_t(2.5, len(y))
        task, X = X[:, -1].astype(int), X[:, :-1]
        train = (task < 40) & (np.arange(len(y)) % 4 > 0)
        model = MeanRegularizedRegressorCV().fit(X[train], y[train], task=task[train])
        ends = model.predict_interval(X, task=task)
        inside = (ends[:, 0] <= y) & (y <= ends[:, 1])
        covered.append([inside[~train & (task < 40)].mean(), inside[task >= 40].mean()])
    seen, unseen = np.mean(covered, axis=0)
    assert_allclose(seen, 0.9, atol=0.03)
    assert_allclose(unseen, 0.9, atol=0.05)


def test_a_diagonal_precision_matrix_is_a_strength_per_feature(rows):
    alpha, ends = np.array([2.0, 5.0, 0.3]), []
    for given in (
        {"alpha": alpha, "alpha_intercept": 3.0},
        {"alpha": np.diag([*alpha, 3])},
    ):
        model = MeanRegularizedRegressor(**given).fit(rows.X, rows.y, task=CODES)
        ends.append(model.predict_interval(rows.X, task=CODES % 2 * 99))
    assert_allclose(*ends, rtol=1e-4)


def test_tasks_in_other_units_have_intervals_in_their_units(rows):
    units = np.array([1.0, 10.0, 100.0, 3.0, 0.1])[CODES]
    ends = []
    for factor in (units, 1000 * units):
        model = MeanRegularizedRegressorCV(scale_targets=True)
        model.fit(rows.X, rows.y * factor, task=CODES)
        known = model.predict_interval(rows.X, task=CODES) / factor[:, None]
        new = model.predict_interval(rows.X[:2], task=[99, 99]) / factor[0]
        ends.append(np.concatenate([known, new]))
    assert_allclose(*ends, rtol=1e-4)
    inside = (ends[0][:-2, 0] <= rows.y) & (rows.y <= ends[0][:-2, 1])
    assert 0.85 < inside.mean() < 1


def test_intervals_follow_the_noise_of_each_task():
    rng = np.random.default_rng(0)
    task = np.repeat(np.arange(12), 30)
    X, noise = rng.normal(size=(360, 2)), np.where(task % 2, 0.2, 3.0)
    y = X.sum(axis=1) + rng.normal(size=12)[task] + noise * rng.normal(size=360)
    model = MeanRegularizedRegressorCV(noise="per_task", scale_targets=False)
    ends = model.fit(X, y, task=task).predict_interval(X, task=task)
    widths, inside = np.diff(ends)[:, 0], (ends[:, 0] <= y) & (y <= ends[:, 1])
    assert widths[noise > 1].min() > 5 * widths[noise < 1].max()
    for part in (noise > 1, noise < 1):
        assert 0.8 < inside[part].mean() < 0.97
    new = model.predict_interval(X, task=task + 100)
    assert 0.8 < ((new[:, 0] <= y) & (y <= new[:, 1])).mean() < 1


@pytest.mark.parametrize("level", [0.0, 3.0])
@pytest.mark.parametrize(
    "model", [MeanRegularizedRegressor, MeanRegularizedRegressorCV]
)
def test_constant_targets_have_intervals_without_width(model, level):
    X = np.random.default_rng(0).normal(size=(40, 2))
    found = model().fit(X, np.full(40, level), task=np.arange(40) % 5)
    ends = found.predict_interval(X[:2], task=[1, 9])
    assert_allclose(ends, level, atol=1e-100)
