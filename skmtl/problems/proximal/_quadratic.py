"""Smooth terms that are half a sum of squares."""

from abc import abstractmethod

import numpy as np

from skmtl._contracts import Point, Smooth
from skmtl._numbers import TINY


class QuadraticSmooth(Smooth):
    """A quadratic term ``1/2 ||A W - y||^2``, so that its gradient gives its value."""

    @property
    @abstractmethod
    def _zero(self) -> Point:
        """The Point at zero."""

    def zero(self) -> Point:
        """Return the Point at zero."""
        return self._zero

    def _point(self, W, gradient):
        """Return the Point at W, its value computed from the gradient."""
        change = (np.vdot(W, gradient) + np.vdot(W, self._zero.gradient)) / 2
        return Point(W, max(self._zero.value + float(change), 0.0), gradient)

    def extrapolate(self, point: Point, before: Point, momentum: float) -> Point:
        """Return the Point at ``W + momentum * (W - W_before)``, without a product."""
        return self._point(
            point.variable + momentum * (point.variable - before.variable),
            point.gradient + momentum * (point.gradient - before.gradient),
        )

    def dual_value(self, point: Point, limit: float) -> float:
        """Return the largest dual value among multiples of the residuals.

        It is ``max over k of k <R, y> - k^2 / 2 ||R||^2`` with the residuals ``R``.
        Penalties that belong to the term count as further rows with target zero.
        """
        along = 2 * self._zero.value + np.vdot(point.variable, self._zero.gradient)
        multiple = np.clip(along / max(2 * point.value, TINY), -limit, limit)
        return float(multiple * along - multiple**2 * point.value)
