"""Accelerated proximal gradient steps of adaptive length."""

from dataclasses import dataclass

import numpy as np
from numpy.linalg import norm
from sklearn.base import BaseEstimator

from skmtl._contracts import Solution, Solver
from skmtl._linalg import EPS
from skmtl._numbers import TINY

# Every iteration first tries a curvature lower than the last one, by this factor.
_HOPE = 0.95
# What a curvature that was too low is raised by at least, and then some beyond it.
_RAISE = 1.2
# What it is raised by where the term overflows.
_LEAP = 10.0
# Rounding in a gradient, in units of the one at zero.
_ROUNDING = 16 * EPS
# No step is longer than this, in units of the shortest that any problem needs.
_LONGEST = 1e12
# The square of a distance must not overflow.
_FARTHEST = 1e150
# Measuring optimality may cost as much as a step.
_CHECK_EVERY = 5


@dataclass(repr=False, eq=False)
class Fista(BaseEstimator, Solver):
    """Minimise by accelerated proximal gradient steps.

    Steps are as long as the curvature along them allows, which is measured both ways:
    it is tried lower at every step and raised where it was too low. The momentum starts
    anew where it points uphill.

    Parameters
    ----------
    tol : float, default=1e-6
        Optimality to be reached.
    max_iter : int, default=10000
        Largest number of iterations.

    References
    ----------
    Beck, A., Teboulle, M. (2009). A fast iterative shrinkage-thresholding algorithm for
    linear inverse problems. SIAM Journal on Imaging Sciences, 2(1), 183-202.
    :doi:`10.1137/080716542`

    Scheinberg, K., Goldfarb, D., Bai, X. (2014). Fast first-order methods for composite
    convex optimization with backtracking. Foundations of Computational Mathematics,
    14(3), 389-417. :doi:`10.1007/s10208-014-9189-9`

    O'Donoghue, B., Candes, E. (2015). Adaptive restart for accelerated gradient
    schemes. Foundations of Computational Mathematics, 15(3), 715-732.
    :doi:`10.1007/s10208-013-9150-3`

    Examples
    --------
    >>> from skmtl.solvers import Fista
    >>> Fista(tol=1e-8)
    Fista(tol=1e-08)
    """

    tol: float = 1e-6
    max_iter: int = 10000

    def minimize(self, smooth, penalty, start):
        """Return the Solution found from a variable.

        Parameters
        ----------
        smooth : Smooth
            Term that has a gradient.
        penalty : Penalty
            Term that has a proximal step.
        start : ndarray
            Where to start.

        Returns
        -------
        Solution
            What was found.
        """
        point = smooth.at(start)
        optimality = penalty.optimality(smooth, point)
        if optimality <= self.tol:
            return self._report(penalty, point, optimality, 0)
        state = _State.begin(smooth, penalty, point)
        for n_iter in range(1, self.max_iter + 1):
            state.step()
            if n_iter % _CHECK_EVERY == 0 or n_iter == self.max_iter:
                optimality = penalty.optimality(smooth, state.point)
            if optimality <= self.tol:
                break
        return self._report(penalty, state.point, optimality, n_iter)

    def _report(self, penalty, point, optimality, n_iter):
        W, converged = point.variable, optimality <= self.tol
        objective = float(point.value + penalty.value(W))
        return Solution(W, objective, optimality, n_iter, converged)


@dataclass
class _State:
    """Hold what one step leaves to the next."""

    smooth: object
    penalty: object
    point: object
    before: object
    rounding: float
    flattest: float
    steepest: float
    curvature: float = 0.0
    momentum: float = 1.0

    @classmethod
    def begin(cls, smooth, penalty, point):
        """Measure the curvature along the gradient."""
        start, rounding = point.variable, _ROUNDING * norm(smooth.zero().gradient)
        steepest = max(smooth.lipschitz(), np.sqrt(TINY))
        flattest = max(steepest / _LONGEST, np.sqrt(TINY))
        state = cls(smooth, penalty, point, point, rounding, flattest, steepest)
        slope = max(float(norm(point.gradient)), TINY)
        reach = min(max(float(norm(start)), point.value / slope), _FARTHEST)
        state.curvature = np.inf
        while np.isinf(state.curvature) and reach > 0:
            probe = smooth.at(start - reach * (point.gradient / slope))
            state.curvature = state.measure(probe, point)
            reach /= _LEAP
        # Far along the gradient, an exponential may be steeper than any step needs.
        state.curvature = min(state.curvature, steepest)
        return state

    def measure(self, point, base):
        """Return the curvature along the step between two points.

        It is infinite where the term overflows.
        """
        move = point.variable - base.variable
        size = max(norm(move), TINY)
        rise = np.vdot(point.gradient - base.gradient, move / size) - self.rounding
        return max(float(rise / size), self.flattest) if np.isfinite(rise) else np.inf

    def step(self):
        """Move the point ahead, by a step that its curvature allows."""
        curvature = max(_HOPE * self.curvature, self.flattest)
        while True:
            momentum, base = self._extrapolate(curvature)
            trial = self._proximal_step(base, curvature)
            along = self.measure(trial, base)
            if along <= curvature or curvature >= self.steepest:
                break
            least = along if np.isfinite(along) else _LEAP * curvature
            curvature = max(_RAISE * curvature, least)
        self._keep(base, trial, curvature, momentum)

    def _extrapolate(self, curvature):
        """Return the next momentum, and the point that the last one leads to."""
        if self.before is self.point:
            return 1.0, self.point
        squared = curvature / self.curvature * self.momentum**2
        momentum = (1 + np.sqrt(1 + 4 * squared)) / 2
        factor = (self.momentum - 1) / momentum
        ahead = self.smooth.extrapolate(self.point, self.before, factor)
        if not np.isfinite(ahead.value):  # the loss overflows there
            return 1.0, self.point
        return momentum, ahead

    def _proximal_step(self, base, curvature):
        moved = base.variable - base.gradient / curvature
        return self.smooth.at_near(self.penalty.prox(moved, 1 / curvature), base)

    def _keep(self, base, trial, curvature, momentum):
        """Take a step, and forget the momentum if it points uphill."""
        move = trial.variable - self.point.variable
        uphill = np.vdot(base.variable - trial.variable, move) > 0
        self.before = trial if uphill else self.point
        self.momentum = 1.0 if uphill else momentum
        self.point, self.curvature = trial, curvature
