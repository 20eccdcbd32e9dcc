"""Newton's method with a line search."""

import logging
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Solution
from skmtl._linalg import EPS
from skmtl._numbers import TINY

# A step must achieve this share of the fall that its slope promises.
_SHARE = 1e-4
# Rounding in a value, in units of it.
_ROUNDING = 8 * EPS
_N_HALVINGS = 60
# A curvature serves again where the fall is this small, in units of the objective at
# zero, and shrinks by this factor.
_SETTLED, _FAST = 1e-4, 0.1
# A step by an old curvature ends the way at a fall smaller by this factor, as it does
# not double the digits.
_STALE = 1e-4
_logger = logging.getLogger("skmtl")


class NewtonObjective(ABC):
    """An objective that knows Newton's step; its points are its own affair."""

    @property
    @abstractmethod
    def unit(self):
        """Value at zero, in units of which the fall is measured."""

    @abstractmethod
    def at(self, variable):
        """Return a point: it has a `variable` and a `value`."""

    @abstractmethod
    def gradient(self, point):
        """Return the gradient at a point."""

    @abstractmethod
    def factor(self, point):
        """Return a function that divides by the curvature at a point."""

    @abstractmethod
    def line(self, point, step):
        """Return a function that gives the point a share of a step away."""


@dataclass(repr=False, eq=False)
class Newton(BaseEstimator):
    """Minimise by Newton steps, halved until the objective falls.

    Near the optimum the number of digits doubles with each step, and then a curvature
    serves for several. Where there is no optimum, as with classes that a plane divides,
    the objective falls until `tol` ends it. Where curvatures overflow, it stays.

    Parameters
    ----------
    tol : float, default=1e-10
        Fall that the next step promises at which to stop, in units of the objective at
        zero.
    max_iter : int, default=100
        Largest number of steps.

    References
    ----------
    Boyd, S., Vandenberghe, L. (2004). Convex Optimization, section 9.5. Cambridge
    University Press. :doi:`10.1017/CBO9780511804441`
    """

    tol: float = 1e-10
    max_iter: int = 100

    def minimize(self, objective, start):
        """Return the Solution found from the variable `start`.

        Parameters
        ----------
        objective : NewtonObjective
            What is minimised.
        start : ndarray
            Where to begin.

        Returns
        -------
        Solution
            What was found; its optimality is the fall that the last step promised.
        """
        point, divide, before = objective.at(start), None, np.inf
        unit = max(objective.unit, TINY)
        for n_iter in range(1, self.max_iter + 1):
            with np.errstate(over="ignore", invalid="ignore"):
                gradient = objective.gradient(point)
                enough = self.tol * (_STALE if divide else 1.0) * unit
                divide = divide or objective.factor(point)
                step = -divide(gradient)
                slope = float(np.vdot(step, gradient))
            # Curvatures are beyond the largest number, or lost in rounding.
            if not np.isfinite(slope) or slope > _ROUNDING * abs(point.value):
                return Solution(point.variable, point.value, np.inf, n_iter, False)
            fall = max(-slope / 2, 0.0)
            _logger.debug("step %d: %.10g, to fall by %.2e", n_iter, point.value, fall)
            point = _search(objective.line(point, step), point, slope)
            if fall <= enough + _ROUNDING * abs(point.value):
                return Solution(point.variable, point.value, fall / unit, n_iter, True)
            if fall > min(_SETTLED * unit, _FAST * before):
                divide = None
            before = fall
        return Solution(point.variable, point.value, fall / unit, n_iter, False)


def _search(line, point, slope):
    """Return the first point of halved steps that is low enough, or stay."""
    slack = _ROUNDING * abs(point.value)
    length = 1.0
    for _ in range(_N_HALVINGS):
        tried = line(length)
        if tried.value <= point.value + _SHARE * length * slope + slack:
            return tried
        length /= 2
    return point
