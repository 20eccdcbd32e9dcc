"""Standardised features, and curves of them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import clone

from skmtl._contracts import Array

# A function with a smaller spread, relative to its size, is constant.
_CONSTANT = 1e-10


@dataclass(frozen=True)
class Scale:
    """Standardise the columns of an array; those that are constant become zero.

    Parameters
    ----------
    mean, spread : ndarray of shape (n_columns,)
        Means and standard deviations of the training rows; the latter 1 for a column
        that is constant.
    varies : ndarray of shape (n_columns,), dtype bool
        Whether each column varies.
    """

    mean: Array
    spread: Array
    varies: Array

    @classmethod
    def of(cls, X: Array, weight: Array) -> Self:
        """Measure the columns of training rows, with weights."""
        mean = np.average(X, axis=0, weights=weight)
        spread = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
        varies = spread > _CONSTANT * np.abs(X).max(axis=0)
        return cls(mean, np.where(varies, spread, 1.0), varies)

    def apply(self, X: Array) -> Array:
        """Return standardised rows."""
        return (X - self.mean) / self.spread


@dataclass(frozen=True)
class Curves:
    """Map rows to their standardised features, followed by functions of them.

    Parameters
    ----------
    features : Scale
        Of the features.
    basis : transformer or None
        Fitted to standardised features; None for no functions.
    functions : Scale or None
        Of the functions.
    """

    features: Scale
    basis: Any
    functions: Any

    @classmethod
    def fit(cls, basis: Any, X: Array, weight: Array) -> Self:
        """Fit a clone of the basis to training rows that have weight."""
        used = weight > 0
        X, weight = X[used], weight[used]
        features = Scale.of(X, weight)
        if basis is None:
            return cls(features, None, None)
        basis = clone(basis).fit(features.apply(X))
        values = _as_array(basis.transform(features.apply(X)))
        return cls(features, basis, Scale.of(values, weight))

    def apply(self, X: Array) -> Array:
        """Return features and functions of rows, standardised."""
        features = self.features.apply(X)
        if self.basis is None:
            return features
        values = self.functions.apply(_as_array(self.basis.transform(features)))
        return np.hstack([features, values[:, self.functions.varies]])


def _as_array(values):
    """Return the output of a transformer as an array."""
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values)
