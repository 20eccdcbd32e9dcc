"""Grids of strengths, and warnings of errors that still fall at their ends."""

import warnings
from numbers import Integral

import numpy as np
from sklearn.model_selection import check_cv

from skmtl.data import spread_label

from ._folds import assign_folds, assign_shuffled_folds

# A fall of the error by this share from the last strength but one is worth a warning.
FALLS = 0.01
# Number of folds unless the user gives one.
N_FOLDS = 5


def read_splits(cv, data, X, y, task):
    """Return the splits of rows of X that an int or a splitter makes."""
    if isinstance(cv, Integral):
        return assign_folds(data, cv)
    task = spread_label(task, data.X.shape[0])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The groups parameter is ignored")
        return list(check_cv(cv).split(X, y, task))


def read_shuffled_splits(cv, study):
    """Return splits as `read_splits` does; those of an int or None are shuffled."""
    if cv is None or isinstance(cv, Integral):
        return assign_shuffled_folds(study.rows, N_FOLDS if cv is None else cv)
    return read_splits(cv, study.rows, study.X, study.y, study.task)


def warn_of_edge(name, grid, errors, best):
    """Warn of choices at an end of a grid where errors still fall towards the end.

    Parameters
    ----------
    name : str
        Parameter that holds the grid.
    grid : ndarray of shape (n_strengths,)
        Strengths in order.
    errors : ndarray of shape (n_choices, n_strengths)
        Errors of several choices, which add up; infinite where they are unknown.
    best : ndarray of shape (n_choices,)
        Positions that were chosen.
    """
    total = errors[np.arange(len(best)), best].sum()
    for end, inner in ((0, 1), (len(grid) - 1, len(grid) - 2)):
        if len(grid) < 2 or not 0 < grid[end] < np.inf:
            continue
        at_end = np.flatnonzero((best == end) & np.isfinite(errors[:, inner]))
        falls = (errors[at_end, inner] - errors[at_end, end]).sum()
        if falls > FALLS * abs(total):
            smallest = grid[end] == grid.min()
            warnings.warn(
                f"The error still falls towards {grid[end]:.3g}, the "
                f"{'smallest' if smallest else 'largest'} strength of {name}. Add "
                f"{'smaller' if smallest else 'larger'} strengths to {name}.",
                UserWarning,
                stacklevel=2,
            )


# Values that a grid may hold besides positive finite numbers: infinity and 0.
BOTH_ENDS = True, True


def read_grid(values, name, infinite=False, zero=False):
    """Check and sort candidate strengths."""
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
