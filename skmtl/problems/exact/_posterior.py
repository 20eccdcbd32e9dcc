"""What the factors of a fit know of its uncertainty, in units of the noise variance."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ._mean_exact import MeanFit

# Degrees of freedom left that are no more than rounding.
_NOTHING = 1e-8


@dataclass(frozen=True)
class Posterior:
    """Read tasks as draws around the centre, with variances ``1 / strength``.

    Parameters
    ----------
    fit : MeanFit
        A solved problem.
    """

    fit: MeanFit

    @cached_property
    def _centre_covariance(self):
        n_features = self.fit.moments.n_features
        if self.fit.pull.pinned:
            return np.zeros((n_features, n_features))
        return self.fit.centre.inverse

    @property
    def centre_variances(self):
        """Variances of the centre's coefficients, (n_features,)."""
        return np.diag(self._centre_covariance)

    @cached_property
    def _shrinkage(self):
        return self.fit.blocks.shrinkage()

    @cached_property
    def mean_variance(self):
        """Variance of the centre's prediction at the mean of the rows at the means."""
        total = self.fit.row_weight.sum()
        held = self.fit.pull.holds_intercept
        return 1 / total if total > 0 and not held else 0.0

    @cached_property
    def _pulls_intercept(self):
        return self.fit.has_intercept and self.fit.pull.intercept > 0

    @cached_property
    def n_fixed(self):
        """Number of parameters that nothing pulls."""
        fit = self.fit
        n_free = 0
        if self._pulls_intercept:
            n_free = 0 if fit.pull.holds_intercept else 1
        elif fit.has_intercept:
            n_free = (fit.moments.weight > 0).sum()
        if fit.pull.pinned:
            return int(n_free)
        return int(n_free) + fit.centre.rank

    @cached_property
    def own_learnt(self):
        """Degrees of freedom that the data give the tasks' own parts, per feature.

        It is ``sum_t 1 - strength_j var(w_tj - w_sj)``, shape (n_features,).
        """
        fit = self.fit
        own, spread = fit.pull.own, self._shrinkage
        weight = fit.row_weight[:, None]
        learnt = np.einsum("tjj->tj", spread)
        learnt = np.broadcast_to(learnt, (fit.moments.n_tasks, learnt.shape[1]))
        if weight.any():
            learnt = learnt + own * weight * fit.mean_solved**2 * (
                1 - weight * self.mean_variance
            )
        if len(fit.row_gap) > 1:
            spread = (
                spread + (weight * fit.mean_solved)[:, :, None] * (fit.row_gap[:, None])
            )
        if not fit.pull.pinned:
            product = np.matmul(spread, self._centre_covariance)
            learnt = learnt - own * np.einsum("tjk,tjk->tj", product, spread)
        return learnt.sum(axis=0)

    @cached_property
    def total_learnt(self):
        """Sum of `own_learnt`, from sums over the tasks."""
        fit = self.fit
        weight = fit.row_weight[:, None]
        total = fit.blocks.traces(fit.moments.n_tasks)
        if weight.any():
            known = weight * (1 - weight * self.mean_variance)
            total += (known * fit.row_design * fit.mean_solved).sum()
        if fit.pull.pinned:
            return float(total)
        return float(total - np.vdot(self._centre_covariance, self.own_spread))

    @cached_property
    def own_spread(self):
        """Reduction of own parts' information by the centre, symmetrised."""
        spread = self.fit.blocks.spread(self.fit.moments.n_tasks)
        if len(self.fit.row_gap) > 1:
            spread = spread + self._spread_of_rows()
        return spread

    def _spread_of_rows(self):
        """Return the contribution of the means to the blocks' spread."""
        fit, weight = self.fit, self.fit.row_weight[:, None]
        passed = fit.blocks.curve(fit.blocks.solve(fit.row_design))
        own = (fit.row_design * fit.mean_solved).sum(axis=1, keepdims=True)
        half = weight * passed + weight**2 * own * fit.row_gap / 2
        mixed = half.T @ fit.row_gap
        return mixed + mixed.T

    @cached_property
    def intercept_learnt(self):
        """Degrees of freedom that the data give the tasks' own intercepts."""
        fit, a = self.fit, self.fit.pull.intercept
        if not self._pulls_intercept or np.isinf(a):
            return 0.0
        gap = np.broadcast_to(fit.row_gap, (fit.moments.n_tasks, len(fit.row_mean)))
        spread = ((gap @ self._centre_covariance) * gap).sum(axis=1)
        known = 1 - fit.row_weight * (spread + self.mean_variance)
        return float((fit.row_weight * known).sum() / a)

    @cached_property
    def degrees_of_freedom(self):
        """Trace of the matrix that maps targets to predictions."""
        total = self.n_fixed + self.total_learnt + self.intercept_learnt
        if self.fit.pull.pinned:
            return float(total)
        centre = self.fit.pull.centre
        if not centre.any():
            return float(total)
        return float(total - (centre * self.centre_variances).sum())

    @cached_property
    def noise_variance(self):
        """Sum of squared errors per degree of freedom that is left; NaN if none is."""
        left = self.fit.moments.weight.sum() - self.degrees_of_freedom
        return self.fit.squared_errors.sum() / left if left > _NOTHING else np.nan

    def variance(self, X, tasks):
        """Return the variance of predictions on rows.

        Parameters
        ----------
        X : ndarray of shape (n_blocks, n_rows, n_features)
            Rows of one task each block.
        tasks : ndarray of shape (n_blocks,)
            Index of each block's task.

        Returns
        -------
        ndarray of shape (n_blocks, n_rows)
            Variances, in units of the noise variance.
        """
        fit = self.fit
        kept, own = self.intercept_shares(tasks)
        mean = pick(fit.moments.x_mean, tasks)[:, None]
        rows = X - (1 - kept)[:, None, None] * mean
        solved = pick(fit.mean_solved, tasks)[:, None]
        weight = fit.row_weight[tasks][:, None]
        along = (rows * solved).sum(axis=2)
        variance = fit.blocks.quadratics(rows, tasks) - weight * along**2
        variance = variance + own[:, None]
        level = (kept[:, None] - weight * along) ** 2 * self.mean_variance
        variance = variance + level
        if fit.pull.pinned:
            return variance
        design = rows - fit.blocks.shrink(rows, tasks)
        gap = pick(fit.row_gap, tasks)[:, None]
        design = design - (weight * along)[:, :, None] * gap
        design = design - kept[:, None, None] * fit.row_mean
        product = np.matmul(design, self._centre_covariance)
        return variance + (product * design).sum(axis=2)

    def intercept_shares(self, tasks):
        """Return the centre's share of ``b_t``, and the variance of the rest."""
        fit = self.fit
        n, a = fit.moments.weight[tasks], fit.pull.intercept
        if not fit.has_intercept:
            return np.zeros_like(n), np.zeros_like(n)
        if np.isinf(a):
            return np.ones_like(n), np.zeros_like(n)
        with np.errstate(divide="ignore"):
            own = 1 / (n + a)
        return a * np.where(n + a > 0, own, 0.0), own

    def variance_of_new_task(self, X):
        """Return the variance of predictions on rows of a task never seen.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows,)
            Variances, in units of the noise variance; infinite where nothing pulls.
        """
        fit = self.fit
        with np.errstate(divide="ignore", invalid="ignore"):
            own = np.where(X != 0, X**2 / fit.pull.own[0], 0.0).sum(axis=1)
            level = 1 / np.float64(fit.pull.intercept) if fit.has_intercept else 0.0
        if self._pulls_intercept:
            rows = X - fit.row_mean
            level = level + self.mean_variance
        else:
            rows = X
        product = rows @ self._centre_covariance
        return own + level + (product * rows).sum(axis=1)


def pick(values, tasks):
    """Return the values of some tasks, or the one value that all tasks share."""
    return values if len(values) == 1 else values[tasks]
