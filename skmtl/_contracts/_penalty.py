"""Contracts of penalties, given by their proximal operators."""

from abc import ABC, abstractmethod

from numpy.linalg import norm

from skmtl._numbers import ALPHA_MAX, TINY

from ._alpha_max import least_strength
from ._arrays import Array
from ._objective import Point, Smooth
from ._optimality import duality_gap, proximal_gradient


class Penalty(ABC):
    """A term of an objective with a proximal operator.

    `value` and `prox` include the strength `alpha`, a parameter.
    """

    # Strength.
    alpha: float
    # Meaning of `optimality`: "kkt" for the proximal gradient, or "dual_gap".
    certificate = "kkt"
    # Coefficients are the sum of this many parts, on a first axis if more than one.
    n_parts = 1

    @abstractmethod
    def value(self, W: Array) -> float:
        """Return the value at W, of shape (n_tasks, n_features), as a float."""

    @abstractmethod
    def prox(self, W: Array, step: float) -> Array:
        """Return the minimiser V of ``1/2 ||V - W||^2 + step * value(V)``."""

    def alpha_max(self, smooth: Smooth) -> float:
        """Return the `alpha` beyond which the solution does not change.

        All strengths of the penalty increase in proportion. Smooth penalties have no
        such `alpha`; for them it is the one that halves the first step from zero.
        """
        return self._saturate(smooth, smooth.zero())

    def _saturate(self, smooth: Smooth, point: Point) -> float:
        """Return this `alpha`, given the solution at infinite `alpha`."""
        curvature = max(smooth.lipschitz(), TINY)
        start = point.variable - point.gradient / curvature
        scale = max(curvature, float(norm(point.gradient)))

        def step(alpha: float) -> Array:
            return self.prox(start, alpha / self.alpha / curvature)

        return least_strength(step, start, ALPHA_MAX * scale)

    def optimality(self, smooth: Smooth, point: Point) -> float:
        """Return the norm of the proximal gradient relative to the gradient at zero."""
        return proximal_gradient(self, smooth, point)


class Norm(Penalty):
    """A penalty that is `alpha` times a norm, so that there is a duality gap.

    ``W = 0`` is optimal if and only if ``dual_norm(gradient at zero) <= alpha``.
    """

    certificate = "dual_gap"

    @abstractmethod
    def dual_norm(self, G: Array) -> float:
        """Return the largest ``<G, W>`` of all W with ``value(W) <= alpha``."""

    def alpha_max(self, smooth: Smooth) -> float:
        """Return the smallest `alpha` at which all coefficients are zero."""
        return float(self.dual_norm(smooth.zero().gradient))

    def optimality(self, smooth: Smooth, point: Point) -> float:
        """Return the duality gap at a point, relative to the objective at zero."""
        return duality_gap(self, smooth, point)
