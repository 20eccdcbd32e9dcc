"""Coefficients that are sums of parts, each with its own penalty."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array, Point, Smooth


@dataclass(frozen=True)
class PartsPoint(Point):
    """Value and gradient at stacked parts, with the Point at their sum.

    Parameters
    ----------
    total : Point
        Point of the term at the sum.
    """

    total: Point


@dataclass(frozen=True)
class SumOfParts(Smooth):
    """Smooth term of a sum of parts, ``f(P_1 + ... + P_n)``.

    Its gradient in every part is the gradient of ``f`` at the sum.

    Parameters
    ----------
    smooth : Smooth
        The term ``f``.
    n_parts : int, default=2
        Number of parts, stacked along the first axis of the variable.
    """

    smooth: Smooth
    n_parts: int = 2

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the stacked parts, (n_parts, n_tasks, n_features)."""
        return self.n_parts, *self.smooth.shape

    def at(self, W: Array) -> PartsPoint:
        """Return the Point at stacked parts."""
        return self._stack(W, self.smooth.at(W.sum(axis=0)))

    def at_near(self, W: Array, point: Any) -> PartsPoint:
        """Return the Point at stacked parts; iterations start from another Point."""
        return self._stack(W, self.smooth.at_near(W.sum(axis=0), point.total))

    def zero(self) -> PartsPoint:
        """Return the Point at zero."""
        return self._stack(np.zeros(self.shape), self.smooth.zero())

    def extrapolate(self, point: Any, before: Any, momentum: float) -> PartsPoint:
        """Return the Point at ``W + momentum * (W - W_before)``, from both points."""
        total = self.smooth.extrapolate(point.total, before.total, momentum)
        W = point.variable
        return self._stack(W + momentum * (W - before.variable), total)

    def _stack(self, W, total):
        gradient = np.broadcast_to(total.gradient, W.shape)
        return PartsPoint(W, total.value, gradient, total)

    def unit(self) -> float:
        """Return the scale of values, that of the sum."""
        return self.smooth.unit()

    def lipschitz(self) -> float:
        """Return an upper bound of the curvature, ``n_parts`` times that of the sum."""
        return self.n_parts * self.smooth.lipschitz()

    def dual_value(self, point: Any, limit: float) -> float:
        """Return the largest dual value, which is that of the sum."""
        return self.smooth.dual_value(point.total, limit)


def into_parts(smooth: Smooth, n_parts: int) -> Smooth:
    """Return a smooth term as a function of the parts of its variable.

    Parameters
    ----------
    smooth : Smooth
        Term of the sum of the parts.
    n_parts : int
        Number of parts.

    Returns
    -------
    Smooth
        The term itself if there is one part.
    """
    return smooth if n_parts == 1 else SumOfParts(smooth, n_parts)
