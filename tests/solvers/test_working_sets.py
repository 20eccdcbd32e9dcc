"""Working sets: the same optimum as with all features, by every inner solver."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl._contracts import Point
from skmtl.penalties import L21
from skmtl.solvers import (
    BlockQuadratic,
    Fista,
    HasQuadraticModel,
    ProxNewton,
    Shrunk,
    VarianceNewton,
    WorkingSet,
)

N_TASKS, N_ROWS, N_FEATURES = 3, 40, 150


@dataclass
class Squares(BlockQuadratic):
    """``1/2 sum_t ||y_t - X w_t||^2``; its state is the predictions."""

    X: np.ndarray
    y: np.ndarray
    constant: float = 0.0
    is_compact: bool = True
    is_ordered: bool = True

    @property
    def shape(self):
        return len(self.y), self.X.shape[1]

    @property
    def blocks(self):
        return [slice(j, j + 7) for j in range(0, self.X.shape[1], 7)]

    @property
    def scales(self):
        return (self.X**2).sum(axis=0)

    def restrict(self, features):
        return replace(self, X=self.X[:, features])

    def at(self, W):
        return self.point(W, self.state_at(W))

    def lipschitz(self):
        return np.linalg.norm(self.X, 2) ** 2

    def dual_value(self, point, limit):
        along = np.vdot(self.y, self.y - self.state_at(point.variable))
        multiple = np.clip(along / (2 * point.value), -limit, limit)
        return float(multiple * along - multiple**2 * point.value)

    def state_at(self, W):
        return W @ self.X.T

    def value_at(self, W, state):
        return float(((self.y - state) ** 2).sum() / 2) + self.constant

    def point(self, W, state):
        return Point(W.copy(), self.value_at(W, state), (state - self.y) @ self.X)

    def block_gradient(self, W, state, block):
        return (state - self.y) @ self.X[:, block]

    def update(self, state, block, step):
        state += step @ self.X[:, block].T

    def hessian(self, block):
        return (self.X[:, block].T @ self.X[:, block])[None]

    def shrunk(self, variances):
        return Ridge(self, variances)


class Ridge(Shrunk):
    """Squares plus a ridge, by matrices of all rows and features."""

    def __init__(self, squares, variances):
        X, y = squares.X, squares.y
        self.variances = variances
        self.inverse = np.linalg.inv(np.eye(len(X)) + (X * variances) @ X.T)
        self.residual = y @ self.inverse @ X
        self.value = (y * (y @ self.inverse)).sum() / 2 + squares.constant
        self.X = X

    def curvature(self, features):
        some, residual = self.X[:, features], self.residual[:, features]
        return (some.T @ self.inverse @ some) * (residual.T @ residual)


@dataclass
class SmoothSize(HasQuadraticModel):
    """``sum sqrt(1 + r^2)`` of residuals, with models by an upper bound."""

    X: np.ndarray
    y: np.ndarray
    restricted: list = field(default_factory=list)

    @property
    def shape(self):
        return len(self.y), self.X.shape[1]

    def restrict(self, features):
        self.restricted.append(len(features))
        return replace(self, X=self.X[:, features])

    def at(self, W):
        residual = W @ self.X.T - self.y
        size = np.sqrt(1 + residual**2)
        return Point(W, float(size.sum()), residual / size @ self.X)

    def lipschitz(self):
        return np.linalg.norm(self.X, 2) ** 2

    def dual_value(self, point, limit):
        v = min(limit, 1.0) * (point.variable @ self.X.T - self.y)
        v = v / np.sqrt(1 + (point.variable @ self.X.T - self.y) ** 2)
        return float((np.sqrt(1 - v**2) - v * self.y).sum())

    def model(self, point):
        residual = point.variable @ self.X.T - self.y
        slope = residual / np.sqrt(1 + residual**2)
        model = Squares(self.X, point.variable @ self.X.T - slope)
        return replace(model, constant=1 + np.vdot(self.y, self.y))


def draw(scale=1.0):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES)) * scale
    W = np.zeros((N_TASKS, N_FEATURES))
    W[:, ::12] = rng.normal(size=(N_TASKS, 13)) / scale
    return X, W @ X.T + 0.1 * rng.normal(size=(N_TASKS, N_ROWS))


X, Y = draw()
START = np.zeros((N_TASKS, N_FEATURES))
PENALTY = L21(20.0)
NEWTON = VarianceNewton(20.0)
QUADRATIC = {
    "proximal steps": WorkingSet(1e-12),
    "blocks": WorkingSet(1e-12, newton=NEWTON),
}
each_solver = pytest.mark.parametrize(
    "solver", QUADRATIC.values(), ids=QUADRATIC.keys()
)


def test_the_terms_of_these_tests_have_consistent_derivatives():
    V, step = np.random.default_rng(1).normal(size=(2, N_TASKS, N_FEATURES))
    for smooth in (Squares(X, Y), SmoothSize(X, Y)):
        ends = smooth.value(V + 1e-5 * step), smooth.value(V - 1e-5 * step)
        slope = np.vdot(smooth.gradient(V), step)
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(slope, rel=1e-6)
        gap = PENALTY.optimality(smooth, smooth.at(START))
        assert 0 < gap <= 1


@each_solver
@pytest.mark.parametrize("is_compact", [True, False])
def test_a_squared_loss_has_the_optimum_of_all_features(solver, is_compact):
    smooth = Squares(X, Y, is_compact=is_compact)
    best = Fista(1e-13).minimize(smooth, PENALTY, START)
    found = solver.minimize(smooth, PENALTY, START)
    assert found.converged
    assert found.objective == pytest.approx(best.objective, rel=1e-11)
    assert_allclose(found.variable, best.variable, atol=1e-4)
    assert 0 < np.count_nonzero(found.variable.any(axis=0)) < 40


@each_solver
def test_a_support_beyond_the_first_working_set_is_found(solver):
    smooth = Squares(np.eye(N_FEATURES), np.full((N_TASKS, N_FEATURES), 30.0))
    found = solver.minimize(smooth, PENALTY, START)
    assert found.converged
    shrunk = 30.0 * (1 - PENALTY.alpha / (30.0 * np.sqrt(N_TASKS)))
    assert_allclose(found.variable, shrunk)


@pytest.mark.parametrize("newton", [None, NEWTON])
def test_another_loss_has_the_optimum_of_all_features(newton):
    penalty = L21(4.0)
    smooth = SmoothSize(X, Y)
    best = Fista(1e-12).minimize(smooth, penalty, START)
    newton = newton and replace(newton, alpha=4.0)
    found = ProxNewton(1e-11, newton=newton).minimize(smooth, penalty, START)
    assert found.converged
    assert found.objective == pytest.approx(best.objective, rel=1e-10)
    assert_allclose(found.variable, best.variable, atol=1e-4)
    assert max(smooth.restricted) < N_FEATURES


@pytest.mark.parametrize(
    ("smooth", "solver"),
    [
        (Squares(X, Y), WorkingSet(1e-14, 3)),
        (Squares(X, Y), WorkingSet(1e-14, 3, NEWTON)),
        (SmoothSize(X, Y), ProxNewton(1e-14, 3, NEWTON)),
    ],
    ids=["proximal steps", "blocks", "models"],
)
def test_it_stops_when_iterations_are_used_up_and_says_so(smooth, solver):
    found = solver.minimize(smooth, PENALTY, START)
    assert found.n_iter == 3
    assert not found.converged
    point = smooth.at(found.variable)
    assert found.optimality == PENALTY.optimality(smooth, point) > 1e-14
    assert found.objective == point.value + PENALTY.value(found.variable)


def test_features_of_different_scales_are_sorted_and_put_back():
    scale = np.geomspace(1e-3, 1e3, N_FEATURES)[::-1]
    smooth = Squares(X * scale, Y, is_ordered=False)
    solver = WorkingSet(1e-12, newton=NEWTON)
    found = solver.minimize(smooth, PENALTY, START)
    assert found.converged
    point = smooth.at(found.variable)
    support = found.variable.any(axis=0)
    unit = found.variable[:, support]
    unit = unit / np.linalg.norm(unit, axis=0)
    sizes = np.linalg.norm(point.gradient, axis=0)
    assert_allclose(point.gradient[:, support], -PENALTY.alpha * unit, atol=1e-3)
    assert sizes.max() <= PENALTY.alpha * (1 + 1e-6)


def test_extrapolation_saves_sweeps_where_features_are_correlated():
    shared = np.random.default_rng(0).normal(size=(N_ROWS, 1))
    smooth = Squares(X + 3 * shared, Y, is_compact=False)
    found = WorkingSet(1e-8, newton=NEWTON).minimize(smooth, PENALTY, START)
    # About 400; without extrapolation it takes 1,000.
    assert found.n_iter < 700


def test_no_iteration_is_needed_at_the_optimum():
    strong = L21(L21().dual_norm(Squares(X, Y).zero().gradient))
    found = WorkingSet(1e-10).minimize(Squares(X, Y), strong, START)
    assert found.n_iter == 0
    assert not found.variable.any()


def test_a_newton_step_reaches_the_optimum_of_its_support():
    smooth = Squares(X, Y)
    best = WorkingSet(1e-12, newton=NEWTON).minimize(smooth, PENALTY, START)
    moved = best.variable * (1 + 1e-4 * np.random.default_rng(2).normal(size=(3, 150)))
    found = NEWTON.step(smooth, moved)
    error = np.abs(found - best.variable).max()
    assert error < 1e-3 * np.abs(moved - best.variable).max()


def test_a_newton_step_removes_features():
    smooth = Squares(X, Y)
    few = np.where(np.arange(N_FEATURES) < 5, 1e-6, 0.0) * np.ones((N_TASKS, 1))
    found = VarianceNewton(1e6).step(smooth, few)
    assert not found.any()


def test_newton_steps_need_few_sweeps_from_everywhere():
    smooth, penalty = Squares(X, Y), L21(2.0)
    best = Fista(1e-13).minimize(smooth, penalty, START)
    solver = WorkingSet(1e-12, newton=VarianceNewton(2.0))
    for start in (START, np.ones_like(START), 1e-8 * np.ones_like(START)):
        found = solver.minimize(smooth, penalty, start)
        assert found.converged
        assert found.n_iter < 40
        assert found.objective == pytest.approx(best.objective, rel=1e-11)


def test_terms_that_are_slow_to_solve_have_no_newton_step():
    class Slow(Squares):
        def shrunk(self, variances):
            return None

    found = WorkingSet(1e-12, newton=NEWTON).minimize(Slow(X, Y), PENALTY, START)
    assert NEWTON.step(Slow(X, Y), START) is None
    best = Fista(1e-13).minimize(Squares(X, Y), PENALTY, START)
    assert found.objective == pytest.approx(best.objective, rel=1e-11)
