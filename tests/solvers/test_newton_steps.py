"""Newton's method: its line search, its stops, and reused Hessians."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from skmtl.solvers import Newton, NewtonObjective


@dataclass(frozen=True)
class Located:
    variable: np.ndarray
    value: float


class OneByOne(NewtonObjective):
    """A sum over coordinates, given its value and its derivatives."""

    unit = 1.0

    def at(self, variable):
        return Located(variable, self.value(variable))

    def factor(self, point):
        curvature = self.curvature(point.variable)
        return lambda gradient: gradient / curvature

    def line(self, point, step):
        return lambda length: self.at(point.variable + length * step)


class Hyperbola(OneByOne):
    """``sqrt(1 + x^2)``: from 1, full Newton steps go to -1 and back."""

    def value(self, x):
        return float(np.sqrt(1 + x**2).sum())

    def gradient(self, point):
        return point.variable / np.sqrt(1 + point.variable**2)

    def curvature(self, x):
        return (1 + x**2) ** -1.5


@dataclass
class NoisyParabola(OneByOne):
    """``1 + x^2 / 2`` with a value that is one rounding error too large at zero."""

    noise: float = 0.0

    def value(self, x):
        return float(1 + (x**2).sum() / 2 + self.noise * (x == 0).all())

    def gradient(self, point):
        return point.variable

    def curvature(self, x):
        return np.ones_like(x)


@dataclass
class Curved(NoisyParabola):
    """A parabola with a wrong curvature."""

    wrong: float = 1.0

    def curvature(self, x):
        return self.wrong


@dataclass
class Logistic(NewtonObjective):
    """Logistic loss with a ridge; it counts its factorisations."""

    X: np.ndarray
    ridge: float
    n_factored: list = field(default_factory=list)

    @property
    def unit(self):
        return self.at(np.zeros(self.X.shape[1])).value

    def at(self, variable):
        value = np.logaddexp(0, -self.X @ variable).sum()
        return Located(variable, float(value + self.ridge / 2 * variable @ variable))

    def gradient(self, point):
        share = 1 / (1 + np.exp(self.X @ point.variable))
        return self.ridge * point.variable - share @ self.X

    def factor(self, point):
        self.n_factored.append(1)
        share = 1 / (1 + np.exp(self.X @ point.variable))
        hessian = (self.X.T * (share * (1 - share))) @ self.X
        hessian = hessian + self.ridge * np.eye(len(hessian))
        return lambda gradient: np.linalg.solve(hessian, gradient)

    def line(self, point, step):
        return lambda length: self.at(point.variable + length * step)


ROWS = np.random.default_rng(0).normal(1, 1, size=(60, 4))


def test_it_finds_the_optimum_of_another_solver():
    objective = Logistic(ROWS, ridge=0.5)
    found = Newton(tol=1e-14).minimize(objective, np.zeros(4))
    best = minimize(lambda w: objective.at(w).value, np.zeros(4), tol=1e-12)
    assert found.converged
    assert_allclose(found.variable, best.x, atol=1e-5)
    assert found.objective == objective.at(found.variable).value


def test_a_hessian_serves_several_steps_near_the_optimum():
    objective = Logistic(ROWS, ridge=0.5)
    found = Newton(tol=1e-14).minimize(objective, np.zeros(4))
    assert len(objective.n_factored) < found.n_iter


def test_a_step_that_does_not_decrease_enough_is_halved():
    found = Newton(tol=1e-12, max_iter=12).minimize(Hyperbola(), np.ones(1))
    assert found.converged
    assert_allclose(found.variable, 0, atol=1e-5)


@pytest.mark.parametrize("n_roundings", [0, 1])
def test_rounding_in_a_value_does_not_reject_a_step(n_roundings):
    objective = NoisyParabola(n_roundings * np.finfo(float).eps)
    found = Newton(tol=1e-16).minimize(objective, np.full(1, 1e-8))
    assert found.variable == 0


def test_it_stops_when_steps_are_used_up_and_says_so():
    found = Newton(tol=1e-14, max_iter=2).minimize(Logistic(ROWS, 0.5), np.zeros(4))
    assert found.n_iter == 2
    assert not found.converged
    assert found.optimality > 1e-14


@pytest.mark.parametrize("curvature", [1e-308, -1.0])
def test_a_step_that_overflows_or_leads_uphill_is_not_taken(curvature):
    found = Newton().minimize(Curved(wrong=curvature), np.full(1, 1e10))
    assert not found.converged
    assert found.optimality == np.inf
    assert found.variable == 1e10
