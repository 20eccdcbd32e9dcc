"""Fewer rows than features, in an orthonormal basis of their span."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import linalg, sparse

from skmtl._contracts import Array
from skmtl._memory import is_large
from skmtl.data import TaskMoments

# Change the basis if the rows are at most this share of the features.
_NARROW = 0.5


@dataclass(frozen=True)
class ReducedRows:
    """Rows in an orthonormal basis, so that norms of coefficients are preserved.

    If every feature is penalised equally, the optimum lies in the span of the rows.

    Parameters
    ----------
    data : TaskData
        The rows, in basis coordinates if there is a basis.
    basis : ndarray of shape (n_features, n_directions) or None
        The basis; None if the rows are unchanged.
    """

    data: Any
    basis: Array | None

    def restore(self, coef: Array) -> Array:
        """Convert coefficients to the original features, (..., n_features)."""
        return coef if self.basis is None else coef @ self.basis.T


def reduce_features(data: Any) -> ReducedRows | None:
    """Convert rows to a form that needs no matrix of all features.

    Parameters
    ----------
    data : TaskData
        Rows of the tasks.

    Returns
    -------
    ReducedRows or None
        The rows; None if matrices of the features are not much larger than the rows.
    """
    n_rows, n_features = data.X.shape
    n_matrices = 1 if data.shares_moments else len(data.tasks)
    n_data = data.X.nnz if sparse.issparse(data.X) else data.X.size
    if not is_large(n_matrices * n_features**2, n_data):
        return None
    basis = None
    if n_rows < n_features:
        basis, inner = _find_basis(data.X)
        data = replace(data, X=inner.T, width=n_features)
    if not data.shares_moments:
        stacked = data.stacked()
        data = replace(stacked, rooted=True)
    return ReducedRows(data, basis)


def reduce_moments(moments: TaskMoments, data: Any) -> TaskMoments:
    """Convert moments to a basis of their rows, if these are far fewer than features.

    Parameters
    ----------
    moments : TaskMoments
        Moments of all features.
    data : TaskData or None
        Their rows; None leaves the moments unchanged.

    Returns
    -------
    TaskMoments
        Moments with the same fits and likelihoods, if every feature is penalised
        equally.
    """
    n_features = moments.n_features
    if data is None or moments.xx is None or moments.width is not None:
        return moments
    if data.X.shape[0] > _NARROW * n_features:
        return moments
    basis, _ = _find_basis(data.X)
    return replace(moments.turned(basis, np.zeros(n_features)), width=n_features)


def _find_basis(X):
    """Return an orthonormal basis of rows, and their coordinates as columns."""
    X = X.toarray() if sparse.issparse(X) else X
    return linalg.qr(X.T.astype(float), mode="economic", overwrite_a=True)
