"""Penalties on coefficients, given by their proximal operators."""

from abc import ABC, abstractmethod

from numpy.linalg import norm

from skmtl._numbers import ALPHA_MAX, TINY

from ._alpha_max import least_strength
from ._arrays import Array
from ._objective import Point, Smooth


class Penalty(ABC):
    """A term of an objective that is known by its proximal step.

    It has its strength as a parameter `alpha`, which `value` and `prox` include.
    """

    # Its strength.
    alpha: float
    certificate = "kkt"
    # Number of parts that the coefficients are the sum of, on a first axis if several.
    n_parts = 1

    @abstractmethod
    def value(self, W: Array) -> float:
        """Return the value at W, of shape (n_tasks, n_features), as a float."""

    @abstractmethod
    def prox(self, W: Array, step: float) -> Array:
        """Return the V that minimises ``1/2 ||V - W||^2 + step * value(V)``."""

    def alpha_max(self, smooth: Smooth) -> float:
        """Return the `alpha` beyond which the solution does not change.

        All strengths of the penalty grow with it in proportion. For smooth penalties,
        which never reach that point, it is the `alpha` that halves the step from zero.
        """
        return self._saturate(smooth, smooth.zero())

    def _saturate(self, smooth: Smooth, point: Point) -> float:
        """Return that `alpha`, from the solution at an infinite one."""
        curvature = max(smooth.lipschitz(), TINY)
        moved = point.variable - point.gradient / curvature
        units = max(curvature, float(norm(point.gradient)))

        def step(alpha: float) -> Array:
            return self.prox(moved, alpha / self.alpha / curvature)

        return least_strength(step, moved, ALPHA_MAX * units)

    def optimality(self, smooth: Smooth, point: Point) -> float:
        """Return the norm of the proximal gradient, relative to the gradient at zero.

        It is ``L ||W - prox(W - gradient / L, 1 / L)||``, zero where W is stationary.
        """
        curvature = max(smooth.lipschitz(), TINY)
        W = point.variable
        stepped = self.prox(W - point.gradient / curvature, 1 / curvature)
        start = norm(smooth.zero().gradient)
        return float(curvature * norm(W - stepped) / max(start, TINY))


class Norm(Penalty):
    """A penalty that is `alpha` times a norm, so that a dual value bounds the optimum.

    ``W = 0`` is best if and only if ``dual_norm(gradient at zero) <= alpha``.
    """

    certificate = "dual_gap"

    @abstractmethod
    def dual_norm(self, G: Array) -> float:
        """Return the largest ``<G, W>`` among the W with ``value(W) <= alpha``."""

    def alpha_max(self, smooth: Smooth) -> float:
        """Return the least `alpha` at which all coefficients are zero."""
        return float(self.dual_norm(smooth.zero().gradient))

    def optimality(self, smooth: Smooth, point: Point) -> float:
        """Return the duality gap at a point, relative to the objective at zero."""
        size = float(self.dual_norm(point.gradient))
        limit = float(self.alpha) / max(size, TINY)
        objective = point.value + self.value(point.variable)
        gap = max(objective - smooth.dual_value(point, limit), 0.0)
        return float(gap / max(smooth.unit(), TINY))
