"""Accelerated proximal gradient: from any start, at any scale, with its optimality."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize as minimize_smoothly
from sklearn.base import clone

from skmtl._contracts import Penalty, Point, Smooth
from skmtl.penalties import L1, L21, SquaredTrace, Trace
from skmtl.solvers import Fista


@dataclass
class Quadratic(Smooth):
    """Half a weighted squared distance from a target; it records its evaluations."""

    curvature: np.ndarray
    target: np.ndarray
    visited: list = field(default_factory=list)

    @property
    def shape(self):
        return self.target.shape

    def at(self, W):
        self.visited.append(W)
        gradient = self.curvature * (W - self.target)
        return Point(W, float((gradient * (W - self.target)).sum() / 2), gradient)

    def zero(self):
        return replace(self, visited=[]).at(np.zeros(self.shape))

    def extrapolate(self, point, before, momentum):
        W = point.variable + momentum * (point.variable - before.variable)
        return replace(self, visited=[]).at(W)

    def lipschitz(self):
        return float(np.max(self.curvature))

    def dual_value(self, point, limit):
        start = self.zero()
        along = 2 * start.value + np.vdot(point.variable, start.gradient)
        multiple = np.clip(along / max(2 * point.value, 1e-300), -limit, limit)
        return multiple * along - multiple**2 * point.value


@dataclass
class Logistic(Smooth):
    """Mean of ``log(1 + exp(-X W))``, with the default extrapolation."""

    X: np.ndarray
    ridge: float = 0.0

    @property
    def shape(self):
        return 1, self.X.shape[1]

    def at(self, W):
        z = -self.X @ W[0]
        share = 1 / (1 + np.exp(-z)) / len(z)
        value = np.logaddexp(0, z).mean() + self.ridge / 2 * (W**2).sum()
        return Point(W, float(value), -(share @ self.X)[None] + self.ridge * W)

    def lipschitz(self):
        return np.linalg.norm(self.X, 2) ** 2 / 4 / len(self.X) + self.ridge

    def dual_value(self, point, limit):
        raise NotImplementedError


@dataclass
class Nothing(Penalty):
    """Penalise nothing."""

    alpha: float = 0.0

    def value(self, W):
        return 0.0

    def prox(self, W, step):
        return W


TARGET = np.random.default_rng(0).normal(size=(4, 6))
STEEP = np.geomspace(1e-3, 1, 24).reshape(4, 6)


@pytest.mark.parametrize("scale", [1e-140, 1e-8, 1.0, 1e8, 1e140])
@pytest.mark.parametrize("curvature", [1e-8, 1.0, 1e8])
def test_a_lasso_of_one_coefficient_each_is_soft_thresholding(scale, curvature):
    smooth = Quadratic(curvature * STEEP, scale * TARGET)
    penalty = L1(0.01 * scale * curvature)
    found = Fista(tol=1e-14).minimize(smooth, penalty, np.zeros((4, 6)))
    cut = 0.01 / STEEP
    expected = np.sign(TARGET) * np.maximum(abs(TARGET) - cut, 0)
    assert_allclose(found.variable / scale, expected, atol=1e-5)
    assert found.converged


def test_a_trace_norm_is_thresholded_singular_values():
    found = Fista(tol=1e-14).minimize(
        Quadratic(np.ones((4, 6)), TARGET), Trace(0.8), np.zeros((4, 6))
    )
    left, sizes, right = np.linalg.svd(TARGET, full_matrices=False)
    assert_allclose(found.variable, left * np.maximum(sizes - 0.8, 0) @ right)


@pytest.mark.parametrize("start", [0.0, 1.0, -1e6, 1e-9])
@pytest.mark.parametrize("penalty", [L1(0.02), L21(0.02), SquaredTrace(0.01)], ids=str)
def test_every_start_leads_to_the_same_optimum(penalty, start):
    smooth, solver = Quadratic(STEEP, TARGET), Fista(tol=1e-13)
    best = solver.minimize(smooth, penalty, np.zeros((4, 6)))
    found = solver.minimize(smooth, penalty, np.full((4, 6), start))
    assert found.converged
    assert found.objective == pytest.approx(best.objective, rel=1e-10)


def test_a_loss_that_is_not_quadratic_is_minimised():
    X = np.random.default_rng(1).normal(1, 1, size=(40, 3))
    smooth = Logistic(X, ridge=0.1)
    found = Fista(tol=1e-10).minimize(smooth, Nothing(), np.zeros((1, 3)))
    best = minimize_smoothly(
        lambda w: smooth.value(w[None]),
        np.zeros(3),
        jac=lambda w: smooth.gradient(w[None])[0],
        tol=1e-12,
    )
    assert_allclose(found.variable[0], best.x, atol=1e-6)


def test_the_objective_and_the_optimality_are_those_of_the_solution():
    smooth, penalty = Quadratic(STEEP, TARGET), L21(0.02)
    found = Fista(tol=1e-5).minimize(smooth, penalty, np.zeros((4, 6)))
    point = smooth.at(found.variable)
    assert found.objective == pytest.approx(point.value + penalty.value(point.variable))
    assert found.optimality == penalty.optimality(smooth, point) <= 1e-5
    assert found.converged


def test_the_remaining_gradient_is_relative_to_the_one_at_zero():
    smooth = Quadratic(np.full((4, 6), 5.0), TARGET)
    for share in (1.0, 0.1, 0.0):
        point = smooth.at((1 - share) * TARGET)
        assert Nothing().optimality(smooth, point) == pytest.approx(share)


def test_it_stops_when_iterations_are_used_up_and_says_so():
    smooth = Quadratic(STEEP, TARGET)
    found = Fista(tol=1e-13, max_iter=7).minimize(smooth, L1(1e-3), np.zeros((4, 6)))
    assert found.n_iter == 7
    assert not found.converged
    assert found.optimality > 1e-13


def test_no_iteration_is_needed_at_the_optimum():
    smooth, solver = Quadratic(STEEP, TARGET), Fista(tol=1e-10)
    best = solver.minimize(smooth, L1(0.02), np.zeros((4, 6)))
    assert solver.minimize(smooth, L1(0.02), best.variable).n_iter == 0
    exact = Fista(tol=0.0).minimize(smooth, Nothing(), TARGET)
    assert exact.n_iter == 0
    assert exact.converged
    strong = L1(L1().dual_norm(smooth.zero().gradient))
    at_zero = solver.minimize(smooth, strong, np.zeros((4, 6)))
    assert at_zero.n_iter == 0
    assert not at_zero.variable.any()


def test_a_step_costs_about_one_product():
    smooth = Quadratic(STEEP, TARGET)
    found = Fista(tol=1e-12).minimize(smooth, L1(1e-3), np.zeros((4, 6)))
    assert len(smooth.visited) < 1.5 * found.n_iter + 10


def test_the_momentum_saves_iterations_where_curvatures_differ():
    steep = np.geomspace(1e-4, 1, 24).reshape(4, 6)
    found = Fista(tol=1e-10).minimize(
        Quadratic(steep, TARGET), L1(1e-6), np.zeros((4, 6))
    )
    assert found.converged
    # Plain proximal steps need about the ratio of the curvatures, 10,000, times 10.
    assert found.n_iter < 5000


@pytest.mark.parametrize("start", [0.0, -30.0])
def test_steps_follow_the_curvature_down_and_up(start):
    X = np.abs(np.random.default_rng(2).normal(1, 0.3, size=(40, 3)))
    smooth = Logistic(X, ridge=1e-4)
    found = Fista(tol=1e-8).minimize(smooth, Nothing(), np.full((1, 3), start))
    assert found.converged
    # Steps of the length that the largest curvature needs would be 800.
    assert found.n_iter < 400


def test_a_solver_is_cloned_and_set_like_an_estimator():
    solver = clone(Fista()).set_params(tol=1e-3, max_iter=5)
    assert (solver.tol, solver.max_iter) == (1e-3, 5)
