"""Task blocks factored by inversion: the fastest way to one fit."""

from dataclasses import dataclass, replace

import numpy as np

from skmtl._contracts import TaskBlocks
from skmtl._linalg import EPS, Semidefinite, apply, diagonals, invert
from skmtl._numbers import CACHE

# Above this variance inflation the rank of the centre is lost in rounding.
_TRUSTED_INFLATION = 1e4
# Diagonals further apart than this are put in order, to keep small elements' digits.
_UNEVEN = 1e3
# Above this inflation the rounding of an inverse by halves is worth a correction.
_REFINED_INFLATION = 3.0
# Above this inflation halves may lose all digits, and LU, which is slower, does not.
_HALVED_INFLATION = 1e2


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
        """Invert the blocks, those of very different diagonals in decreasing order."""
        found = diagonals(curvature).mean(axis=0) + strength[0]
        if len(found) == 0 or found.max() <= _UNEVEN * found.min():
            return cls._factor(curvature, strength)
        order = np.argsort(-found)
        ordered = cls._factor(curvature[:, order][:, :, order], strength[:, order])
        back = np.argsort(order)
        inverse = ordered.inverse[:, back][:, :, back]
        return replace(ordered, curvature=curvature, strength=strength, inverse=inverse)

    @classmethod
    def _factor(cls, curvature, strength):
        """Invert the blocks, a cache full at a time."""
        n_blocks = max(len(curvature), len(strength))
        n_features = curvature.shape[-1]
        inverse = np.empty((n_blocks, n_features, n_features))
        strengths = np.broadcast_to(strength, (n_blocks, n_features))
        curvatures = np.broadcast_to(curvature, inverse.shape)
        size = max(1, CACHE // max(n_features, 1) ** 2)
        inflation = 1.0
        for start in range(0, n_blocks, size):
            part = slice(start, start + size)
            block = curvatures[part].copy()
            diagonals(block)[...] += strengths[part]
            try:
                inverse[part] = invert(block)
                found = _inflation(block, inverse[part])
                if found > _HALVED_INFLATION:
                    inverse[part] = np.linalg.inv(block)
                    found = _inflation(block, inverse[part])
            except np.linalg.LinAlgError:
                return cls(curvature, strength, inverse, np.inf)
            if _REFINED_INFLATION < found <= _HALVED_INFLATION:
                inverse[part] += inverse[part] @ (
                    np.eye(n_features) - block @ inverse[part]
                )
            inflation = max(inflation, found)
        return cls(curvature, strength, inverse, inflation)

    @property
    def trusted(self):
        """Whether the inverses keep three quarters of the digits."""
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
        total = (total + total.T) / 2
        # It is D - D B^-1 D: columns that nothing pulls have rounding and no curvature.
        loose = self.strength[0] == 0
        total[loose] = total[:, loose] = 0.0
        total += rows.T @ rows
        noise = 8 * n_features * EPS * self.inflation
        return Semidefinite(total + np.diag(strength), max(1e-12, noise))

    def traces(self, n_tasks):
        total = np.vdot(
            self.inverse, np.broadcast_to(self.curvature, self.inverse.shape)
        )
        return float(total) * (n_tasks / len(self.inverse))

    def spread(self, n_tasks):
        shares = self.shrinkage() * np.sqrt(self.strength[0])[:, None]
        shares = shares.reshape(-1, shares.shape[-1])
        return shares.T @ shares * (n_tasks / len(self.inverse))

    def shrinkage(self):
        return np.matmul(self.inverse, self.curvature)

    def shrink(self, rows, tasks):
        few = len(self.inverse) == 1, len(self.curvature) == 1
        inverse = self.inverse if few[0] else self.inverse[tasks]
        curvature = self.curvature if few[1] else self.curvature[tasks]
        return np.matmul(np.matmul(rows, inverse), curvature)

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
