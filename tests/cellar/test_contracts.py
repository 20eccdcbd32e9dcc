"""Defaults of the contracts, on parts written here."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmtl._contracts import (
    ElementwiseLoss,
    Norm,
    Penalty,
    Point,
    Smooth,
    least_strength,
)

START = np.array([0.5, -3.0, 2.0])


def threshold(alpha):
    return np.sign(START) * np.maximum(np.abs(START) - alpha, 0)


def shrink(alpha):
    return START / (1 + alpha)


@pytest.mark.parametrize(("step", "expected"), [(threshold, 3.0), (shrink, 1.0)])
def test_the_least_strength_ends_a_kinked_step_and_halves_a_smooth_one(step, expected):
    found = least_strength(step, START, 1e12)
    assert found == pytest.approx(expected, rel=1e-9)


def test_a_step_of_no_length_needs_no_strength():
    assert least_strength(lambda alpha: START, START, 1e12) == 0


class Quartic(ElementwiseLoss):
    """``(y - z)^4 / 4``."""

    def cost(self, y, z):
        return (y - z) ** 4 / 4

    def slope(self, y, z):
        return (z - y) ** 3

    def curvature(self, y, z):
        return 3 * (z - y) ** 2

    def dual_cost(self, y, v):
        return 0.75 * np.abs(v) ** (4 / 3) + v * y

    def mean(self, z):
        return z

    def link(self, mean):
        return mean


def test_a_loss_of_elements_has_the_shapes_of_a_loss_of_outputs():
    y, z, step = np.random.default_rng(0).normal(size=(3, 5, 1))
    loss = Quartic()
    assert loss.value(y, z).shape == loss.conjugate(y, z).shape == (5,)
    assert loss.gradient(y, z).shape == (5, 1)
    assert loss.hessian(y, z).shape == (5, 1, 1)
    assert_allclose(loss.majorant(y, z), loss.hessian(y, z))
    product = loss.majorant_product(y, z)(step)
    assert_allclose(product, loss.curvature(y, z) * step)
    assert_allclose(loss.majorant_diagonal(y, z), loss.curvature(y, z))
    assert loss.basis is None


class Distance(Smooth):
    """``1/2 ||W - target||^2``."""

    def __init__(self, target):
        self.target = np.asarray(target, float)

    @property
    def shape(self):
        return self.target.shape

    def at(self, W):
        residual = W - self.target
        return Point(W, float(np.vdot(residual, residual)) / 2, residual)

    def lipschitz(self):
        return 1.0

    def dual_value(self, point, limit):
        v = np.clip(1.0, -limit, limit) * point.gradient
        return float(-np.vdot(v, v) / 2 - np.vdot(v, self.target))


class AbsoluteSum(Norm):
    """``alpha`` times the sum of absolute values."""

    def __init__(self, alpha):
        self.alpha = alpha

    def value(self, W):
        return self.alpha * float(np.abs(W).sum())

    def prox(self, W, step):
        return np.sign(W) * np.maximum(np.abs(W) - step * self.alpha, 0)

    def dual_norm(self, G):
        return float(np.abs(G).max())


class Square(Penalty):
    """``alpha / 2 ||W||^2``."""

    def __init__(self, alpha):
        self.alpha = alpha

    def value(self, W):
        return self.alpha / 2 * float(np.vdot(W, W))

    def prox(self, W, step):
        return W / (1 + step * self.alpha)


SMOOTH = Distance([[0.5, -3.0], [2.0, 0.0]])


def test_the_largest_strength_of_a_norm_is_the_dual_norm_of_the_gradient():
    assert AbsoluteSum(0.1).alpha_max(SMOOTH) == 3
    general = Penalty.alpha_max(AbsoluteSum(0.1), SMOOTH)
    assert general == pytest.approx(3)


def test_the_largest_strength_of_a_smooth_penalty_halves_the_step():
    assert Square(0.1).alpha_max(SMOOTH) == pytest.approx(1)


@pytest.mark.parametrize("penalty", [AbsoluteSum(0.7), Square(0.7)])
def test_optimality_is_zero_at_the_optimum_only(penalty):
    best = penalty.prox(SMOOTH.target, 1.0)
    assert penalty.optimality(SMOOTH, SMOOTH.at(best)) == pytest.approx(0, abs=1e-12)
    assert penalty.optimality(SMOOTH, SMOOTH.at(best + 0.1)) > 1e-3


def test_the_duality_gap_bounds_the_distance_from_the_optimum():
    penalty = AbsoluteSum(0.7)
    best = penalty.prox(SMOOTH.target, 1.0)
    least = SMOOTH.value(best) + penalty.value(best)
    for seed in range(5):
        W = best + np.random.default_rng(seed).normal(size=(2, 2))
        excess = SMOOTH.value(W) + penalty.value(W) - least
        gap = penalty.optimality(SMOOTH, SMOOTH.at(W)) * SMOOTH.unit()
        assert gap >= excess - 1e-12


def test_extrapolation_evaluates_the_point_ahead():
    before, point = SMOOTH.at(np.zeros((2, 2))), SMOOTH.at(np.ones((2, 2)))
    found = SMOOTH.extrapolate(point, before, 0.5)
    assert_allclose(found.variable, 1.5)
    assert found.value == SMOOTH.value(np.full((2, 2), 1.5))
    assert_allclose(found.gradient, SMOOTH.gradient(np.full((2, 2), 1.5)))
