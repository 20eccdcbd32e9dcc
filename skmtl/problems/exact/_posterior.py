"""Uncertainty of an exact solution, in units of the noise variance."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import diagonals

from ._mean_exact import MeanFit

# Smaller residual degrees of freedom are rounding errors.
_NO_FREEDOM = 1e-8


@dataclass(frozen=True)
class Posterior:
    """Posterior of tasks drawn around the centre, with variances ``1 / strength``.

    Parameters
    ----------
    fit : MeanFit
        The solution.
    """

    fit: MeanFit

    @cached_property
    def _centre_covariance(self):
        n_features = self.fit.moments.n_features
        if self.fit.strengths.pinned:
            return np.zeros((n_features, n_features))
        return self.fit.centre.inverse

    @property
    def centre_variances(self) -> Array:
        """Variances of the centre's coefficients, (n_features,)."""
        return np.diag(self._centre_covariance)

    @cached_property
    def _shrinkage(self):
        return self.fit.blocks.shrinkage()

    @cached_property
    def mean_variance(self) -> float:
        """Variance of the centre's prediction at `row_mean`."""
        total = self.fit.row_weight.sum()
        is_fixed = self.fit.strengths.holds_intercept
        return 1 / total if total > 0 and not is_fixed else 0.0

    @cached_property
    def _penalizes_intercept(self):
        return self.fit.has_intercept and self.fit.strengths.intercept > 0

    @cached_property
    def n_unpenalized(self) -> int:
        """Number of parameters without a penalty."""
        fit = self.fit
        n_free = 0
        if self._penalizes_intercept:
            n_free = 0 if fit.strengths.holds_intercept else 1
        elif fit.has_intercept:
            n_free = (fit.moments.weight > 0).sum()
        if fit.strengths.pinned:
            return int(n_free)
        return int(n_free) + fit.centre.rank

    @cached_property
    def own_freedom(self) -> Array:
        """Degrees of freedom of the tasks' own parts, per feature.

        They are ``sum_t 1 - strength_j var(w_tj - w_sj)``, shape (n_features,).
        """
        fit = self.fit
        own, shrinkage = fit.strengths.own, self._shrinkage
        weight = fit.row_weight[:, None]
        freedom = np.einsum("tjj->tj", shrinkage)
        freedom = np.broadcast_to(freedom, (fit.moments.n_tasks, freedom.shape[1]))
        if weight.any():
            freedom = freedom + own * weight * fit.mean_solved**2 * (
                1 - weight * self.mean_variance
            )
        if len(fit.row_gap) > 1:
            shrinkage = shrinkage + (
                (weight * fit.mean_solved)[:, :, None] * fit.row_gap[:, None]
            )
        if not fit.strengths.pinned:
            product = np.matmul(shrinkage, self._centre_covariance)
            freedom = freedom - own * np.einsum("tjk,tjk->tj", product, shrinkage)
        return freedom.sum(axis=0)

    @cached_property
    def total_freedom(self) -> float:
        """Sum of `own_freedom`, from sums over the tasks."""
        fit = self.fit
        weight = fit.row_weight[:, None]
        total = fit.blocks.traces(fit.moments.n_tasks)
        if weight.any():
            known = weight * (1 - weight * self.mean_variance)
            total = total + (known * fit.row_design * fit.mean_solved).sum()
        if fit.strengths.pinned:
            return float(total)
        return float(total - np.vdot(self._centre_covariance, self.own_spread))

    @cached_property
    def own_spread(self) -> Array:
        """Information on the own parts that the centre takes, symmetrised."""
        spread = self.fit.blocks.spread(self.fit.moments.n_tasks)
        if len(self.fit.row_gap) > 1:
            spread = spread + self._spread_of_rows()
        return spread

    def _spread_of_rows(self):
        """Return the contribution of the rows at the means to `own_spread`."""
        fit, weight = self.fit, self.fit.row_weight[:, None]
        curved = fit.blocks.curve(fit.blocks.solve(fit.row_design))
        own = (fit.row_design * fit.mean_solved).sum(axis=1, keepdims=True)
        half = weight * curved + weight**2 * own * fit.row_gap / 2
        product = half.T @ fit.row_gap
        return product + product.T

    @cached_property
    def intercept_freedom(self) -> float:
        """Degrees of freedom of the tasks' own intercepts."""
        fit, a = self.fit, self.fit.strengths.intercept
        if not self._penalizes_intercept or np.isinf(a):
            return 0.0
        gap = np.broadcast_to(fit.row_gap, (fit.moments.n_tasks, len(fit.row_mean)))
        spread = ((gap @ self._centre_covariance) * gap).sum(axis=1)
        known = 1 - fit.row_weight * (spread + self.mean_variance)
        return float((fit.row_weight * known).sum() / a)

    @cached_property
    def degrees_of_freedom(self) -> float:
        """Trace of the matrix that maps targets to predictions."""
        total = self.n_unpenalized + self.total_freedom + self.intercept_freedom
        if self.fit.strengths.pinned:
            return float(total)
        centre = self.fit.strengths.centre
        if not centre.any():
            return float(total)
        return float(total - (centre * self.centre_variances).sum())

    @cached_property
    def noise_variance(self) -> float:
        """Sum of squared errors per residual degree of freedom; NaN without any."""
        left = self.fit.moments.weight.sum() - self.degrees_of_freedom
        return self.fit.squared_errors.sum() / left if left > _NO_FREEDOM else np.nan

    def variance(self, X: Array, tasks: Array) -> Array:
        """Return the variance of predictions on rows.

        Parameters
        ----------
        X : ndarray of shape (n_blocks, n_rows, n_features)
            Rows; each block is of one task.
        tasks : ndarray of shape (n_blocks,)
            Task of each block.

        Returns
        -------
        ndarray of shape (n_blocks, n_rows)
            Variances, in units of the noise variance.
        """
        return self._variance(self.fit.strengths.turn(X), tasks)

    def _variance(self, X, tasks):
        """Return the variances of rows in the coordinates of the moments."""
        fit = self.fit
        share, own = self.intercept_shares(tasks)
        mean = pick(fit.moments.x_mean, tasks)[:, None]
        rows = X - (1 - share)[:, None, None] * mean
        solved = pick(fit.mean_solved, tasks)[:, None]
        weight = fit.row_weight[tasks][:, None]
        along = (rows * solved).sum(axis=2)
        variance = fit.blocks.quadratics(rows, tasks) - weight * along**2
        variance = variance + own[:, None]
        of_mean = (share[:, None] - weight * along) ** 2 * self.mean_variance
        variance = variance + of_mean
        if fit.strengths.pinned:
            return variance
        design = rows - fit.blocks.shrink(rows, tasks)
        gap = pick(fit.row_gap, tasks)[:, None]
        design = design - (weight * along)[:, :, None] * gap
        design = design - share[:, None, None] * fit.row_mean
        product = np.matmul(design, self._centre_covariance)
        return variance + (product * design).sum(axis=2)

    @cached_property
    def task_freedom(self) -> Array:
        """Degrees of freedom of each task: the sum of the leverages of its rows.

        They are those at the mean of the rows, and the rest, from the scatter ``S_t``
        about it.
        """
        fit, weight = self.fit, self.fit.row_weight
        tasks = np.arange(fit.moments.n_tasks)
        mean = pick(fit.moments.x_mean, tasks)[:, None]
        n = fit.moments.weight
        at_mean = self._variance(mean, tasks)[:, 0]  # infinite for some without rows
        found = n * np.where(n > 0, at_mean, 0.0)
        solved, curved = fit.mean_solved, fit.blocks.curve(fit.mean_solved)
        along = (solved * curved).sum(axis=1)
        found += np.einsum("tjj->t", self._shrinkage)
        found += (weight**2 * self.mean_variance - weight) * along
        if fit.strengths.pinned:
            return found
        kept, covariance = -self._shrinkage, self._centre_covariance
        diagonals(kept)[...] += 1.0
        known = (kept @ covariance).transpose(0, 2, 1)
        known = (self._shrinkage * known).sum(axis=2)
        found += (fit.strengths.own * known).sum(axis=1)
        gap = fit.row_gap @ covariance
        left = np.matmul(curved[:, None], kept)[:, 0]
        found -= 2 * weight * (left * gap).sum(axis=1)
        found += weight**2 * along * (gap * fit.row_gap).sum(axis=1)
        return found

    def intercept_shares(self, tasks: Array) -> tuple[Array, Array]:
        """Return the centre's share of ``b_t``, and the variance of the rest.

        Parameters
        ----------
        tasks : ndarray of shape (n_blocks,)
            Tasks.

        Returns
        -------
        shares, variances : ndarray of shape (n_blocks,)
            Shares from 0 to 1, and variances in units of the noise variance.
        """
        fit = self.fit
        n, a = fit.moments.weight[tasks], fit.strengths.intercept
        if not fit.has_intercept:
            return np.zeros_like(n), np.zeros_like(n)
        if np.isinf(a):
            return np.ones_like(n), np.zeros_like(n)
        with np.errstate(divide="ignore"):
            own = 1 / (n + a)
        return a * np.where(n + a > 0, own, 0.0), own


def pick(values: Array, tasks: Any) -> Array:
    """Return the values of some tasks, or the single value of all tasks.

    Parameters
    ----------
    values : ndarray of shape (n_tasks or 1, ...)
        Values.
    tasks : ndarray of int
        Tasks.

    Returns
    -------
    ndarray
        Values with one entry per task, or a single entry.
    """
    return values if len(values) == 1 else values[tasks]
