"""Products of rows with the coefficients of their tasks."""

from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array

# Numbers of X per block of rows; larger blocks copy more coefficients at once.
_CHUNK = 2**20


def multiply_rows(X: Any, coef: Array, codes: Array) -> Array:
    """Return the product of each row with the coefficients of its task."""
    if sparse.issparse(X):
        rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))
        terms = X.data * coef[codes[rows], X.indices]
        products = np.bincount(rows, terms, minlength=X.shape[0])
        return products.astype(np.result_type(X, coef))
    products = np.empty(len(X), dtype=np.result_type(X, coef))
    step = max(1, _CHUNK // max(X.shape[1], 1))
    for start in range(0, len(X), step):
        part = slice(start, start + step)
        products[part] = np.einsum("ij,ij->i", X[part], coef[codes[part]])
    return products
