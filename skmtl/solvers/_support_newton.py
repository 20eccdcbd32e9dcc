"""Newton steps on the features that are not zero."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from skmtl._contracts import Array

from ._blocks import BlockQuadratic

# If only a shorter step decreases the objective, the support must change first.
_MIN_LENGTH = 1 / 64
# Armijo constant: smallest accepted decrease, as a fraction of the predicted decrease.
_ARMIJO = 1e-4


@dataclass(frozen=True)
class SupportNewton:
    """Newton steps of ``loss + alpha sum_j ||W[:, j]||`` on the columns not zero.

    The Hessian is that of the loss, plus ``alpha / ||w_j|| (I - u_j u_j')`` of each
    feature, where ``u_j = w_j / ||w_j||``. The rank-one parts are eliminated, so the
    system that couples the tasks has only the size of the support.

    Parameters
    ----------
    alpha : float
        Strength of the penalty.
    """

    alpha: float

    def step(self, part: BlockQuadratic, W: Array) -> Array | None:
        """Take a Newton step within the support of W.

        Parameters
        ----------
        part : BlockQuadratic
            The quadratic term.
        W : ndarray of shape (n_tasks, n_features)
            Current iterate.

        Returns
        -------
        ndarray of shape (n_tasks, n_features) or None
            A better iterate with the same support; None if the step finds none.
        """
        support = np.flatnonzero(W.any(axis=0))
        restricted: Any = part.restrict(support)
        V = np.ascontiguousarray(W[:, support])
        sizes = np.linalg.norm(V, axis=0)
        if not sizes.min() > self.alpha / np.finfo(float).max:
            return None
        unit, curvature = V / sizes, self.alpha / sizes
        gradient = restricted.at(V).gradient + self.alpha * unit
        hessian = restricted.hessian(slice(0, len(support)))
        try:
            direction = _newton_direction(hessian, curvature, unit, gradient)
        except linalg.LinAlgError:  # the rows do not determine so large a support
            return None
        slope = np.vdot(gradient, direction)
        better = self._line_search(restricted, V, direction, slope)
        if better is None:
            return None
        found = np.zeros_like(W)
        found[:, support] = better
        return found

    def _line_search(self, restricted, V, direction, slope):
        """Return the first halved step that decreases enough, or None."""
        start, length = self._objective(restricted, V), 1.0
        while slope < 0 and length >= _MIN_LENGTH:
            trial = V + length * direction
            if self._objective(restricted, trial) <= start + _ARMIJO * length * slope:
                return trial
            length /= 2
        return None

    def _objective(self, restricted, V):
        sizes = np.linalg.norm(V, axis=0)
        value = restricted.value_at(V, restricted.state_at(V))
        return value + self.alpha * sizes.sum()


def _newton_direction(hessian, curvature, unit, gradient):
    """Return the Newton direction, (n_tasks, n_support), by the Woodbury identity."""
    inverse = _invert(hessian + np.diag(curvature))
    uncorrected = -_times(gradient, inverse)
    if len(inverse) == 1:
        projected = inverse[0] * (unit.T @ unit)
    else:
        # A sum of products over tasks, as an einsum of three factors is slow.
        projected = (inverse * unit[:, :, None] * unit[:, None, :]).sum(axis=0)
    capacitance = linalg.cho_factor(np.diag(1 / curvature) - projected)
    weight = linalg.cho_solve(capacitance, (uncorrected * unit).sum(axis=0))
    return uncorrected + _times(unit * weight, inverse)


def _invert(matrices):
    if len(matrices) > 1:
        return np.linalg.inv(matrices)
    factor = linalg.cho_factor(matrices[0])
    return linalg.cho_solve(factor, np.eye(matrices.shape[1]))[None]


def _times(rows, matrices):
    if len(matrices) == 1:
        return rows @ matrices[0]
    return np.matmul(rows[:, None], matrices)[:, 0]
