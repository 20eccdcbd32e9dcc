"""Warn of targets in different units."""

import warnings
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._spreads import Spreads

# Warn above this ratio of standard deviations: it suggests different units.
_LARGEST_RATIO = 10.0
# Ignore tasks with fewer rows: their standard deviations are too uncertain.
_FEWEST_ROWS = 10


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
        "differ, set scale_targets=True where the model has it, or divide each task's "
        "y by its standard deviation.",
        UserWarning,
        stacklevel=2,
    )


def _measure(data: Any) -> tuple[list[Any], Array, Array]:
    """Return labels, numbers of rows, and standard deviations of targets by task.

    Tasks with few rows or constant targets are left out.
    """
    kept = None if data.weight is None else (data.weight > 0) * 1.0
    spreads = Spreads.of_rows(data, kept)
    varies = np.isfinite(spreads.scatter) & spreads.varies
    found = np.flatnonzero((spreads.weight >= _FEWEST_ROWS) & varies)
    labels = data.tasks[found].tolist()
    return labels, spreads.weight[found], spreads.deviation[found]
