"""Restricted likelihood of variances and covariances of tasks, by Fisher scoring."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import EPS, diagonals
from skmtl._numbers import TINY, TINY_SQUARE

from ._drawn_tasks import Drawing, Drawn

# Largest step of log variances, and number of steps.
_LARGEST_STEP, _N_STEPS = 2.0, 12
# Ridge of Fisher scoring, relative to the mean information.
_RIDGE = 1e-6
# Largest number of steps of the strength of the centre, and the relative change that
# ends them.
_N_CENTRES, _SAME_CENTRE = 5, 1e-5
# Shares of a step that are tried.
_SIZES = 1.0, 0.3, 0.1
# Fisher's information is not the curvature where the model is wrong. So many of the
# last steps correct it, if they changed log variances by no more than this, and the
# curvature along them is at least this share of it.
_N_CORRECTIONS, _NEAR, _LEAST_CURVE = 6, 1.0, 0.1


@dataclass(frozen=True)
class DrawnLikelihood:
    """Restricted likelihood of the covariance of the tasks' coefficients.

    In coordinates in which the covariance is the identity, ``F_t = I - P_t`` is the
    information of a task. The criterion's derivative along a step ``exp(E)`` of the
    covariance is ``trace(E G)``, with the `gradient` ``G``; Fisher's information is
    ``sum_t trace(F_t E F_t E)``, less the part that the noise variance takes.

    Parameters
    ----------
    drawn : Drawn
        A solution.
    """

    drawn: Drawn

    @cached_property
    def n_contrasts(self) -> float:
        """Weight of the rows minus the number of columns without a penalty."""
        drawn = self.drawn
        penalised = (drawn.ridge[np.isfinite(drawn.ridge)] > 0).sum()
        total = drawn.drawing.moments.weight.sum()
        return float(total - (drawn.centre.rank - penalised))

    @cached_property
    def noise_variance(self) -> float:
        """Noise variance that maximises the likelihood."""
        drawn = self.drawn
        ridge = np.where(np.isfinite(drawn.ridge), drawn.ridge, 0.0) * drawn.sizes**2
        total = drawn.squared_errors.sum() + np.vdot(drawn.own, drawn.own)
        total += ridge @ drawn.shared**2
        floor = max(EPS * drawn.drawing.squares.sum(), TINY)
        return float(max(total, floor) / self.n_contrasts)

    @cached_property
    def criterion(self) -> float:
        """Minus twice the log likelihood."""
        drawn, n = self.drawn, self.n_contrasts
        total = n * (1 + np.log(2 * np.pi * self.noise_variance))
        total += drawn.part.log_determinants + drawn.centre.log_determinant
        is_free = np.isfinite(drawn.ridge)
        ridge = drawn.ridge[is_free & (drawn.ridge > 0)]
        total -= 2 * np.log(drawn.sizes[is_free]).sum() + np.log(ridge).sum()
        return float(total)

    @cached_property
    def information(self) -> Array:
        """The matrices ``F_t``, (n_tasks, n_columns, n_columns)."""
        return self.drawn.part.shares

    @cached_property
    def _gradient(self):
        return self._gradient_of(slice(None))

    def gradient(self, tasks: Array | None = None) -> Array:
        """Return the derivatives by the covariance, the sum over some tasks."""
        return self._gradient if tasks is None else self._gradient_of(tasks)

    def _gradient_of(self, tasks):
        drawn, known = self.drawn, self.information[tasks]
        size = len(drawn.sizes)
        taken = known.reshape(-1, size) @ drawn.root
        taken = taken.reshape(len(known), size, -1).transpose(0, 2, 1)
        taken = taken.reshape(-1, size)
        own = drawn.own[tasks]
        score = own.T @ own / self.noise_variance
        return known.sum(axis=0) - taken.T @ taken - score

    @cached_property
    def _slopes(self):
        return self._slopes_of(slice(None))

    def slopes(self, tasks: Array | None = None) -> Array:
        """Return the derivatives by log variances: the diagonal of the gradient."""
        return self._slopes if tasks is None else self._slopes_of(tasks)

    def _slopes_of(self, tasks):
        known, own = self.information[tasks], self.drawn.own[tasks]
        size = len(self.drawn.sizes)
        taken = known.reshape(-1, size) @ self.drawn.root
        taken = (taken**2).sum(axis=1).reshape(len(known), size).sum(axis=0)
        found = diagonals(known).sum(axis=0) - taken
        return found - (own**2).sum(axis=0) / self.noise_variance

    def with_likely_centre(self) -> DrawnLikelihood:
        """Return the likelihood at the likeliest strength of the centre.

        It takes steps of expectation maximisation, which never decrease it.
        """
        at = self
        for _ in range(_N_CENTRES):
            drawn = at.drawn
            is_penalised = np.isfinite(drawn.ridge) & (drawn.ridge > 0)
            if not is_penalised.any():
                break
            square = drawn.shared**2 / at.noise_variance + np.diag(drawn.covariance)
            variance = max((drawn.sizes**2 * square)[is_penalised].mean(), TINY_SQUARE)
            if abs(variance * at.alpha_shared - 1) < _SAME_CENTRE:
                break
            ridge = np.where(is_penalised, 1 / variance, drawn.ridge)
            at = DrawnLikelihood(Drawn(drawn.part, ridge))
        return at

    @property
    def alpha_shared(self) -> float:
        """Ridge on the coefficients of the centre."""
        return float(self.drawn.ridge[0])

    @cached_property
    def _curvature(self):
        return self._curvature_of(slice(None))

    def curvature(self, tasks: Array | None = None) -> Array:
        """Return Fisher's information on log variances, (n_columns, n_columns)."""
        return self._curvature if tasks is None else self._curvature_of(tasks)

    def _curvature_of(self, tasks):
        known = self.information[tasks]
        taken = np.einsum("tjj->j", known)
        square = np.einsum("tij,tij->ij", known, known)
        return square - np.outer(taken, taken) / self.n_contrasts

    def crossed_curvature(self) -> Array:
        """Return half of Fisher's information on each covariance."""
        diagonal = diagonals(self.information)
        square = np.einsum("tij,tij->ij", self.information, self.information)
        return diagonal.T @ diagonal + square

    def step(self, groups: Array, tasks: Array | None = None) -> Array:
        """Return a step of the log variances of groups of columns.

        Parameters
        ----------
        groups : ndarray of shape (n_columns, n_groups)
            Columns of one group change together.
        tasks : ndarray or None, default=None
            Tasks whose likelihood is maximised, near the centre of all; None for all.

        Returns
        -------
        ndarray of shape (n_columns,)
            Changes of the log variances.
        """
        square = groups.T @ self.curvature(tasks) @ groups
        step = -_solve(square, groups.T @ self.slopes(tasks))
        return groups @ np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)

    def full_curvature(self, tasks: Array | None = None) -> Array:
        """Return Fisher's information on the log of the covariance.

        Variables are the elements of its lower triangle, row by row; those below the
        diagonal stand for two.
        """
        size = len(self.drawn.sizes)
        rows, columns = np.tril_indices(size)
        known = self.information if tasks is None else self.information[tasks]
        known = known.reshape(-1, size * size)
        products = (known.T @ known).reshape((size,) * 4)
        a, b = rows[:, None], columns[:, None]
        c, d = rows[None], columns[None]
        twice = _twice(rows, columns)
        square = products[b, c, d, a] + products[b, d, c, a]
        square = square * twice[:, None] * twice / 2
        taken = known.sum(axis=0).reshape(size, size)[rows, columns] * twice
        return square - np.outer(taken, taken) / self.n_contrasts

    def full_step(self, tasks: Array | None = None) -> Array:
        """Return a step of the logarithm of the covariance, a symmetric matrix."""
        size = len(self.drawn.sizes)
        rows, columns = np.tril_indices(size)
        gradient = self.gradient(tasks)[rows, columns] * _twice(rows, columns)
        step = np.zeros((size, size))
        found = -_solve(self.full_curvature(tasks), gradient)
        step[rows, columns] = step[columns, rows] = found
        values, vectors = np.linalg.eigh(step)
        values = np.clip(values, -_LARGEST_STEP, _LARGEST_STEP)
        return (vectors * values) @ vectors.T

    def moved(self, step: Array, least: Array) -> DrawnLikelihood:
        """Return the likelihood after a step of log variances.

        Parameters
        ----------
        step : ndarray of shape (n_columns,)
            Changes of the log variances.
        least : ndarray of shape (n_columns,)
            Smallest standard deviations.

        Returns
        -------
        DrawnLikelihood
            The likelihood there.
        """
        sizes = np.maximum(self.drawn.sizes * np.exp(step / 2), least)
        return DrawnLikelihood(self.drawn.drawing.at(sizes, self.drawn.ridge))

    @property
    def factor(self) -> Array:
        """Root of the covariance, (n_columns, n_columns)."""
        turn, sizes = self.drawn.drawing.turn, self.drawn.sizes
        return np.diag(sizes) if turn is None else turn * sizes

    @property
    def covariance(self) -> Array:
        """Covariance of coefficients and intercepts, relative to the noise."""
        return self.factor @ self.factor.T

    def covariance_after(self, step: Array) -> Array:
        """Return the covariance after a step of its logarithm."""
        values, vectors = np.linalg.eigh(step)
        root = self.factor @ (vectors * np.exp(values / 2))
        return root @ root.T

    @classmethod
    def of_covariance(
        cls, drawing: Drawing, covariance: Array, alpha_shared: float, least: Array
    ) -> DrawnLikelihood:
        """Return the likelihood of a covariance.

        Parameters
        ----------
        drawing : Drawing
            The rows.
        covariance : ndarray of shape (n_columns, n_columns)
            Covariance relative to the noise.
        alpha_shared : float
            Ridge on the centre.
        least : ndarray of shape (n_columns,)
            Smallest standard deviations of columns.

        Returns
        -------
        DrawnLikelihood
            Its likelihood.
        """
        turn, sizes = split_covariance(covariance, drawing.has_intercept, least)
        at = drawing.turned(turn).at(sizes, drawing.ridge(alpha_shared))
        return cls(at)


def _twice(rows, columns):
    """Return 1 for elements on the diagonal, 2 for those below."""
    return np.where(rows == columns, 1.0, 2.0)


def split_covariance(
    covariance: Array, has_intercept: bool, least: Array
) -> tuple[Array, Array]:
    """Return orthonormal directions of the features, and deviations along them.

    The intercept is turned into the prediction at the point where it is independent of
    the coefficients.
    """
    scaled = covariance / least / least[:, None]
    values, vectors = np.linalg.eigh(scaled)
    floor = max(1.0, 4 * len(values) * EPS * values[-1])
    covariance = (vectors * np.maximum(values, floor)) @ vectors.T
    covariance = covariance * least * least[:, None]
    d = len(covariance) - has_intercept
    own = covariance[:d, :d]
    basis, sizes, _ = np.linalg.svd(np.linalg.cholesky(own))
    turn = np.eye(len(covariance))
    turn[:d, :d] = basis
    if has_intercept:
        line = np.linalg.solve(own, covariance[:d, d])
        turn[d, :d] = line @ basis
        rest = covariance[d, d] - covariance[d, :d] @ line
        sizes = np.append(sizes, np.sqrt(max(rest, least[d] ** 2 * EPS)))
    return turn, sizes


def climb(
    start: DrawnLikelihood,
    groups: Array,
    least: Array,
    decrease: float,
    centre: bool = False,
    corrects: bool = True,
) -> DrawnLikelihood:
    """Maximise the likelihood over variances by Fisher scoring.

    Parameters
    ----------
    start : DrawnLikelihood
        The start, in the coordinates of the features.
    groups : ndarray of shape (n_columns, n_groups)
        Columns of one group have log variances that change together.
    least : ndarray of shape (n_columns,)
        Smallest standard deviations.
    decrease : float
        Stop where a step promises a smaller decrease of the criterion.
    centre : bool, default=False
        Whether to search for the strength of the centre too.
    corrects : bool, default=True
        Whether to correct Fisher's information by the last steps.

    Returns
    -------
    DrawnLikelihood
        A local optimum, accurate enough for a shape.
    """
    path: list[DrawnLikelihood] = []

    def move(at):
        path[:] = [*path, at] if corrects else [at]
        step = -_solve(_curvature(path, groups), groups.T @ at.slopes())
        step = groups @ np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)
        if at.slopes() @ step >= 0:  # clipped steps may lead uphill
            path[:] = [at]
            step = at.step(groups)
        points = (at.moved(size * step, least) for size in _SIZES)
        if centre:
            points = (each.with_likely_centre() for each in points)
        return -at.slopes() @ step / 2, points

    start = start.with_likely_centre() if centre else start
    return _climb(start, move, decrease) if groups.size else start


def _curvature(path, groups):
    """Return Fisher's information on groups, corrected by the last steps of a path."""
    square = groups.T @ path[-1].curvature() @ groups
    path = path[-_N_CORRECTIONS - 1 :]
    for before, after in pairwise(path):
        logs = 2 * np.log(after.drawn.sizes / before.drawn.sizes)
        step = groups.T @ logs / groups.sum(axis=0)
        change = groups.T @ (after.slopes() - before.slopes())
        known = square @ step
        is_near = np.abs(step).max() <= _NEAR
        if is_near and change @ step > _LEAST_CURVE * (known @ step):  # as in BFGS
            square = square - np.outer(known, known) / (known @ step)
            square = square + np.outer(change, change) / (change @ step)
    return square


def climb_full(
    start: DrawnLikelihood,
    least: Array,
    decrease: float,
    centre: bool = False,
) -> DrawnLikelihood:
    """Maximise the likelihood over covariances by Fisher scoring.

    Parameters
    ----------
    start : DrawnLikelihood
        The start.
    least : ndarray of shape (n_columns,)
        Smallest standard deviations of columns.
    decrease : float
        Stop where a step promises a smaller decrease of the criterion.
    centre : bool, default=False
        Whether to search for the strength of the centre too.

    Returns
    -------
    DrawnLikelihood
        A local optimum, accurate enough for a shape.
    """

    def move(at):
        step = at.full_step()
        drawing = at.drawn.drawing
        drawing = drawing if drawing.turn is None else drawing.plain

        def points():
            # The last one, a step of expectation maximisation, never increases it.
            average = -at.gradient() / drawing.moments.n_tasks
            for each in (*(size * step for size in _SIZES), average):
                try:
                    covariance = at.covariance_after(each)
                    point = DrawnLikelihood.of_covariance(
                        drawing, covariance, at.alpha_shared, least
                    )
                except np.linalg.LinAlgError:  # a variance that grows without end
                    continue
                yield point.with_likely_centre() if centre else point

        return -np.vdot(at.gradient(), step) / 2, points()

    return _climb(start, move, decrease)


def _climb(at, move, decrease):
    """Take steps while they promise a decrease; `move` returns it and the points."""
    for _ in range(_N_STEPS):
        promised, points = move(at)
        if promised < decrease:
            break
        better = next((each for each in points if each.criterion < at.criterion), None)
        if better is None:
            break
        at = better
    return at


def _solve(square, gradient):
    """Solve with a small ridge, for columns without information."""
    ridge = _RIDGE * np.trace(square) / len(square) + TINY_SQUARE
    return np.linalg.solve(square + ridge * np.eye(len(square)), gradient)
