"""Task blocks factored by inversion, the fastest method for one fit."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from skmtl._contracts import Array, TaskBlocks
from skmtl._linalg import (
    EPS,
    LARGEST_WHOLE,
    Semidefinite,
    apply,
    diagonals,
    invert,
    invert_by_cholesky,
)
from skmtl._numbers import CACHE

# Above this variance inflation, the rank of the centre is lost in rounding.
_TRUSTED_INFLATION = 1e4
# Above this ratio of diagonal elements, features are sorted by them before inversion,
# so that small elements of the inverse are accurate.
_UNEVEN = 1e3
# Above this inflation, the recursive inverse loses digits: use Cholesky factors.
_HALVED_INFLATION = 3.0
# Above this size, Cholesky factors are as fast.
_HALVED_SIZE = 100


@dataclass(frozen=True)
class Inverse(TaskBlocks):
    """Inverses of the blocks ``B_t = S_t + D_t``.

    Parameters
    ----------
    curvature : ndarray of shape (n_tasks or 1, n_features, n_features)
        The matrices ``S_t``; one if it is the same for all tasks.
    strength : ndarray of shape (n_tasks or 1, n_features)
        The diagonals of ``D_t``.
    inverse : ndarray of shape (n_tasks or 1, n_features, n_features)
        The inverses of ``B_t``.
    inflation : float
        Largest variance inflation, the product of a diagonal element of ``B_t`` and
        that of its inverse: 1 for uncorrelated features, infinite for a singular block.
    """

    curvature: Array
    strength: Array
    inverse: Array
    inflation: float

    @classmethod
    def factor(cls, curvature: Array, strength: Array) -> Self:
        """Invert the blocks, with features in decreasing order if very uneven."""
        diagonal = diagonals(curvature).mean(axis=0) + strength[0]
        if len(diagonal) == 0 or diagonal.max() <= _UNEVEN * diagonal.min():
            return cls._factor(curvature, strength)
        order = np.argsort(-diagonal)
        ordered = cls._factor(curvature[:, order][:, :, order], strength[:, order])
        back = np.argsort(order)
        inverse = ordered.inverse[:, back][:, :, back]
        return replace(ordered, curvature=curvature, strength=strength, inverse=inverse)

    @classmethod
    def _factor(cls, curvature, strength):
        """Invert the blocks, as many at a time as fit the cache."""
        n_blocks = max(len(curvature), len(strength))
        n_features = curvature.shape[-1]
        inverse = np.empty((n_blocks, n_features, n_features))
        strengths = np.broadcast_to(strength, (n_blocks, n_features))
        curvatures = np.broadcast_to(curvature, inverse.shape)
        size = max(1, CACHE // max(n_features, 1) ** 2)
        inflation, by_halves = 1.0, n_features <= _HALVED_SIZE
        for start in range(0, n_blocks, size):
            part = slice(start, start + size)
            block = curvatures[part].copy()
            diagonals(block)[...] += strengths[part]
            try:
                inflations = _invert_into(inverse[part], block, by_halves)
            except np.linalg.LinAlgError:
                return cls(curvature, strength, inverse, np.inf)
            largest = float(inflations.max(initial=1.0))
            inflation = max(inflation, largest)
            # Other blocks are likely to be like those that lost digits.
            by_halves &= n_features <= LARGEST_WHOLE or largest <= _HALVED_INFLATION
        return cls(curvature, strength, inverse, inflation)

    @property
    def trusted(self) -> bool:
        """Whether the inverses keep three quarters of their digits."""
        return self.inflation < _TRUSTED_INFLATION

    def solve(self, right: Array) -> Array:
        return apply(self.inverse, right)

    def curve(self, coef: Array) -> Array:
        return apply(self.curvature, coef)

    def clean(self, right: Array) -> Array:
        return right

    def centre(self, n_tasks: int, rows: Array, strength: Array) -> Semidefinite:
        n_features = self.inverse.shape[-1]
        total = self.inverse.reshape(-1, n_features).T @ np.broadcast_to(
            self.curvature, self.inverse.shape
        ).reshape(-1, n_features)
        total *= self.strength[0][:, None] * (n_tasks / len(self.inverse))
        total = (total + total.T) / 2
        # The total is D - D B^-1 D: where the strength is 0, it is only rounding error.
        is_free = self.strength[0] == 0
        total[is_free] = total[:, is_free] = 0.0
        total += rows.T @ rows
        rounding = 8 * n_features * EPS * self.inflation
        return Semidefinite(total + np.diag(strength), max(1e-12, rounding))

    def traces(self, n_tasks: int) -> float:
        total = np.vdot(
            self.inverse, np.broadcast_to(self.curvature, self.inverse.shape)
        )
        return float(total) * (n_tasks / len(self.inverse))

    def spread(self, n_tasks: int) -> Array:
        roots = self.shrinkage() * np.sqrt(self.strength[0])[:, None]
        roots = roots.reshape(-1, roots.shape[-1])
        return roots.T @ roots * (n_tasks / len(self.inverse))

    def shrinkage(self) -> Array:
        return np.matmul(self.inverse, self.curvature)

    def shrink(self, rows: Array, tasks: Array) -> Array:
        inverse, curvature = self.inverse, self.curvature
        inverse = inverse if len(inverse) == 1 else inverse[tasks]
        curvature = curvature if len(curvature) == 1 else curvature[tasks]
        return np.matmul(np.matmul(rows, inverse), curvature)

    def log_determinants(self) -> Array:
        """Return ``log |D_t^-1 B_t|``, by a factorisation of the inverses."""
        logs = np.linalg.slogdet(self.inverse)[1]
        return -logs - np.log(self.strength).sum(axis=1)

    def quadratics(self, rows: Array, tasks: Array) -> Array:
        inverse = self.inverse if len(self.inverse) == 1 else self.inverse[tasks]
        return np.einsum("tij,tij->ti", np.matmul(rows, inverse), rows)

    def curvatures(self) -> Array:
        return diagonals(self.curvature)

    def select(self, tasks: Array) -> Self:
        parts = self.curvature, self.strength, self.inverse
        curvature, strength, inverse = (
            each if len(each) == 1 else each[tasks] for each in parts
        )
        return replace(self, curvature=curvature, strength=strength, inverse=inverse)


def _invert_into(inverse, blocks, by_halves):
    """Invert blocks, by halves where that loses no digits; return their inflations."""
    inverse[...] = invert(blocks) if by_halves else invert_by_cholesky(blocks)
    inflations = _inflations(blocks, inverse)
    lost = np.flatnonzero(inflations > _HALVED_INFLATION)
    if by_halves and len(lost) and blocks.shape[-1] > LARGEST_WHOLE:
        inverse[lost] = invert_by_cholesky(blocks[lost])
        inflations[lost] = _inflations(blocks[lost], inverse[lost])
    return inflations


def _inflations(blocks, inverses):
    """Return the largest variance inflations, inf for blocks that are not definite."""
    found = diagonals(blocks) * diagonals(inverses)
    is_definite = (found > 0).all(axis=1)
    return np.where(is_definite, found.max(axis=1, initial=1.0), np.inf)
