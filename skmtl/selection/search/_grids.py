"""Lists of strengths, and warnings of errors that still decrease at their ends."""

import warnings
from typing import Any

import numpy as np

from skmtl._contracts import Array

# Warn if the last step towards an end of a list decreases the error by this share.
FALLS = 0.01
# Values that a list may hold besides positive finite numbers: infinity and 0.
BOTH_ENDS = True, True
# Ratio of neighbouring strengths.
_STEP = np.sqrt(10.0)


def log_grid(unit: float, low: int, high: int) -> Array:
    """Return strengths between two powers of ten times a unit, two per decade."""
    return unit * _STEP ** np.arange(2 * low, 2 * high + 1)


def read_grid(
    values: Any, name: str, infinite: bool = False, zero: bool = False
) -> Array:
    """Check and sort a list of strengths.

    Parameters
    ----------
    values : array-like
        The strengths.
    name : str
        Parameter that holds the list.
    infinite, zero : bool, default=False
        Whether infinity and 0 are allowed.

    Returns
    -------
    ndarray of shape (n_strengths,)
        Different strengths, increasing.
    """
    grid = np.atleast_1d(np.asarray(values, dtype=float))
    highest = np.inf if infinite else np.finfo(float).max
    allowed = ((grid > 0) | (zero & (grid == 0))) & (grid <= highest)
    if grid.ndim != 1 or not len(grid) or not allowed.all():
        numbers = "numbers, 0 or more" if zero else "positive numbers"
        rest = "" if zero else "0, "
        raise ValueError(
            f"{name} must be a list of {numbers}, got {values!r}. Leave out {rest}"
            "negative numbers and NaN."
        )
    return np.unique(grid)


def warn_of_edge(name: str, grid: Array, errors: Array, best: Array) -> None:
    """Warn of choices at an end of a list if errors still decrease towards it.

    Parameters
    ----------
    name : str
        Parameter that holds the list.
    grid : ndarray of shape (n_strengths,)
        Strengths in order.
    errors : ndarray of shape (n_choices, n_strengths)
        Errors of several choices, which are summed; infinite if unknown.
    best : ndarray of shape (n_choices,)
        Positions of the chosen strengths.
    """
    total = errors[np.arange(len(best)), best].sum()
    for end, inner in ((0, 1), (len(grid) - 1, len(grid) - 2)):
        if len(grid) < 2 or not 0 < grid[end] < np.inf:
            continue
        at_end = np.flatnonzero((best == end) & np.isfinite(errors[:, inner]))
        decrease = (errors[at_end, inner] - errors[at_end, end]).sum()
        if decrease > FALLS * abs(total):
            is_smallest = grid[end] == grid.min()
            warnings.warn(
                f"The error still falls towards {grid[end]:.3g}, the "
                f"{'smallest' if is_smallest else 'largest'} strength of {name}. Add "
                f"{'smaller' if is_smallest else 'larger'} strengths to {name}.",
                UserWarning,
                stacklevel=2,
            )
