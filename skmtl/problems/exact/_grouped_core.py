"""Factors of the equations that are left once the large grouping is eliminated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import splu

from skmtl._contracts import Array
from skmtl._linalg import invert
from skmtl._memory import refuse_large

# Factor matrices up to this size as dense, without looking for blocks.
_SMALL = 300
# Factor matrices up to this size, or with more than this share of entries, as dense.
_DENSE_SIZE = 2500
_DENSE_SHARE = 0.1
# Compute so many numbers of an inverse at a time.
_CHUNK = 2**22
_REMEDY = (
    "Give infinite strengths to features that need no own coefficients, or use "
    "method='reml' of a model with fewer labels."
)


class SingularError(ValueError):
    """Equations of groupings that are singular to rounding."""


class Core(ABC):
    """A positive definite matrix that is ready to solve with."""

    @abstractmethod
    def solve(self, right: Array) -> Array:
        """Return the solution for one or several right sides."""

    @property
    @abstractmethod
    def log_determinant(self) -> float:
        """Return the log of the determinant."""

    @property
    @abstractmethod
    def inverse(self) -> Array:
        """Return the inverse as a dense matrix."""

    @abstractmethod
    def trace(self, matrix: Any) -> float:
        """Return the trace of the inverse times a symmetric CSC matrix."""


def factor_core(matrix: Any, groups: Sequence[tuple[slice, int]] = ()) -> Core:
    """Factor a sparse positive definite matrix.

    Parameters
    ----------
    matrix : CSR matrix of shape (n, n)
        The matrix.
    groups : sequence of (slice, int)
        Place of each grouping, and the width of its blocks.

    Returns
    -------
    Core
        Its factors: dense ones if it is small, those of blocks if the labels of its
        largest grouping do not interact, as with classes in schools.
    """
    size = matrix.shape[0]
    if size > _SMALL and len(groups) > 1:
        place, width = max(groups, key=lambda group: group[0].stop - group[0].start)
        own = matrix[place, place]
        if _is_block_diagonal(own, width):
            others = [group for group in groups if group[0] != place]
            return BlockCore(matrix, own, place, width, others)
    if size <= _DENSE_SIZE or matrix.nnz > _DENSE_SHARE * size**2:
        refuse_large(3 * 8 * size**2, "factors of the smaller groupings", _REMEDY)
        return DenseCore(matrix.toarray())
    return SparseCore(matrix.tocsc())


@dataclass(frozen=True)
class DenseCore(Core):
    """A dense matrix, factored by Cholesky's method.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        The matrix.
    """

    matrix: Array

    @cached_property
    def _factor(self):
        if not len(self.matrix):
            return self.matrix
        # The transpose of a symmetric array in C order has the order of LAPACK.
        factor, failed = linalg.lapack.dpotrf(self.matrix.T, lower=True, clean=False)
        if failed:
            raise SingularError(
                "The equations of the groupings must be positive definite, but are "
                "singular to rounding. Raise alpha and alpha_intercept, or scale the "
                "features."
            )
        return factor

    def solve(self, right: Array) -> Array:
        if not right.size:
            return np.zeros_like(right)
        found: Array = linalg.cho_solve((self._factor, True), right, check_finite=False)
        return found

    @property
    def log_determinant(self) -> float:
        return float(2 * np.log(np.diag(self._factor)).sum())

    @cached_property
    def _lower(self):
        """Lower triangle of the inverse; the rest is arbitrary."""
        if not len(self.matrix):
            return self.matrix
        return linalg.lapack.dpotri(self._factor, lower=True)[0]

    @cached_property
    def inverse(self) -> Array:
        below = np.tril(self._lower, -1)
        return below + below.T + np.diag(np.diag(self._lower))

    def trace(self, matrix: Any) -> float:
        rows, columns, values = sparse.find(sparse.tril(matrix, -1))
        sides = 2 * (self._lower[rows, columns] @ values)
        return float(sides + np.diag(self._lower) @ matrix.diagonal())


@dataclass(frozen=True)
class BlockCore(Core):
    """A sparse matrix with a block-diagonal part, which is eliminated.

    Parameters
    ----------
    matrix : CSR matrix of shape (n, n)
        The matrix.
    own : CSR matrix
        Its block-diagonal part.
    place : slice
        Place of that part.
    width : int
        Size of its blocks.
    groups : sequence of (slice, int)
        Places of the other groupings, and the widths of their blocks.
    """

    matrix: Any
    own: Any
    place: slice
    width: int
    groups: Sequence[tuple[slice, int]]

    @cached_property
    def _others(self):
        """Positions that are not eliminated."""
        return np.delete(np.arange(self.matrix.shape[0]), self.place)

    @cached_property
    def _blocks(self):
        return take_blocks(self.own, self.width)

    @cached_property
    def _inverse_blocks(self):
        return block_diagonal(invert(self._blocks))

    @cached_property
    def _eliminated(self):
        """Coefficients of the eliminated part in the others, a sparse matrix."""
        return self.matrix[self._others][:, self.place] @ self._inverse_blocks

    @cached_property
    def _next(self):
        """Factors of the Schur complement of the other parameters."""
        others = self.matrix[self._others]
        left = others[:, self._others] - self._eliminated @ others[:, self.place].T
        n_own = self.place.stop - self.place.start
        groups = []
        for place, width in self.groups:
            shift = n_own if place.start >= self.place.stop else 0
            groups.append((slice(place.start - shift, place.stop - shift), width))
        return factor_core(sparse.csr_matrix(left), groups)

    def solve(self, right: Array) -> Array:
        own, found = right[self.place], np.empty(right.shape)
        others = self._next.solve(right[self._others] - self._eliminated @ own)
        found[self._others] = others
        found[self.place] = self._inverse_blocks @ own - self._eliminated.T @ others
        return found

    @cached_property
    def log_determinant(self) -> float:
        blocks = np.linalg.slogdet(self._blocks)[1].sum()
        return float(blocks + self._next.log_determinant)

    @cached_property
    def inverse(self) -> Array:
        size = self.matrix.shape[0]
        refuse_large(2 * 8 * size**2, "covariances of the smaller groupings", _REMEDY)
        return self.solve(np.eye(size))

    def trace(self, matrix: Any) -> float:
        matrix = matrix.tocsr()
        own, others = matrix[self.place, self.place], matrix[self._others]
        mixed = others[:, self.place] @ self._eliminated.T
        rest = self._eliminated @ own @ self._eliminated.T - mixed - mixed.T
        rest = sparse.csc_matrix(rest + others[:, self._others])
        blocks = self._inverse_blocks.multiply(own).sum()
        return float(blocks + self._next.trace(rest))


@dataclass(frozen=True)
class SparseCore(Core):
    """A sparse matrix, factored in an order of little fill-in.

    Parameters
    ----------
    matrix : CSC matrix of shape (n, n)
        The matrix.
    """

    matrix: Any

    @cached_property
    def _factor(self):
        return splu(
            self.matrix,
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    def solve(self, right: Array) -> Array:
        if not right.size:
            return np.zeros_like(right)
        found: Array = self._factor.solve(right)
        return found

    @property
    def log_determinant(self) -> float:
        return float(np.log(np.abs(self._factor.U.diagonal())).sum())

    @cached_property
    def inverse(self) -> Array:
        size = self.matrix.shape[0]
        refuse_large(2 * 8 * size**2, "covariances of the smaller groupings", _REMEDY)
        return self.solve(np.eye(size))

    def trace(self, matrix: Any) -> float:
        return float(
            sum(
                matrix[:, some].multiply(columns).sum()
                for some, columns in self._columns()
            )
        )

    def _columns(self):
        """Yield ranges of columns, and these columns of the inverse."""
        size = self.matrix.shape[0]
        step = max(1, _CHUNK // size)
        for start in range(0, size, step):
            some = slice(start, min(start + step, size))
            unit = np.zeros((size, some.stop - start))
            unit[np.arange(start, some.stop), np.arange(some.stop - start)] = 1.0
            yield some, self.solve(unit)


def take_blocks(matrix: Any, width: int) -> Array:
    """Return the diagonal blocks of a block-diagonal sparse matrix."""
    if not width:
        return np.zeros((0, 0, 0))
    rows, columns, values = sparse.find(matrix)
    blocks = np.zeros((matrix.shape[0] // width, width, width))
    blocks[rows // width, rows % width, columns % width] = values
    return blocks


def _is_block_diagonal(matrix, width):
    entries = matrix.tocoo()
    return bool((entries.row // width == entries.col // width).all())


def block_diagonal(blocks: Array) -> Any:
    """Return a stack of square blocks as a block-diagonal CSR matrix."""
    n_blocks, width = blocks.shape[:2]
    if not blocks.size:
        return sparse.csr_matrix((n_blocks * width, n_blocks * width))
    if width == 1:
        return sparse.diags(blocks[:, 0, 0], format="csr")
    indices = np.arange(n_blocks)
    shape = n_blocks * width, n_blocks * width
    parts = blocks, indices, np.arange(n_blocks + 1)
    return sparse.csr_matrix(sparse.bsr_matrix(parts, shape=shape))
