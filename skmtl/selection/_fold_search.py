"""Cross-validation of strengths for large sparse rows."""

from dataclasses import replace

import numpy as np

from skmtl.couplings import ToMean
from skmtl.losses import Squared
from skmtl.problems.newton import Datafit, MeanLosses, iterate

from ._held_out import SolvedObjective

# Relative gradient at which fits of folds stop; it changes held-out errors in the
# fourth digit.
_ROUGH = 1e-2
# Ratio of neighbouring strengths.
_STEP = np.sqrt(10.0)


class FoldErrors:
    """Errors of folds by strength, with warm starts.

    Parameters
    ----------
    data : TaskRows
        All rows.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.
    fit_intercept : bool
        Whether tasks have an intercept.
    measure : callable, default=None
        Called with test rows, it returns a function that scores a Solved; None for
        mean squared errors.
    """

    def __init__(self, data, splits, fit_intercept, measure=None):
        pairs = [(data.select(train), data.select(test)) for train, test in splits]
        self.folds = [
            tuple(_pose(rows, fit_intercept) for rows in pair) for pair in pairs
        ]
        self.errors = [
            _error_on(test, rows, fit_intercept, measure)
            for (_, test), (_, rows) in zip(pairs, splits, strict=True)
        ]
        if not all(part.task_totals.any() for pair in self.folds for part in pair):
            raise ValueError(
                "Every fold must have training and test rows with weight, but some of "
                f"the {len(splits)} folds of cv have none. Use fewer folds."
            )
        self.last = [None] * len(self.folds)
        self.tried = {}

    def mean(self, strengths):
        """Return the mean error of three strengths."""
        if strengths not in self.tried:
            self.tried[strengths] = self._measure(*strengths)
        return self.tried[strengths].mean()

    def _measure(self, alpha, shared, level):
        errors = np.empty(len(self.folds))
        for k, (train, _) in enumerate(self.folds):
            n_features = train.data.X.shape[1]
            pull = ToMean(alpha, shared, level).strengths(train.n_tasks, n_features)
            losses = MeanLosses(train, pull)
            start = self._start(k, level)
            found = iterate(losses, start, _ROUGH).variable
            self.last[k] = found
            errors[k] = self.errors[k](SolvedObjective(losses, found))
        return errors

    def _start(self, k, level):
        """Return the last solution of a fold, with equal intercepts if required."""
        start = self.last[k]
        if start is None or not np.isinf(level):
            return start
        start = start.copy()
        start[-1, :, -1] += start[:-1, :, -1].mean(axis=0)
        start[:-1, :, -1] = 0.0
        return start


def _error_on(test, rows, fit_intercept, measure):
    """Return a function of a Solved for its error on test rows."""
    if measure is not None:
        score = measure(rows)
        return lambda solved: -score(solved)
    plain = _pose(replace(test, task_weight=None), fit_intercept)
    total = plain.task_totals.sum()
    return lambda solved: 2 * plain.value(plain.predict(solved.coefs)) / total


def _pose(rows, fit_intercept):
    return Datafit(rows, Squared(), fit_intercept)


def mean_curvature_of_rows(data, fit_intercept):
    """Return the mean diagonal of the tasks' scatters, or 1 if it is zero.

    Parameters
    ----------
    data : TaskRows
        Rows of tasks.
    fit_intercept : bool
        Whether features are centred.

    Returns
    -------
    float
        The curvature.
    """
    datafit = _pose(data, fit_intercept)
    total, first, second = datafit.diagonals(datafit.predict_zero())
    if fit_intercept:
        second = second - first**2 / np.where(total > 0, total, 1.0)
    unit = second.mean() if second.size else 0.0
    return float(unit) if unit > 0 else 1.0


def log_grid(unit, low, high):
    """Return strengths between two powers of ten times a unit, two per decade."""
    return unit * _STEP ** np.arange(2 * low, 2 * high + 1)


def search_folds(errors, grids):
    """Minimise the error by coordinate search over the strengths.

    It starts in the middle of the grids and moves to better neighbours until there are
    none.

    Parameters
    ----------
    errors : FoldErrors
        Evaluates three strengths.
    grids : list of ndarray
        Increasing strengths of the tasks, the centre and the intercepts.

    Returns
    -------
    tuple of float
        The best three.
    """
    place = [len(grid) // 2 for grid in grids]

    def value(place):
        return errors.mean(
            tuple(float(g[k]) for g, k in zip(grids, place, strict=True))
        )

    moved = True
    while moved:
        before = value(place)
        for axis, grid in enumerate(grids):
            place = _descend(value, place, axis, len(grid))
        moved = value(place) < before
    return tuple(float(grid[k]) for grid, k in zip(grids, place, strict=True))


def _descend(value, place, axis, size):
    """Move along one axis to better neighbours until there are none."""
    for step in (1, -1):
        moved = False
        while True:
            there = list(place)
            there[axis] += step
            if not (0 <= there[axis] < size and value(there) < value(place)):
                break
            place, moved = there, True
        if moved:
            break
    return place
