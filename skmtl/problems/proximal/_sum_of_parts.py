"""Coefficients that are sums of parts."""

from dataclasses import dataclass

import numpy as np

from skmtl._contracts import Point, Smooth


@dataclass(frozen=True)
class PartsPoint(Point):
    """Hold, beside value and gradient at stacked parts, the Point at their sum.

    Parameters
    ----------
    total : Point
        What the term knows at the sum.
    """

    total: Point


@dataclass(frozen=True)
class SumOfParts(Smooth):
    """Let the coefficients be a sum of parts, each with a penalty of its own.

    Parameters
    ----------
    smooth : Smooth
        The term of the sum.
    n_parts : int, default=2
        Number of parts, which are stacked in a first axis of the variable.
    """

    smooth: Smooth
    n_parts: int = 2

    @property
    def shape(self):
        """Shape of the stacked parts, (n_parts, n_tasks, n_features)."""
        return self.n_parts, *self.smooth.shape

    def at(self, W):
        """Return the Point at stacked parts."""
        return self._stack(W, self.smooth.at(W.sum(axis=0)))

    def at_near(self, W, point):
        """Return the Point at stacked parts, with the sum at another Point."""
        return self._stack(W, self.smooth.at_near(W.sum(axis=0), point.total))

    def zero(self):
        """Return the Point at zero."""
        return self._stack(np.zeros(self.shape), self.smooth.zero())

    def extrapolate(self, point, before, momentum):
        """Return the Point on the line through both, as the sum allows."""
        total = self.smooth.extrapolate(self._add(point), self._add(before), momentum)
        W = point.variable
        return self._stack(W + momentum * (W - before.variable), total)

    def _stack(self, W, total):
        gradient = np.broadcast_to(total.gradient, W.shape)
        return PartsPoint(W, total.value, gradient, total)

    def _add(self, point):
        return point.total

    def unit(self):
        """Return the scale of values, that of the sum."""
        return self.smooth.unit()

    def lipschitz(self):
        """Return an upper bound: parts that move together move the sum that far."""
        return self.n_parts * self.smooth.lipschitz()

    def dual_value(self, point, limit):
        """Return the largest dual value, which is that of the sum."""
        return self.smooth.dual_value(self._add(point), limit)


def into_parts(smooth, n_parts):
    """Return a smooth term as one of so many parts of its variable.

    Parameters
    ----------
    smooth : Smooth
        The term of the sum.
    n_parts : int
        Number of parts.

    Returns
    -------
    Smooth
        The term itself if there is one part.
    """
    return smooth if n_parts == 1 else SumOfParts(smooth, n_parts)
