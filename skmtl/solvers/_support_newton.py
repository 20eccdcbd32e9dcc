"""Newton steps on the features that are not zero."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

# A step shorter than this says that the support is not settled.
_SHORTEST = 1 / 64
# A step must fall by this part of what its slope promises.
_ENOUGH = 1e-4


@dataclass(frozen=True)
class SupportNewton:
    """Take Newton steps of ``loss + alpha sum_j ||W[:, j]||`` where no column is zero.

    The Hessian is that of the loss, plus ``alpha / ||w_j|| (I - u_j u_j')`` of each
    feature with ``u_j = w_j / ||w_j||``. Their parts of rank one are eliminated: what
    is left to solve for all tasks together has the size of the support.

    Parameters
    ----------
    alpha : float
        Strength of the penalty.
    """

    alpha: float

    def step(self, part, W):
        """Return a better W with the same support, or None if none is ahead.

        Parameters
        ----------
        part : BlockQuadratic
            The quadratic term.
        W : ndarray of shape (n_tasks, n_features)
            Where to start.

        Returns
        -------
        ndarray of shape (n_tasks, n_features) or None
            What was found.
        """
        support = np.flatnonzero(W.any(axis=0))
        own, V = part.restrict(support), np.ascontiguousarray(W[:, support])
        sizes = np.linalg.norm(V, axis=0)
        if not sizes.min() > self.alpha / np.finfo(float).max:
            return None
        unit, bend = V / sizes, self.alpha / sizes
        gradient = own.at(V).gradient + self.alpha * unit
        try:
            direction = _direction(
                own.hessian(slice(0, len(support))), bend, unit, gradient
            )
        except linalg.LinAlgError:  # the rows do not determine so large a support
            return None
        better = self._search(own, V, direction, np.vdot(gradient, direction))
        if better is None:
            return None
        ahead = np.zeros_like(W)
        ahead[:, support] = better
        return ahead

    def _search(self, own, V, direction, slope):
        """Return the first point along a direction that is low enough."""
        start, length = self._objective(own, V), 1.0
        while slope < 0 and length >= _SHORTEST:
            ahead = V + length * direction
            if self._objective(own, ahead) <= start + _ENOUGH * length * slope:
                return ahead
            length /= 2
        return None

    def _objective(self, own, V):
        sizes = np.linalg.norm(V, axis=0)
        return own.value_at(V, own.state_at(V)) + self.alpha * sizes.sum()


def _direction(hessian, bend, unit, gradient):
    """Solve for the Newton direction, (n_tasks, n_support)."""
    inverse = _inverse(hessian + np.diag(bend))
    plain = -_times(gradient, inverse)
    if len(inverse) == 1:
        covered = inverse[0] * (unit.T @ unit)
    else:
        # Summed by products over tasks: an einsum of three factors is slow.
        covered = (inverse * unit[:, :, None] * unit[:, None, :]).sum(axis=0)
    middle = linalg.cho_factor(np.diag(1 / bend) - covered)
    weight = linalg.cho_solve(middle, (plain * unit).sum(axis=0))
    return plain + _times(unit * weight, inverse)


def _inverse(matrices):
    if len(matrices) > 1:
        return np.linalg.inv(matrices)
    factor = linalg.cho_factor(matrices[0])
    return linalg.cho_solve(factor, np.eye(matrices.shape[1]))[None]


def _times(rows, matrices):
    if len(matrices) == 1:
        return rows @ matrices[0]
    return np.matmul(rows[:, None], matrices)[:, 0]
