"""Rows of several tasks as one sparse operator on the stacked coefficients."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class BlockRows:
    """A sparse operator that multiplies rows by the coefficients of their tasks.

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
    def of(cls, data, features=None, ones=False):
        """Return the operator of a TaskRows, for selected features if given.

        With `ones`, a constant feature is appended for each task.
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
    def of_columns(cls, X, codes, n_tasks):
        """Return the operator of columns (n_samples, n_features), given task codes."""
        X, size = X.tocoo(), X.shape[1]
        row, column = X.coords
        place = row, codes[row] * size + column
        shape = X.shape[0], n_tasks * size
        return cls(sparse.csr_array((X.data, place), shape=shape), n_tasks)

    @property
    def n_features(self):
        """Number of features."""
        return self.matrix.shape[1] // self.n_tasks

    @cached_property
    def squared(self):
        """The operator of the squared features."""
        data = self.matrix.data**2
        parts = data, self.matrix.indices, self.matrix.indptr
        return BlockRows(sparse.csr_array(parts, self.matrix.shape), self.n_tasks)

    def times(self, factor):
        """Return the operator with rows scaled by factors."""
        n_entries = np.diff(self.matrix.indptr)
        data = self.matrix.data * np.repeat(factor, n_entries)
        parts = data, self.matrix.indices, self.matrix.indptr
        return BlockRows(sparse.csr_array(parts, self.matrix.shape), self.n_tasks)

    def predict(self, W):
        """Return the products of rows with W (n_tasks, n_outputs, n_features)."""
        flat = W.swapaxes(1, 2).reshape(self.matrix.shape[1], -1)
        return self.matrix @ flat

    def pull_back(self, slopes):
        """Return the adjoint of `predict`, for slopes (n_samples, n_outputs)."""
        inner = self.matrix.T @ slopes
        return inner.reshape(self.n_tasks, self.n_features, -1).swapaxes(1, 2)

    def products(self):
        """Return the dense products of the columns of each task."""
        n_tasks, size = self.n_tasks, self.n_features
        found = (self.matrix.T @ self.matrix).tocoo()
        row, column = found.coords
        total = np.zeros((n_tasks, size, size))
        total[row // size, row % size, column % size] = found.data
        return total
