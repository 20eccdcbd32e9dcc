"""Choose the strengths of a mean-regularised regression for very many features."""

import warnings

import numpy as np

from ._fold_search import FoldErrors, log_grid, mean_curvature_of_rows, search_folds
from ._folds import assign_folds
from ._grids import N_FOLDS
from ._mean_grid import suggest_intercept_alphas
from ._table import name_strengths, tabulate_folds

_N_LEVELS = 6
# Strengths span these powers of ten times the mean curvature of a task.
_POWERS = -2, 4


def choose_by_iteration(data, splits, given, fit_intercept, measure=None):
    """Choose strengths by cross-validation, and fit all rows with them.

    Parameters
    ----------
    data : TaskData
        Sparse rows.
    splits : list of (ndarray, ndarray) or None
        Training and test rows; None for five folds.
    given : list of (ndarray or None)
        Candidate strengths of tasks, centre and intercepts; None for defaults.
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
    rows = data.stacked() if data.shares_rows else data
    splits = splits or assign_folds(data, N_FOLDS)
    errors = FoldErrors(rows, splits, fit_intercept, measure)
    alpha, shared, level = search_folds(errors, _grids(rows, given, fit_intercept))
    tried = np.array(list(errors.tried))
    folds = -np.array(list(errors.tried.values()))
    best = alpha, shared, level
    squared = errors if measure is None else FoldErrors(rows, splits, fit_intercept)
    error = squared.mean(best)
    results = tabulate_folds(name_strengths(tried), folds.T)
    return {
        "alpha_": alpha,
        "alpha_shared_": shared,
        "alpha_intercept_": level,
        "sigma2_": float(error),
        "tau2_": error / alpha,
        "tau2_intercept_": float(error / level) if level else np.nan,
        "cv_results_": results,
        "best_index_": int(folds.mean(axis=1).argmax()),
        "best_score_": float(-errors.mean(best)),
        "method_": "cv",
    }


def warn_of_method(method):
    """Warn that another method is used than was asked for."""
    warnings.warn(
        f"method={method!r} needs dense matrices of all features, too large for this "
        "sparse X, so method='cv' with five folds is used instead. Set method='cv' to "
        "silence this warning.",
        UserWarning,
        stacklevel=2,
    )


def _grids(rows, given, fit_intercept):
    unit = mean_curvature_of_rows(rows, fit_intercept)
    alone = (np.diff(rows.offsets) > 0).sum() == 1
    alphas = log_grid(unit, *_POWERS)
    moments = rows.moments(curvature=False)
    levels = (
        suggest_intercept_alphas(moments, _N_LEVELS) if fit_intercept else np.zeros(1)
    )
    if alone:
        alphas, levels, given = np.array([np.inf]), levels[-1:], [None, given[1], None]
    suited = alphas, log_grid(unit, *_POWERS), levels
    return [
        each if grid is None else grid for grid, each in zip(given, suited, strict=True)
    ]
