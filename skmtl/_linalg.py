"""Linear algebra on stacks of symmetric matrices, and on singular ones."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from threadpoolctl import ThreadpoolController

from ._numbers import CACHE, TINY_SQUARE

Array = NDArray[Any]
EPS = np.finfo(float).eps
# Invert matrices up to this size with LAPACK: the recursion is no faster there.
LARGEST_WHOLE = 12
# Refuse sums of squares from this size: their products overflow.
_HUGE = 1e140
# Squares of errors a thousand times smaller than this do not underflow.
_TINIEST = 1e-150
# Below this ratio of diagonal elements, eigenvectors are computed from a square root,
# as eigh would lose the small eigenvalues.
_GRADED = 1e-9
# Use one thread for smaller matrices: more threads slow each other down.
_MIN_THREADED = 256


def blas_threads_for(n_features: int) -> AbstractContextManager[Any]:
    """Return a context that limits BLAS to one thread for small matrices."""
    if n_features >= _MIN_THREADED:
        return nullcontext()
    return _controller().limit(limits=1, user_api="blas")


@contextmanager
def calculation(n_features: int) -> Iterator[None]:
    """Silence floating-point warnings and limit threads; callers check for overflow.

    Parameters
    ----------
    n_features : int
        Size of the matrices; small ones use one thread.
    """
    quiet = np.errstate(over="ignore", invalid="ignore", divide="ignore")
    with blas_threads_for(n_features), quiet:
        yield


@cache
def _controller() -> Any:
    return ThreadpoolController()


def column_sizes(X: Any) -> Array:
    """Return the largest absolute value of each column.

    SciPy's ``abs`` is avoided: it sums duplicates of a sparse `X` in place.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_columns)
        Numbers.

    Returns
    -------
    ndarray of shape (n_columns,)
        The values; 0 for a column without entries.
    """
    if not sparse.issparse(X):
        # Without a copy of X, as of its absolute values.
        return np.maximum(X.max(axis=0, initial=0.0), -X.min(axis=0, initial=0.0))
    sizes = np.zeros(X.shape[1], dtype=X.dtype)
    entries = X.tocoo(copy=False)
    np.maximum.at(sizes, entries.col, np.abs(entries.data))
    return sizes


def refuse_huge(features: Array, targets: Any = ()) -> None:
    """Raise an error if products of sums of squares would overflow.

    Parameters
    ----------
    features : ndarray of shape (..., n_features)
        Sums of squares of the features, or of products with the targets.
    targets : array-like
        Sums of squares of the targets.
    """
    sizes = np.abs(features).reshape(-1, features.shape[-1]).max(axis=0, initial=0.0)
    sizes = np.where(np.isnan(sizes), np.inf, sizes)
    size = np.abs(targets).max(initial=0.0)
    if sizes.max(initial=0.0) < _HUGE and size < _HUGE:
        return
    what, largest = "y", size
    if size < _HUGE:
        what, largest = f"feature {sizes.argmax()} of X", sizes.max()
    raise ValueError(
        f"Sums of squares of X and y must be below {_HUGE:g}, got {largest:g} for "
        f"{what}. Divide the column by its largest absolute value, or remove erroneous "
        "rows."
    )


def refuse_tiny(targets: Array) -> None:
    """Raise an error if squares of targets would underflow, unless all are zero.

    Parameters
    ----------
    targets : ndarray
        Targets; NaN where there is none.
    """
    size = np.nanmax(np.abs(targets), initial=0.0)
    if size == 0 or size >= _TINIEST:
        return
    raise ValueError(
        f"y must have values of {_TINIEST:g} or more to choose strengths, as smaller "
        f"squared errors underflow, got at most {size:.3g}. Multiply y by "
        f"{1 / max(size, np.finfo(float).tiny):.0e}."
    )


def apply(matrices: Array, rows: Array) -> Array:
    """Multiply each row by its matrix; a single matrix or row applies to all."""
    if len(matrices) == 1:
        return rows @ matrices[0].T
    if len(rows) == 1:
        return (matrices.reshape(-1, matrices.shape[-1]) @ rows[0]).reshape(
            matrices.shape[:2]
        )
    return np.matmul(matrices, rows[:, :, None])[:, :, 0]


def diagonals(matrices: Array) -> Array:
    """Return a view of the diagonals of a stack of matrices."""
    view: Array = np.einsum("tjj->tj", matrices)
    return view


def invert(matrices: Array) -> Array:
    """Invert a stack of positive definite matrices, recursively by halves.

    It runs at the speed of matrix multiplication: on 1000 matrices of size 50 twice as
    fast as ``numpy.linalg.inv``. Sort diagonal elements of very different size in
    decreasing order, so that small elements of the inverse are accurate.
    """
    size = max(1, CACHE // max(matrices.shape[-1], 1) ** 2)
    if len(matrices) <= size:
        return _invert_by_halves(matrices)
    inverse = np.empty(matrices.shape)
    for start in range(0, len(matrices), size):
        part = slice(start, start + size)
        inverse[part] = _invert_by_halves(matrices[part])
    return inverse


def _invert_by_halves(matrices: Array) -> Array:
    size = matrices.shape[-1]
    if size <= LARGEST_WHOLE:
        return np.linalg.inv(matrices)
    half = size // 2
    corner = matrices[:, :half, half:]
    first = _invert_by_halves(np.ascontiguousarray(matrices[:, :half, :half]))
    left = first @ corner
    last = _invert_by_halves(
        matrices[:, half:, half:] - corner.transpose(0, 2, 1) @ left
    )
    side = left @ last
    inverse = np.empty_like(matrices)
    inverse[:, half:, half:] = last
    inverse[:, :half, half:] = -side
    inverse[:, half:, :half] = -side.transpose(0, 2, 1)
    inverse[:, :half, :half] = first + side @ left.transpose(0, 2, 1)
    return inverse


def invert_by_cholesky(matrices: Array) -> Array:
    """Invert a stack of positive definite matrices, one by one.

    It is as fast as `invert` for matrices of size 100, and loses fewer digits.
    """
    half = np.empty(matrices.shape)
    for matrix, found in zip(matrices, half, strict=True):
        # LAPACK reads columns, so its upper triangle is the lower one of rows.
        factor, failed = linalg.lapack.dpotrf(matrix.T)
        if failed:
            raise np.linalg.LinAlgError("A matrix is not positive definite.")
        found[...] = linalg.lapack.dpotri(factor, overwrite_c=True)[0].T
    diagonals(half)[...] /= 2
    inverse: Array = half + half.transpose(0, 2, 1)
    return inverse


def diagonalise(matrices: Array) -> tuple[Array, Array]:
    """Return eigenvalues of semidefinite matrices, and eigenvectors as rows.

    Eigenvalues below the rounding error are zero. Diagonal elements may have very
    different sizes: such a matrix is factored into square roots, which span half as
    many orders of magnitude.
    """
    values, vectors = np.linalg.eigh(matrices)
    values, vectors = without_noise(values), vectors.transpose(0, 2, 1)
    diagonal = diagonals(matrices)
    smallest = np.where(diagonal > 0, diagonal, np.inf).min(axis=1, initial=np.inf)
    graded = smallest < _GRADED * diagonal.max(axis=1, initial=0.0)
    if graded.any():
        vectors = vectors.copy()
        values[graded], vectors[graded] = _diagonalise_graded(matrices[graded])
    return values, vectors


def _diagonalise_graded(matrices: Array) -> tuple[Array, Array]:
    """Diagonalise matrices with diagonal elements of very different sizes."""
    diagonal = diagonals(matrices)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    values, vectors = np.linalg.eigh(matrices / (scale[:, None] * scale[:, :, None]))
    roots = np.sqrt(without_noise(values))[:, :, None] * vectors.transpose(0, 2, 1)
    _, sizes, vectors = np.linalg.svd(roots * scale[:, None])
    return without_noise(sizes) ** 2, vectors


def without_noise(values: Array) -> Array:
    """Set values below the rounding error of the largest value of their row to zero."""
    highest = values.max(axis=1, initial=0.0, keepdims=True)
    return np.where(values > values.shape[1] * EPS * highest, values, 0.0)


@dataclass(frozen=True)
class Semidefinite:
    """A positive semidefinite matrix, with solutions of minimum norm.

    The rank is that of the matrix scaled to a unit diagonal, so that the units of the
    variables do not matter: eigenvalues below `tolerance` times the largest count as
    zero.
    """

    matrix: Array
    tolerance: float = 1e-12

    @cached_property
    def _scale(self) -> Array:
        diagonal = np.diag(self.matrix)
        return 1 / np.sqrt(np.where(diagonal > TINY_SQUARE, diagonal, 1.0))

    @cached_property
    def _spectrum(self) -> tuple[Array, Array]:
        scaled = self.matrix * self._scale * self._scale[:, None]
        values, vectors = np.linalg.eigh((scaled + scaled.T) / 2)
        kept = values > max(self.tolerance * values.max(initial=0.0), TINY_SQUARE)
        return values[kept], vectors[:, kept]

    @cached_property
    def _cholesky(self) -> Array | None:
        """Factor the scaled matrix; None if it is nearly singular."""
        scaled = self.matrix * self._scale * self._scale[:, None]
        norm = np.abs(scaled).sum(axis=0).max(initial=0.0)
        factor, failed = linalg.lapack.dpotrf(scaled, lower=True)
        if failed or len(scaled) == 0:
            return None
        reciprocal_condition, _ = linalg.lapack.dpocon(factor, norm, uplo="L")
        return factor if reciprocal_condition > self.tolerance else None

    @cached_property
    def rank(self) -> int:
        """Return the rank of the matrix."""
        if self._cholesky is not None:
            return len(self.matrix)
        return len(self._spectrum[0])

    @cached_property
    def _range(self) -> tuple[Array, Array]:
        """Return an orthonormal basis of the range, and coordinates in it."""
        return np.linalg.qr(self._spectrum[1] / self._scale[:, None])

    @cached_property
    def log_determinant(self) -> float:
        """Return the log of the determinant on the range of the matrix."""
        if self._cholesky is not None:
            scaled = 2 * np.log(np.diag(self._cholesky)).sum()
            return scaled - 2 * np.log(self._scale).sum()
        volume = np.log(np.abs(np.diag(self._range[1]))).sum()
        return np.log(self._spectrum[0]).sum() + 2 * volume

    def solve(self, right: Array) -> Array:
        """Return the solution of minimum norm, for the part of `right` in the range."""
        scale = self._scale.reshape(-1, *[1] * (right.ndim - 1))
        if self._cholesky is not None:
            return scale * linalg.cho_solve((self._cholesky, True), scale * right)
        values, (basis, factor) = self._spectrum[0], self._range
        inner = (np.linalg.solve(factor, basis.T @ right).T / values).T
        return basis @ np.linalg.solve(factor.T, inner)

    @cached_property
    def inverse(self) -> Array:
        """Return the inverse, or the pseudo-inverse of a singular matrix."""
        return self.solve(np.eye(len(self.matrix)))

    @cached_property
    def inverse_root(self) -> Array:
        """Return a factor R of the inverse ``R R'``."""
        if self._cholesky is not None:
            root = linalg.lapack.dtrtri(self._cholesky, lower=True)[0]
            return self._scale[:, None] * np.tril(root).T
        values, (basis, factor) = self._spectrum[0], self._range
        return basis @ np.linalg.inv(factor).T / np.sqrt(values)


@dataclass(frozen=True)
class Wide:
    """The matrix ``root' root + strength I``, with more columns than rows in root.

    It has the methods of :class:`Semidefinite`, and forms no square matrix.
    """

    root: Array
    strength: float
    tolerance: float = 1e-12

    @property
    def matrix(self) -> Array:
        """Return the square matrix."""
        return self.root.T @ self.root + self.strength * np.eye(self.root.shape[1])

    @cached_property
    def _svd(self) -> tuple[Array, Array]:
        """Return the squares of singular values above rounding, and their vectors."""
        _, sizes, vectors = np.linalg.svd(self.root, full_matrices=False)
        kept = sizes > self.root.shape[1] * EPS * sizes.max(initial=0.0)
        return sizes[kept] ** 2, vectors[kept]

    @property
    def rank(self) -> int:
        """Return the rank of the matrix."""
        return self.root.shape[1] if self.strength else len(self._svd[0])

    @property
    def log_determinant(self) -> float:
        """Return the log of the determinant on the range of the matrix."""
        values, vectors = self._svd
        total = np.log(values + self.strength).sum()
        if self.strength:
            n_rest = vectors.shape[1] - len(values)
            total += n_rest * np.log(self.strength)
        return total

    def solve(self, right: Array) -> Array:
        """Return the solution of minimum norm, for the part of `right` in the range."""
        values, vectors = self._svd
        inner = vectors @ right
        solution = vectors.T @ (inner.T / (values + self.strength)).T
        if self.strength:
            solution = solution + (right - vectors.T @ inner) / self.strength
        return solution

    @cached_property
    def inverse(self) -> Array:
        """Return the inverse, or the pseudo-inverse of a singular matrix."""
        return self.solve(np.eye(self.root.shape[1]))

    @cached_property
    def inverse_root(self) -> Array:
        """Return a factor R of the inverse ``R R'``."""
        values, vectors = self._svd
        root = vectors.T / np.sqrt(values + self.strength)
        if not self.strength:
            return root
        rest = np.eye(vectors.shape[1]) - vectors.T @ vectors
        return np.hstack([root, rest / np.sqrt(self.strength)])


def join_first_axes(array: Array) -> Array:
    """Merge the first two axes of an array."""
    return array.reshape(-1, *array.shape[2:])


def number_by_first(labels: Array) -> Array:
    """Replace labels by 0, 1, ... in the order of their first appearance."""
    _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[codes.reshape(-1)]
