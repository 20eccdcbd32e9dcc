"""Distances from the optimum: the proximal gradient and the duality gap."""

from typing import Any

from numpy.linalg import norm

from skmtl._numbers import TINY

from ._objective import Point, Smooth


def proximal_gradient(penalty: Any, smooth: Smooth, point: Point) -> float:
    """Return the norm of the proximal gradient, relative to the gradient at zero.

    It is ``L ||W - prox(W - gradient / L, 1 / L)||``, and zero at an optimum.
    """
    curvature = max(smooth.lipschitz(), TINY)
    W = point.variable
    stepped = penalty.prox(W - point.gradient / curvature, 1 / curvature)
    start = norm(smooth.zero().gradient)
    return float(curvature * norm(W - stepped) / max(start, TINY))


def duality_gap(penalty: Any, smooth: Smooth, point: Point) -> float:
    """Return the duality gap at a point, relative to the objective at zero.

    The penalty is a norm: the gradient, scaled until its dual norm is at most `alpha`,
    is a feasible dual point.
    """
    size = float(penalty.dual_norm(point.gradient))
    limit = float(penalty.alpha) / max(size, TINY)
    objective = point.value + penalty.value(point.variable)
    gap = max(objective - smooth.dual_value(point, limit), 0.0)
    return float(gap / max(smooth.unit(), TINY))
