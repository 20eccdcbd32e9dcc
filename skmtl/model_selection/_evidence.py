"""Means of tasks, shrunk towards their common mean by empirical Bayes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The variance within a task is shrunk to the common one as if by this many rows.
_PRIOR_ROWS = 4.0
# Squares below this share of those of the values are rounding errors.
_ROUNDING = 1e-28


@dataclass(frozen=True)
class Evidence:
    """Posterior means of tasks, and their standard deviations.

    Parameters
    ----------
    mean : ndarray of shape (n_tasks,)
        Posterior means.
    standard_deviation : ndarray of shape (n_tasks,)
        Posterior standard deviations; zero only if all values are equal.
    """

    mean: NDArray[np.floating]
    standard_deviation: NDArray[np.floating]


def shrink_means(
    values: NDArray[np.floating],
    codes: NDArray[np.intp],
    n_tasks: int,
    weight: NDArray[np.floating],
) -> Evidence:
    """Shrink the means of tasks towards each other.

    The observed mean of task ``t`` is normal around its true mean ``m_t``, with the
    variance ``s_t^2`` of a mean of its rows, and the true means are normal around
    ``mu`` with variance ``tau^2``. Both are estimated: ``tau^2`` by the method of
    Paule and Mandel, at which ``sum_t (mean_t - mu)^2 / (s_t^2 + tau^2)`` is the number
    of tasks minus 1, and ``mu`` by the mean weighted by ``1 / (s_t^2 + tau^2)``. If
    values do not vary within tasks, as with one per task, the variance of a value is
    that around ``mu``, so that no task differs from the others.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Values; NaN is left out.
    codes : ndarray of shape (n_values,), dtype intp
        Task of each value.
    n_tasks : int
        Number of tasks. One without values gets the common mean.
    weight : ndarray of shape (n_values,)
        Weights of the values in the means; an integer is a number of repetitions.

    Returns
    -------
    Evidence
        Posterior means and standard deviations.

    References
    ----------
    Paule, R. C., Mandel, J. (1982). Consensus values and weighting factors. Journal of
    Research of the National Bureau of Standards, 87(5), 377-385.
    :doi:`10.6028/jres.087.022`
    """
    known = ~np.isnan(values) & (weight > 0)
    values, codes, weight = values[known], codes[known], weight[known]
    mean, variance = _average(values, codes, n_tasks, weight)
    seen = np.isfinite(variance)
    if not seen.any() or not variance[seen].max() > 0:
        return Evidence(np.where(seen, mean, 0.0), np.zeros(n_tasks))
    found, error = mean[seen], variance[seen]
    between = _find_variance(found, error)
    total = error + between
    common = np.average(found, weights=1 / total)
    uncertainty = 1 / (1 / total).sum()
    # The weight of a task's own mean; a task without values has none.
    own = np.zeros(n_tasks)
    own[seen] = between / total
    shrunk = own * np.where(seen, mean, 0.0) + (1 - own) * common
    spread = np.where(seen, own * np.where(seen, variance, 0.0), between)
    return Evidence(shrunk, np.sqrt(spread + (1 - own) ** 2 * uncertainty))


def _average(values, codes, n_tasks, weight):
    """Return the mean of each task and its variance, infinite without values."""
    total = np.bincount(codes, weight, minlength=n_tasks)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = np.bincount(codes, weight * values, minlength=n_tasks) / total
        squares = np.bincount(
            codes, weight * (values - mean[codes]) ** 2, minlength=n_tasks
        )
        freedom = np.maximum(total - 1, 0)
        common = np.nansum(squares) / max(freedom.sum(), 1.0)
        if not squares.sum() > _ROUNDING * (weight * values**2).sum():
            # No task has two values, so its mean cannot be told from the common one.
            squares, freedom = np.zeros(n_tasks), np.zeros(n_tasks)
            centre = (weight * values).sum() / weight.sum()
            common = (weight * (values - centre) ** 2).sum()
            common /= max(np.count_nonzero(total) - 1, 1)
        variance = (_PRIOR_ROWS * common + squares) / (_PRIOR_ROWS + freedom) / total
    return mean, np.where(total > 0, variance, np.inf)


def _find_variance(mean, error):
    """Return the variance between true means, by bisection."""

    def excess(between):
        share = 1 / (error + between)
        common = np.average(mean, weights=share)
        return (share * (mean - common) ** 2).sum() - (len(mean) - 1)

    low, high = 0.0, float(mean.var() * len(mean))
    error = np.maximum(error, np.finfo(np.float64).tiny + 1e-12 * high)
    if len(mean) < 2 or excess(low) <= 0:
        return 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high
