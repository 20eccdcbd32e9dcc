"""Standard errors of paired differences over folds, and tests over rows."""

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skmtl.model_selection import divide


def estimate_standard_error(
    values: NDArray[np.floating], test_ratio: float
) -> NDArray[np.floating]:
    """Estimate the standard error of the mean over folds with overlapping training.

    ``sqrt((1 / n_folds + n_test / n_train) s^2)`` of Nadeau and Bengio, where ``s^2``
    is the variance over folds, the last axis.
    """
    n_folds = values.shape[-1]
    if n_folds == 1:
        return np.full(values.shape[:-1], np.nan)
    return np.sqrt((1 / n_folds + test_ratio) * values.var(axis=-1, ddof=1))


def average_by_task(
    values: NDArray[np.floating],
    codes: NDArray[np.intp],
    weights: NDArray[np.floating],
    n_tasks: int,
) -> tuple[NDArray[np.floating], NDArray[np.floating], NDArray[np.intp]]:
    """Return the weighted mean of each task, its standard error, and its row count."""
    known = ~np.isnan(values) & (weights > 0)
    values, codes, weights = values[known], codes[known], weights[known]
    counts = np.bincount(codes, minlength=n_tasks)
    total = np.bincount(codes, weights, minlength=n_tasks)
    mean = divide(np.bincount(codes, weights * values, minlength=n_tasks), total)
    squares = (weights * (values - mean[codes])) ** 2
    spread = divide(np.sqrt(np.bincount(codes, squares, minlength=n_tasks)), total)
    return mean, spread * np.sqrt(divide(counts, counts - 1)), counts


def find_p_values(
    mean: NDArray[np.floating],
    standard_error: NDArray[np.floating],
    counts: NDArray[np.intp],
) -> NDArray[np.floating]:
    """Return one-sided p-values for means above 0, by Student's t-test.

    NaN for less than two rows; 1 if all differences are equal, as their variance is
    then unknown.
    """
    statistic = divide(mean, standard_error)
    p_values = stats.t.sf(statistic, np.maximum(counts - 1, 1))
    return np.where(standard_error == 0, 1.0, p_values)


def adjust_holm(p_values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Adjust p-values over tasks by Holm's method, leaving out NaN."""
    adjusted = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known])]
    factors = np.arange(len(order), 0, -1)
    steps = np.maximum.accumulate(factors * p_values[order])
    adjusted[order] = np.minimum(steps, 1)
    return adjusted
