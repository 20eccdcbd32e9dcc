"""Kernels: similarities of rows, by name, by function or computed by the user."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.special import xlogy
from sklearn.metrics.pairwise import PAIRWISE_KERNEL_FUNCTIONS, pairwise_kernels
from sklearn.utils.sparsefuncs import mean_variance_axis

from skmtl._contracts import Array

# Kernels exp(-gamma * distance), so that the derivative by log gamma is K log K.
_OF_DISTANCE = "rbf", "laplacian", "chi2"
# Kernels that a shift of all rows does not change; centred rows lose fewer digits.
_OF_DIFFERENCES = "rbf", "laplacian"
# Largest number of rows per block when only diagonals of blocks are needed.
_BLOCK = 128

NAMES = set(PAIRWISE_KERNEL_FUNCTIONS) | {"precomputed"}


class Kernel(ABC):
    """A positive semidefinite similarity of rows."""

    # Whether the search may choose `gamma`.
    has_gamma = False

    @abstractmethod
    def matrix(self, X: Any, fitted: Any = None) -> Array:
        """Return similarities to the fitted rows, (n_rows, n_fitted)."""

    @abstractmethod
    def diagonal(self, X: Any) -> Array:
        """Return the similarity of each row to itself, (n_rows,)."""

    def at(self, gamma: float) -> Self:
        """Return the same kernel with another `gamma`."""
        return self

    def slope(self, matrix: Array) -> Array | None:
        """Return the derivative of the matrix by log gamma; None for zero."""
        return None

    def take(self, X: Any, rows: Array) -> Any:
        """Return the features of some fitted rows."""
        return X[rows]


@dataclass(frozen=True)
class NamedKernel(Kernel):
    """A kernel of scikit-learn.

    Parameters
    ----------
    name : str
        Its name.
    params : mapping
        Its parameters; the kernel takes those that it has.
    shift : ndarray of shape (n_features,) or None
        Subtracted from rows, if only differences of rows matter.
    """

    name: str
    params: Mapping[str, Any]
    shift: Array | None = None

    @cached_property
    def has_gamma(self) -> bool:  # type: ignore[override]
        """Whether the search may choose `gamma`."""
        return self.name in _OF_DISTANCE

    def at(self, gamma: float) -> Self:
        return replace(self, params={**self.params, "gamma": gamma})

    def matrix(self, X: Any, fitted: Any = None) -> Array:
        X = self._prepare(X)
        fitted = None if fitted is None else self._prepare(fitted)
        found: Any = pairwise_kernels(
            X, fitted, metric=self.name, filter_params=True, **self.params
        )
        dense: Array = found.toarray() if sparse.issparse(found) else found
        return dense

    def slope(self, matrix: Array) -> Array | None:
        return xlogy(matrix, matrix) if self.has_gamma else None

    def diagonal(self, X: Any) -> Array:
        starts = range(0, X.shape[0], _BLOCK)
        blocks = [np.diag(self.matrix(X[i : i + _BLOCK])) for i in starts]
        return np.concatenate([np.zeros(0), *blocks])

    def _prepare(self, X):
        X = _copy(X)
        return X if self.shift is None else X - self.shift


@dataclass(frozen=True)
class FunctionKernel(Kernel):
    """A function of two rows.

    Parameters
    ----------
    function : callable
        Returns the similarity of two rows.
    params : mapping
        Its further arguments.
    """

    function: Any
    params: Mapping[str, Any]

    def matrix(self, X: Any, fitted: Any = None) -> Array:
        fitted = X if fitted is None else fitted
        found: Array = pairwise_kernels(X, fitted, metric=self.function, **self.params)
        return found.astype(float)

    def diagonal(self, X: Any) -> Array:
        return np.array([self.matrix(X[i : i + 1])[0, 0] for i in range(X.shape[0])])


class PrecomputedKernel(Kernel):
    """Similarities that the user computed: X has a column per fitted row."""

    def matrix(self, X: Any, fitted: Any = None) -> Array:
        if fitted is None and X.shape[0] != X.shape[1]:
            raise ValueError(
                "X must be square for kernel='precomputed', with the similarities of "
                f"all rows, got shape {X.shape}, without the task column."
            )
        X = X.toarray() if sparse.issparse(X) else X
        return X.astype(float)

    def take(self, X: Any, rows: Array) -> Any:
        return X[rows][:, rows]

    def diagonal(self, X: Any) -> Array:
        raise ValueError(
            "return_std needs the similarity of each row to itself, which "
            "kernel='precomputed' does not have. Predict without return_std, or pass "
            "the kernel as a function."
        )


def read_kernels(kernel: Any, params: Mapping[str, Any], X: Any) -> list[Kernel]:
    """Return the kernels of a parameter, which is one or a list.

    Parameters
    ----------
    kernel : str, callable or sequence of them
        What the user chose.
    params : mapping
        Parameters of named kernels, with `kernel_params` for functions.
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Fitted rows.

    Returns
    -------
    list of Kernel
        The kernels.
    """
    names = list(kernel) if lists_kernels(kernel) else [kernel]
    if not names:
        raise ValueError("kernel must have at least one kernel, got an empty list.")
    if "precomputed" in names and len(names) > 1:
        raise ValueError(
            "kernel='precomputed' must be the only kernel, as X then has no features, "
            f"got {names}. Pass the sum of the matrices."
        )
    return [_read_kernel(name, dict(params), X) for name in names]


def lists_kernels(kernel: Any) -> bool:
    """Return whether a parameter is a list of kernels, not one."""
    return isinstance(kernel, Sequence) and not isinstance(kernel, str)


def _read_kernel(name, params, X):
    of_function = params.pop("kernel_params") or {}
    if callable(name):
        return FunctionKernel(name, of_function)
    if not isinstance(name, str) or name not in NAMES:
        raise ValueError(
            f"kernel must be a function or one of {sorted(NAMES)}, got {name!r}."
        )
    if name == "precomputed":
        return PrecomputedKernel()
    shifts = name in _OF_DIFFERENCES and not sparse.issparse(X)
    return NamedKernel(name, params, X.mean(axis=0, dtype=float) if shifts else None)


def _copy(X):
    """Return a copy in double precision; squares would count duplicates apart."""
    X = X.astype(float)
    if sparse.issparse(X):
        X.sum_duplicates()
        if max(X.nnz, X.shape[1]) <= np.iinfo(np.int32).max:
            # Scikit-learn's Manhattan distances take no others.
            indices, starts = X.indices.astype(np.int32), X.indptr.astype(np.int32)
            X = type(X)((X.data, indices, starts), shape=X.shape)
    return X


def scale_gamma(X: Any, weight: Array) -> float:
    """Return the inverse of the summed variances of the features.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Rows.
    weight : ndarray of shape (n_rows,)
        Their weights.

    Returns
    -------
    float
        ``1 / sum_j var(X[:, j])``, 1 for constant features.
    """
    if sparse.issparse(X):
        variances = mean_variance_axis(_copy(X), axis=0, weights=weight)[1]
    else:
        X = X.astype(float)
        mean = np.average(X, axis=0, weights=weight)
        variances = np.average((X - mean) ** 2, axis=0, weights=weight)
    total = float(np.sum(variances))
    return 1 / total if total > 0 else 1.0


def compare_rows(kernels: Sequence[Kernel], X: Any) -> list[Array]:
    """Return the similarities of all pairs of rows by each kernel.

    Parameters
    ----------
    kernels : sequence of Kernel
        The kernels.
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Rows.

    Returns
    -------
    list of ndarray of shape (n_rows, n_rows)
        The similarities, finite.
    """
    matrices = [kernel.matrix(X) for kernel in kernels]
    for matrix in matrices:
        refuse_overflow(matrix, "the kernel")
    return matrices


def refuse_overflow(values: Array, what: str) -> None:
    """Raise an error if numbers overflow.

    Parameters
    ----------
    values : ndarray
        Numbers.
    what : str
        What they are, for the message.
    """
    if not np.isfinite(values).all():
        raise ValueError(
            f"The fit must be finite, but {what} overflows. Standardise the features "
            "with StandardScaler, and divide y by its largest absolute value."
        )
