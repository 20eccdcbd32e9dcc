"""Standardised features, and functions of them."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import clone

from skmtl._contracts import Array

# A column with a smaller spread, relative to its size, is constant.
_CONSTANT = 1e-12


@dataclass(frozen=True)
class Scale:
    """Standardise the columns of an array; those that are constant become zero.

    Parameters
    ----------
    mean, spread : ndarray of shape (n_columns,)
        Means and standard deviations of the training rows; the latter 1 for a column
        that is constant.
    """

    mean: Array
    spread: Array

    @classmethod
    def of(cls, X: Array, weight: Array) -> Self:
        """Measure the columns of training rows, with weights."""
        size = np.abs(X).max(axis=0)
        size = np.where(size > 0, size, 1.0)
        unit = X / size  # squares of X may overflow
        mean = np.average(unit, axis=0, weights=weight)
        spread = np.sqrt(np.average((unit - mean) ** 2, axis=0, weights=weight))
        return cls(mean * size, np.where(spread > _CONSTANT, spread, 1.0) * size)

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
    mean : ndarray of shape (n_functions,) or None
        Means of the functions.
    """

    features: Scale
    basis: Any
    mean: Any

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
        return cls(features, basis, np.average(values, axis=0, weights=weight))

    def apply(self, X: Array) -> Array:
        """Return standardised features of rows, and centred functions."""
        features = self.features.apply(X)
        if self.basis is None:
            return features
        values = _as_array(self.basis.transform(features))
        return np.hstack([features, values - self.mean])


def _as_array(values):
    """Return the output of a transformer as an array."""
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values)
