"""Factors of the equations that are left once the large grouping is eliminated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import splu

from skmtl._contracts import Array
from skmtl._memory import refuse_large

# Factor matrices up to this size, or with more than this share of entries, as dense.
_DENSE_SIZE = 2500
_DENSE_SHARE = 0.1
# Compute so many numbers of an inverse at a time.
_CHUNK = 2**22
_REMEDY = (
    "Give infinite strengths to features that need no own coefficients, or use "
    "method='reml' of a model with fewer labels."
)


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

    @property
    @abstractmethod
    def diagonal(self) -> Array:
        """Return the diagonal of the inverse."""

    @abstractmethod
    def trace(self, matrix: Any) -> float:
        """Return the trace of the inverse times a symmetric CSC matrix."""


def factor_core(matrix: Any) -> Core:
    """Factor a sparse positive definite matrix.

    Parameters
    ----------
    matrix : CSR matrix of shape (n, n)
        The matrix.

    Returns
    -------
    Core
        Its factors: dense ones if it is small or has many entries.
    """
    size = matrix.shape[0]
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
            raise ValueError(
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
        return below + below.T + np.diag(self.diagonal)

    @property
    def diagonal(self) -> Array:
        return np.diag(self._lower)

    def trace(self, matrix: Any) -> float:
        rows, columns, values = sparse.find(sparse.tril(matrix, -1))
        sides = 2 * (self._lower[rows, columns] @ values)
        return float(sides + self.diagonal @ matrix.diagonal())


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

    @property
    def diagonal(self) -> Array:
        size = self.matrix.shape[0]
        parts = [columns[rows] for rows, columns in self._columns()]
        diagonals = [np.diag(part) for part in parts]
        return np.concatenate([*diagonals, np.zeros(0)])[:size]

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
