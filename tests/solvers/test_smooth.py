"""Squared losses as smooth terms: value, gradient and bounds in every storage."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl.data import TaskRows, summarise
from skmtl.penalties import L1, L21, Decomposed, Trace
from skmtl.problems.proximal import SumOfParts, minimize, squared_loss
from skmtl.problems.rows import (
    DesignCurvature,
    MomentCurvature,
    RowCurvature,
    prefers_rows,
    row_curvature,
)
from skmtl.solvers import Fista

SIZES, N_FEATURES = (6, 3, 9), 4
TASK = np.repeat([0, 1, 2], SIZES)
rng = np.random.default_rng(0)
X = rng.normal(2, 1, size=(len(TASK), N_FEATURES))
y = rng.normal(1, 1, size=len(TASK))
WEIGHT = rng.uniform(0.5, 2, size=len(TASK))
MOMENTS = summarise(X, y, TASK, WEIGHT)
ROWS = TaskRows(X, None, y, WEIGHT, np.cumsum([0, *SIZES]), np.arange(3))
PRECISION = np.array([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]])
W, V = rng.normal(size=(2, 3, N_FEATURES))

PLAIN = squared_loss(MOMENTS)
LOSSES = {
    "moments": PLAIN,
    "no intercept": squared_loss(MOMENTS, fit_intercept=False),
    "rows": squared_loss(ROWS.moments(curvature=False), curvature=row_curvature(ROWS)),
    "rows, no intercept": squared_loss(
        ROWS.moments(curvature=False),
        fit_intercept=False,
        curvature=row_curvature(ROWS, fit_intercept=False),
    ),
    "ridge": squared_loss(MOMENTS, alpha_ridge=0.7),
    "coupling": squared_loss(MOMENTS, precision=PRECISION),
    "strong coupling": squared_loss(MOMENTS, precision=100 * PRECISION),
    "both": squared_loss(MOMENTS, alpha_ridge=0.7, precision=PRECISION),
}
each_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
SMOOTH = LOSSES | {f"parts, {name}": SumOfParts(loss) for name, loss in LOSSES.items()}
each_smooth = pytest.mark.parametrize("smooth", SMOOTH.values(), ids=SMOOTH.keys())


def directly(W, fit_intercept=True, ridge=0.0, precision=None):
    """Return the objective from rows, with the best intercept of each task."""
    residual = y - (X * W[TASK]).sum(axis=1)
    if fit_intercept:
        mean = np.bincount(TASK, WEIGHT * residual) / np.bincount(TASK, WEIGHT)
        residual = residual - mean[TASK]
    total = (WEIGHT * residual**2).sum()
    total += 0 if precision is None else np.trace(W.T @ precision @ W)
    return 3 / WEIGHT.sum() * total / 2 + ridge / 2 * (W**2).sum()


def test_a_loss_is_the_mean_of_half_squared_errors_times_tasks():
    expected = {
        "moments": directly(W),
        "no intercept": directly(W, fit_intercept=False),
        "rows": directly(W),
        "rows, no intercept": directly(W, fit_intercept=False),
        "ridge": directly(W, ridge=0.7),
        "coupling": directly(W, precision=PRECISION),
        "strong coupling": directly(W, precision=100 * PRECISION),
        "both": directly(W, ridge=0.7, precision=PRECISION),
    }
    values = {name: loss.value(W) for name, loss in LOSSES.items()}
    assert values == pytest.approx(expected, rel=1e-12)


def draw(smooth):
    return np.random.default_rng(1).normal(size=(2, *smooth.shape))


@each_smooth
def test_a_gradient_is_the_slope_of_the_value(smooth):
    W, V = draw(smooth)
    step = 1e-4
    slope = (smooth.value(W + step * V) - smooth.value(W - step * V)) / (2 * step)
    assert np.vdot(smooth.gradient(W), V) == pytest.approx(slope, rel=1e-8)


@each_smooth
def test_an_extrapolated_point_is_the_point_there(smooth):
    W, V = draw(smooth)
    ahead = smooth.extrapolate(smooth.at(W), smooth.at(V), 0.3)
    there = smooth.at(W + 0.3 * (W - V))
    assert_allclose(ahead.variable, there.variable)
    assert_allclose(ahead.gradient, there.gradient, atol=1e-12)
    assert ahead.value == pytest.approx(there.value)


@each_smooth
def test_no_direction_is_curved_more_than_the_bound(smooth):
    size = np.prod(smooth.shape)
    zero = smooth.zero().gradient.ravel()
    units = np.eye(size).reshape(size, *smooth.shape)
    hessian = [smooth.gradient(unit).ravel() - zero for unit in units]
    steepest = np.linalg.eigvalsh(hessian)[-1]
    assert steepest <= smooth.lipschitz() <= 3 * steepest


@each_smooth
@pytest.mark.parametrize("limit", [1e-3, 1.0, 1e3, np.inf])
def test_a_dual_value_is_the_best_of_the_multiples(smooth, limit):
    point = smooth.at(draw(smooth)[0])
    start = smooth.zero()
    aligned = 2 * start.value + np.vdot(point.variable, start.gradient)
    reach = min(limit, 2 * abs(aligned) / point.value)
    multiples = np.linspace(-reach, reach, 20_001)
    best = (multiples * aligned - multiples**2 * point.value).max()
    assert smooth.dual_value(point, limit) == pytest.approx(best, rel=1e-6)


@each_loss
@pytest.mark.parametrize("penalty", [L1(0.1), L21(0.1), Trace(0.1)], ids=str)
def test_a_gap_is_never_smaller_than_the_distance_from_the_optimum(loss, penalty):
    best = minimize(loss, penalty, Fista(tol=1e-13)).solution
    starts = [V * 10.0**k for k in range(-3, 3)] + [best.variable + 1e-3 * W]
    for start in starts:
        point = loss.at(start)
        gap = penalty.optimality(loss, point) * loss.zero().value
        distance = point.value + penalty.value(start) - best.objective
        assert gap >= distance - 1e-12


def test_parts_have_the_gap_of_their_sum():
    penalty = Decomposed(L21(0.1), L1(0.08))
    fit = minimize(PLAIN, penalty, Fista(tol=1e-13))
    assert fit.parts.shape == (2, 3, N_FEATURES)
    start = np.stack([V, W])
    point = SumOfParts(PLAIN).at(start)
    gap = penalty.optimality(SumOfParts(PLAIN), point) * PLAIN.zero().value
    distance = PLAIN.value(V + W) + penalty.value(start) - fit.solution.objective
    assert gap >= distance > 0


def test_a_start_of_another_shape_is_ignored():
    fits = [
        minimize(PLAIN, L1(0.1), Fista(tol=1e-13), start=start)
        for start in (None, np.ones((2, 3, N_FEATURES)))
    ]
    assert_allclose(fits[0].coef, fits[1].coef)


def test_a_task_without_weight_has_no_effect():
    more = MOMENTS.spread(np.arange(4))
    loss, rest = squared_loss(more), squared_loss(MOMENTS)
    wide = np.vstack([W, np.ones(N_FEATURES)])
    assert loss.value(wide) == pytest.approx(rest.value(W))
    assert not loss.gradient(wide)[3].any()


def test_unpacked_models_predict_the_mean_target_at_the_mean_features():
    models = PLAIN.unpack(W, V).drop_output_axis()
    at_mean = (MOMENTS.x_mean * models.coef).sum(axis=1) + models.intercept
    assert_allclose(at_mean, MOMENTS.y_mean)


def test_rows_are_preferred_if_they_are_fewer_than_features():
    wide = replace(ROWS, X=np.ones((len(TASK), 80)))
    assert prefers_rows(wide)
    assert not prefers_rows(ROWS)


def test_every_storage_of_a_scatter_has_the_same_products():
    by_rows, by_moments = row_curvature(ROWS), MomentCurvature(MOMENTS.xx)
    assert_allclose(by_rows.curve(W), by_moments.curve(W))
    one = replace(ROWS, offsets=np.array([0, len(TASK)]), tasks=np.arange(1))
    shared = row_curvature(one)
    assert isinstance(shared, DesignCurvature)
    assert isinstance(by_rows, RowCurvature)
    whole = MomentCurvature(one.moments().xx)
    assert_allclose(shared.curve(W), whole.curve(W))
    assert shared.bound() <= len(TASK) * whole.bound()


def test_features_without_variance_have_no_curvature():
    flat = squared_loss(summarise(np.ones_like(X), y, TASK))
    assert flat.lipschitz() == 0
    assert not minimize(flat, L1(0.1), Fista()).coef.any()
    warm = minimize(flat, L1(0.1), Fista(tol=1e-12), start=W)
    assert not warm.coef.any()
