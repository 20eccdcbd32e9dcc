"""Sizes of residuals of an exact fit, in units of their standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array, TaskData
from skmtl.data import RowStack
from skmtl.problems.exact import MeanFit, Posterior

from ._variances import weigh_tasks

# Quantiles of this many rows have a standard error below a hundredth.
_MOST_ROWS = 4096
# Matrices of each row may have this many numbers.
_SMALL = 2**18
# Beyond this leverage, a residual and its divisor are rounding errors.
_FULL = 1 - 1e-8


@dataclass(frozen=True)
class ResidualQuantiles:
    """Quantiles of the sizes of scaled residuals.

    Parameters
    ----------
    sizes : ndarray of shape (n_rows,)
        Sizes of residuals, divided by their standard errors relative to the noise, in
        ascending order.
    """

    sizes: Array

    @classmethod
    def of(cls, fit: MeanFit, data: TaskData) -> ResidualQuantiles:
        """Return those of the rows of a fit, or of evenly spaced ones if they are many.

        A residual that is left out has the size ``r / (1 - h)`` and the variance
        ``1 / (1 - h)``, with the leverage ``h``, so its scaled size is that of ``r /
        sqrt(1 - h)``.

        Parameters
        ----------
        fit : MeanFit
            The solution.
        data : TaskData
            Training rows; the fit may have other weights of tasks.

        Returns
        -------
        ResidualQuantiles
            The quantiles.
        """
        posterior, models = Posterior(fit), fit.unpack()
        weight = _weights(data)
        ratio = np.ones_like(weight)
        np.divide(fit.moments.weight, weight, out=ratio, where=weight > 0)
        rows = weigh_tasks(_some_rows(data), ratio)
        found = [_scaled_sizes(posterior, models, group) for group in _stacks(rows)]
        return cls(np.sort(np.concatenate(found or [np.zeros(0)])))

    def at(self, coverage: float, default: float) -> float:
        """Return the size below which a share of new rows is.

        Parameters
        ----------
        coverage : float
            The share, above 0 and below 1.
        default : float
            Value for a share that has too few rows, if the largest size is smaller.

        Returns
        -------
        float
            The order statistic of the training rows at the share, with one more row
            beyond all of them.
        """
        n_rows = len(self.sizes)
        rank = int(np.ceil(coverage * (n_rows + 1)))
        if rank <= n_rows:
            return float(self.sizes[rank - 1])
        return max(default, float(self.sizes[-1]) if n_rows else default)


def _some_rows(data: Any) -> Any:
    rows = data.stacked()
    step = -(-len(rows.y) // _MOST_ROWS)
    return rows.keep(np.arange(len(rows.y)) % step == 0) if step > 1 else rows


def _weights(data):
    """Return the weight of each task's rows."""
    if data.shares_rows:
        return data.moments(curvature=False).weight
    codes = _codes(data)
    weight = np.bincount(codes, data.weight, len(data.tasks)).astype(float)
    return weight if data.task_weight is None else weight * data.task_weight


def _codes(rows):
    return np.repeat(np.arange(len(rows.tasks)), np.diff(rows.offsets))


def _stacks(rows):
    """Return stacks of rows: single rows, or as equal sizes of tasks allow."""
    if sparse.issparse(rows.X) or len(rows.y) * rows.X.shape[1] ** 2 > _SMALL:
        return rows.weighted_groups()
    codes = _codes(rows)
    positions = np.arange(len(codes)) if rows.rows is None else rows.rows
    weight = np.ones(len(codes)) if rows.weight is None else rows.weight
    if rows.task_weight is not None:
        weight = weight * rows.task_weight[codes]
    X = np.asarray(rows.X[positions], dtype=float)[:, None]
    y, weight = rows.y[:, None], weight[:, None]
    return [RowStack(codes, np.arange(len(y))[:, None], X, y, weight)]


def _scaled_sizes(posterior, models, group):
    """Return the scaled sizes of the residuals of a stack of rows."""
    fitted = np.matmul(group.X, models.coef[group.tasks][:, :, None])[:, :, 0]
    residuals = group.y - fitted - models.intercept[group.tasks][:, None]
    leverage = group.weight * posterior.variance(group.X, group.tasks)
    kept = (group.weight > 0) & (leverage < _FULL)
    left = 1 - leverage[kept]
    return np.abs(residuals[kept]) * np.sqrt(group.weight[kept] / left)
