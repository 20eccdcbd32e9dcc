"""Quantiles of predictions plus out-of-fold errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array

# Halvings of the range of an end, until it is exact up to rounding.
_N_HALVINGS = 64
# Sums of the weights have rounding errors below this.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class FoldErrors:
    """Sizes of errors on the rows of each fold, and the cumulative weights of these.

    Weights sum to less than 1. The rest is the weight of the new row, or task, whose
    error may be larger than all others.

    Parameters
    ----------
    sizes : list of ndarray of shape (n_test,)
        Sizes of errors of each fold, in ascending order.
    shares : list of ndarray of shape (n_test + 1,)
        Sum of the weights of the errors before each.
    """

    sizes: list[Array]
    shares: list[Array]

    @classmethod
    def of_rows(cls, errors: Sequence[Array]) -> FoldErrors:
        """Give all rows the same weight, and as much to the new row."""
        weight = 1 / (1 + sum(map(len, errors)))
        return cls._sorted(errors, [np.full(len(each), weight) for each in errors])

    @classmethod
    def of_tasks(cls, errors: Sequence[Array], codes: Sequence[Array]) -> FoldErrors:
        """Give all tasks the same weight, and as much to the new task.

        Parameters
        ----------
        errors, codes : sequence of ndarray of shape (n_test,)
            Errors, and the task of each.

        Returns
        -------
        FoldErrors
            The errors.
        """
        numbers = [np.unique(each, return_inverse=True)[1] for each in codes]
        n_rows = [np.bincount(each) for each in numbers]
        n_tasks = 1 + sum(map(len, n_rows))
        weights = [
            1 / (n_tasks * sizes[each])
            for sizes, each in zip(n_rows, numbers, strict=True)
        ]
        return cls._sorted(errors, weights)

    @classmethod
    def _sorted(cls, errors, weights):
        orders = [np.argsort(each) for each in errors]
        sizes = [each[order] for each, order in zip(errors, orders, strict=True)]
        shares = [
            np.concatenate([[0.0], np.cumsum(each[order])])
            for each, order in zip(weights, orders, strict=True)
        ]
        return cls(sizes, shares)

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return float(sum(share[-1] for share in self.shares))


def find_ends(
    predictions: Any, errors: FoldErrors, coverage: float, n_rows: int
) -> Array:
    """Return the ends of intervals.

    The upper end is the quantile at `coverage` of ``mean_k + std_k size_i`` over the
    errors of all folds, the lower end that of ``std_k size_i - mean_k``, negated.

    Parameters
    ----------
    predictions : list of (mean, std)
        Predictions by the fit without each fold, and their scales, (n_rows,) each.
    errors : FoldErrors
        Errors of these fits.
    coverage : float
        Share of targets within their intervals.
    n_rows : int
        Number of rows.

    Returns
    -------
    ndarray of shape (n_rows, 2)
        Lower and upper ends; infinite if the errors weigh less than `coverage`.
    """
    if errors.total < coverage - _ROUNDING:
        return np.tile([-np.inf, np.inf], (n_rows, 1))
    means, stds = (np.array(each) for each in zip(*predictions, strict=True))
    lower = -_find_upper_ends(-means, stds, errors, coverage)
    return np.stack([lower, _find_upper_ends(means, stds, errors, coverage)], axis=1)


def _find_upper_ends(means, stds, errors, coverage):
    """Return quantiles of ``mean_k + std_k size_i`` by bisection."""
    largest = np.array([sizes[-1] if len(sizes) else 0.0 for sizes in errors.sizes])
    low, high = means.min(axis=0), (means + stds * largest[:, None]).max(axis=0)
    finite = np.isfinite(high)
    low, high = np.where(finite, low, 0.0), np.where(finite, high, 0.0)
    for _ in range(_N_HALVINGS):
        middle = low + (high - low) / 2
        share = np.zeros_like(middle)
        for mean, std, sizes, shares in zip(
            means, stds, errors.sizes, errors.shares, strict=True
        ):
            share += shares[np.searchsorted(sizes, (middle - mean) / std, "right")]
        enough = share >= coverage - _ROUNDING
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(finite, high, np.inf)
