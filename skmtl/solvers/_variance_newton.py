"""Newton steps of a group lasso on the variances of its features."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from skmtl._contracts import Array
from skmtl._numbers import TINY

from ._blocks import BlockQuadratic

# Shortest step that is tried, relative to the full one.
_MIN_LENGTH = 1 / 64
# Armijo constant: smallest accepted decrease, as a fraction of the predicted decrease.
_ARMIJO = 1e-4
# Variances are set to zero, if they are below this share of the step that they would
# take alone.
_HELD = 1e-3
# Ridge on the Hessian, relative to its diagonal: it keeps it regular.
_RIDGE = 1e-10


@dataclass(frozen=True)
class VarianceNewton:
    """Newton steps of ``loss + alpha sum_j ||W[:, j]||``, with a variance per feature.

    Each norm is a minimum, ``alpha ||w_j|| = min over v_j >= 0 of ||w_j||^2 / (2 v_j) +
    alpha^2 v_j / 2``. For given variances, the coefficients are those of a ridge
    regression. What remains is convex and smooth in the variances, also at zero: with
    the correlations ``r_tj`` of features with residuals, its gradient is ``(alpha^2 -
    sum_t r_tj^2) / 2``. Its Newton steps are projected on variances of 0 or more, so
    that features enter and leave in the same step.

    Parameters
    ----------
    alpha : float
        Strength of the penalty.

    References
    ----------
    Bach, F., Jenatton, R., Mairal, J., Obozinski, G. (2012). Optimization with
    sparsity-inducing penalties. Foundations and Trends in Machine Learning, 4(1).
    :doi:`10.1561/2200000015`

    Bertsekas, D. P. (1982). Projected Newton methods for optimization problems with
    simple constraints. SIAM Journal on Control and Optimization, 20(2), 221-246.
    :doi:`10.1137/0320018`
    """

    alpha: float

    def step(self, part: BlockQuadratic, W: Array) -> Array | None:
        """Take a Newton step from the variances of W.

        Parameters
        ----------
        part : BlockQuadratic
            The quadratic term.
        W : ndarray of shape (n_tasks, n_features)
            Current iterate.

        Returns
        -------
        ndarray of shape (n_tasks, n_features) or None
            A better iterate; None if the step finds none.
        """
        variances = np.linalg.norm(W, axis=0) / self.alpha
        try:
            return self._step(part, variances)
        except linalg.LinAlgError:  # far beyond what rounding allows
            return None

    def _step(self, part, variances):
        start: Any = part.shrunk(variances)
        if start is None:
            return None
        gradient = self._gradient(start)
        free = np.flatnonzero((variances > 0) | (gradient < 0))
        if not len(free):
            return None
        hessian = start.curvature(free)
        direction = _solve_free(hessian, gradient[free], variances[free])
        limit, length = self._objective(start), 1.0
        while length >= _MIN_LENGTH:
            moved = np.zeros_like(variances)
            moved[free] = np.maximum(variances[free] + length * direction, 0.0)
            trial = part.shrunk(moved)
            decrease = np.vdot(gradient, moved - variances)
            if self._objective(trial) <= limit + _ARMIJO * min(decrease, 0.0):
                return trial.coef
            length /= 2
        return None

    def _gradient(self, shrunk):
        return (self.alpha**2 - (shrunk.residual**2).sum(axis=0)) / 2

    def _objective(self, shrunk):
        return shrunk.value + self.alpha**2 / 2 * shrunk.variances.sum()


def _solve_free(hessian, gradient, values):
    """Return a Newton step of values that are 0 or more, and should stay so.

    Values that a step along themselves alone would take far below zero go to zero.
    Those at zero that the step would decrease stay there, and the rest is solved again.
    """
    unit = np.sqrt(np.maximum(np.diag(hessian), TINY))
    hessian = hessian / unit / unit[:, None] + _RIDGE * np.eye(len(unit))
    slope, scaled = gradient / unit, values * unit
    step = -scaled
    free = scaled >= _HELD * slope
    while free.any():
        factor = linalg.cho_factor(hessian[np.ix_(free, free)])
        step[free] = -linalg.cho_solve(factor, slope[free])
        stuck = free & (scaled == 0) & (step < 0)
        if not stuck.any():
            break
        free &= ~stuck
        step[stuck] = 0.0
    return step / unit
