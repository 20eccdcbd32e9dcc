"""Structured models against other solvers, closed forms and each other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize
from sklearn.linear_model import Lasso, LinearRegression

from skmtl.linear_model import (
    DirtyRegressor,
    LinearTaskRegressor,
    LowRankRegressor,
    RobustRegressor,
)
from skmtl.penalties import L12, L21, Decomposed, L1Inf, Trace
from skmtl.solvers import Fista

TIGHT = {"tol": 1e-13, "max_iter": 50_000}
N_TASKS, N_FEATURES = 4, 5
SIZES = np.array([9, 14, 20, 11])
task = np.repeat(np.arange(N_TASKS), SIZES)
rng = np.random.default_rng(0)
X = rng.normal(1, 1, size=(len(task), N_FEATURES)) * [1.0, 2.0, 0.5, 1.0, 1.0]
CENTRE = rng.normal(size=(N_TASKS, 2)) @ rng.normal(size=(2, N_FEATURES))
y = (X * CENTRE[task]).sum(axis=1) + task + 0.3 * rng.normal(size=len(task))
SCALE = N_TASKS / len(task)


def fit(model, **names):
    return model.set_params(**(TIGHT | names)).fit(X, y, task=task)


def combine(penalty):
    return LinearTaskRegressor(penalty, solver=Fista(**TIGHT)).fit(X, y, task=task)


def centre(values):
    means = np.array([values[task == t].mean(axis=0) for t in range(N_TASKS)])
    return values - means[task]


X_CENTRED, Y_CENTRED = centre(X), centre(y)
SCATTERS = np.array([X_CENTRED[task == t].T @ X_CENTRED[task == t] for t in range(4)])
PRODUCTS = np.array([X_CENTRED[task == t].T @ Y_CENTRED[task == t] for t in range(4)])
AT_ZERO = -SCALE * PRODUCTS


def loss(W):
    residual = Y_CENTRED - (X_CENTRED * W[task]).sum(axis=1)
    slope = [-(X_CENTRED[task == t].T @ residual[task == t]) for t in range(N_TASKS)]
    return SCALE / 2 * (residual**2).sum(), SCALE * np.array(slope)


def solve_smoothly(value_and_slopes, shapes, maxiter=50_000):
    """Minimise over several arrays by a quasi-Newton method, from a random start."""
    ends = np.cumsum([np.prod(shape) for shape in shapes])

    def unpack(flat):
        parts = np.split(flat, ends[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def flat_function(flat):
        value, slopes = value_and_slopes(*unpack(flat))
        return value, np.concatenate([np.ravel(slope) for slope in slopes])

    start = np.random.default_rng(1).normal(size=ends[-1])
    options = {"maxiter": maxiter, "maxfun": 100_000, "maxcor": 50}
    options |= {"ftol": 1e-16, "gtol": 1e-10}
    found = minimize(flat_function, start, jac=True, method="L-BFGS-B", options=options)
    return found.fun, unpack(found.x)


def test_a_low_rank_fit_is_the_best_product_of_two_factors():
    # alpha ||W||_* is the least of alpha / 2 (||U||^2 + ||V||^2) over W = U V.
    def objective(U, V):
        value, slope = loss(U @ V)
        value += 0.15 * ((U**2).sum() + (V**2).sum())
        return value, (slope @ V.T + 0.3 * U, U.T @ slope + 0.3 * V)

    value, (U, V) = solve_smoothly(objective, [(4, 4), (4, 5)])
    model = fit(LowRankRegressor(0.3))
    assert model.objective_ == pytest.approx(value, rel=1e-8)
    assert_allclose(model.coef_, U @ V, atol=1e-4)


@pytest.mark.full
def test_outlier_tasks_are_those_of_another_solver():
    # The length of q is the least of (q^2 / size + size) / 2, with size = exp(v).
    def objective(U, V, Q, v):
        value, slope = loss(U @ V + Q)
        size, squares = np.exp(v), (Q**2).sum(axis=1)
        value += 0.2 * ((U**2).sum() + (V**2).sum())
        value += 0.15 * (squares / size + size).sum()
        slopes = (slope @ V.T + 0.4 * U, U.T @ slope + 0.4 * V)
        more = slope + 0.3 * Q / size[:, None], 0.15 * (size - squares / size)
        return value, (*slopes, *more)

    value, (U, V, Q, _) = solve_smoothly(
        objective, [(4, 4), (4, 5), (4, 5), (4,)], 2000
    )
    model = fit(RobustRegressor(0.4, 0.3))
    assert model.objective_ == pytest.approx(value, rel=1e-6)
    assert model.objective_ <= value
    assert_allclose(model.coef_, U @ V + Q, atol=1e-3)


def test_a_dirty_fit_is_the_best_of_a_quadratic_program():
    # |P| <= m, Q = Q+ - Q-, all but P at least zero.
    n, alpha, beta = N_TASKS * N_FEATURES, 0.5, 0.3

    def unpack(flat):
        P, positive, negative = flat[: 3 * n].reshape(3, N_TASKS, N_FEATURES)
        return P, positive, negative, flat[3 * n :]

    def objective(flat):
        P, positive, negative, m = unpack(flat)
        value, slope = loss(P + positive - negative)
        value += alpha * m.sum() + beta * (positive + negative).sum()
        slopes = slope, slope + beta, beta - slope, np.full(N_FEATURES, alpha)
        return value, np.concatenate([np.ravel(part) for part in slopes])

    tiled = np.tile(np.eye(N_FEATURES), (N_TASKS, 1))
    none = np.zeros((n, 2 * n))
    sides = [np.hstack([sign * np.eye(n), none, tiled]) for sign in (-1, 1)]
    limits = {"type": "ineq", "fun": lambda z: np.vstack(sides) @ z}
    limits["jac"] = lambda z: np.vstack(sides)
    bounds = [(None, None)] * n + [(0, None)] * (2 * n + N_FEATURES)
    found = minimize(
        objective,
        np.full(3 * n + N_FEATURES, 0.1),
        jac=True,
        method="SLSQP",
        bounds=bounds,
        constraints=limits,
        options={"maxiter": 1000, "ftol": 1e-14},
    )
    model = fit(DirtyRegressor(alpha, beta, penalty="linf"))
    assert model.objective_ == pytest.approx(found.fun, rel=1e-8)
    P, positive, negative, _ = unpack(found.x)
    assert_allclose(model.coef_, P + positive - negative, atol=1e-4)


@pytest.mark.parametrize("alpha", [0.01, 0.3, 3.0])
def test_tasks_and_features_related_are_a_trace_norm_of_the_right_strength(alpha):
    squared = fit(LowRankRegressor(alpha, squared=True), tol=1e-11)
    size = np.linalg.svd(squared.coef_, compute_uv=False).sum()
    plain = fit(LowRankRegressor(alpha * size))
    assert_allclose(squared.coef_, plain.coef_, atol=1e-5)
    assert squared.rank_ == plain.rank_


def test_covariances_are_those_of_a_ridge_that_gives_the_same_coefficients():
    # Zhang and Yeung: W is best given the covariance of tasks, and it given W.
    model = fit(LowRankRegressor(1e-4, squared=True), tol=1e-12)
    assert model.rank_ == N_TASKS
    pull = 1e-4 * np.kron(np.linalg.inv(model.task_covariance_), np.eye(N_FEATURES))
    blocks = np.zeros_like(pull)
    for t, scatter in enumerate(SCATTERS):
        part = slice(t * N_FEATURES, (t + 1) * N_FEATURES)
        blocks[part, part] = SCALE * scatter
    W = np.linalg.solve(blocks + pull, -AT_ZERO.ravel()).reshape(N_TASKS, N_FEATURES)
    assert_allclose(model.coef_, W, atol=1e-6)
    # The best covariance is the root of W W', of trace 1.
    values, vectors = np.linalg.eigh(W @ W.T)
    root = (vectors * np.sqrt(values)) @ vectors.T
    assert_allclose(model.task_covariance_, root / np.trace(root), atol=1e-6)


def test_a_feature_covariance_explains_the_coefficients_as_well():
    model = fit(LowRankRegressor(0.02, squared=True))
    W, size = model.coef_, np.linalg.svd(model.coef_, compute_uv=False).sum()
    for rows, covariance in [
        (W, model.task_covariance_),
        (W.T, model.feature_covariance_),
    ]:
        assert np.trace(covariance) == pytest.approx(1)
        fit_of_rows = np.trace(rows.T @ np.linalg.pinv(covariance, rcond=1e-9) @ rows)
        assert fit_of_rows == pytest.approx(size**2, rel=1e-6)


def test_an_orthogonal_design_has_thresholded_singular_values():
    design = np.linalg.qr(rng.normal(size=(30, N_FEATURES)) - 0.0)[0]
    design = np.linalg.qr(design - design.mean(axis=0))[0] * np.sqrt(30)
    Y = design @ CENTRE.T + rng.normal(size=(30, N_TASKS))
    least = LinearRegression().fit(design, Y).coef_
    left, sizes, right = np.linalg.svd(least, full_matrices=False)
    model = LowRankRegressor(0.8, **TIGHT).fit(design, Y)
    expected = left * np.maximum(sizes - 0.8, 0) @ right
    assert_allclose(model.coef_, expected, atol=1e-6)
    assert model.rank_ == (sizes > 0.8).sum()


@pytest.mark.parametrize("norm", ["l21", "linf"])
@pytest.mark.parametrize("specific", [0.401, 0.5, 50.0])
def test_dear_exceptions_are_none_and_features_are_shared(norm, specific):
    model = fit(DirtyRegressor(0.4, specific, penalty=norm))
    shared = combine({"l21": L21, "linf": L1Inf}[norm](0.4))
    assert_allclose(model.coef_, shared.coef_, atol=1e-5)
    assert_allclose(model.coef_specific_, 0, atol=1e-5)


@pytest.mark.parametrize(("norm", "least"), [("l21", 0.5), ("linf", 0.25)])
def test_cheap_exceptions_are_a_lasso_per_task(norm, least):
    model = fit(DirtyRegressor(0.4, 0.99 * 0.4 * least, penalty=norm))
    assert model.support_.size == 0
    for t in range(N_TASKS):
        own = SIZES.sum() / N_TASKS / SIZES[t] * 0.99 * 0.4 * least
        lasso = Lasso(own, tol=1e-12, max_iter=100_000).fit(X[task == t], y[task == t])
        assert_allclose(model.coef_[t], lasso.coef_, atol=1e-5)


@pytest.mark.parametrize(("name", "penalty"), [("trace", Trace), ("l21", L21)])
def test_dear_outliers_are_none(name, penalty):
    model = fit(RobustRegressor(0.4, 50.0, penalty=name))
    assert_allclose(model.coef_, combine(penalty(0.4)).coef_, atol=1e-5)
    assert model.outlier_tasks_.size == 0


def test_cheap_outliers_are_all_tasks():
    model = fit(RobustRegressor(50.0, 0.05))
    assert_allclose(model.coef_, combine(L12(0.05)).coef_, atol=1e-5)
    assert_allclose(model.coef_, model.coef_outlier_)
    assert model.outlier_tasks_.tolist() == [0, 1, 2, 3]
    assert not model.coef_shared_.any()


def test_one_task_has_one_direction_whose_length_counts():
    model = LowRankRegressor(0.3, **TIGHT).fit(X, y)
    for penalty in (L12(0.3), Decomposed(Trace(0.3), L12(50.0))):
        same = LinearTaskRegressor(penalty, solver=Fista(**TIGHT)).fit(X, y)
        assert_allclose(model.coef_, same.coef_, atol=1e-6)


AT_MOST = {
    "trace": (LowRankRegressor, np.linalg.norm(AT_ZERO, 2)),
    "lasso": (
        lambda alpha: DirtyRegressor(50.0 * alpha, alpha),
        abs(AT_ZERO).max(),
    ),
    "dirty": (
        lambda alpha: DirtyRegressor(alpha, alpha),
        np.linalg.norm(AT_ZERO, axis=0).max(),
    ),
    "robust": (
        lambda alpha: RobustRegressor(alpha, alpha),
        np.linalg.norm(AT_ZERO, 2),
    ),
}


@pytest.mark.parametrize("name", AT_MOST)
def test_coefficients_are_zero_from_the_largest_alpha_on_and_not_below(name):
    make, alpha_max = AT_MOST[name]
    assert not fit(make(alpha_max * (1 + 1e-10))).coef_.any()
    assert fit(make(alpha_max * 0.999)).coef_.any()


def test_an_outlier_task_is_found():
    planted = np.outer(np.linspace(1, 2, 12), [1.0, -1.0, 2.0, 0.5, 0.0])
    planted[7] = [0.0, 3.0, 0.0, -3.0, 2.0]
    draws = np.random.default_rng(1)
    design = draws.normal(size=(300, N_FEATURES))
    design[:, 4] = 1.0  # a constant: even an outlier has no coefficient for it
    Y = design @ planted.T + draws.normal(size=(300, 12))
    model = RobustRegressor(0.6, 0.3).fit(design, Y)
    assert model.outlier_tasks_.tolist() == [7]
    shared = model.coef_ - model.coef_outlier_
    assert np.linalg.matrix_rank(shared, tol=1e-6) == 1
    mean = (Y - design @ model.coef_outlier_.T).mean(axis=1)
    pooled = LinearRegression().fit(design, mean)
    assert_allclose(model.coef_shared_, pooled.coef_, atol=0.05)


def test_a_shared_feature_and_an_exception_are_told_apart():
    planted = np.zeros((10, N_FEATURES))
    planted[:, 1] = 2.0
    planted[3, 4] = 4.0
    draws = np.random.default_rng(2)
    design = draws.normal(size=(200, N_FEATURES))
    Y = design @ planted.T + 0.5 * draws.normal(size=(200, 10))
    model = DirtyRegressor(0.5, 0.3).fit(design, Y)
    assert model.support_.tolist() == [1]
    assert np.argwhere(model.coef_specific_).tolist() == [[3, 4]]


def test_the_objective_falls_with_alpha_and_the_rank_rises():
    models = [fit(LowRankRegressor(alpha)) for alpha in np.geomspace(3, 0.003, 8)]
    assert (np.diff([model.objective_ for model in models]) <= 0).all()
    assert models[0].rank_ < models[-1].rank_


@pytest.mark.parametrize("shape", [(4, 7), (7, 4)])
@pytest.mark.parametrize("unit", [1e-250, 1.0, 1e250])
@pytest.mark.parametrize("threshold", [0.0, 1e-9, 1e-5, 2e-4, 0.5, 2.0])
def test_a_trace_norm_thresholds_large_and_tiny_singular_values(shape, unit, threshold):
    draws = np.random.default_rng(3)
    left = np.linalg.qr(draws.normal(size=(shape[0], 4)))[0]
    right = np.linalg.qr(draws.normal(size=(shape[1], 4)))[0]
    sizes = np.array([1.0, 0.7, 1e-3, 1e-8])
    cut = Trace(threshold * unit).prox(unit * (left * sizes) @ right.T, 1.0) / unit
    expected = (left * np.maximum(sizes - threshold, 0)) @ right.T
    assert_allclose(cut, expected, atol=1e-13)


def test_a_class_in_place_of_a_penalty_is_refused():
    X, y = np.zeros((4, 1)), np.arange(4.0)
    with pytest.raises(ValueError, match=r"got the class L21\. Write L21\(\)"):
        LinearTaskRegressor(L21).fit(X, y, task=[0, 0, 1, 1])
