"""Decreasing strengths, their held-out errors, and the choice."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.linalg import norm
from sklearn.exceptions import ConvergenceWarning

from skmtl._contracts import Array, least_strength
from skmtl._numbers import ALPHA_MAX, TINY
from skmtl.data import multiply_rows
from skmtl.problems.proximal import into_parts, minimize

from ..search import FALLS, warn_of_edge

# Factor of the tolerance in folds, and its upper limit: held-out errors need fewer
# digits than the final fit.
_LOOSER, _LOOSEST = 10, 1e-4
# Extend a path while the last step decreases the error by more than this share, by at
# most this many factors of ten.
_FLAT, _MAX_DECADES = 1e-3, 6
# A shorter path has too few strengths to extend it by their ratio.
_MIN_LENGTH = 5


def descending_path(highest: float, n_alphas: int, eps: float) -> Array:
    """Return strengths from the highest to `eps` times it, equally spaced in logs."""
    highest = highest if highest > 0 else np.finfo(float).eps
    return np.geomspace(highest, eps * highest, n_alphas)


def find_saturation(
    loss: Any, penalty_at: Callable[[float], Any], solver: Any
) -> float:
    """Return the smallest strength at which the solution is that of infinity.

    It is for one of several strengths of a penalty; `Penalty.alpha_max` computes it if
    all increase in proportion. It is found by proximal steps from the solution at an
    infinite strength.
    """
    infinite = ALPHA_MAX * max(loss.lipschitz(), norm(loss.zero().gradient), TINY)
    fit = minimize(loss, penalty_at(infinite), solver)
    smooth = into_parts(loss, fit.penalty.n_parts)
    point, curvature = smooth.at(fit.solution.variable), max(smooth.lipschitz(), TINY)
    moved = point.variable - point.gradient / curvature

    def step(alpha):
        return penalty_at(alpha).prox(moved, 1 / curvature)

    return least_strength(step, moved, infinite)


def loose_tol(tol: float) -> float:
    """Return the tolerance in folds."""
    return max(tol, min(_LOOSER * tol, _LOOSEST))


def mean_error(errors: Array) -> Array:
    """Return the mean error of each strength, infinite if a score is NaN."""
    mean = errors.mean(axis=1)
    return np.where(np.isnan(mean), np.inf, mean)


def choose(errors: Array, one_standard_error: bool) -> int:
    """Return the position of the best strength.

    Parameters
    ----------
    errors : ndarray of shape (n_alphas, n_folds)
        Errors of decreasing strengths.
    one_standard_error : bool
        Whether to choose the largest strength within one standard error of the best.

    Returns
    -------
    int
        The position.
    """
    mean = mean_error(errors)
    best = int(mean.argmin())
    if not one_standard_error or errors.shape[1] == 1:
        return best
    spread = errors[best].std(ddof=1) / np.sqrt(errors.shape[1])
    return int(np.flatnonzero(mean <= mean[best] + spread)[0])


def extend_path(
    alphas: Array,
    errors: Array,
    measure: Callable[[Array], Array],
    extends: bool,
) -> tuple[Array, Array]:
    """Add smaller strengths while errors decrease, or warn that they decrease.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Decreasing strengths.
    errors : ndarray of shape (n_alphas, n_folds)
        Their held-out errors.
    measure : callable
        Returns the errors of decreasing strengths.
    extends : bool
        Whether to add strengths.

    Returns
    -------
    alphas, errors : ndarray
        The same with smaller strengths.
    """
    if not extends or len(alphas) < _MIN_LENGTH:
        warn_of_path_end("eps", alphas, errors)
        return alphas, errors
    ratio = alphas[-1] / alphas[-2]
    n_more = max(1, int(np.ceil(np.log(0.1) / np.log(ratio))))
    for _ in range(_MAX_DECADES):
        mean = mean_error(errors)
        if mean.argmin() < len(mean) - 1 or not _decreases(mean, _FLAT):
            return alphas, errors
        more = alphas[-1] * ratio ** np.arange(1, n_more + 1)
        alphas = np.concatenate([alphas, more])
        errors = measure(alphas)  # of the whole path, for its warm starts
    return alphas, errors


def _decreases(mean, share):
    return mean[-2] - mean[-1] > share * abs(mean[-1])


def warn_of_path_end(name: str, alphas: Array, errors: Array) -> None:
    """Warn if errors still decrease towards an end of the path.

    With name "eps" only the smallest strength is an end: the largest one makes all
    coefficients nearly zero.
    """
    mean = mean_error(errors)
    best = mean.argmin()
    if name == "eps":
        if len(mean) > 1 and best == len(mean) - 1 and _decreases(mean, FALLS):
            warnings.warn(
                f"The error still falls towards {alphas[-1]:.3g}, the smallest "
                "strength of the path. Lower eps.",
                UserWarning,
                stacklevel=2,
            )
        return
    warn_of_edge(name, alphas, mean[None], np.array([best]))


def mean_squared_error(data: Any, models: Any) -> float:
    """Return the mean squared error of linear models, all weights applied."""
    used = np.flatnonzero((models.coef != 0).any(axis=0) | (models.coef_shared != 0))
    coef, X = models.coef[:, used], data.X[:, used]
    if data.shares_rows:
        residuals = data.Y - X @ coef.T - models.intercept
        codes = np.broadcast_to(np.arange(residuals.shape[1]), residuals.shape)
        weight = None if data.weight is None else data.weight[:, None]
    else:
        codes = np.repeat(np.arange(len(data.tasks)), np.diff(data.offsets))
        rows = X if data.rows is None else X[data.rows]
        residuals = data.y - multiply_rows(rows, coef, codes)
        residuals = residuals - models.intercept[codes]
        weight = data.weight
    total = np.broadcast_to(1.0 if weight is None else weight, residuals.shape)
    if data.task_weight is not None:
        total = total * data.task_weight[codes]
    return float((total * residuals**2).sum() / total.sum()) if total.any() else 0.0


def warn_of_path(solutions: Sequence[Any], tol: float) -> None:
    """Warn if the solver did not reach the tolerance at some strengths."""
    failed = [each.optimality for each in solutions if not each.converged]
    if failed:
        warnings.warn(
            f"{len(failed)} of {len(solutions)} strengths were solved to "
            f"{max(failed):.1e} at worst, above tol={tol:.1e}. Raise max_iter, "
            "or scale the features.",
            ConvergenceWarning,
            stacklevel=2,
        )
