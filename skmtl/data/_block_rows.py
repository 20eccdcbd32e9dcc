"""Rows of several tasks as one sparse block matrix."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy import sparse

from skmtl._contracts import Array


@dataclass(frozen=True)
class BlockRows:
    """Linear operator from the coefficients of all tasks to raw predictions.

    Parameters
    ----------
    matrix : CSR matrix of shape (n_samples, n_tasks * n_features)
        Block matrix: the rows of each task are in the task's own columns.
    n_tasks : int
        Number of tasks.
    """

    matrix: sparse.csr_array
    n_tasks: int

    @classmethod
    def of(cls, data: Any, features: Any = None, ones: bool = False) -> Self:
        """Return the operator of a TaskRows, of some features if these are given.

        With `ones`, each task gets a constant feature in the last place.
        """
        X = data.X if data.rows is None else data.X[data.rows]
        X = sparse.csr_array(X if features is None else X[:, features])
        if ones:
            last = sparse.csr_array(np.ones((X.shape[0], 1)))
            X = sparse.hstack([X, last], format="csr")
        n_tasks, n_columns = len(data.tasks), X.shape[1]
        sizes = X.indptr[data.offsets[1:]] - X.indptr[data.offsets[:-1]]
        shift = n_columns * np.repeat(np.arange(n_tasks), sizes)
        indices = X.indices + shift
        shape = X.shape[0], n_tasks * n_columns
        if max(shape) < 2**31:
            indices = indices.astype(np.int32)
        matrix = sparse.csr_array(
            (X.data.astype(float, copy=False), indices, X.indptr), shape=shape
        )
        return cls(matrix, n_tasks)

    @classmethod
    def of_columns(cls, X: Any, codes: Array, n_tasks: int) -> Self:
        """Return the operator of X (n_samples, n_features) and the task of each row."""
        X, size = X.tocoo(), X.shape[1]
        row, column = X.coords
        place = row, codes[row] * size + column
        shape = X.shape[0], n_tasks * size
        return cls(sparse.csr_array((X.data, place), shape=shape), n_tasks)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return self.matrix.shape[1] // self.n_tasks

    @cached_property
    def squared(self) -> "BlockRows":
        """Operator of the squared features."""
        data = self.matrix.data**2
        parts = data, self.matrix.indices, self.matrix.indptr
        return BlockRows(sparse.csr_array(parts, self.matrix.shape), self.n_tasks)

    def times(self, factor: Array) -> "BlockRows":
        """Return the operator with each row multiplied by its factor."""
        n_entries = np.diff(self.matrix.indptr)
        data = self.matrix.data * np.repeat(factor, n_entries)
        parts = data, self.matrix.indices, self.matrix.indptr
        return BlockRows(sparse.csr_array(parts, self.matrix.shape), self.n_tasks)

    def predict(self, W: Array) -> Array:
        """Return the products of the rows with W (n_tasks, n_outputs, n_features)."""
        flat = W.swapaxes(1, 2).reshape(self.matrix.shape[1], -1)
        return self.matrix @ flat

    def pull_back(self, slopes: Array) -> Array:
        """Apply the adjoint of `predict` to slopes (n_samples, n_outputs)."""
        inner = self.matrix.T @ slopes
        return inner.reshape(self.n_tasks, self.n_features, -1).swapaxes(1, 2)

    def products(self) -> Array:
        """Return the dense Gram matrix of the columns of each task."""
        n_tasks, size = self.n_tasks, self.n_features
        found = (self.matrix.T @ self.matrix).tocoo()
        row, column = found.coords
        total = np.zeros((n_tasks, size, size))
        total[row // size, row % size, column % size] = found.data
        return total
