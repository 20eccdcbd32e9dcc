"""Scatters of the features of tasks, as operators."""

from dataclasses import dataclass

import numpy as np

from skmtl._linalg import apply
from skmtl._numbers import FEW_FEATURES, FEW_ROWS_TO_MULTIPLY

from ._sparse_design import SparseDesign, keeps_sparse, stays_sparse


@dataclass(frozen=True)
class MomentCurvature:
    """Multiply by the scatters of the tasks, as they are.

    Parameters
    ----------
    xx : ndarray of shape (n_tasks or 1, n_features, n_features)
        Scatters.
    """

    xx: np.ndarray

    def curve(self, W):
        """Return ``S_t w_t`` of every task, shape (n_tasks, n_features)."""
        return apply(self.xx, W)

    def bound(self):
        """Return a number no smaller than any eigenvalue of a scatter."""
        return float(_bounds(self.xx).max(initial=0.0))


@dataclass(frozen=True)
class RowCurvature:
    """Multiply by the scatters of tasks that have fewer rows than features.

    Parameters
    ----------
    groups : list of (tasks, rows)
        Tasks with equally many rows, and these, of shape (n_tasks, n_rows,
        n_features), centred and scaled by their root weights.
    """

    groups: list

    def curve(self, W):
        """Return ``S_t w_t`` of every task, shape (n_tasks, n_features)."""
        curved = np.zeros_like(W)
        for tasks, X in self.groups:
            z = np.matmul(X, W[tasks][:, :, None])
            curved[tasks] = np.matmul(z.transpose(0, 2, 1), X)[:, 0]
        return curved

    def bound(self):
        """Return a number no smaller than any eigenvalue of a scatter."""
        grams = (np.matmul(X, X.transpose(0, 2, 1)) for _, X in self.groups)
        return float(max((_bounds(gram).max() for gram in grams), default=0.0))


@dataclass(frozen=True)
class DesignCurvature:
    """Multiply by the scatter of one design that serves all tasks.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows, centred and scaled by their root weights.
    """

    X: np.ndarray

    def curve(self, W):
        """Return ``S w_t`` of every task, shape (n_tasks, n_features)."""
        return (W @ self.X.T) @ self.X

    def bound(self):
        """Return a number no smaller than any eigenvalue of the scatter."""
        return float(_bounds((self.X @ self.X.T)[None]).max(initial=0.0))


def prefers_rows(data):
    """Return whether tasks have so few rows that multiplying by these is cheaper."""
    if stays_sparse(data):
        return True
    n_rows, n_features = data.mean_rows(), data.X.shape[1]
    return n_features > FEW_FEATURES and n_rows < FEW_ROWS_TO_MULTIPLY * n_features


def row_curvature(data, fit_intercept=True):
    """Return the curvature of rows, centred if there are intercepts.

    Parameters
    ----------
    data : TaskData
        Rows of tasks, whose task weights count.
    fit_intercept : bool, default=True
        Whether rows are centred.

    Returns
    -------
    RowCurvature, DesignCurvature or SparseDesign
        The operator.
    """
    if keeps_sparse(data):
        data = data.stacked() if data.shares_rows else data
        return SparseDesign(data, fit_intercept)
    n_blocks, groups = data.roots(fit_intercept)
    groups = list(groups)
    if n_blocks == 1:
        return DesignCurvature(groups[0][1][0])
    return RowCurvature(groups)


def _bounds(matrices):
    """Return norms that bound the eigenvalues of symmetric matrices."""
    columns = np.abs(matrices).sum(axis=1).max(axis=1, initial=0.0)
    return np.minimum(columns, np.linalg.norm(matrices, axis=(1, 2)))
