"""Task blocks factored by eigenvectors, once for a whole path of strengths."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array, TaskBlocks
from skmtl._linalg import (
    Semidefinite,
    Wide,
    apply,
    diagonalise,
    diagonals,
    without_noise,
)
from skmtl._numbers import CACHE


@dataclass(frozen=True)
class Spectral(TaskBlocks):
    """Blocks ``S_t = E^-1 V_t' diag(values_t) V_t E^-1`` and ``D_t = alpha_t E^-2``.

    The rows of ``V_t`` are orthonormal. If they are fewer than the features, ``S_t`` is
    zero in the other directions.

    Parameters
    ----------
    basis : ndarray of shape (n_tasks or 1, n_vectors, n_features)
        The matrices ``V_t``.
    values : ndarray of shape (n_tasks or 1, n_vectors)
        Eigenvalues; exactly zero where they are below rounding.
    scale : ndarray of shape (n_features,)
        The diagonal of ``E``.
    alpha : ndarray of shape (n_tasks or 1,)
        Strengths; zero means the limit, the solution of minimum norm.
    complete : bool, default=True
        Whether every basis spans all features.
    """

    basis: Array
    values: Array
    scale: Array
    alpha: Array
    complete: bool = True

    @classmethod
    def from_curvature(cls, curvature: Array, pattern: Array, alpha: Array) -> Self:
        """Factor matrices ``S_t`` of shape (n_tasks or 1, n_features, n_features)."""
        scale = 1 / np.sqrt(pattern)
        basis, values = np.empty_like(curvature), np.empty(curvature.shape[:2])
        size = max(1, CACHE // max(len(scale), 1) ** 2)
        for start in range(0, len(curvature), size):
            part = slice(start, start + size)
            scaled = curvature[part] * scale[:, None] * scale
            values[part], basis[part] = diagonalise(scaled)
        varies = diagonals(curvature).any(axis=0)
        basis[:, :, ~varies] = 0.0
        return cls(basis, values, scale, alpha, bool(varies.all()))

    @classmethod
    def from_groups(
        cls,
        groups: Iterable[tuple[Array, Array]],
        n_tasks: int,
        n_features: int,
        pattern: Array,
        alpha: Array,
    ) -> Self:
        """Factor stacks of centred rows, if tasks have fewer rows than features."""
        scale = 1 / np.sqrt(pattern)
        parts, varies = [], np.zeros(n_features, dtype=bool)
        for tasks, X in groups:
            _, sizes, vectors = np.linalg.svd(X * scale, full_matrices=False)
            varies |= X.any(axis=(0, 1))
            parts.append((tasks, sizes, vectors))
        n_vectors = max((sizes.shape[1] for _, sizes, _ in parts), default=0)
        fewest = min((sizes.shape[1] for _, sizes, _ in parts), default=0)
        n_spanned = sum(len(tasks) for tasks, _, _ in parts)
        complete = fewest == n_features and n_spanned == n_tasks and varies.all()
        basis = np.zeros((n_tasks, n_vectors, n_features))
        values = np.zeros((n_tasks, n_vectors))
        for tasks, sizes, vectors in parts:
            basis[tasks, : sizes.shape[1]] = np.where(varies, vectors, 0.0)
            values[tasks, : sizes.shape[1]] = without_noise(sizes) ** 2
        return cls(basis, values, scale, alpha, bool(complete))

    def at(self, alpha: Array) -> Self:
        """Return the same blocks with other strengths, of shape (n_tasks or 1,)."""
        return replace(self, alpha=alpha)

    @property
    def condition(self) -> float:
        """Largest ratio of eigenvalues of a block, those that are zero left out."""
        alpha = self.alpha[:, None]
        lowest = np.where(self.values > 0, self.values, np.inf).min(
            axis=1, initial=np.inf
        )
        highest = self.values.max(axis=1, initial=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = (highest + alpha[:, 0]) / (lowest + alpha[:, 0])
        return float(np.nanmax(ratio, initial=1.0))

    def _to_basis(self, right):
        return apply(self.basis, right)

    def _from_basis(self, inner):
        if len(self.basis) == 1:
            return inner @ self.basis[0]
        return np.matmul(inner[:, None], self.basis)[:, 0]

    def _weights(self, numerator):
        """Return ``numerator / (values + alpha)``, zero where both are zero."""
        total = self.values + self.alpha[:, None]
        out = np.zeros(np.broadcast_shapes(np.shape(numerator), total.shape))
        return np.divide(numerator, total, out=out, where=total > 0)

    def solve(self, right: Array) -> Array:
        scaled = right * self.scale
        inner = self._to_basis(scaled)
        solution = self._from_basis(inner * self._weights(1.0))
        if not self.complete:
            alpha = self.alpha[:, None]
            rest = scaled - self._from_basis(inner)
            solution = solution + np.where(alpha > 0, rest, 0) / np.where(
                alpha > 0, alpha, 1
            )
        return solution * self.scale

    def curve(self, coef: Array) -> Array:
        inner = self._to_basis(coef / self.scale) * self.values
        return self._from_basis(inner) / self.scale

    def clean(self, right: Array) -> Array:
        if self.complete and self.values.all():
            return right
        inner = self._to_basis(right * self.scale) * (self.values > 0)
        return self._from_basis(inner) / self.scale

    def centre(self, n_tasks: int, rows: Array, strength: Array) -> Semidefinite | Wide:
        n_features, repeats = len(self.scale), n_tasks / len(self.basis)
        n_vectors = self.basis.shape[0] * self.basis.shape[1] + len(rows)
        if n_vectors < n_features and (strength == strength[0]).all():
            root = self.basis * self._root_weights[:, :, None]
            root = root.reshape(-1, n_features) * np.sqrt(repeats) / self.scale
            return Wide(np.vstack([root, rows]), strength[0])
        total = self._curvature_sum * repeats + rows.T @ rows
        return Semidefinite(total + np.diag(strength))

    def traces(self, n_tasks: int) -> float:
        weights = self._weights(self.values)
        return float(weights.sum()) * (n_tasks / len(weights))

    def spread(self, n_tasks: int) -> Array:
        return self._spread_sum * (n_tasks / len(self.basis))

    @cached_property
    def _curvature_sum(self):
        """Sum over the blocks, cached as it serves all strengths of the intercepts."""
        return self._sum_blocks(self._root_weights)

    @cached_property
    def _spread_sum(self):
        weights = np.sqrt(self.alpha)[:, None] * self._weights(self.values)
        return self._sum_blocks(weights)

    def _sum_blocks(self, weights):
        """Return the sum over blocks of ``E^-1 V_t' diag(weights_t^2) V_t E^-1``."""
        n_features = len(self.scale)
        total = np.zeros((n_features, n_features))
        size = max(1, CACHE // max(n_features, 1) ** 2)
        for start in range(0, len(self.basis), size):
            part = slice(start, start + size)
            root = (self.basis[part] * weights[part, :, None]).reshape(-1, n_features)
            total += root.T @ root
        return total / (self.scale * self.scale[:, None])

    @cached_property
    def _root_weights(self):
        return np.sqrt(self._weights(self.values * self.alpha[:, None]))

    def shrinkage(self) -> Array:
        inner = self._weights(self.values)[:, :, None] * self.basis
        product = np.matmul(self.basis.transpose(0, 2, 1), inner)
        return product * self.scale[:, None] / self.scale

    def shrink(self, rows: Array, tasks: Array) -> Array:
        basis = self.basis if len(self.basis) == 1 else self.basis[tasks]
        weights = self._weights(self.values)
        weights = weights if len(weights) == 1 else weights[tasks]
        inner = np.matmul(rows * self.scale, basis.transpose(0, 2, 1))
        return np.matmul(inner * weights[:, None], basis) / self.scale

    def turn(self, rows: Array, tasks: Array) -> Array:
        """Convert rows (n_blocks, n_rows, n_features) to eigenvector coordinates."""
        basis = self.basis if len(self.basis) == 1 else self.basis[tasks]
        return np.matmul(rows * self.scale, basis.transpose(0, 2, 1))

    def shares(self) -> tuple[Any, Any]:
        """Return ``1 / (values + alpha)`` and ``alpha / (values + alpha)``."""
        inverse = self._weights(1.0)
        return inverse, inverse * self.alpha[:, None]

    def log_determinants(self) -> Array:
        return np.log1p(self.values / self.alpha[:, None]).sum(axis=1)

    def quadratics(self, rows: Array, tasks: Array) -> Array:
        basis = self.basis if len(self.basis) == 1 else self.basis[tasks]
        scaled = rows * self.scale
        inner = np.matmul(scaled, basis.transpose(0, 2, 1)) ** 2
        weights = np.broadcast_to(
            self._weights(1.0), (max(len(self.alpha), len(self.basis)), basis.shape[1])
        )
        weights = weights if len(weights) == 1 else weights[tasks]
        total = np.matmul(inner, weights[:, :, None])[:, :, 0]
        if not self.complete:
            alpha = self.alpha if len(self.alpha) == 1 else self.alpha[tasks]
            rest = np.maximum((scaled**2).sum(axis=-1) - inner.sum(axis=-1), 0)
            with np.errstate(divide="ignore", invalid="ignore"):
                total = total + np.where(rest > 0, rest / alpha[:, None], 0)
        return total

    def curvatures(self) -> Array:
        squares = (self.basis / self.scale) ** 2
        return np.matmul(self.values[:, None], squares)[:, 0]

    def select(self, tasks: Array) -> Self:
        parts = self.basis, self.values, self.alpha
        basis, values, alpha = (
            each if len(each) == 1 else each[tasks] for each in parts
        )
        return replace(self, basis=basis, values=values, alpha=alpha)
