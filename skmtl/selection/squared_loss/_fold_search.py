"""Search of the strengths of mean regularisation, large sparse rows."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.couplings import ToMean
from skmtl.losses import Squared
from skmtl.problems.newton import Datafit, MeanLosses, iterate

from ..likelihood import ONE
from ..search import SolvedObjective, Splits, log_grid, refuse_empty_folds
from ._candidates import list_candidates, suggest_intercept_alphas
from ._results import Results, Tried, add_variances, name_strengths

# Relative gradient at which fits of folds stop; it changes held-out errors in the
# fourth digit.
_ROUGH = 1e-2
_N_INTERCEPT_ALPHAS = 6
# Strengths span these powers of ten times the mean curvature of a task.
_POWERS = -2, 4


class WarmFolds:
    """Fits of folds, each started from the last solution of its fold.

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

    def __init__(
        self, data: Any, splits: Splits, fit_intercept: bool, measure: Any = None
    ) -> None:
        parts = [[data.select(rows) for rows in pair] for pair in splits]
        datafits = [[_pose(part, fit_intercept) for part in pair] for pair in parts]
        totals = (each.task_totals.any() for pair in datafits for each in pair)
        refuse_empty_folds(totals, len(splits))
        self._training = [training for training, _ in datafits]
        self._error_on = [
            _error_on(test, rows, fit_intercept, measure)
            for (_, test), (_, rows) in zip(parts, splits, strict=True)
        ]
        self._last: list[Array | None] = [None] * len(splits)

    def errors(
        self, alpha: float, alpha_shared: float, alpha_intercept: float
    ) -> Array:
        """Return the error of each fold."""
        errors = np.empty(len(self._training))
        coupling = ToMean(alpha, alpha_shared, alpha_intercept)
        for k, training in enumerate(self._training):
            shape = training.n_tasks, training.data.X.shape[1]
            losses = MeanLosses(training, coupling.strengths(*shape))
            solution = iterate(losses, self._start(k, alpha_intercept), _ROUGH).variable
            self._last[k] = solution
            errors[k] = self._error_on[k](SolvedObjective(losses, solution))
        return errors

    def _start(self, k, alpha_intercept):
        """Return the last solution of a fold, with equal intercepts if required."""
        start = self._last[k]
        if start is None or not np.isinf(alpha_intercept):
            return start
        start = start.copy()
        start[-1, :, -1] += start[:-1, :, -1].mean(axis=0)
        start[:-1, :, -1] = 0.0
        return start


def _error_on(test, rows, fit_intercept, measure):
    """Return a function of a Solved that returns its error on test rows."""
    if measure is not None:
        score = measure(rows)
        return lambda solved: -score(solved)
    datafit = _pose(replace(test, task_weight=None), fit_intercept)
    total = datafit.task_totals.sum()
    return lambda solved: 2 * datafit.value(datafit.predict(solved.coefs)) / total


def _pose(rows, fit_intercept):
    return Datafit(rows, Squared(), fit_intercept)


def mean_curvature_of_rows(data: Any, fit_intercept: bool) -> float:
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


def search_folds(
    error: Callable[[tuple[float, ...]], float], grids: Sequence[Array]
) -> tuple[float, ...]:
    """Minimise the error by coordinate search over lists of strengths.

    It starts in the middle of the lists and moves to better neighbours until there are
    none.

    Parameters
    ----------
    error : callable
        Function of a tuple of strengths.
    grids : sequence of ndarray
        Increasing strengths of the tasks, the centre and the intercepts.

    Returns
    -------
    tuple of float
        The best three.
    """
    place = [len(grid) // 2 for grid in grids]

    def strengths(place):
        return tuple(float(grid[k]) for grid, k in zip(grids, place, strict=True))

    def value(place):
        return error(strengths(place))

    moved = True
    while moved:
        before = value(place)
        for axis, grid in enumerate(grids):
            place = _descend(value, place, axis, len(grid))
        moved = value(place) < before
    return strengths(place)


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


def choose_by_iteration(
    data: Any,
    splits: Splits,
    given: Sequence[Any],
    fit_intercept: bool,
    measure: Any = None,
) -> dict[str, Any]:
    """Choose strengths by cross-validation with iterative fits.

    Parameters
    ----------
    data : TaskData
        Sparse rows.
    splits : list of (ndarray, ndarray)
        Training and test rows.
    given : sequence of (array-like or None)
        Lists of strengths of tasks, centre and intercepts; None for defaults.
    fit_intercept : bool
        Whether tasks have an intercept.
    measure : callable, default=None
        Called with test rows, it returns a function that scores a Solved; None for
        mean squared errors.

    Returns
    -------
    dict
        Fitted attributes of the search, by name.
    """
    rows = data.stacked()
    tried = Tried(WarmFolds(rows, splits, fit_intercept, measure).errors)
    best = search_folds(tried, _lists(rows, given, fit_intercept))
    noise_variance = tried(best)
    if measure is not None:
        squared = WarmFolds(rows, splits, fit_intercept).errors(*best)
        noise_variance = float(squared.mean())
    triples, by_fold = tried.table()
    results = Results.of_folds(name_strengths(triples), -by_fold.T)
    facts = results.facts(results.best()) | {"alpha_structure_": ONE}
    facts = add_variances(facts, noise_variance, rows.X.shape[1])
    return facts | {"sigma2_": noise_variance, "method_": "cv"}


def warn_of_method(method: str) -> None:
    """Warn that method "cv" replaces another one."""
    warnings.warn(
        f"method={method!r} needs dense matrices of all features, too large for this "
        "sparse X, so method='cv' with five folds is used instead. Set method='cv' to "
        "silence this warning.",
        UserWarning,
        stacklevel=2,
    )


def _lists(rows, given, fit_intercept):
    """Return the lists of strengths, given or by default."""
    powers = log_grid(mean_curvature_of_rows(rows, fit_intercept), *_POWERS)
    moments = rows.moments(curvature=False)
    intercepts = suggest_intercept_alphas(moments, _N_INTERCEPT_ALPHAS)
    defaults = powers, powers, intercepts
    n_rows = np.diff(rows.offsets)
    return list_candidates(given, defaults, fit_intercept, n_rows).lists
