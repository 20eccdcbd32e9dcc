"""Newton's method with a line search."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Solution
from skmtl._linalg import EPS
from skmtl._numbers import TINY

# Armijo constant: smallest accepted decrease, as a fraction of the predicted decrease.
_ARMIJO = 1e-4
# Relative rounding error of a value.
_ROUNDING = 8 * EPS
_N_HALVINGS = 60
# Reuse a Hessian if the predicted decrease is at most this fraction of the objective at
# zero, and this fraction of the last predicted decrease: then it converges fast enough.
_REUSE_BELOW, _REUSE_RATIO = 1e-4, 0.1
# A reused Hessian converges only linearly, so tighten the tolerance by this factor.
_REUSED_TOL = 1e-4
_logger = logging.getLogger("skmtl")


class NewtonObjective(ABC):
    """An objective with a gradient and a Hessian; it has its own class of points."""

    @property
    @abstractmethod
    def unit(self) -> float:
        """Value at zero; predicted decreases are relative to it."""

    @abstractmethod
    def at(self, variable: Array) -> Any:
        """Return a point, an object with a `variable` and a `value`."""

    @abstractmethod
    def gradient(self, point: Any) -> Array:
        """Return the gradient at a point."""

    @abstractmethod
    def factor(self, point: Any) -> Callable[[Array], Array]:
        """Factor the Hessian at a point; return a function that solves with it."""

    @abstractmethod
    def line(self, point: Any, step: Array) -> Callable[[float], Any]:
        """Return a function from a length to the point ``variable + length * step``."""


@dataclass(repr=False, eq=False)
class Newton(BaseEstimator):
    """Newton's method with step halving.

    Near the optimum, where convergence is quadratic, one Hessian serves several steps.
    Without an optimum, as with separable classes, the objective decreases until the
    predicted decrease is below `tol`. If the Hessian overflows, the last point is
    returned as not converged.

    Parameters
    ----------
    tol : float, default=1e-10
        Predicted decrease at which to stop, relative to the objective at zero.
    max_iter : int, default=100
        Maximum number of steps.

    References
    ----------
    Boyd, S., Vandenberghe, L. (2004). Convex Optimization, section 9.5. Cambridge
    University Press. :doi:`10.1017/CBO9780511804441`
    """

    tol: float = 1e-10
    max_iter: int = 100

    def minimize(self, objective: NewtonObjective, start: Array) -> Solution:
        """Minimise an objective.

        Parameters
        ----------
        objective : NewtonObjective
            The objective.
        start : ndarray
            First iterate.

        Returns
        -------
        Solution
            The last iterate; its optimality is the predicted decrease of the last step,
            relative to the objective at zero.
        """
        point, solve, previous = objective.at(start), None, np.inf
        unit = max(objective.unit, TINY)
        for n_iter in range(1, self.max_iter + 1):
            with np.errstate(over="ignore", invalid="ignore"):
                gradient = objective.gradient(point)
                limit = self.tol * (_REUSED_TOL if solve else 1.0) * unit
                solve = solve or objective.factor(point)
                step = -solve(gradient)
                slope = float(np.vdot(step, gradient))
            # The Hessian overflows, or is lost in rounding.
            if not np.isfinite(slope) or slope > _ROUNDING * abs(point.value):
                return Solution(point.variable, point.value, np.inf, n_iter, False)
            decrease = max(-slope / 2, 0.0)
            _logger.debug(
                "step %d: value %.10g, predicted decrease %.2e",
                n_iter,
                point.value,
                decrease,
            )
            point = _line_search(objective.line(point, step), point, slope)
            optimality = decrease / unit
            if decrease <= limit + _ROUNDING * abs(point.value):
                return Solution(point.variable, point.value, optimality, n_iter, True)
            if decrease > min(_REUSE_BELOW * unit, _REUSE_RATIO * previous):
                solve = None
            previous = decrease
        return Solution(point.variable, point.value, optimality, n_iter, False)


def _line_search(line, point, slope):
    """Return the first halved step that decreases enough, or the point itself."""
    slack = _ROUNDING * abs(point.value)
    length = 1.0
    for _ in range(_N_HALVINGS):
        trial = line(length)
        if trial.value <= point.value + _ARMIJO * length * slope + slack:
            return trial
        length /= 2
    return point
