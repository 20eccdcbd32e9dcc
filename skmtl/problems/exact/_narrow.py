"""Fewer rows than features, in an orthonormal basis of their span."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from scipy import linalg, sparse

from skmtl._contracts import Array
from skmtl._memory import is_large


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
        X = data.X.toarray() if sparse.issparse(data.X) else data.X
        basis, inner = linalg.qr(X.T.astype(float), mode="economic", overwrite_a=True)
        data = replace(data, X=inner.T, width=n_features)
    if not data.shares_moments:
        stacked = data.stacked()
        data = replace(stacked, rooted=True)
    return ReducedRows(data, basis)
