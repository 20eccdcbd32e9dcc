"""Linear algebra on stacks of symmetric matrices, and on one that may be singular."""

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from scipy import linalg, sparse
from threadpoolctl import ThreadpoolController

from ._numbers import CACHE, TINY_SQUARE

EPS = np.finfo(float).eps
# LAPACK is as fast as the recursion below this size.
_SMALL = 12
# Sums of squares from here on are refused, as their products overflow.
_HUGE = 1e140
# Units whose squares are further apart than this are factored by a root.
_STEEP = 1e-9
# Two threads only get into each other's way on matrices smaller than this.
_WORTH_THREADS = 256


def blas_threads_for(n_features):
    """Return a context that keeps work on stacks of small matrices to one thread."""
    if n_features >= _WORTH_THREADS:
        return nullcontext()
    return _controller().limit(limits=1, user_api="blas")


@contextmanager
def calculation(n_features):
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
def _controller():
    return ThreadpoolController()


def column_sizes(X):
    """Return the largest absolute value of each column.

    SciPy's ``abs`` would sum duplicates of a sparse `X` in place.

    Parameters
    ----------
    X : {ndarray, sparse matrix} of shape (n_rows, n_columns)
        Numbers.

    Returns
    -------
    ndarray of shape (n_columns,)
        The values, 0 for a column without entries.
    """
    if not sparse.issparse(X):
        return np.abs(X).max(axis=0, initial=0.0)
    sizes = np.zeros(X.shape[1], dtype=X.dtype)
    entries = X.tocoo(copy=False)
    np.maximum.at(sizes, entries.col, np.abs(entries.data))
    return sizes


def refuse_huge(features, targets=()):
    """Refuse sums of squares so large that their products overflow.

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


def apply(matrices, rows):
    """Multiply each row by its matrix; one matrix or one row serves for all."""
    if len(matrices) == 1:
        return rows @ matrices[0].T
    if len(rows) == 1:
        return (matrices.reshape(-1, matrices.shape[-1]) @ rows[0]).reshape(
            matrices.shape[:2]
        )
    return np.matmul(matrices, rows[:, :, None])[:, :, 0]


def diagonals(matrices):
    """View the diagonals of a stack of matrices."""
    return np.einsum("tjj->tj", matrices)


def invert(matrices):
    """Invert a stack of positive definite matrices by halves.

    Products of halves run at the speed of matrix multiplication: on 1000 matrices of
    size 50 twice as fast as ``numpy.linalg.inv``. Diagonals of very different size must
    come in decreasing order: then small elements of the inverse keep their digits.
    """
    size = max(1, CACHE // max(matrices.shape[-1], 1) ** 2)
    if len(matrices) <= size:
        return _invert_by_halves(matrices)
    inverse = np.empty(matrices.shape)
    for start in range(0, len(matrices), size):
        part = slice(start, start + size)
        inverse[part] = _invert_by_halves(matrices[part])
    return inverse


def _invert_by_halves(matrices):
    size = matrices.shape[-1]
    if size <= _SMALL:
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


def diagonalise(matrices):
    """Return eigenvalues of semidefinite matrices, and eigenvectors as rows.

    Eigenvalues that are lost in rounding are zero. Diagonals may be of any units: a
    matrix with large and small ones is factored by its root, which halves the digits
    between them.
    """
    values, vectors = np.linalg.eigh(matrices)
    values, vectors = without_noise(values), vectors.transpose(0, 2, 1)
    found = diagonals(matrices)
    smallest = np.where(found > 0, found, np.inf).min(axis=1, initial=np.inf)
    steep = smallest < _STEEP * found.max(axis=1, initial=0.0)
    if steep.any():
        vectors = vectors.copy()
        values[steep], vectors[steep] = _diagonalise_steep(matrices[steep])
    return values, vectors


def _diagonalise_steep(matrices):
    found = diagonals(matrices)
    scale = np.sqrt(np.where(found > 0, found, 1.0))
    values, vectors = np.linalg.eigh(matrices / (scale[:, None] * scale[:, :, None]))
    roots = np.sqrt(without_noise(values))[:, :, None] * vectors.transpose(0, 2, 1)
    _, sizes, vectors = np.linalg.svd(roots * scale[:, None])
    return without_noise(sizes) ** 2, vectors


def without_noise(values):
    """Set to zero what is lost in the rounding of the largest value of each row."""
    highest = values.max(axis=1, initial=0.0, keepdims=True)
    return np.where(values > values.shape[1] * EPS * highest, values, 0.0)


@dataclass(frozen=True)
class Semidefinite:
    """Solve with one positive semidefinite matrix, by minimum norm where it is flat.

    The rank is decided on the matrix scaled to a unit diagonal, so that the units of
    the variables do not matter: eigenvalues below the `tolerance`, as a factor of the
    largest, are taken for zero.
    """

    matrix: np.ndarray
    tolerance: float = 1e-12

    @cached_property
    def _scale(self):
        diagonal = np.diag(self.matrix)
        return 1 / np.sqrt(np.where(diagonal > TINY_SQUARE, diagonal, 1.0))

    @cached_property
    def _spectrum(self):
        scaled = self.matrix * self._scale * self._scale[:, None]
        values, vectors = np.linalg.eigh((scaled + scaled.T) / 2)
        kept = values > max(self.tolerance * values.max(initial=0.0), TINY_SQUARE)
        return values[kept], vectors[:, kept]

    @cached_property
    def _cholesky(self):
        """Factor the scaled matrix; None if it is nearly singular."""
        scaled = self.matrix * self._scale * self._scale[:, None]
        norm = np.abs(scaled).sum(axis=0).max(initial=0.0)
        factor, failed = linalg.lapack.dpotrf(scaled, lower=True)
        if failed or len(scaled) == 0:
            return None
        reciprocal_condition, _ = linalg.lapack.dpocon(factor, norm, uplo="L")
        return factor if reciprocal_condition > self.tolerance else None

    @cached_property
    def rank(self):
        """Return the number of directions in which the matrix is not flat."""
        if self._cholesky is not None:
            return len(self.matrix)
        return len(self._spectrum[0])

    @cached_property
    def _range(self):
        """Return an orthonormal basis of what is not flat, and coordinates there."""
        return np.linalg.qr(self._spectrum[1] / self._scale[:, None])

    @cached_property
    def log_determinant(self):
        """Return the log of the determinant among the directions that are not flat."""
        if self._cholesky is not None:
            scaled = 2 * np.log(np.diag(self._cholesky)).sum()
            return scaled - 2 * np.log(self._scale).sum()
        volume = np.log(np.abs(np.diag(self._range[1]))).sum()
        return np.log(self._spectrum[0]).sum() + 2 * volume

    def solve(self, right):
        """Return the solution of minimum norm, for the part of `right` in the range."""
        scale = self._scale.reshape(-1, *[1] * (right.ndim - 1))
        if self._cholesky is not None:
            return scale * linalg.cho_solve((self._cholesky, True), scale * right)
        values, (basis, factor) = self._spectrum[0], self._range
        inner = (np.linalg.solve(factor, basis.T @ right).T / values).T
        return basis @ np.linalg.solve(factor.T, inner)

    @cached_property
    def inverse(self):
        """Return the inverse, or the pseudo-inverse where the matrix is flat."""
        return self.solve(np.eye(len(self.matrix)))

    @cached_property
    def inverse_root(self):
        """Return a factor R of the inverse, ``R R'``."""
        if self._cholesky is not None:
            root = linalg.lapack.dtrtri(self._cholesky, lower=True)[0]
            return self._scale[:, None] * np.tril(root).T
        values, (basis, factor) = self._spectrum[0], self._range
        return basis @ np.linalg.inv(factor).T / np.sqrt(values)


@dataclass(frozen=True)
class Wide:
    """Solve with ``root' root + strength I``, where the root is wider than tall.

    It does what :class:`Semidefinite` does, without a square matrix of that width.
    """

    root: np.ndarray
    strength: float
    tolerance: float = 1e-12

    @property
    def matrix(self):
        """Return the square matrix."""
        return self.root.T @ self.root + self.strength * np.eye(self.root.shape[1])

    @cached_property
    def _svd(self):
        _, sizes, vectors = np.linalg.svd(self.root, full_matrices=False)
        kept = sizes > self.root.shape[1] * EPS * sizes.max(initial=0.0)
        return sizes[kept] ** 2, vectors[kept]

    @property
    def rank(self):
        """Return the number of directions in which the matrix is not flat."""
        return self.root.shape[1] if self.strength else len(self._svd[0])

    @property
    def log_determinant(self):
        """Return the log of the determinant among the directions that are not flat."""
        values, vectors = self._svd
        total = np.log(values + self.strength).sum()
        if self.strength:
            n_rest = vectors.shape[1] - len(values)
            total += n_rest * np.log(self.strength)
        return total

    def solve(self, right):
        """Return the solution of minimum norm, for the part of `right` in the range."""
        values, vectors = self._svd
        inner = vectors @ right
        solution = vectors.T @ (inner.T / (values + self.strength)).T
        if self.strength:
            solution = solution + (right - vectors.T @ inner) / self.strength
        return solution

    @cached_property
    def inverse(self):
        """Return the inverse, or the pseudo-inverse where the matrix is flat."""
        return self.solve(np.eye(self.root.shape[1]))

    @cached_property
    def inverse_root(self):
        """Return a factor R of the inverse, ``R R'``."""
        values, vectors = self._svd
        root = vectors.T / np.sqrt(values + self.strength)
        if not self.strength:
            return root
        rest = np.eye(vectors.shape[1]) - vectors.T @ vectors
        return np.hstack([root, rest / np.sqrt(self.strength)])


def join_first_axes(array):
    """Join the first two axes."""
    return array.reshape(-1, *array.shape[2:])


def number_by_first(labels):
    """Name labels 0, 1, ... in the order in which they first appear."""
    _, first, codes = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[codes.reshape(-1)]
