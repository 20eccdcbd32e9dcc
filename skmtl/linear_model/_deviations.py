"""Posterior standard deviations of the coefficients of tasks."""

from typing import Any

import numpy as np

from skmtl._contracts import Array

# Of a step along a feature: so large that the variance of an intercept far from the
# rows does not cancel digits.
_STEP = 1e6


def find_deviations(model: Any, feature: int | None = None) -> Array | None:
    """Return the posterior standard deviations of a coefficient of each task.

    Parameters
    ----------
    model : estimator
        Fitted linear model.
    feature : int or None, default=None
        Position of the feature; None means the intercept.

    Returns
    -------
    ndarray of shape (n_tasks,) or None
        Standard deviations in the units of the coefficient; None if the model has no
        posterior of them.
    """
    read = getattr(model, "_raw_variances", None)
    if read is None:
        return None
    rows = np.zeros((3, model.coef_shared_.shape[-1]))
    if feature is not None:
        rows[1:, feature] = _STEP, -_STEP
    variances = read(rows)
    if variances is None:
        return None
    middle, up, down = variances.T
    if feature is not None:
        # The variance is quadratic in the row, so that a second difference is exact.
        middle = (up + down - 2 * middle) / (2 * _STEP**2)
    found: Array = np.sqrt(np.maximum(middle, 0.0))
    return found
