"""Accelerated proximal gradient with an adaptive step length."""

from dataclasses import dataclass

import numpy as np
from numpy.linalg import norm
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Penalty, Point, Smooth, Solution, Solver
from skmtl._linalg import EPS
from skmtl._numbers import TINY

# An iteration first tries the last curvature times this, so that steps can lengthen.
_DECREASE = 0.95
# A curvature that is too low grows at least by this factor, to need few trials.
_INCREASE = 1.2
# It grows by this factor where the term overflows and shows no curvature.
_OVERFLOW_INCREASE = 10.0
# Rounding error of a gradient, relative to the gradient at zero.
_ROUNDING = 16 * EPS
# Longest step, relative to the shortest that is ever needed, one over the bound.
_MAX_STEP_RATIO = 1e12
# Longest probe of the curvature: its square must not overflow.
_MAX_DISTANCE = 1e150
# Iterations between measurements of optimality, which may cost as much as a step.
_CHECK_EVERY = 5


@dataclass(repr=False, eq=False)
class Fista(BaseEstimator, Solver):
    """Accelerated proximal gradient method.

    The step length is one over the curvature along the step. Every iteration first
    tries a lower curvature than the last and raises it if it was too low. The momentum
    restarts if it is an ascent direction.

    Parameters
    ----------
    tol : float, default=1e-6
        Optimality at which to stop.
    max_iter : int, default=10000
        Maximum number of iterations.

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

    def minimize(self, smooth: Smooth, penalty: Penalty, start: Array) -> Solution:
        """Minimise ``smooth + penalty``.

        Parameters
        ----------
        smooth : Smooth
            Term with a gradient.
        penalty : Penalty
            Term with a proximal step.
        start : ndarray
            First iterate.

        Returns
        -------
        Solution
            The last iterate.
        """
        point = smooth.at(start)
        optimality = penalty.optimality(smooth, point)
        if optimality <= self.tol:
            return self._report(penalty, point, optimality, 0)
        state = _State.begin(smooth, penalty, point)
        for n_iter in range(1, self.max_iter + 1):
            state.advance()
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
    """State between two iterations."""

    smooth: Smooth
    penalty: Penalty
    point: Point
    previous: Point
    rounding: float
    least_curvature: float
    largest_curvature: float
    curvature: float = 0.0
    momentum: float = 1.0

    @classmethod
    def begin(cls, smooth, penalty, point):
        """Start with the curvature along the gradient."""
        start, rounding = point.variable, _ROUNDING * norm(smooth.zero().gradient)
        largest = max(smooth.lipschitz(), np.sqrt(TINY))
        least = max(largest / _MAX_STEP_RATIO, np.sqrt(TINY))
        state = cls(smooth, penalty, point, point, rounding, least, largest)
        slope = max(float(norm(point.gradient)), TINY)
        distance = min(max(float(norm(start)), point.value / slope), _MAX_DISTANCE)
        state.curvature = np.inf
        while np.isinf(state.curvature) and distance > 0:
            probe = smooth.at(start - distance * (point.gradient / slope))
            state.curvature = state.measure_curvature(probe, point)
            distance /= _OVERFLOW_INCREASE
        # Far along the gradient, an exponential may curve more than the bound.
        state.curvature = min(state.curvature, largest)
        return state

    def measure_curvature(self, point, base):
        """Return the curvature along the step from `base` to `point`.

        It is infinite where the term overflows.
        """
        move = point.variable - base.variable
        length = max(norm(move), TINY)
        rise = np.vdot(point.gradient - base.gradient, move / length) - self.rounding
        if not np.isfinite(rise):
            return np.inf
        return max(float(rise / length), self.least_curvature)

    def advance(self):
        """Take one step, of the length that the curvature along it allows."""
        curvature = max(_DECREASE * self.curvature, self.least_curvature)
        while True:
            momentum, base = self._extrapolate(curvature)
            trial = self._proximal_step(base, curvature)
            measured = self.measure_curvature(trial, base)
            if measured <= curvature or curvature >= self.largest_curvature:
                break
            if np.isinf(measured):
                measured = _OVERFLOW_INCREASE * curvature
            curvature = max(_INCREASE * curvature, measured)
        self._accept(base, trial, curvature, momentum)

    def _extrapolate(self, curvature):
        """Return the next momentum and the extrapolated point."""
        if self.previous is self.point:
            return 1.0, self.point
        squared = curvature / self.curvature * self.momentum**2
        momentum = (1 + np.sqrt(1 + 4 * squared)) / 2
        factor = (self.momentum - 1) / momentum
        base = self.smooth.extrapolate(self.point, self.previous, factor)
        if not np.isfinite(base.value):  # the loss overflows there
            return 1.0, self.point
        return momentum, base

    def _proximal_step(self, base, curvature):
        moved = base.variable - base.gradient / curvature
        return self.smooth.at_near(self.penalty.prox(moved, 1 / curvature), base)

    def _accept(self, base, trial, curvature, momentum):
        """Move to the trial point; restart the momentum along an ascent."""
        move = trial.variable - self.point.variable
        is_ascent = np.vdot(base.variable - trial.variable, move) > 0
        self.previous = trial if is_ascent else self.point
        self.momentum = 1.0 if is_ascent else momentum
        self.point, self.curvature = trial, curvature
