"""Task blocks factored by inversion: the fastest way to one fit."""

from dataclasses import dataclass

import numpy as np

from skmtl._contracts import TaskBlocks
from skmtl._linalg import Semidefinite, apply, diagonals, invert

# A stack of about this many numbers stays in the second-level cache.
_CACHE = 2**17
# Above this variance inflation the inverse has lost half of its digits.
_TRUSTED_INFLATION = 1e8


@dataclass(frozen=True)
class Inverse(TaskBlocks):
    """Hold the inverses of ``B_t = S_t + D_t``.

    Parameters
    ----------
    curvature : ndarray of shape (n_tasks or 1, n_features, n_features)
        The matrices ``S_t``; one if all tasks have the same.
    strength : ndarray of shape (n_tasks or 1, n_features)
        The diagonals of ``D_t``.
    inverse : ndarray of shape (n_tasks or 1, n_features, n_features)
        The inverses of ``B_t``.
    inflation : float
        Largest product of a diagonal element of ``B_t`` with that of its inverse: 1
        for uncorrelated features, infinite for a singular block.
    """

    curvature: np.ndarray
    strength: np.ndarray
    inverse: np.ndarray
    inflation: float

    @classmethod
    def factor(cls, curvature, strength):
        """Invert the blocks, a cache full at a time."""
        n_blocks = max(len(curvature), len(strength))
        n_features = curvature.shape[-1]
        inverse = np.empty((n_blocks, n_features, n_features))
        strengths = np.broadcast_to(strength, (n_blocks, n_features))
        curvatures = np.broadcast_to(curvature, inverse.shape)
        size = max(1, _CACHE // max(n_features, 1) ** 2)
        inflation = 1.0
        for start in range(0, n_blocks, size):
            part = slice(start, start + size)
            block = curvatures[part].copy()
            diagonals(block)[...] += strengths[part]
            try:
                inverse[part] = invert(block)
            except np.linalg.LinAlgError:
                return cls(curvature, strength, inverse, np.inf)
            inflation = max(inflation, _inflation(block, inverse[part]))
        return cls(curvature, strength, inverse, inflation)

    @property
    def trusted(self):
        """Whether the inverses keep at least half of the digits."""
        return self.inflation < _TRUSTED_INFLATION

    def solve(self, right):
        return apply(self.inverse, right)

    def curve(self, coef):
        return apply(self.curvature, coef)

    def clean(self, right):
        return right

    def centre(self, n_tasks, rows, strength):
        n_features = self.inverse.shape[-1]
        total = self.inverse.reshape(-1, n_features).T @ np.broadcast_to(
            self.curvature, self.inverse.shape
        ).reshape(-1, n_features)
        total *= self.strength[0][:, None] * (n_tasks / len(self.inverse))
        total = (total + total.T) / 2 + rows.T @ rows
        return Semidefinite(total + np.diag(strength))

    def shrinkage(self):
        return np.matmul(self.inverse, self.curvature)

    def log_determinants(self):
        """Return ``log |D_t^-1 B_t|``; the inverses are factored for it."""
        scaled = np.linalg.slogdet(self.inverse)[1]
        return -scaled - np.log(self.strength).sum(axis=1)

    def quadratics(self, rows, tasks):
        inverse = self.inverse if len(self.inverse) == 1 else self.inverse[tasks]
        return np.einsum("tij,tij->ti", np.matmul(rows, inverse), rows)


def _inflation(block, inverse):
    """Return the largest variance inflation, infinite if the block is not definite."""
    found = diagonals(block) * diagonals(inverse)
    return float(found.max(initial=1.0)) if (found > 0).all() else np.inf
