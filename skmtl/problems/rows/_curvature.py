"""Scatter matrices of the features of tasks, as operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite, Wide, apply
from skmtl._numbers import FEW_FEATURES, FEW_ROWS_TO_MULTIPLY

from ._sparse_design import SparseDesign, keeps_sparse, stays_sparse


@dataclass(frozen=True)
class MomentCurvature:
    """Scatter matrices of the tasks, from moments.

    Parameters
    ----------
    xx : ndarray of shape (n_tasks or 1, n_features, n_features)
        The matrices.
    """

    xx: Array

    def curve(self, W: Array) -> Array:
        """Return ``S_t w_t`` of every task, shape (n_tasks, n_features)."""
        return apply(self.xx, W)

    def bound(self) -> float:
        """Return an upper bound on the eigenvalues of the matrices."""
        return float(_bounds(self.xx).max(initial=0.0))

    def total(self, W: Array) -> Array:
        """Return ``sum_t S_t w_t``, shape (n_features,)."""
        if len(self.xx) == 1:
            return W.sum(axis=0) @ self.xx[0]
        return W.ravel() @ self.xx.reshape(W.size, -1)

    def pooled(self, n_tasks: int, rows: Array, ridge: float) -> Semidefinite | Wide:
        """Return ``sum_t S_t + rows' rows + ridge I``, factored.

        Parameters
        ----------
        n_tasks : int
            Number of tasks.
        rows : ndarray of shape (n_rows, n_features)
            Further rows.
        ridge : float
            Strength of the ridge.

        Returns
        -------
        Semidefinite or Wide
            The factored matrix.
        """
        total = self.xx.sum(axis=0) * (n_tasks / len(self.xx))
        return Semidefinite(total + rows.T @ rows + ridge * np.eye(total.shape[0]))


@dataclass(frozen=True)
class RowCurvature:
    """Scatter matrices of tasks with fewer rows than features, from rows.

    Parameters
    ----------
    groups : list of (tasks, rows)
        Tasks with equally many rows, and their rows (n_tasks, n_rows, n_features),
        centred and scaled by the square roots of their weights.
    """

    groups: Sequence[tuple[Any, Array]]

    def curve(self, W: Array) -> Array:
        """Return ``S_t w_t`` of every task, shape (n_tasks, n_features)."""
        products = np.zeros_like(W)
        for tasks, X in self.groups:
            z = np.matmul(X, W[tasks][:, :, None])
            products[tasks] = np.matmul(z.transpose(0, 2, 1), X)[:, 0]
        return products

    def bound(self) -> float:
        """Return an upper bound on the eigenvalues of the matrices."""
        grams = (np.matmul(X, X.transpose(0, 2, 1)) for _, X in self.groups)
        return float(max((_bounds(gram).max() for gram in grams), default=0.0))

    def total(self, W: Array) -> Array:
        """Return ``sum_t S_t w_t``, shape (n_features,)."""
        return self.curve(W).sum(axis=0)

    def pooled(self, n_tasks: int, rows: Array, ridge: float) -> Semidefinite | Wide:
        """Return ``sum_t S_t + rows' rows + ridge I``, factored."""
        n_features = rows.shape[1]
        stacks = [X.reshape(-1, n_features) for _, X in self.groups]
        return _factor_rows(np.concatenate([*stacks, rows]), ridge)


@dataclass(frozen=True)
class DesignCurvature:
    """Scatter matrix of one design for all tasks, from rows.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows, centred and scaled by the square roots of their weights.
    """

    X: Array

    def curve(self, W: Array) -> Array:
        """Return ``S w_t`` of every task, shape (n_tasks, n_features)."""
        return (W @ self.X.T) @ self.X

    def bound(self) -> float:
        """Return an upper bound on the eigenvalues of the matrix."""
        return float(_bounds((self.X @ self.X.T)[None]).max(initial=0.0))

    def total(self, W: Array) -> Array:
        """Return ``sum_t S_t w_t``, shape (n_features,)."""
        return self.curve(W).sum(axis=0)

    def pooled(self, n_tasks: int, rows: Array, ridge: float) -> Semidefinite | Wide:
        """Return ``sum_t S_t + rows' rows + ridge I``, factored."""
        return _factor_rows(np.concatenate([np.sqrt(n_tasks) * self.X, rows]), ridge)


def prefers_rows(data: Any) -> bool:
    """Return whether products with rows are cheaper than with scatter matrices.

    Parameters
    ----------
    data : TaskData
        Rows of the tasks.

    Returns
    -------
    bool
        Whether tasks have far fewer rows than features.
    """
    if stays_sparse(data):
        return True
    n_rows, n_features = data.mean_rows(), data.X.shape[1]
    return n_features > FEW_FEATURES and n_rows < FEW_ROWS_TO_MULTIPLY * n_features


def row_curvature(
    data: Any, fit_intercept: bool = True
) -> RowCurvature | DesignCurvature | SparseDesign:
    """Return the scatter matrices of rows, centred if there are intercepts.

    Parameters
    ----------
    data : TaskData
        Rows of the tasks; their task weights apply.
    fit_intercept : bool, default=True
        Whether rows are centred.

    Returns
    -------
    RowCurvature, DesignCurvature or SparseDesign
        The operator.
    """
    if keeps_sparse(data):
        data = data.stacked()
        return SparseDesign(data, fit_intercept)
    n_blocks, groups = data.roots(fit_intercept)
    groups = list(groups)
    if n_blocks == 1:
        return DesignCurvature(groups[0][1][0])
    return RowCurvature(groups)


def _factor_rows(rows, ridge):
    """Return ``rows' rows + ridge I``, factored."""
    if len(rows) < rows.shape[1]:
        return Wide(rows, ridge)
    return Semidefinite(rows.T @ rows + ridge * np.eye(rows.shape[1]))


def _bounds(matrices):
    """Return upper bounds on the eigenvalues of symmetric matrices, from two norms."""
    columns = np.abs(matrices).sum(axis=1).max(axis=1, initial=0.0)
    return np.minimum(columns, np.linalg.norm(matrices, axis=(1, 2)))
