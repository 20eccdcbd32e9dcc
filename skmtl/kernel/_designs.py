"""Covariances of rows of tasks: stacked rows, and rows that all tasks share."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array
from skmtl._linalg import EPS, refuse_huge

from ._pairs import ApartPairs, CoupledPairs
from ._system import System

# Differences of this relative size are rounding errors of a mean.
_ROUNDING = 8 * EPS


@dataclass(frozen=True)
class Strengths:
    """Strengths of a fit.

    Parameters
    ----------
    shared : ndarray of shape (n_kernels,)
        Strength of the shared function of each kernel, positive or infinite.
    own : ndarray of shape (n_kernels,)
        Strength of the tasks' differences from it, positive or infinite.
    intercept : float
        Strength on differences between intercepts: 0 leaves them free, infinity makes
        them equal.
    """

    shared: Array
    own: Array
    intercept: float

    @property
    def variances(self) -> tuple[Array, Array, float]:
        """Inverse strengths; of free intercepts zero, as they have no prior."""
        level = 1 / self.intercept if self.intercept > 0 else 0.0
        return 1 / self.shared, 1 / self.own, level


class Design(ABC):
    """Training rows, from which systems of equations are made."""

    fit_intercept: bool
    n_tasks: int
    # Subtracted from all targets, as digits of residuals are lost beside a large mean.
    centre: float

    @property
    @abstractmethod
    def total_weight(self) -> float:
        """Weight of all observations."""

    @property
    @abstractmethod
    def row_weight(self) -> Array:
        """Weight of the observations on each row of X, (n_rows,)."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of rows of each system."""

    @property
    @abstractmethod
    def n_observations(self) -> int:
        """Number of observations with weight."""

    @abstractmethod
    def every(self, step: int) -> tuple["Design", Array]:
        """Return every so many observations, and their rows of X."""

    @abstractmethod
    def systems(self, matrices: Sequence[Array], strengths: Strengths) -> list[System]:
        """Return independent systems, whose columns add up to the targets."""

    @abstractmethod
    def gradient(
        self,
        matrices: Sequence[Array],
        slopes: Sequence[Array | None],
        strengths: Strengths,
        by_covariance: Sequence[Array],
    ) -> tuple[Array, Array, float, float]:
        """Return a criterion's derivatives by logs of strengths and of gamma.

        Parameters
        ----------
        matrices : sequence of ndarray
            Kernel matrices of the rows.
        slopes : sequence of ndarray or None
            Their derivatives by log gamma.
        strengths : Strengths
            The strengths.
        by_covariance : sequence of ndarray
            Symmetric derivative of the criterion by the covariance of each system.

        Returns
        -------
        shared, own : ndarray of shape (n_kernels,)
            Derivatives by log strengths.
        intercept : float
            Derivative by the log strength of intercepts.
        gamma : float
            Derivative by log gamma.
        """

    @abstractmethod
    def spread(self, duals: Any) -> Any:
        """Return dual coefficients of the tasks' own functions."""

    @abstractmethod
    def duals(self, systems: Sequence[System]) -> Any:
        """Return dual coefficients, (n_rows, n_tasks); zero where not observed."""

    @abstractmethod
    def intercepts(self, systems: Sequence[System], strengths: Strengths) -> Array:
        """Return intercepts of tasks, (n_tasks,); NaN for tasks without rows."""

    @abstractmethod
    def mean_residuals(self, shared: Array) -> tuple[Array, Array]:
        """Return means of ``y - centre - shared`` and weights of the tasks, (n_tasks,).

        Parameters
        ----------
        shared : ndarray of shape (n_rows,)
            The shared function at the rows of X.

        Returns
        -------
        means, weights : ndarray of shape (n_tasks,)
            Weighted means, 0 for tasks without weight, and total weights.
        """

    @abstractmethod
    def variances(
        self,
        systems: Sequence[System],
        strengths: Strengths,
        matrices: Sequence[Array],
        diagonals: Sequence[Array],
        codes: Array | None,
    ) -> Array:
        """Return variances of predictions, relative to the noise variance.

        Parameters
        ----------
        systems : sequence of System
            Solved systems.
        strengths : Strengths
            Their strengths.
        matrices : sequence of ndarray of shape (n_queries, n_rows)
            Similarities of queries to the rows.
        diagonals : sequence of ndarray of shape (n_queries,)
            Similarity of each query to itself.
        codes : ndarray of shape (n_queries,) or None
            Task of each query, -1 for unseen ones; None for all tasks.

        Returns
        -------
        ndarray of shape (n_queries,) or (n_queries, n_tasks)
            Variances of the function, without noise.
        """


@dataclass(frozen=True)
class StackedDesign(Design):
    """Observations of tasks, sorted by task: any rows, any weights.

    Parameters
    ----------
    rows : ndarray of shape (n_observations,)
        Row of X of each observation.
    codes : ndarray of shape (n_observations,)
        Task of each observation, sorted.
    root : ndarray of shape (n_observations,)
        Square root of the weight of each observation, positive.
    y : ndarray of shape (n_observations,)
        Targets, minus `centre`.
    n_rows : int
        Number of rows of X.
    n_tasks : int
        Number of tasks.
    fit_intercept : bool
        Whether tasks have intercepts.
    covariance : ndarray of shape (n_tasks, n_tasks), default=None
        Covariance of the tasks' differences; None for the identity.
    centre : float, default=0.0
        Part of all intercepts.
    """

    rows: Array
    codes: Array
    root: Array
    y: Array
    n_rows: int
    n_tasks: int
    fit_intercept: bool
    covariance: Array | None = None
    centre: float = 0.0

    @property
    def total_weight(self) -> float:
        return float((self.root**2).sum())

    @property
    def row_weight(self) -> Array:
        return np.bincount(self.rows, self.root**2, self.n_rows)

    @property
    def size(self) -> int:
        return len(self.y)

    @property
    def n_observations(self) -> int:
        return len(self.y)

    def every(self, step: int) -> tuple[Design, Array]:
        rows, places = self.rows[::step], np.arange(len(self.rows[::step]))
        unique, codes = np.unique(rows, return_inverse=True)
        if len(unique) < len(rows):  # several tasks are observed on a row
            rows, places = unique, codes
        part = replace(
            self,
            rows=places,
            codes=self.codes[::step],
            root=self.root[::step],
            y=self.y[::step],
            n_rows=len(rows),
        )
        return part, rows

    @cached_property
    def _apart(self):
        return ApartPairs(self.codes, self.n_tasks)

    @cached_property
    def _pairs(self):
        """Covariances of the tasks' own functions."""
        if self.covariance is None:
            return self._apart
        return CoupledPairs(self.codes, self.covariance)

    @cached_property
    def _seen(self):
        return np.unique(self.codes)

    def _free(self, strengths):
        """Return the design of free intercepts: one per task, one for all, or none."""
        if not self.fit_intercept:
            return np.zeros((len(self.y), 0))
        if strengths.intercept > 0:
            return self.root[:, None]
        return self.root[:, None] * (self.codes[:, None] == self._seen)

    @property
    def _ones(self):
        """A view of ones for all pairs."""
        return np.broadcast_to(1.0, (len(self.y), len(self.y)))

    def _at_observations(self, matrix):
        if self._in_order:
            return matrix
        return matrix[np.ix_(self.rows, self.rows)]

    @cached_property
    def _in_order(self):
        return np.array_equal(self.rows, np.arange(self.n_rows))

    @cached_property
    def _is_weighted(self):
        return bool((self.root != 1).any())

    def systems(self, matrices: Sequence[Array], strengths: Strengths) -> list[System]:
        shared, own, level = strengths.variances
        covariance = np.zeros((len(self.y), len(self.y)))
        for matrix, between, within in zip(matrices, shared, own, strict=True):
            matrix = self._at_observations(matrix)
            covariance += between * matrix
            self._pairs.add(covariance, within, matrix)
        self._apart.add(covariance, level * self.fit_intercept, self._ones)
        if self._is_weighted:
            covariance *= self.root[:, None] * self.root
        covariance[np.diag_indices(len(self.y))] += 1
        targets = (self.root * self.y)[:, None]
        return [System(covariance, self._free(strengths), targets, np.ones((1, 1)))]

    def gradient(
        self,
        matrices: Sequence[Array],
        slopes: Sequence[Array | None],
        strengths: Strengths,
        by_covariance: Sequence[Array],
    ) -> tuple[Array, Array, float, float]:
        shared, own, level = strengths.variances
        by_rows = by_covariance[0]
        if self._is_weighted:
            by_rows = by_rows * self.root[:, None] * self.root
        found = np.array([self._sums(by_rows, matrix) for matrix in matrices])
        gamma = 0.0
        for slope, between, within in zip(slopes, shared, own, strict=True):
            if slope is not None:
                gamma += self._sums(by_rows, slope) @ [between, within]
        by_level = self._apart.sum(by_rows, self._ones)
        return (
            -shared * found[:, 0],
            -own * found[:, 1],
            -level * by_level * self.fit_intercept,
            gamma,
        )

    def _sums(self, by_rows, matrix):
        """Return sums of products of all pairs, and of pairs of the same task."""
        matrix = self._at_observations(matrix)
        return np.array([np.vdot(by_rows, matrix), self._pairs.sum(by_rows, matrix)])

    def spread(self, duals: Any) -> Any:
        return self._pairs.spread(duals)

    def duals(self, systems: Sequence[System]) -> Any:
        values = self.root * systems[0].residuals[:, 0]
        shape = self.n_rows, self.n_tasks
        return sparse.csr_array((values, (self.rows, self.codes)), shape=shape)

    def intercepts(self, systems: Sequence[System], strengths: Strengths) -> Array:
        found = np.full(self.n_tasks, np.nan)
        if not self.fit_intercept:
            return np.zeros(self.n_tasks)
        sums = np.bincount(
            self.codes, self.root * systems[0].residuals[:, 0], self.n_tasks
        )
        level = strengths.variances[2] * sums[self._seen]
        found[self._seen] = systems[0].effects[:, 0] + level
        return found + self.centre

    def mean_residuals(self, shared: Array) -> tuple[Array, Array]:
        weight, gap = self.root**2, self.y - shared[self.rows]
        weights = np.bincount(self.codes, weight, self.n_tasks)
        sums = np.bincount(self.codes, weight * gap, self.n_tasks)
        return sums / np.where(weights > 0, weights, 1.0), weights

    def variances(
        self,
        systems: Sequence[System],
        strengths: Strengths,
        matrices: Sequence[Array],
        diagonals: Sequence[Array],
        codes: Array | None,
    ) -> Array:
        if codes is None:  # all tasks
            n_queries = len(diagonals[0])
            pairs = [np.full(n_queries, t) for t in range(self.n_tasks)]
            given = systems, strengths, matrices, diagonals
            return np.stack([self.variances(*given, each) for each in pairs], axis=1)
        shared, own, level = strengths.variances
        cross = self._apart.across(codes) * (level * self.fit_intercept)
        prior = np.full(len(codes), level * self.fit_intercept)
        related, spread = self._pairs.across(codes), self._pairs.prior(codes)
        for k, (matrix, diagonal) in enumerate(zip(matrices, diagonals, strict=True)):
            cross += matrix[:, self.rows] * (shared[k] + own[k] * related)
            prior += diagonal * (shared[k] + own[k] * spread)
        free = np.ones((len(codes), systems[0].free.shape[1]))
        if self.fit_intercept and strengths.intercept == 0:
            free = (codes[:, None] == self._seen) * 1.0
        found = systems[0].variance(prior, cross * self.root, free)
        # One task does not tell how tasks differ.
        is_vague = len(self._seen) == 1
        is_vague |= self.fit_intercept and strengths.intercept == 0
        return np.where(~np.isin(codes, self._seen) & is_vague, np.inf, found)


@dataclass(frozen=True)
class GridDesign(Design):
    """Rows on which all tasks are observed, with weights that they share.

    The mean of the tasks and differences from it are independent, so two systems of the
    size of one task replace one of the size of all.

    Parameters
    ----------
    rows : ndarray of shape (n_rows_with_weight,)
        Rows of X with weight.
    root : ndarray of shape (n_rows_with_weight,)
        Square roots of their weights.
    Y : ndarray of shape (n_rows_with_weight, n_tasks)
        Targets, minus `centre`.
    n_rows : int
        Number of rows of X.
    fit_intercept : bool
        Whether tasks have intercepts.
    centre : float, default=0.0
        Part of all intercepts.
    """

    rows: Array
    root: Array
    Y: Array
    n_rows: int
    fit_intercept: bool
    centre: float = 0.0

    @property
    def n_tasks(self) -> int:  # type: ignore[override]
        return self.Y.shape[1]

    @property
    def total_weight(self) -> float:
        return float((self.root**2).sum() * self.n_tasks)

    @property
    def row_weight(self) -> Array:
        return np.bincount(self.rows, self.n_tasks * self.root**2, self.n_rows)

    @property
    def size(self) -> int:
        return len(self.Y)

    @property
    def n_observations(self) -> int:
        return self.Y.size

    def every(self, step: int) -> tuple[Design, Array]:
        rows = self.rows[::step]
        part = replace(
            self,
            rows=np.arange(len(rows)),
            root=self.root[::step],
            Y=self.Y[::step],
            n_rows=len(rows),
        )
        return part, rows

    def _factors(self, strengths):
        """Return factors of the kernels and of the intercept, per system."""
        shared, own, level = strengths.variances
        factors = [(self.n_tasks * shared + own, 0.0), (own, level)]
        return factors[: self.n_tasks]  # one task does not differ from the mean

    def systems(self, matrices: Sequence[Array], strengths: Strengths) -> list[System]:
        mean = self.Y.mean(axis=1, keepdims=True)
        n, root = len(self.root), self.root[:, None]
        targets = [np.sqrt(self.n_tasks) * mean, self.Y - mean]
        free = [root * each for each in self._free(strengths)]
        average = np.full((self.n_tasks, 1), 1 / np.sqrt(self.n_tasks))
        loadings = [average, np.eye(self.n_tasks)]
        times = [1, self.n_tasks - 1]
        found = []
        for s, (factors, level) in enumerate(self._factors(strengths)):
            covariance = np.full((n, n), level * self.fit_intercept)
            for factor, matrix in zip(factors, matrices, strict=True):
                covariance += factor * self._at_observations(matrix)
            covariance *= root
            covariance *= self.root
            covariance[np.diag_indices(n)] += 1
            parts = covariance, free[s], root * targets[s], loadings[s], times[s]
            found.append(System(*parts))
        return found

    def _free(self, strengths):
        """Return the free intercepts of a row: of the mean, and of differences."""
        none, one = np.zeros((1, 0)), np.ones((1, 1))
        if not self.fit_intercept:
            return [none, none]
        if strengths.intercept == 0:
            return [one, one]
        # One intercept of all tasks, in the orthonormal basis of the mean.
        return [np.sqrt(self.n_tasks) * one, none]

    def _at_observations(self, matrix):
        if len(self.rows) == self.n_rows:
            return matrix
        return matrix[np.ix_(self.rows, self.rows)]

    def gradient(
        self,
        matrices: Sequence[Array],
        slopes: Sequence[Array | None],
        strengths: Strengths,
        by_covariance: Sequence[Array],
    ) -> tuple[Array, Array, float, float]:
        shared, own, level = strengths.variances
        by_rows = [each * self.root[:, None] * self.root for each in by_covariance]
        sums = np.array([self._sums(by_rows, matrix) for matrix in matrices])
        gamma = 0.0
        factors = np.array([each for each, _ in self._factors(strengths)])
        for k, slope in enumerate(slopes):
            if slope is not None:
                gamma += self._sums(by_rows, slope) @ factors[:, k]
        by_level = by_rows[1].sum() if self.n_tasks > 1 else 0.0
        return (
            -shared * self.n_tasks * sums[:, 0],
            -own * sums.sum(axis=1),
            -level * by_level * self.fit_intercept,
            gamma,
        )

    def _sums(self, by_rows, matrix):
        matrix = self._at_observations(matrix)
        return np.array([np.vdot(each, matrix) for each in by_rows])

    def spread(self, duals: Any) -> Any:
        return duals

    def duals(self, systems: Sequence[System]) -> Array:
        found = np.zeros((self.n_rows, self.n_tasks))
        residuals = sum(each.task_residuals for each in systems)
        found[self.rows] = self.root[:, None] * residuals
        return found

    def intercepts(self, systems: Sequence[System], strengths: Strengths) -> Array:
        if not self.fit_intercept:
            return np.zeros(self.n_tasks)
        found = strengths.variances[2] * self.duals(systems).sum(axis=0)
        for row, each in zip(self._free(strengths), systems, strict=False):
            found += (row @ each.effects @ each.loadings.T)[0]
        return found + self.centre

    def mean_residuals(self, shared: Array) -> tuple[Array, Array]:
        weight, gap = self.root**2, self.Y - shared[self.rows, None]
        total = weight.sum()
        return weight @ gap / total, np.full(self.n_tasks, total)

    def variances(
        self,
        systems: Sequence[System],
        strengths: Strengths,
        matrices: Sequence[Array],
        diagonals: Sequence[Array],
        codes: Array | None,
    ) -> Array:
        total = np.zeros(len(diagonals[0]))
        free_rows = self._free(strengths)[: len(systems)]
        parts = zip(systems, self._factors(strengths), free_rows, strict=True)
        for system, (factors, level), free in parts:
            cross = np.full((len(total), len(self.rows)), level * self.fit_intercept)
            prior = np.full(len(total), level * self.fit_intercept)
            for k, factor in enumerate(factors):
                cross += factor * matrices[k][:, self.rows]
                prior += factor * diagonals[k]
            free = np.repeat(free, len(total), axis=0)
            one = system.variance(prior, cross * self.root, free)
            total += one * system.times / self.n_tasks
        return np.repeat(total[:, None], self.n_tasks, axis=1)


def design_rows(
    rows: Any, fit_intercept: bool, covariance: Array | None = None
) -> Design:
    """Return the design of checked rows, without those of weight zero.

    Parameters
    ----------
    rows : TaskData
        Rows of tasks.
    fit_intercept : bool
        Whether tasks have intercepts.
    covariance : ndarray of shape (n_tasks, n_tasks), default=None
        Covariance of the tasks' differences; None for the identity.

    Returns
    -------
    Design
        The design.
    """
    n_rows = rows.X.shape[0]
    if rows.shares_rows and rows.shares_moments and covariance is None:
        weight = np.ones(n_rows) if rows.weight is None else rows.weight
        kept = np.flatnonzero(weight > 0)
        root = np.sqrt(weight[kept])
        Y, centre = _centre(rows.Y[kept], root[:, None] ** 2, fit_intercept)
        return GridDesign(kept, root, Y, n_rows, fit_intercept, centre)
    rows = rows.stacked()
    places = np.arange(n_rows) if rows.rows is None else rows.rows
    codes = np.repeat(np.arange(len(rows.tasks)), np.diff(rows.offsets))
    weight = np.ones(len(codes)) if rows.weight is None else rows.weight
    if rows.task_weight is not None:
        weight = weight * rows.task_weight[codes]
    has_weight = weight > 0
    weight = weight[has_weight]
    y, centre = _centre(rows.y[has_weight], weight, fit_intercept)
    parts = places[has_weight], codes[has_weight], np.sqrt(weight), y, n_rows
    return StackedDesign(*parts, len(rows.tasks), fit_intercept, covariance, centre)


def _centre(y, weight, fit_intercept):
    """Return targets minus their weighted mean, and the mean; 0 without intercepts."""
    with np.errstate(over="ignore"):
        refuse_huge(np.zeros(1), (weight * np.square(y, dtype=float)).sum())
    if not fit_intercept:
        return y, 0.0
    centre = float(np.average(y, weights=np.broadcast_to(weight, y.shape)))
    gap = y - centre
    if np.abs(gap).max(initial=0.0) <= _ROUNDING * abs(centre):
        gap = np.zeros_like(gap)  # all targets are equal
    return gap, centre
