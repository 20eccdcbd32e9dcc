"""Warn of targets in different units, which must not be shared as they are."""

import warnings

import numpy as np

# Standard deviations this many times apart are taken for different units.
_APART = 10.0
# Those of fewer rows say too little.
_FEWEST = 10
# Targets that vary by less than this share of their mean are constant.
_CONSTANT = 1e-13


def warn_of_units(data):
    """Warn if the targets of two tasks have standard deviations far apart.

    They must be farther apart than chance explains: the logarithm of one from ``n``
    rows has a standard error of ``1 / sqrt(n)`` if tails are rather heavy, and of many
    tasks the extremes are several of these away.

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
        f"The targets of tasks have spreads far apart: the standard deviation of y is "
        f"{spreads[high]:.3g} in task {labels[high]!r} and {spreads[low]:.3g} in task "
        f"{labels[low]!r}, and the larger one rules what tasks share. If units differ, "
        "divide the y of each task by its standard deviation. For a 2-d y, "
        "TransformedTargetRegressor(model, transformer=StandardScaler()) does so.",
        UserWarning,
        stacklevel=2,
    )


@np.errstate(over="ignore", invalid="ignore")
def _measure(data):
    """Return labels, numbers of rows and standard deviations of tasks with many rows.

    Constant targets have no unit, and are left out.
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
