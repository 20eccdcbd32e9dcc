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
# Ridge on the Hessian, relative to its diagonal: it keeps it regular.
_RIDGE = 1e-10
# Pivots of all wrong values at once that may fail to reduce their number, and pivots in
# all; values this far below zero are wrong.
_N_BLOCKS, _MAX_PIVOTS, _PIVOT_TOL = 3, 100, 1e-14


@dataclass(frozen=True)
class VarianceNewton:
    """Newton steps of ``loss + alpha sum_j ||W[:, j]||``, with a variance per feature.

    Each norm is a minimum, ``alpha ||w_j|| = min over v_j >= 0 of ||w_j||^2 / (2 v_j) +
    alpha^2 v_j / 2``. For given variances, the coefficients are those of a ridge
    regression. What remains is convex and smooth in the variances, also at zero: with
    the correlations ``r_tj`` of features with residuals, its gradient is ``(alpha^2 -
    sum_t r_tj^2) / 2``. Its Newton steps minimise the quadratic model over variances of
    0 or more, so that features enter and leave in the same step.

    Parameters
    ----------
    alpha : float
        Strength of the penalty.

    References
    ----------
    Bach, F., Jenatton, R., Mairal, J., Obozinski, G. (2012). Optimization with
    sparsity-inducing penalties. Foundations and Trends in Machine Learning, 4(1).
    :doi:`10.1561/2200000015`

    Kim, J., Park, H. (2011). Fast nonnegative matrix factorization: an active-set-like
    method and comparisons. SIAM Journal on Scientific Computing, 33(6), 3261-3281.
    :doi:`10.1137/110821172`
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
        hessian, best = start.curvature(free), np.zeros_like(variances)
        best[free] = _minimise_model(hessian, gradient[free], variances[free])
        limit, length = self._objective(start), 1.0
        slope = np.vdot(gradient, best - variances)
        while slope < 0 and length >= _MIN_LENGTH:
            trial = part.shrunk(variances + length * (best - variances))
            if self._objective(trial) <= limit + _ARMIJO * length * slope:
                return trial.coef
            length /= 2
        return None

    def _gradient(self, shrunk):
        return (self.alpha**2 - (shrunk.residual**2).sum(axis=0)) / 2

    def _objective(self, shrunk):
        return shrunk.value + self.alpha**2 / 2 * shrunk.variances.sum()


def _minimise_model(hessian, gradient, values):
    """Return the minimum of a quadratic model over values of 0 or more.

    By block principal pivoting: values below zero become zero, and zeros with a
    negative slope become free, all at once as long as these become fewer.
    """
    unit = np.sqrt(np.maximum(np.diag(hessian), TINY))
    hessian = hessian / unit / unit[:, None] + _RIDGE * np.eye(len(unit))
    right = hessian @ (values * unit) - gradient / unit
    free, n_least, n_left = values > 0, len(unit) + 1, _N_BLOCKS
    found = np.zeros(len(unit))
    for _ in range(_MAX_PIVOTS):
        found[:] = 0.0
        if free.any():
            factor = linalg.cho_factor(hessian[np.ix_(free, free)])
            found[free] = linalg.cho_solve(factor, right[free])
        wrong = np.where(free, found, hessian @ found - right) < -_PIVOT_TOL
        n_wrong = np.count_nonzero(wrong)
        if n_wrong == 0:
            break
        n_left = _N_BLOCKS if n_wrong < n_least else n_left - 1
        n_least = min(n_wrong, n_least)
        if n_left < 0:  # one at a time always ends
            wrong[: np.flatnonzero(wrong)[-1]] = False
        free ^= wrong
    return np.maximum(found, 0.0) / unit
