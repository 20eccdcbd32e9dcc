"""Paired differences between the losses of two models, and their standard errors."""

import numpy as np
from numpy.typing import NDArray

# With fewer tasks, the variance between tasks is too uncertain: rows are the clusters.
_FEWEST_TASKS = 10


def compare_losses(
    loss: NDArray[np.floating],
    other: NDArray[np.floating],
    weight: NDArray[np.floating],
    codes: NDArray[np.intp],
) -> tuple[float, float]:
    """Return the weighted mean of ``loss - other`` and its standard error.

    Differences within a task are dependent, as they share its model. So the variance
    is that of the sums of tasks about their expectation: with the residuals ``r_i`` of
    the differences and weights ``v_i`` of sum 1,
    ``T / (T - 1) sum_t (sum_{i in t} v_i r_i)^2``. With few tasks each row is a
    cluster. Targets that were not held out are NaN, and left out.

    Parameters
    ----------
    loss, other : ndarray of shape (n_targets,)
        Losses of two models for the same targets.
    weight : ndarray of shape (n_targets,)
        Weights of the targets.
    codes : ndarray of shape (n_targets,), dtype intp
        Task of each target.

    Returns
    -------
    difference, standard_error : float
        Infinite if there are fewer than two targets with weight.
    """
    known = ~np.isnan(loss) & ~np.isnan(other) & (weight > 0)
    if known.sum() < 2:
        return 0.0, np.inf
    share = weight[known] / weight[known].max()
    share = share / share.sum()
    difference = loss[known] - other[known]
    mean = float(share @ difference)
    residuals = share * (difference - mean)
    clusters = np.unique(codes[known], return_inverse=True)[1]
    if clusters.max() + 1 >= _FEWEST_TASKS:
        residuals = np.bincount(clusters, residuals)
    n_clusters = len(residuals)
    return mean, float(np.sqrt(n_clusters / (n_clusters - 1) * (residuals**2).sum()))


def average_loss(loss: NDArray[np.floating], weight: NDArray[np.floating]) -> float:
    """Return the weighted mean of the losses that are known; infinite if none is."""
    known = ~np.isnan(loss) & (weight > 0)
    if not known.any():
        return np.inf
    share = weight[known] / weight[known].max()
    return float(share @ loss[known] / share.sum())
