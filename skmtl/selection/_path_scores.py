"""Strengths to choose from, their errors on rows left out, and the choice."""

import warnings

import numpy as np
from numpy.linalg import norm
from sklearn.exceptions import ConvergenceWarning

from skmtl._contracts import least_strength
from skmtl._numbers import ALPHA_MAX, TINY
from skmtl.data import multiply_rows
from skmtl.problems.proximal import into_parts, minimize

from ._grids import FALLS, warn_of_edge

# Tolerance in folds, in units of that of the final fit, and at most.
_LOOSER, _LOOSEST = 10, 1e-4
# A path goes on below its last strength while errors fall there by more than this share
# from one strength to the next, over so many factors of ten at most.
_FLAT, _MOST_DECADES = 1e-3, 6
# With fewer strengths a path has no ratio to go on by.
_FEWEST = 5


def fall(highest, n_alphas, eps):
    """Return strengths that fall from the highest to `eps` times it, evenly in logs."""
    highest = highest if highest > 0 else np.finfo(float).eps
    return np.geomspace(highest, eps * highest, n_alphas)


def find_saturation(loss, penalty_at, solver):
    """Return the strength beyond which a higher one does not change the solution.

    It serves a strength that grows alone, of several that a penalty has; if all grow,
    the penalty knows. It is measured by a step from the solution at an infinite one.
    """
    units = max(loss.lipschitz(), norm(loss.zero().gradient), TINY)
    fit = minimize(loss, penalty_at(ALPHA_MAX * units), solver)
    smooth = into_parts(loss, fit.penalty.n_parts)
    point, curvature = smooth.at(fit.solution.variable), max(smooth.lipschitz(), TINY)
    moved = point.variable - point.gradient / curvature

    def step(alpha):
        return penalty_at(alpha).prox(moved, 1 / curvature)

    return least_strength(step, moved, ALPHA_MAX * units)


def loose_tol(tol):
    """Return the tolerance in folds: errors on rows left out have fewer digits."""
    return max(tol, min(_LOOSER * tol, _LOOSEST))


def mean_error(errors):
    """Return the mean error of each strength, infinite if a score is NaN."""
    mean = errors.mean(axis=1)
    return np.where(np.isnan(mean), np.inf, mean)


def choose(errors, one_standard_error):
    """Return the position of the best strength, those falling along the first axis."""
    mean = mean_error(errors)
    best = int(mean.argmin())
    if not one_standard_error or errors.shape[1] == 1:
        return best
    spread = errors[best].std(ddof=1) / np.sqrt(errors.shape[1])
    return int(np.flatnonzero(mean <= mean[best] + spread)[0])


def extend_path(alphas, errors, measure, further):
    """Lower falling strengths as long as errors fall, or warn that they do.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Falling strengths.
    errors : ndarray of shape (n_alphas, n_folds)
        Their errors on rows left out.
    measure : callable
        Returns the errors of falling strengths.
    further : bool
        Whether to go on.

    Returns
    -------
    alphas, errors : ndarray
        The same with lower strengths.
    """
    if not further or len(alphas) < _FEWEST:
        warn_of_path_end("eps", alphas, errors)
        return alphas, errors
    ratio = alphas[-1] / alphas[-2]
    n_more = max(1, int(np.ceil(np.log(0.1) / np.log(ratio))))
    for _ in range(_MOST_DECADES):
        mean = mean_error(errors)
        if mean.argmin() < len(mean) - 1 or not _falls(mean):
            return alphas, errors
        more = alphas[-1] * ratio ** np.arange(1, n_more + 1)
        alphas = np.concatenate([alphas, more])
        errors = measure(alphas)  # the whole path, each from the solution before
    return alphas, errors


def _falls(mean):
    return mean[-2] - mean[-1] > _FLAT * abs(mean[-1])


def warn_of_path_end(name, alphas, errors):
    """Warn if errors still fall towards an end of falling strengths.

    The highest of `eps` leaves no coefficient, or none to speak of.
    """
    mean = mean_error(errors)
    best = mean.argmin()
    if name == "eps":
        if len(mean) > 1 and best == len(mean) - 1 and _falls_much(mean):
            warnings.warn(
                f"The error still falls towards {alphas[-1]:.3g}, the smallest "
                "strength of the path. Lower eps.",
                UserWarning,
                stacklevel=2,
            )
        return
    warn_of_edge(name, alphas, mean[None], np.array([best]))


def _falls_much(mean):
    return mean[-2] - mean[-1] > FALLS * abs(mean[-1])


def mean_squared_error(data, models):
    """Return the mean squared error of linear models, all weights applied."""
    used = np.flatnonzero((models.coef != 0).any(axis=0) | (models.coef_shared != 0))
    coef, X = models.coef[:, used], data.X[:, used]
    if data.shares_rows:
        left = data.Y - X @ coef.T - models.intercept
        codes = np.broadcast_to(np.arange(left.shape[1]), left.shape)
        weight = None if data.weight is None else data.weight[:, None]
    else:
        codes = np.repeat(np.arange(len(data.tasks)), np.diff(data.offsets))
        rows = X if data.rows is None else X[data.rows]
        left = data.y - multiply_rows(rows, coef, codes) - models.intercept[codes]
        weight = data.weight
    total = (
        np.ones(left.shape) if weight is None else np.broadcast_to(weight, left.shape)
    )
    if data.task_weight is not None:
        total = total * data.task_weight[codes]
    return float((total * left**2).sum() / total.sum()) if total.any() else 0.0


def warn_of_path(solutions, tol):
    """Warn if some strengths of a path were not solved to the tolerance."""
    failed = [each.optimality for each in solutions if not each.converged]
    if failed:
        warnings.warn(
            f"{len(failed)} of {len(solutions)} strengths were solved to "
            f"{max(failed):.1e} at worst, above tol={tol:.1e}. Raise max_iter, "
            "or scale the features.",
            ConvergenceWarning,
            stacklevel=2,
        )
