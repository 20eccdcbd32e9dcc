"""Warn of targets in different units."""

import warnings
from typing import Any

import numpy as np

from skmtl._contracts import Array

# Warn above this ratio of standard deviations: it suggests different units.
_LARGEST_RATIO = 10.0
# Ignore tasks with fewer rows: their standard deviations are too uncertain.
_FEWEST_ROWS = 10
# Below this standard deviation relative to the mean, a target is constant up to
# rounding.
_CONSTANT = 1e-13


def warn_of_units(data: Any) -> None:
    """Warn if the targets of two tasks have very different standard deviations.

    The ratio must exceed the sampling error: the log standard deviation of ``n`` rows
    with moderately heavy tails has a standard error of about ``1 / sqrt(n)``, and the
    extremes of many tasks differ by several standard errors.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    """
    labels, sizes, spreads = _measure(data)
    if len(labels) < 2:
        return
    error = np.sqrt(2 * np.log(len(labels)) / sizes)
    high = int((np.log(spreads) - error).argmax())
    low = int((np.log(spreads) + error).argmin())
    ratio = spreads[high] / spreads[low] / np.exp(error[high] + error[low])
    if ratio <= _LARGEST_RATIO:
        return
    warnings.warn(
        "The targets of tasks should have similar spreads: the standard deviation of y "
        f"is {spreads[high]:.3g} in task {labels[high]!r} and {spreads[low]:.3g} in "
        f"task {labels[low]!r}, so the larger one dominates the shared part. If units "
        "differ, divide each task's y by its standard deviation; for a 2-d y, use "
        "TransformedTargetRegressor(model, transformer=StandardScaler()).",
        UserWarning,
        stacklevel=2,
    )


@np.errstate(over="ignore", invalid="ignore")
def _measure(data: Any) -> tuple[list[Any], Array, Array]:
    """Return labels, numbers of rows, and standard deviations of targets by task.

    Tasks with few rows or constant targets are left out.
    """
    if data.shares_rows:
        data = data.stacked()
    codes = np.repeat(np.arange(len(data.tasks)), np.diff(data.offsets))
    kept = np.ones(len(codes)) if data.weight is None else (data.weight > 0) * 1.0
    sizes = np.bincount(codes, kept)
    total = np.maximum(sizes, 1.0)
    mean = np.bincount(codes, kept * data.y) / total
    spreads = np.sqrt(np.bincount(codes, kept * (data.y - mean[codes]) ** 2) / total)
    varies = np.isfinite(spreads) & (spreads > _CONSTANT * np.abs(mean))
    found = np.flatnonzero((sizes >= _FEWEST_ROWS) & varies)
    return data.tasks[found].tolist(), sizes[found], spreads[found]
