"""Warn of targets in different units, which tasks cannot share."""

import warnings

import numpy as np

# A larger ratio of standard deviations suggests different units.
_APART = 10.0
# Standard deviations of fewer rows are too uncertain.
_FEWEST = 10
# Targets with a smaller standard deviation relative to their mean are constant.
_CONSTANT = 1e-13


def warn_of_units(data):
    """Warn if the targets of two tasks have standard deviations far apart.

    The difference must exceed chance: the log standard deviation of ``n`` rows has a
    standard error of about ``1 / sqrt(n)`` with rather heavy tails, and the extremes of
    many tasks are several standard errors apart.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    """
    labels, sizes, spreads = _measure(data)
    if len(labels) < 2:
        return
    chance = np.sqrt(2 * np.log(len(labels)) / sizes)
    high = int((np.log(spreads) - chance).argmax())
    low = int((np.log(spreads) + chance).argmin())
    ratio = spreads[high] / spreads[low] / np.exp(chance[high] + chance[low])
    if ratio <= _APART:
        return
    warnings.warn(
        "The targets of tasks should have similar spreads: the standard deviation of y "
        f"is {spreads[high]:.3g} in task {labels[high]!r} and {spreads[low]:.3g} in "
        f"task {labels[low]!r}, and the larger one dominates the shared part. If units "
        "differ, divide each task's y by its standard deviation; for a 2-d y, use "
        "TransformedTargetRegressor(model, transformer=StandardScaler()).",
        UserWarning,
        stacklevel=2,
    )


@np.errstate(over="ignore", invalid="ignore")
def _measure(data):
    """Return labels, numbers of rows and standard deviations of tasks with many rows.

    Constant targets are left out.
    """
    if data.shares_rows:
        data = data.stacked()
    codes = np.repeat(np.arange(len(data.tasks)), np.diff(data.offsets))
    kept = np.ones(len(codes)) if data.weight is None else (data.weight > 0) * 1.0
    sizes = np.bincount(codes, kept)
    total = np.maximum(sizes, 1.0)
    mean = np.bincount(codes, kept * data.y) / total
    spreads = np.sqrt(np.bincount(codes, kept * (data.y - mean[codes]) ** 2) / total)
    found = (sizes >= _FEWEST) & (spreads > _CONSTANT * np.abs(mean))
    found = np.flatnonzero(found & np.isfinite(spreads))
    return data.tasks[found].tolist(), sizes[found], spreads[found]
