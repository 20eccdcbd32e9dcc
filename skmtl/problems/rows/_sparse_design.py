"""Scatter matrices and feature blocks of sparse rows, which stay sparse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite, diagonals
from skmtl._memory import is_large, refuse_large
from skmtl.data import BlockRows

from ._blocks import GramBlocks, SquaredBlocks

# Form Hessians of a working set up to this many numbers.
_MOST_NUMBERS = 2**23
_NO_CENTRE = (
    "Leave alpha_shared at infinity, reduce the columns with TruncatedSVD, or use a "
    "MeanRegularized model, which forms no such matrix."
)


def keeps_sparse(data: Any) -> bool:
    """Return whether rows are sparse and would be far larger if dense.

    Parameters
    ----------
    data : TaskData
        Rows of the tasks.

    Returns
    -------
    bool
        Whether operators should use the sparse rows directly.
    """
    n_rows, n_features = data.X.shape
    return sparse.issparse(data.X) and is_large(n_rows * n_features, data.X.nnz)


def stays_sparse(data: Any) -> bool:
    """Return whether scatter matrices of sparse rows would be far larger than the rows.

    Parameters
    ----------
    data : TaskData
        Rows of the tasks.

    Returns
    -------
    bool
        Whether to avoid forming moments.
    """
    n_matrices = 1 if data.shares_moments else len(data.tasks)
    numbers = n_matrices * data.X.shape[1] ** 2
    return keeps_sparse(data) and is_large(numbers, data.X.nnz)


@dataclass(frozen=True)
class SparseDesign:
    """Scatter matrices of sparse rows, which are centred implicitly.

    Parameters
    ----------
    data : TaskRows
        Rows of the tasks, with task weights.
    fit_intercept : bool
        Whether rows are centred.
    """

    data: Any
    fit_intercept: bool

    @cached_property
    def rows(self) -> CentredRows:
        """The rows with all features."""
        return self._centre(self.data.block().times(self.root))

    def select(self, features: Array) -> CentredRows:
        """Return the rows with some features."""
        return self._centre(self.block(features))

    def block(self, features: Array) -> BlockRows:
        """Return some features, scaled by root weights but not centred."""
        n_tasks = len(self.data.tasks)
        return BlockRows.of_columns(self._columns[:, features], self.codes, n_tasks)

    @cached_property
    def _columns(self):
        """All features, scaled by root weights, in a format that is fast to index."""
        data = self.data
        X = data.X if data.rows is None else data.X[data.rows]
        return sparse.csc_array(sparse.diags_array(self.root) @ X)

    def _centre(self, block):
        mean = np.zeros((block.n_tasks, block.n_features))
        weight = np.bincount(self.codes, self.root**2, minlength=len(mean))
        if self.fit_intercept:
            total = block.pull_back(self.root[:, None])[:, 0]
            mean = total / np.where(weight > 0, weight, 1.0)[:, None]
        return CentredRows(block, mean, weight, self.root, self.codes)

    @cached_property
    def root(self) -> Array:
        """Square roots of the weights of the rows, which include task weights."""
        weight = np.ones(len(self.data.y))
        if self.data.weight is not None:
            weight = np.asarray(self.data.weight, dtype=float)
        if self.data.task_weight is not None:
            weight = weight * self.data.task_weight[self.codes]
        return np.sqrt(weight)

    @cached_property
    def codes(self) -> Array:
        """Task of each row."""
        return np.repeat(np.arange(len(self.data.tasks)), np.diff(self.data.offsets))

    def curve(self, W: Array) -> Array:
        """Return ``S_t w_t`` of every task, shape (n_tasks, n_features)."""
        return self.rows.pull_back(self.rows.predict(W))

    def bound(self) -> float:
        """Return an upper bound on the eigenvalues of the matrices."""
        return self.rows.bound()

    def total(self, W: Array) -> Array:
        """Return ``sum_t S_t w_t``, shape (n_features,)."""
        return self.curve(W).sum(axis=0)

    def pooled(self, n_tasks: int, rows: Array, ridge: float) -> Semidefinite:
        """Return ``sum_t S_t + rows' rows + ridge I``, factored."""
        n_features = rows.shape[1]
        what = f"the centre of {n_features:,} features"
        refuse_large(16 * n_features**2, what, _NO_CENTRE)
        columns, mean = self._columns, self.rows.mean
        total = (columns.T @ columns).toarray()
        total -= (mean.T * self.rows.weight) @ mean
        return Semidefinite(total + rows.T @ rows + ridge * np.eye(n_features))

    def blocks(
        self, features: Array, scale: float, right: Array, start: float, ridge: float
    ) -> SquaredBlocks:
        """Return the losses of some features, from Gram matrices if these are few."""
        n_tasks, n_rows = len(self.data.tasks), np.diff(self.data.offsets).max()
        is_small = n_tasks * len(features) ** 2 <= _MOST_NUMBERS
        if is_small and len(features) <= n_rows:
            rows = self.select(features)
            hessians = scale * scatters(rows.block, rows.mean, rows.weight)
            return GramBlocks(hessians, right, start, ridge)
        return SparseBlocks(self, features, scale, right, start, ridge)


@dataclass(frozen=True)
class CentredRows:
    """Sparse rows with some features, scaled and implicitly centred.

    Parameters
    ----------
    block : BlockRows
        The rows, scaled but not centred.
    mean : ndarray of shape (n_tasks, n_features)
        Subtracted from the features of each task.
    weight : ndarray of shape (n_tasks,)
        Weight of each task.
    root : ndarray of shape (n_samples,)
        Root weights.
    codes : ndarray of shape (n_samples,)
        Task of each row.
    """

    block: BlockRows
    mean: Array
    weight: Array
    root: Array
    codes: Array

    def predict(self, W: Array) -> Array:
        """Return the products of all rows with the coefficients of their tasks."""
        shift = (self.mean * W).sum(axis=1)
        return self.block.predict(W[:, None])[:, 0] - self.root * shift[self.codes]

    def pull_back(self, values: Array) -> Array:
        """Return the adjoint of `predict`, shape (n_tasks, n_features)."""
        inner = self.block.pull_back(values[:, None])[:, 0]
        total = np.bincount(self.codes, self.root * values, minlength=len(inner))
        return inner - total[:, None] * self.mean

    def diagonals(self) -> Array:
        """Return the diagonals of the scatter matrices, (n_tasks, n_features)."""
        ones = np.ones((len(self.codes), 1))
        squares = self.block.squared.pull_back(ones)[:, 0]
        return np.maximum(squares - self.weight[:, None] * self.mean**2, 0.0)

    def bound(self) -> float:
        """Return an upper bound on the eigenvalues of the scatter matrices.

        It is the product of the largest row sum and column sum, or the trace.
        """
        size = abs(self.block.matrix)
        n_tasks = len(self.mean)
        columns = size.sum(axis=0).reshape(n_tasks, -1).max(axis=1, initial=0.0)
        rows = np.zeros(n_tasks)
        np.maximum.at(rows, self.codes, size.sum(axis=1))
        traces = self.diagonals().sum(axis=1)
        return float(np.minimum(columns * rows, traces).max(initial=0.0))


class SparseBlocks(SquaredBlocks):
    """Squared losses of sparse rows.

    The state is the uncentred predictions of all rows and, last, their mean per task.

    Parameters
    ----------
    design : SparseDesign
        The rows.
    features : ndarray of shape (n_features,)
        Selected features.
    scale : float
        Factor of the losses.
    right : ndarray of shape (n_tasks, n_features)
        Right side of the normal equations.
    start : float
        Value at zero.
    ridge : float
        Strength of the ridge.
    """

    is_compact = False

    def __init__(
        self,
        design: SparseDesign,
        features: Array,
        scale: float,
        right: Array,
        start: float,
        ridge: float,
    ) -> None:
        self.design = design
        self.features = features
        self.scale = scale
        self.right = right
        self.start = start
        self.ridge = ridge

    def restrict(self, features: Array) -> SquaredBlocks:
        """Return the losses of some features."""
        return self.design.blocks(
            self.features[features],
            self.scale,
            self.right[:, features],
            self.start,
            self.ridge,
        )

    @cached_property
    def _packed(self):
        """Nonzero rows of each block, and of all features: positions and values."""
        ends = [(0, self.shape[1]), *((b.start, b.stop) for b in self.blocks)]
        return {pair: self._pack(slice(*pair)) for pair in dict.fromkeys(ends)}

    def _pack(self, block):
        rows = self.design.block(self.features[block])
        nonzero = np.flatnonzero(np.diff(rows.matrix.indptr))
        return nonzero, BlockRows(rows.matrix[nonzero], rows.n_tasks)

    def _read(self, block):
        """Return the nonzero rows of a block: positions, values, means of features."""
        nonzero, rows = self._packed[block.start, block.stop]
        return nonzero, rows, self._rows.mean[:, block]

    @cached_property
    def _rows(self):
        return self.design.select(self.features)

    @cached_property
    def diagonal(self) -> Array:
        """Largest curvature along each feature, without the ridge."""
        return self.scale * self._rows.diagonals().max(axis=0)

    def state_at(self, W: Array) -> Array:
        """Return the state at W."""
        raw = self._rows.block.predict(W[:, None])[:, 0]
        return np.append(raw, (self._rows.mean * W).sum(axis=1))

    def value_at(self, W: Array, state: Array) -> float:
        """Return the value at W without its gradient."""
        n_tasks, design = len(W), self.design
        centred = state[:-n_tasks] - design.root * state[-n_tasks:][design.codes]
        return self._value(W, self.scale * np.vdot(centred, centred))

    def block_gradient(self, W: Array, state: Array, block: slice) -> Array:
        """Return the gradient along the features of a block."""
        nonzero, rows, mean = self._read(block)
        shift = self._rows.weight * state[-len(W) :]
        inner = rows.pull_back(state[nonzero][:, None])[:, 0] - shift[:, None] * mean
        return self.scale * inner + self.ridge * W[:, block] - self.right[:, block]

    def update(self, state: Array, block: slice, step: Array) -> None:
        """Update the state in place after a step of a block."""
        nonzero, rows, mean = self._read(block)
        state[nonzero] += rows.predict(step[:, None])[:, 0]
        state[-len(step) :] += (mean * step).sum(axis=1)

    def hessian(self, block: slice) -> Array:
        """Return the Hessian within a block."""
        _, rows, mean = self._read(block)
        hessians = self.scale * scatters(rows, mean, self._rows.weight)
        diagonals(hessians)[...] += self.ridge
        return hessians


def scatters(block, mean, weight):
    """Return scatter matrices of centred rows, with nonnegative diagonals."""
    products = block.products()
    products -= (weight[:, None] * mean)[:, :, None] * mean[:, None, :]
    np.maximum(diagonals(products), 0.0, out=diagonals(products))
    return products
