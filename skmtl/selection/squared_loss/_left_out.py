"""Leave-one-out errors of one fit, by the leverages of its rows."""

from dataclasses import replace
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.problems.exact import MeanFit, Posterior, pick

from ._candidates import FactoredMoments

# Beyond this leverage, a residual and its divisor are rounding errors.
_FULL = 1 - 1e-8
# Keep rows in eigenvector coordinates up to this many numbers; recompute more.
_N_KEPT = 2**24


class LeftOutErrors:
    """Leave-one-out errors of fits to the same rows.

    Rows are converted once to the eigenvectors of their task's block. The leverages of
    a fit, ``variance + sum_k (z_k g_k)^2``, are then cheap.

    Parameters
    ----------
    data : TaskData
        Training rows.
    factored : FactoredMoments
        Moments of the rows, factored.
    """

    def __init__(self, data: Any, factored: FactoredMoments) -> None:
        self._data, self._factored = data, factored
        self._turned: Any = None
        moments = factored.moments
        n_numbers = moments.n_features * moments.n_tasks * data.mean_rows()
        if n_numbers <= _N_KEPT:
            self._turned = list(self._turn())

    def _turn(self):
        """Yield groups of rows, centred, and in eigenvector coordinates."""
        blocks, moments = self._factored.blocks, self._factored.moments
        turn = self._factored.shape.turn_rows
        for group in self._data.weighted_groups():
            stack = replace(group, X=turn(group.X))
            centred = stack.X - pick(moments.x_mean, group.tasks)[:, None]
            yield stack, centred, blocks.turn(centred, group.tasks)

    def at(self, fit: MeanFit) -> float:
        """Return the weighted mean of squared leave-one-out errors of a fit.

        Parameters
        ----------
        fit : MeanFit
            A fit of `factored`.

        Returns
        -------
        float
            Mean squared leave-one-out error.
        """
        return sum(found.sum() for _, found in self._squares(fit)) / self._total

    def of_tasks(self, fit: MeanFit) -> Array:
        """Return the weighted sum of squared leave-one-out errors of each task.

        Parameters
        ----------
        fit : MeanFit
            A fit of `factored`.

        Returns
        -------
        ndarray of shape (n_tasks,)
            The sums.
        """
        sums = np.zeros(fit.moments.n_tasks)
        for tasks, found in self._squares(fit):
            np.add.at(sums, tasks, found.sum(axis=1))
        return sums

    @property
    def _total(self):
        return self._factored.moments.weight.sum()

    def _squares(self, fit):
        """Yield tasks, and weighted squared leave-one-out errors of their rows."""
        variances = RowVariances(fit)
        mean = _overall_mean(fit) if fit.has_intercept else 0.0
        for group, centred, turned in self._turned or self._turn():
            coef = fit.coef[group.tasks][:, :, None]
            residuals = group.y - np.matmul(group.X, coef)[:, :, 0]
            residuals = residuals - fit.intercept[group.tasks][:, None]
            leverage = group.weight * variances.at(centred, turned, group.tasks)
            residuals = leave_out(residuals, leverage, group.y - mean)
            yield group.tasks, group.weight * residuals**2


class RowVariances:
    """Variances of predictions for training rows, relative to the noise variance.

    They are those of :meth:`Posterior.variance`, for rows in eigenvector coordinates.

    Parameters
    ----------
    fit : MeanFit
        A solved problem with spectral blocks.
    """

    def __init__(self, fit: MeanFit) -> None:
        self.fit, self.posterior = fit, Posterior(fit)
        blocks: Any = fit.blocks
        self.learnt, self.kept = blocks.shares()
        self.root = None
        if not fit.strengths.pinned:
            self.root = fit.centre.inverse_root
            self.onto = np.matmul(blocks.basis * (1 / blocks.scale), self.root)
            self.gap = fit.row_gap @ self.root

    def at(self, centred: Array, turned: Array, tasks: Array) -> Array:
        """Return variances of centred rows, also given in eigenvector coordinates."""
        fit = self.fit
        share, own = self.posterior.intercept_shares(tasks)
        mean, solved = fit.moments.x_mean, fit.mean_solved
        spread = (mean * solved).sum(axis=1)
        to_mean = np.matmul(centred, pick(solved, tasks)[:, :, None])[:, :, 0]
        spread, weight = pick(spread, tasks)[:, None], fit.row_weight[tasks][:, None]
        share = share[:, None]
        shift = to_mean + share * spread
        variance = np.matmul(turned**2, pick(self.learnt, tasks)[:, :, None])[:, :, 0]
        variance += share * (2 * to_mean + share * spread) - weight * shift**2
        intercept = share - weight * shift
        variance += own[:, None] + intercept**2 * self.posterior.mean_variance
        if self.root is None:
            return variance
        design = np.matmul(
            turned * pick(self.kept, tasks)[:, None], pick(self.onto, tasks)
        )
        design += intercept[:, :, None] * pick(self.gap, tasks)[:, None]
        return variance + np.einsum("tij,tij->ti", design, design)


def _overall_mean(fit):
    return np.average(fit.moments.y_mean, weights=fit.moments.weight)


def leave_out(residuals: Array, leverage: Array, default: Array) -> Array:
    """Return leave-one-out residuals, `default` for rows with a leverage of 1.

    No other row predicts these: a task's only row with a free intercept, and all rows
    of an interpolating model.
    """
    out = np.broadcast_to(default, residuals.shape).copy()
    return np.divide(residuals, 1 - leverage, out=out, where=leverage < _FULL)
