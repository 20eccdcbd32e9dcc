"""Scatters of sparse rows as operators, and their blocks."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from skmtl._linalg import diagonals
from skmtl._memory import is_large
from skmtl.data import BlockRows

from ._blocks import GramBlocks, SquaredBlocks

# Form Hessians of a working set up to this many numbers.
_MOST_NUMBERS = 2**23


def keeps_sparse(data):
    """Return whether rows are sparse, and far smaller than if dense.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.

    Returns
    -------
    bool
        Whether operators should use the sparse rows directly.
    """
    n_rows, n_features = data.X.shape
    return sparse.issparse(data.X) and is_large(n_rows * n_features, data.X.nnz)


def stays_sparse(data):
    """Return whether scatters of sparse rows would be far larger than the rows.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.

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
    """Multiply by the scatters of sparse rows, centred implicitly.

    Parameters
    ----------
    data : TaskRows
        Rows of tasks, with task weights.
    fit_intercept : bool
        Whether rows are centred.
    """

    data: object
    fit_intercept: bool

    @cached_property
    def rows(self):
        """The rows of all features."""
        return self._centre(self.data.block().times(self.root))

    def some(self, features):
        """Select features of the rows."""
        return self._centre(self.block(features))

    def block(self, features):
        """Return some features, scaled by root weights."""
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
    def root(self):
        """Root weights of the rows, those of the tasks included."""
        weight = np.ones(len(self.data.y))
        if self.data.weight is not None:
            weight = np.asarray(self.data.weight, dtype=float)
        if self.data.task_weight is not None:
            weight = weight * self.data.task_weight[self.codes]
        return np.sqrt(weight)

    @cached_property
    def codes(self):
        """Task of each row."""
        return np.repeat(np.arange(len(self.data.tasks)), np.diff(self.data.offsets))

    def curve(self, W):
        """Return ``S_t w_t`` of every task, shape (n_tasks, n_features)."""
        return self.rows.pull_back(self.rows.predict(W))

    def bound(self):
        """Return an upper bound on the eigenvalues of the scatters."""
        return self.rows.bound()

    def blocks(self, features, scale, pulled, start, ridge):
        """Return the loss for some features, by Gram matrices if they are few."""
        n_tasks, n_rows = len(self.data.tasks), np.diff(self.data.offsets).max()
        small = n_tasks * len(features) ** 2 <= _MOST_NUMBERS
        if small and len(features) <= n_rows:
            rows = self.some(features)
            curved = scale * scatters(rows.block, rows.mean, rows.weight)
            return GramBlocks(curved, pulled, start, ridge)
        return SparseBlocks(self, features, scale, pulled, start, ridge)


@dataclass(frozen=True)
class CentredRows:
    """Multiply by some features of sparse rows, scaled and implicitly centred.

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

    block: object
    mean: np.ndarray
    weight: np.ndarray
    root: np.ndarray
    codes: np.ndarray

    def predict(self, W):
        """Return the products of all rows with the coefficients of their tasks."""
        shift = (self.mean * W).sum(axis=1)
        return self.block.predict(W[:, None])[:, 0] - self.root * shift[self.codes]

    def pull_back(self, values):
        """Return the adjoint of `predict`, shape (n_tasks, n_features)."""
        inner = self.block.pull_back(values[:, None])[:, 0]
        total = np.bincount(self.codes, self.root * values, minlength=len(inner))
        return inner - total[:, None] * self.mean

    def diagonals(self):
        """Return the diagonals of the scatters, (n_tasks, n_features)."""
        ones = np.ones((len(self.codes), 1))
        found = self.block.squared.pull_back(ones)[:, 0]
        return np.maximum(found - self.weight[:, None] * self.mean**2, 0.0)

    def bound(self):
        """Return an upper bound on the eigenvalues of the scatters.

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
    """A squared loss of sparse rows.

    Its state is the uncentred predictions of all rows and, last, their mean per task.

    Parameters
    ----------
    design : SparseDesign
        The rows.
    features : ndarray of shape (n_features,)
        Selected features.
    scale : float
        Factor of the loss.
    """

    is_compact = False

    def __init__(self, design, features, scale, pulled, start, ridge):
        self.design = design
        self.features = features
        self.scale = scale
        self.pulled = pulled
        self.start = start
        self.ridge = ridge
        self._known = {}

    def restrict(self, features):
        """Return the loss of some features."""
        return self.design.blocks(
            self.features[features],
            self.scale,
            self.pulled[:, features],
            self.start,
            self.ridge,
        )

    def _read(self, block):
        """Return the nonzero rows of a block of features, their values, and means.

        The first two are cached.
        """
        place = block.start, block.stop
        if place not in self._known:
            block_rows = self.design.block(self.features[block])
            touched = np.flatnonzero(np.diff(block_rows.matrix.indptr))
            packed = BlockRows(block_rows.matrix[touched], block_rows.n_tasks)
            self._known[place] = touched, packed
        return *self._known[place], self._mean[:, block]

    @cached_property
    def _whole(self):
        return self.design.some(self.features)

    @property
    def _mean(self):
        return self._whole.mean

    @cached_property
    def diagonal(self):
        """Largest curvature along each feature, without the ridge."""
        return self.scale * self._whole.diagonals().max(axis=0)

    def state_at(self, W):
        """Return the state at W."""
        raw = self._whole.block.predict(W[:, None])[:, 0]
        return np.append(raw, (self._mean * W).sum(axis=1))

    def value_at(self, W, state):
        """Return the value at W without its gradient."""
        n_tasks, design = len(W), self.design
        left = state[:-n_tasks] - design.root * state[-n_tasks:][design.codes]
        return self._level(W, self.scale * np.vdot(left, left))

    def block_gradient(self, W, state, block):
        """Return the gradient along the features of a block."""
        touched, rows, mean = self._read(block)
        shift = self._whole.weight * state[-len(W) :]
        inner = rows.pull_back(state[touched][:, None])[:, 0] - shift[:, None] * mean
        return self.scale * inner + self.ridge * W[:, block] - self.pulled[:, block]

    def update(self, state, block, step):
        """Update the state after a step of a block."""
        touched, rows, mean = self._read(block)
        state[touched] += rows.predict(step[:, None])[:, 0]
        state[-len(step) :] += (mean * step).sum(axis=1)

    def hessian(self, block):
        """Return the Hessian within a block."""
        _, rows, mean = self._read(block)
        curved = self.scale * scatters(rows, mean, self._whole.weight)
        diagonals(curved)[...] += self.ridge
        return curved


def scatters(block, mean, weight):
    """Return scatters of centred rows, with nonnegative diagonals."""
    found = block.products()
    found -= (weight[:, None] * mean)[:, :, None] * mean[:, None, :]
    np.maximum(diagonals(found), 0.0, out=diagonals(found))
    return found
