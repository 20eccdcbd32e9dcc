"""Tasks drawn around a centre, solved at many strengths from products of their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import EPS, Semidefinite, diagonals, invert
from skmtl._numbers import INFINITE, TINY

from ..search import sample_tasks
from ._row_blocks import RowBlock, cut_blocks

# Rows of tasks are used in place of products if there are at least this many columns,
# and fewer rows than this share of them.
MANY_COLUMNS, _FEW_ROWS = 24, 0.9
# Keep rows in the coordinates of a shape up to this many numbers; recompute more.
_N_KEPT = 2**24
# With squared means of a feature beyond this multiple of its variance, products of rows
# about zero lose digits that errors need.
_FAR_FROM_ZERO = 1e6
# Invert fewer matrices than this without recursion.
_FEW = 8
# One minus leverage below which a residual and its divisor are rounding errors.
_EMPTY = 1e-8
# Number of solutions kept; a search alternates between neighbours.
_N_SIZES = 2


@dataclass(frozen=True)
class Drawing:
    """Rows of tasks whose coefficients and intercepts are drawn around a centre.

    With ``theta_t = theta_s + M diag(l) v_t`` and standard normal ``v_t``, let ``N_t =
    diag(l) M' Z_t' Z_t M diag(l)``. Then ``P_t = (I + N_t)^-1`` is the covariance of
    ``v_t`` given the rows and the centre, and ``sum_t I - P_t`` the information on the
    centre, in the same coordinates. No product of these has a cancellation.

    Parameters
    ----------
    data : TaskRows
        The rows.
    moments : TaskMoments
        Their moments, about zero without intercept.
    has_intercept : bool
        Whether models have an intercept.
    turn : ndarray of shape (n_columns, n_columns) or None, default=None
        The matrix ``M``; None for the identity.
    plain : Drawing or None, default=None
        The same rows in the coordinates of the features, if these are others.
    offset : float or None, default=None
        Subtracted from the targets; None for their overall mean, or 0 without
        intercept.
    """

    data: Any
    moments: Any
    has_intercept: bool
    turn: Array | None = None
    plain: Any = None
    offset: float | None = None

    @property
    def n_columns(self) -> int:
        """Number of columns of the rows, with the constant."""
        return int(self.moments.n_features) + self.has_intercept

    @cached_property
    def y_mean(self) -> float:
        """Number that is subtracted from the targets."""
        moments = self.moments
        if self.offset is not None:
            return self.offset
        if not self.has_intercept:
            return 0.0
        return float(np.average(moments.y_mean, weights=moments.weight))

    def turned(self, turn: Array | None) -> Drawing:
        """Return the same rows in the coordinates of a shape."""
        plain = self.plain or self
        return plain if turn is None else replace(self, turn=turn, plain=plain)

    def of_tasks(self, tasks: Array) -> Drawing:
        """Return the rows of some tasks."""
        data = None if self.data is None else self.data.of_tasks(tasks)
        plain = None if self.plain is None else self.plain.of_tasks(tasks)
        moments, offset = self.moments.select(tasks), self.y_mean
        return replace(self, data=data, moments=moments, plain=plain, offset=offset)

    @cached_property
    def _known_parts(self):
        return {}

    def part(self, tasks: Array) -> Drawing:
        """Return the rows of some tasks, which are kept."""
        known, key = self._known_parts, tasks.tobytes()
        if key not in known:
            known[key] = self.of_tasks(tasks)
        part: Drawing = known[key]
        return part

    def sample(self, n_tasks: int) -> Drawing:
        """Return the rows of at most so many tasks, of all sizes."""
        tasks = sample_tasks(self.moments.weight, n_tasks)
        return self if len(tasks) == self.moments.n_tasks else self.part(tasks)

    @cached_property
    def _is_narrow(self):
        """Whether each task's rows are used in place of its products."""
        if self.data is None:
            return np.zeros(self.moments.n_tasks, dtype=bool)
        p, sizes = self.n_columns, np.diff(self.data.offsets)
        return (sizes <= _FEW_ROWS * p) & (p >= MANY_COLUMNS)

    @cached_property
    def wide(self) -> Array:
        """Positions of the tasks whose products are used."""
        return np.flatnonzero(~self._is_narrow)

    @cached_property
    def gram(self) -> Array:
        """Products of the columns of each task in `wide`, in these coordinates."""
        moments, d = self.moments, self.moments.n_features
        some = self.wide if len(self.wide) < moments.n_tasks else slice(None)
        n, mean = moments.weight[some], moments.x_mean[some]
        if self.plain is not None:
            half = (self.plain.gram @ self.turn).transpose(0, 2, 1)
            return np.ascontiguousarray(half) @ self.turn
        gram = np.empty((len(n), self.n_columns, self.n_columns))
        gram[:, :d, :d] = moments.xx[some]
        if self.has_intercept:
            sums = n[:, None] * mean
            gram[:, :d, :d] += sums[:, :, None] * mean[:, None]
            gram[:, d, :d], gram[:, :d, d], gram[:, d, d] = sums, sums, n
        return gram

    @cached_property
    def right(self) -> Array:
        """Products of the columns with the targets, of each task in `wide`."""
        moments, some = self.moments, self.wide
        gap, n = moments.y_mean[some] - self.y_mean, moments.weight[some]
        right = np.empty((len(some), self.n_columns))
        d = moments.n_features
        sums = n * gap
        right[:, :d] = moments.xy[some] + sums[:, None] * moments.x_mean[some]
        if self.has_intercept:
            right[:, d] = sums
        return right if self.turn is None else right @ self.turn

    @cached_property
    def largest(self) -> Array:
        """Largest curvature of a task along each column, one where there is none."""
        found = diagonals(self.gram).max(axis=0, initial=0.0)
        for block in self.narrow_blocks:
            square = np.einsum("tij,tij->tj", block.Z, block.Z)
            found = np.maximum(found, square.max(axis=0, initial=0.0))
        return np.where(found > 0, found, 1.0)

    @cached_property
    def squares(self) -> Array:
        """Squares of the targets of every task, (n_tasks,)."""
        gap = self.moments.y_mean - self.y_mean
        found: Array = self.moments.yy + self.moments.weight * gap**2
        return found

    @property
    def is_accurate(self) -> bool:
        """Whether no feature is so far from zero that its products lose digits."""
        moments = self.moments
        n, mean = moments.weight, moments.x_mean
        scatter = diagonals(moments.xx).sum(axis=0)
        total = (n[:, None] * mean**2).sum(axis=0)
        centre = n @ mean / max(n.sum(), TINY)
        scatter = scatter + (n[:, None] * (mean - centre) ** 2).sum(axis=0)
        return bool((total <= _FAR_FROM_ZERO * scatter)[scatter > 0].all())

    @cached_property
    def narrow_blocks(self) -> list[RowBlock]:
        """Rows of the tasks that are not in `wide`, in these coordinates."""
        narrow = np.flatnonzero(self._is_narrow)
        return list(self._blocks(narrow)) if len(narrow) else []

    @property
    def wide_blocks(self) -> Any:
        """Rows of the tasks in `wide`, in these coordinates."""
        if len(self.data.y) * self.n_columns <= _N_KEPT:
            return self._kept_blocks
        return self._blocks(self.wide)

    @cached_property
    def _kept_blocks(self):
        return list(self._blocks(self.wide))

    def _blocks(self, some):
        if self.plain is None:
            yield from cut_blocks(self.data, some, self.n_columns, self.y_mean)
            return
        is_narrow = len(some) and self._is_narrow[some[0]]
        plain = self.plain.narrow_blocks if is_narrow else self.plain.wide_blocks
        for block in plain:
            yield replace(block, Z=block.Z @ self.turn)

    @cached_property
    def _kept_at(self):
        return lru_cache(_N_SIZES)(lambda sizes: Shrunk(self, np.array(sizes)))

    def ridge(self, alpha_shared: float) -> Array:
        """Return the ridge on the centre, which spares its intercept."""
        ridge = np.full(self.n_columns, float(alpha_shared))
        if self.has_intercept:
            ridge[-1] = 0.0
        return ridge

    def solve(self, strengths: Array, alpha_shared: float) -> Drawn:
        """Return the solution at strengths of the columns, possibly infinite."""
        sizes = 1 / np.sqrt(np.minimum(strengths, INFINITE * self.largest))
        return self.at(sizes, self.ridge(alpha_shared))

    def at(self, sizes: Array, ridge: Array) -> Drawn:
        """Return the solution at strengths.

        Parameters
        ----------
        sizes : ndarray of shape (n_columns,)
            Standard deviations ``l``, relative to that of the noise.
        ridge : ndarray of shape (n_columns,)
            Ridge on the centre, in the coordinates ``M``; infinite to fix it at zero.

        Returns
        -------
        Drawn
            The solution.
        """
        return Drawn(self._kept_at(tuple(sizes.tolist())), ridge)


@dataclass(frozen=True)
class Shrunk:
    """Matrices and vectors of the tasks at given standard deviations.

    Parameters
    ----------
    drawing : Drawing
        The rows.
    sizes : ndarray of shape (n_columns,)
        Standard deviations along the coordinates.
    """

    drawing: Drawing
    sizes: Array

    @cached_property
    def products(self) -> Array:
        """The matrices ``N_t`` of tasks in `wide`."""
        found: Array = self.drawing.gram * (self.sizes * self.sizes[:, None])
        return found

    @cached_property
    def right(self) -> Array:
        """Products of columns and targets of tasks in `wide`."""
        found: Array = self.drawing.right * self.sizes
        return found

    @cached_property
    def inverse(self) -> Array:
        """The matrices ``P_t`` of tasks in `wide`."""
        return _invert(_plus_one(self.products))

    @cached_property
    def narrow(self) -> list[tuple[Array, Array, Array, Array, Array]]:
        """Tasks, rows ``U``, targets, ``V^-1 = (I + U U')^-1`` and ``V^-1 U``."""
        found = []
        for block, (U, V) in zip(
            self.drawing.narrow_blocks, self._covariances, strict=True
        ):
            inverse = _invert(V)
            found.append((block.tasks, U, block.y, inverse, inverse @ U))
        return found

    @cached_property
    def _covariances(self):
        """Rows ``U`` and covariances of the targets ``V = I + U U'`` of other tasks."""
        rows = [block.Z * self.sizes for block in self.drawing.narrow_blocks]
        return [(U, _plus_one(U @ U.transpose(0, 2, 1))) for U in rows]

    @cached_property
    def information(self) -> Array:
        """Information on the centre, ``sum_t I - P_t``."""
        total = self._sum(self.inverse, self.products)
        for _, U, _, _, solved in self.narrow:
            total = total + self._sum(U, solved)
        return (total + total.T) / 2

    def _sum(self, left, right):
        """Return the sum over tasks of ``left_t' right_t``."""
        size = len(self.sizes)
        return left.reshape(-1, size).T @ right.reshape(-1, size)

    @cached_property
    def centre_right(self) -> Array:
        """Right side of the centre's equations."""
        total = self.right.ravel() @ self.inverse.reshape(-1, len(self.sizes))
        for _, _, y, _, solved in self.narrow:
            total = total + np.tensordot(y, solved, 2)
        return total

    @cached_property
    def _wide_shares(self):
        """The matrices ``I - P_t`` of tasks in `wide`."""
        return self.inverse @ self.products

    @cached_property
    def shares(self) -> Array:
        """The matrices ``I - P_t`` of all tasks."""
        if not self.narrow:
            return self._wide_shares
        size = len(self.sizes)
        found = np.zeros((self.drawing.moments.n_tasks, size, size))
        found[self.drawing.wide] = self._wide_shares
        for tasks, U, _, _, solved in self.narrow:
            found[tasks] = np.matmul(U.transpose(0, 2, 1), solved)
        return found

    @cached_property
    def trace(self) -> float:
        """Trace of the information on the centre."""
        return float(np.trace(self.information))

    @cached_property
    def spread(self) -> Array:
        """Information on the centre that tasks keep, ``sum_t P_t (I - P_t)``."""
        shares = self._wide_shares
        total = self._sum(shares, self.inverse)
        for *_, solved in self.narrow:
            total = total + self._sum(solved, solved)
        return total

    @cached_property
    def log_determinants(self) -> float:
        """Sum over tasks of the log determinants of ``I + N_t``."""
        total = _log_determinants(_plus_one(self.products))
        return total + sum(_log_determinants(V) for _, V in self._covariances)


@dataclass(frozen=True)
class Drawn:
    """Solution of a drawing at given strengths.

    Parameters
    ----------
    part : Shrunk
        Matrices and vectors of the tasks.
    ridge : ndarray of shape (n_columns,)
        Ridge on the centre.
    given : tuple of (ndarray, ndarray) or None, default=None
        A centre of other rows to use, and a root of its covariance; None for the
        centre of these rows.
    """

    part: Shrunk
    ridge: Array
    given: tuple[Array, Array] | None = None

    @property
    def drawing(self) -> Drawing:
        """The rows."""
        return self.part.drawing

    @property
    def sizes(self) -> Array:
        """Standard deviations along the coordinates."""
        return self.part.sizes

    @cached_property
    def _free(self):
        return np.isfinite(self.ridge)

    @cached_property
    def centre(self) -> Semidefinite:
        """Curvature for the centre, of the coordinates that are not fixed at zero."""
        free = self._free
        matrix = self.part.information[free][:, free]
        return Semidefinite(matrix + np.diag((self.ridge * self.sizes**2)[free]))

    @cached_property
    def covariance(self) -> Array:
        """Covariance of the centre."""
        found = np.zeros_like(self.part.information)
        found[np.ix_(self._free, self._free)] = self.centre.inverse
        return found

    @cached_property
    def root(self) -> Array:
        """Root of `covariance`, (n_columns, n_free)."""
        if self.given is not None:
            return self._enter(self.given[1])
        root = self.centre.inverse_root
        found = np.zeros((len(self.sizes), root.shape[1]))
        found[self._free] = root
        return found

    @cached_property
    def shared(self) -> Array:
        """The centre, in these coordinates."""
        if self.given is not None:
            return self._enter(self.given[0])
        found = np.zeros(len(self.sizes))
        found[self._free] = self.centre.solve(self.part.centre_right[self._free])
        return found

    def _enter(self, models):
        """Convert models of the features to these coordinates."""
        turn = self.drawing.turn
        inner = models if turn is None else np.linalg.solve(turn, models)
        return (inner.T / self.sizes).T

    @property
    def as_given(self) -> tuple[Array, Array]:
        """The centre and a root of its covariance, of the features."""
        turn = self.drawing.turn
        found = self.sizes * self.shared, self.sizes[:, None] * self.root
        return found if turn is None else (turn @ found[0], turn @ found[1])

    @cached_property
    def own(self) -> Array:
        """Differences of the tasks from the centre, (n_tasks, n_columns)."""
        part = self.part
        found = np.empty((self.drawing.moments.n_tasks, len(self.sizes)))
        residual = part.right - part.products @ self.shared
        found[self.drawing.wide] = np.matmul(part.inverse, residual[:, :, None])[..., 0]
        for (tasks, U, *_), left in zip(part.narrow, self._narrow_left, strict=True):
            found[tasks] = np.matmul(left[:, None], U)[:, 0]
        return found

    @cached_property
    def _narrow_left(self):
        """Residuals of tasks with few rows: ``V^-1 (y - U v_s)``."""
        return [
            np.matmul(inverse, y[:, :, None])[:, :, 0] - solved @ self.shared
            for _, _, y, inverse, solved in self.part.narrow
        ]

    @cached_property
    def theta(self) -> Array:
        """Coefficients and intercepts of the tasks, (n_tasks, n_columns)."""
        found = (self.own + self.shared) * self.sizes
        turn = self.drawing.turn
        return found if turn is None else found @ turn.T

    def left_out(self) -> Iterator[tuple[Array, Array]]:
        """Yield tasks, and residuals of their rows if these are left out.

        They are multiplied by the roots of the weights.
        """
        for (tasks, _, y, inverse, solved), left in zip(
            self.part.narrow, self._narrow_left, strict=True
        ):
            known = ((solved @ self.root) ** 2).sum(axis=2)
            yield tasks, _leave_out(left, diagonals(inverse) - known, y)
        drawing, coef = self.drawing, (self.own + self.shared) * self.sizes
        position = np.empty(len(coef), dtype=int)
        position[drawing.wide] = np.arange(len(drawing.wide))
        inner = self._wide_variance
        for block in drawing.wide_blocks:
            Z, some = block.Z, position[block.tasks]
            left = block.y - np.matmul(Z, coef[block.tasks][:, :, None])[:, :, 0]
            leverage = np.einsum("tij,tij->ti", Z @ inner[some], Z)
            yield block.tasks, _leave_out(left, 1 - leverage, block.y)

    @property
    def _wide_variance(self):
        """Covariances of the models of tasks in `wide`, in the units of the rows."""
        half = self.part.inverse @ self.root
        found = np.matmul(half, half.transpose(0, 2, 1))
        found += self.part.inverse
        found *= self.sizes * self.sizes[:, None]
        return found

    def squares(self) -> Array:
        """Return sums of squared leave-one-out errors of every task."""
        sums = np.zeros(self.drawing.moments.n_tasks)
        for tasks, left in self.left_out():
            sums[tasks] = np.einsum("ti,ti->t", left, left)
        return sums

    @cached_property
    def squared_errors(self) -> Array:
        """Sums of squared errors of every task, (n_tasks,)."""
        drawing, part = self.drawing, self.part
        found, wide = drawing.squares.copy(), drawing.wide
        coef = self.own[wide] + self.shared
        curved = np.matmul(part.products, coef[:, :, None])[:, :, 0]
        found[wide] += (coef * (curved - 2 * part.right)).sum(axis=1)
        for (tasks, *_), left in zip(part.narrow, self._narrow_left, strict=True):
            found[tasks] = np.einsum("ti,ti->t", left, left)
        return np.maximum(found, 0.0)

    @cached_property
    def freedom(self) -> float:
        """Degrees of freedom of the fit."""
        return float(self.part.trace + np.vdot(self.covariance, self.part.spread))


def _plus_one(products):
    """Return products plus the identity."""
    found = products.copy()
    diagonals(found)[...] += 1.0
    return found


def _invert(matrices):
    """Invert a stack of matrices; LAPACK is faster for few."""
    try:
        return np.linalg.inv(matrices) if len(matrices) < _FEW else invert(matrices)
    except np.linalg.LinAlgError:  # one is lost in the rounding of large products
        values, vectors = _diagonalise(matrices)
        return (vectors / values[:, None]) @ vectors.transpose(0, 2, 1)


def _log_determinants(matrices):
    """Return the sum of the log determinants of positive definite matrices."""
    try:
        return 2 * np.log(diagonals(np.linalg.cholesky(matrices))).sum()
    except np.linalg.LinAlgError:
        return np.log(_diagonalise(matrices)[0]).sum()


def _diagonalise(matrices):
    """Return eigenvalues above the rounding of the largest, and eigenvectors."""
    values, vectors = np.linalg.eigh(matrices)
    rounding = len(matrices[0]) * EPS * values[:, -1:]
    return np.maximum(values, rounding), vectors


def _leave_out(residuals, rest, default):
    """Return leave-one-out residuals; `default` for rows with a leverage of 1."""
    out = np.array(default)
    return np.divide(residuals, rest, out=out, where=rest > _EMPTY)
