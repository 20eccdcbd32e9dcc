"""Leave-one-out errors without leaving anything out."""

import numpy as np

from skmtl.problems.exact import Posterior
from skmtl.problems.exact import pick as _pick

# With a larger leverage, residuals and their denominators are rounding errors.
_FULL = 1 - 1e-8
# Cache rows in eigenvector coordinates up to this many numbers; recompute more.
_KEPT = 2**24


class LeftOutErrors:
    """Leave-one-out errors of fits to the same rows.

    Rows are converted once to the eigenvectors of their task's block, which makes the
    leverages of a fit ``variance + sum_k (z_k g_k)^2`` cheap, see :meth:`at`.

    Parameters
    ----------
    data : TaskData
        Training rows.
    posed : PosedStrengths
        The problem that the fits solve.
    """

    def __init__(self, data, posed):
        self._data, self._posed = data, posed
        self._turned = None
        n_numbers = posed.moments.n_features * posed.moments.n_tasks * data.mean_rows()
        if n_numbers <= _KEPT:
            self._turned = list(self._turn())

    def _turn(self):
        """Yield groups of rows, centred, and in eigenvector coordinates."""
        blocks, moments = self._posed.blocks, self._posed.moments
        for group in self._data.weighted_groups():
            about = group.X - _pick(moments.x_mean, group.tasks)[:, None]
            yield group, about, blocks.turn(about, group.tasks)

    def at(self, fit):
        """Return the weighted mean of squared leave-one-out errors of a fit.

        Parameters
        ----------
        fit : MeanFit
            A problem posed by `posed`.

        Returns
        -------
        float
            Mean squared leave-one-out error.
        """
        variances, total = RowVariances(fit), 0.0
        mean = _overall_mean(fit) if fit.has_intercept else 0.0
        for group, about, turned in self._turned or self._turn():
            coef = fit.coef[group.tasks][:, :, None]
            left = group.y - np.matmul(group.X, coef)[:, :, 0]
            left = left - fit.intercept[group.tasks][:, None]
            leverage = group.weight * variances.at(about, turned, group.tasks)
            left = leave_out(left, leverage, group.y - mean)
            total += (group.weight * left**2).sum()
        return total / fit.moments.weight.sum()


class RowVariances:
    """Compute the variances of predictions for training rows, relative to the noise.

    Same as :meth:`Posterior.variance`, for rows in eigenvector coordinates.

    Parameters
    ----------
    fit : MeanFit
        A solved problem with spectral blocks.
    """

    def __init__(self, fit):
        self.fit, self.posterior = fit, Posterior(fit)
        blocks = fit.blocks
        self.learnt, self.kept = blocks.shares()
        self.root = None
        if not fit.strengths.pinned:
            self.root = fit.centre.inverse_root
            self.onto = np.matmul(blocks.basis * (1 / blocks.scale), self.root)
            self.gap = fit.row_gap @ self.root

    def at(self, about, turned, tasks):
        """Return variances, given centred rows in eigenvector coordinates."""
        fit = self.fit
        share, own = self.posterior.intercept_shares(tasks)
        mean, solved = fit.moments.x_mean, fit.mean_solved
        spread = (mean * solved).sum(axis=1)
        to_mean = np.matmul(about, _pick(solved, tasks)[:, :, None])[:, :, 0]
        spread, weight = _pick(spread, tasks)[:, None], fit.row_weight[tasks][:, None]
        share = share[:, None]
        along = to_mean + share * spread
        variance = np.matmul(turned**2, _pick(self.learnt, tasks)[:, :, None])[:, :, 0]
        variance += share * (2 * to_mean + share * spread) - weight * along**2
        level = share - weight * along
        variance += own[:, None] + level**2 * self.posterior.mean_variance
        if self.root is None:
            return variance
        design = np.matmul(
            turned * _pick(self.kept, tasks)[:, None], _pick(self.onto, tasks)
        )
        design += level[:, :, None] * _pick(self.gap, tasks)[:, None]
        return variance + np.einsum("tij,tij->ti", design, design)


def _overall_mean(fit):
    return np.average(fit.moments.y_mean, weights=fit.moments.weight)


def leave_out(left, leverage, alone):
    """Return leave-one-out residuals, `alone` where no other row predicts a row.

    This concerns a task's only row with a free intercept, and all rows of an
    interpolating model, as its zero residuals carry no information.
    """
    out = np.broadcast_to(alone, left.shape).copy()
    return np.divide(left, 1 - leverage, out=out, where=leverage < _FULL)
