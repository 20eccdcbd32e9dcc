"""Proximal Newton method on working sets of features."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Penalty
from skmtl._linalg import EPS

from ._support import RestrictedSolver
from ._sweeps import Sweeps
from ._variance_newton import VarianceNewton

# Tolerance of a model, relative to its optimality at the start, and maximum sweeps:
# more accuracy is lost when the model changes.
_INNER_TOL, _MAX_SWEEPS = 0.03, 100
# Armijo constant: smallest accepted decrease, as a fraction of the predicted decrease.
_ARMIJO = 1e-4
_N_HALVINGS = 40
# Relative rounding error of an objective.
_ROUNDING = 8 * EPS


@dataclass(repr=False, eq=False)
class ProxNewton(BaseEstimator, RestrictedSolver):
    """Proximal Newton method for losses that are not quadratic.

    For convex penalties that set whole features to zero, and losses that can be
    restricted to some features. The quadratic model at a point is minimised by block
    coordinate descent and by Newton steps on the features that are not zero; then the
    step is halved until the objective decreases.

    Parameters
    ----------
    tol : float, default=1e-6
        Optimality at which to stop.
    max_iter : int, default=10000
        Maximum number of sweeps over the features of a working set.
    newton : VarianceNewton, default=None
        Newton steps for the penalty; None for none.

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
    newton: VarianceNewton | None = None

    def _solve(self, part, penalty, start, tol, max_iter):
        point, n_iter, optimality = part.at(start), 0, np.inf
        while n_iter < max_iter:
            max_sweeps = min(_MAX_SWEEPS, max_iter - n_iter)
            found, n_sweeps = self._step(part, penalty, point, max_sweeps)
            n_iter, previous = n_iter + n_sweeps, optimality
            optimality = penalty.optimality(part, found)
            rounding = _ROUNDING * abs(_objective(penalty, point))
            decrease = _objective(penalty, point) - _objective(penalty, found)
            point = found
            if optimality <= tol:
                break
            if decrease <= rounding and optimality >= previous:
                return point.variable, max_iter  # further decreases are below rounding
        return point.variable, n_iter

    def _step(self, part, penalty, point, max_sweeps):
        """Return a point that is not worse, and the number of sweeps."""
        model, W = part.model(point), point.variable
        V, n_sweeps = self._minimise_model(model, penalty, W, max_sweeps)
        full, start = part.at_near(V, point), _objective(penalty, point)
        slope = float(np.vdot(point.gradient, V - W))
        slope += penalty.value(V) - penalty.value(W)
        length, trial = 1.0, full
        for _ in range(_N_HALVINGS):
            limit = start + _ARMIJO * length * min(slope, 0.0)
            if _objective(penalty, trial) <= limit + _ROUNDING * abs(start):
                return trial, n_sweeps
            length /= 2
            trial = part.extrapolate(full, point, length - 1)
        return point, n_sweeps

    def _minimise_model(self, model, penalty, start, max_sweeps):
        """Return the minimiser of a quadratic model, and the number of sweeps."""
        order = np.arange(len(model.scales))
        if not model.is_ordered:
            order = np.argsort(model.scales, kind="stable")
            model = model.restrict(order)
        measure = partial(Penalty.optimality, penalty, model)
        sweeps = Sweeps(model, penalty, start[:, order], self.newton, measure)
        n_sweeps = sweeps.run(_INNER_TOL * sweeps.optimality(), max_sweeps)
        V = np.empty_like(start)
        V[:, order] = sweeps.W
        return V, n_sweeps


def _objective(penalty, point):
    return point.value + penalty.value(point.variable)
