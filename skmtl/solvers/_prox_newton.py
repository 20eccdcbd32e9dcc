"""Minimise quadratic models of a loss that is not quadratic, over few features."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Penalty
from skmtl._linalg import EPS

from ._support import RestrictedSolver
from ._support_newton import SupportNewton
from ._sweeps import Sweeps

# A model is solved until this part of the gradient is left, in so many sweeps at most.
_PART, _MOST_SWEEPS = 0.03, 100
# A step must fall by this part of what its slope promises.
_ENOUGH = 1e-4
_N_HALVINGS = 40
# Rounding in an objective, in units of it.
_ROUNDING = 8 * EPS


@dataclass(repr=False, eq=False)
class ProxNewton(BaseEstimator, RestrictedSolver):
    """Minimise a loss that bends, by minimising quadratic models of it.

    For convex penalties under which whole features are zero, and losses that can be
    restricted to some features. The model at a point is solved by visits to blocks of
    features in turn, and by Newton steps on the features that are not zero; the way to
    its solution is halved until the objective falls.

    Parameters
    ----------
    tol : float, default=1e-6
        Optimality to be reached.
    max_iter : int, default=10000
        Largest number of visits to all features of a working set.
    newton : SupportNewton, default=None
        Newton steps that suit the penalty; None for none.

    References
    ----------
    Lee, J. D., Sun, Y., Saunders, M. A. (2014). Proximal Newton-type methods for
    minimizing composite functions. SIAM Journal on Optimization, 24(3), 1420-1443.
    :doi:`10.1137/130921428`

    Examples
    --------
    >>> from skmtl.solvers import ProxNewton
    >>> ProxNewton(tol=1e-8)
    ProxNewton(tol=1e-08)
    """

    tol: float = 1e-6
    max_iter: int = 10000
    newton: SupportNewton | None = None

    def _solve(self, part, penalty, start, goal, max_iter):
        point, n_iter, optimality = part.at(start), 0, np.inf
        while n_iter < max_iter:
            limit = min(_MOST_SWEEPS, max_iter - n_iter)
            n_more, ahead = self._step(part, penalty, point, limit)
            n_iter, before = n_iter + n_more, optimality
            optimality = penalty.optimality(part, ahead)
            rounding = _ROUNDING * abs(_objective(penalty, point))
            fall = _objective(penalty, point) - _objective(penalty, ahead)
            point = ahead
            if optimality <= goal:
                break
            if fall <= rounding and optimality >= before:
                return point.variable, max_iter  # rounding hides what is left to gain
        return point.variable, n_iter

    def _step(self, part, penalty, point, limit):
        """Return how often features were visited, and a point that is no worse."""
        n_iter, V = self._solve_model(part.model(point), penalty, point.variable, limit)
        full, start = part.at_near(V, point), _objective(penalty, point)
        slope = float(np.vdot(point.gradient, V - point.variable))
        slope += penalty.value(V) - penalty.value(point.variable)
        length, ahead = 1.0, full
        for _ in range(_N_HALVINGS):
            least = start + _ENOUGH * length * min(slope, 0.0)
            if _objective(penalty, ahead) <= least + _ROUNDING * abs(start):
                return n_iter, ahead
            length /= 2
            ahead = part.extrapolate(full, point, length - 1)
        return n_iter, point

    def _solve_model(self, model, penalty, start, limit):
        """Return how often the features of a model were visited, and where it ends."""
        order = np.arange(len(model.scales))
        if not model.is_ordered:
            order = np.argsort(model.scales, kind="stable")
            model = model.restrict(order)
        measure = partial(Penalty.optimality, penalty, model)
        sweeps = Sweeps(model, penalty, start[:, order], self.newton, measure)
        n_iter = sweeps.run(_PART * sweeps.optimality(), limit)
        V = np.empty_like(start)
        V[:, order] = sweeps.W
        return n_iter, V


def _objective(penalty, point):
    return point.value + penalty.value(point.variable)
