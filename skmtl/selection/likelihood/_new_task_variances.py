"""Variances of predictions for unseen tasks, from tasks that are left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize

from skmtl._contracts import Array
from skmtl.couplings import Strengths
from skmtl.problems.exact import MeanFit
from skmtl.solvers import Spectral

from ._reml import RestrictedLikelihood

# Leave out this many groups of tasks, or each task if there are fewer.
_N_FOLDS = 20
# Bounds and starts of log strengths, relative to the log curvature of a mean task.
_LOWEST, _HIGHEST = -25.0, 23.0
_STARTS = -3.0, 0.0, 3.0


@dataclass(frozen=True)
class NewTaskVariances:
    """Variances of the target of rows of an unseen task.

    A new task is a draw around the shared part. Its variances are those of the errors
    of tasks that are left out, so they hold for the shared part as it is fitted, even
    if its strengths are no ratios of variances.

    Parameters
    ----------
    strengths : Strengths
        Strengths of the fit, which turn rows.
    noise : float
        Variance of the noise.
    own : ndarray of shape (n_features,)
        Variances of the coefficients around the shared ones.
    intercept : float
        Variance of the intercept around the shared one.
    n_tasks : int
        Number of tasks left out.
    n_left : float
        Number of rows minus that of the tasks.
    """

    strengths: Strengths
    noise: float
    own: Array
    intercept: float
    n_tasks: int
    n_left: float

    @classmethod
    def of(
        cls, fit: MeanFit, scale: Array | None = None, noise: Array | None = None
    ) -> NewTaskVariances:
        """Estimate the variances.

        The errors of tasks that are left out, a group at a time, are those of a random
        coefficients model with means of zero. Its likelihood is maximised over one
        scale of the coefficients' variances, that of the intercepts and the noise. Then
        both scales are multiplied by the factor at which the mean ratio of squared
        errors to variances is one, as few tasks are exactly such draws.

        Parameters
        ----------
        fit : MeanFit
            The solution.
        scale : ndarray of shape (n_tasks,), default=None
            Factor of each task's target, to be in the units of an unseen task; None
            means ones.
        noise : ndarray of shape (n_tasks,), default=None
            Variance of each task's noise, relative to a common one; the weights of its
            rows were divided by it. None means ones.

        Returns
        -------
        NewTaskVariances
            The variances; infinite for fewer than two tasks.
        """
        seen = np.flatnonzero(fit.moments.weight > 0)
        n_tasks, weight = len(seen), fit.moments.weight.sum()
        given, pattern = fit.strengths, _pattern(fit.strengths.pattern)
        if n_tasks < 2:
            none = np.zeros_like(pattern)
            return cls(given, 0.0, none, np.inf, n_tasks, weight)
        # In the coordinates of the strengths, coefficients are independent.
        strengths = replace(given, rotation=None)
        fit = replace(fit.of_tasks(seen), strengths=strengths)
        errors = leave_tasks_out(fit, None if scale is None else scale[seen])
        ratios = np.ones(n_tasks) if noise is None else noise[seen]
        common, own, intercept = _maximize_likelihood(fit, errors, pattern)
        factor = _calibrate(fit, errors, ratios, common, own, intercept)
        n_rows = float((fit.moments.weight * ratios).sum())
        return cls(
            given,
            common * float(ratios.mean()),
            factor * own,
            float(factor * intercept),
            n_tasks,
            max(n_rows - n_tasks, 1.0),
        )

    def at(self, X: Array) -> tuple[Array, Array]:
        """Return variances of targets, and the degrees of freedom of each.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Rows.

        Returns
        -------
        variances, freedom : ndarray of shape (n_rows,)
            Variances with the noise, and Satterthwaite's degrees of freedom.
        """
        between = self.strengths.turn(X) ** 2 @ self.own + self.intercept
        if self.n_tasks < 2:
            return between, np.ones_like(between)
        total = self.noise + between
        of_tasks = (between / total) ** 2 / (self.n_tasks - 1)
        of_rows = (self.noise / total) ** 2 / self.n_left
        return total, 1 / (of_tasks + of_rows)


def _pattern(pattern):
    """Return the pattern of the strengths, with positive numbers in place of zeros."""
    positive = pattern > 0
    if positive.all():
        return pattern
    return np.where(positive, pattern, pattern[positive].min(initial=1.0))


def leave_tasks_out(fit: MeanFit, scale: Array | None = None) -> Any:
    """Return moments of the errors of tasks that are left out, a group at a time.

    Parameters
    ----------
    fit : MeanFit
        The solution. Its strengths and factorisations serve for all groups.
    scale : ndarray of shape (n_tasks,), default=None
        Factor of each task's target in its errors; None means ones.

    Returns
    -------
    TaskMoments
        Moments with the errors of the shared part as the target.
    """
    moments = fit.moments
    n_folds = min(moments.n_tasks, _N_FOLDS)
    # Labels may be in an order that matters, such as time.
    fold = np.random.default_rng(0).permutation(moments.n_tasks) % n_folds
    coef, intercept = np.empty_like(moments.xy), np.empty_like(moments.y_mean)
    for k in range(n_folds):
        models = fit.of_tasks(np.flatnonzero(fold != k)).unpack()
        coef[fold == k] = models.coef_shared
        intercept[fold == k] = models.intercept_shared
    scale = np.ones(moments.n_tasks) if scale is None else scale
    curved, xy = fit.blocks.curve(coef), scale[:, None] * moments.xy
    squares = scale**2 * moments.yy + ((curved - 2 * xy) * coef).sum(axis=1)
    fitted = (moments.x_mean * coef).sum(axis=1) + intercept
    return replace(
        moments,
        y_mean=scale * moments.y_mean - fitted,
        xy=xy - curved,
        yy=np.maximum(squares, 0.0),
    )


def _maximize_likelihood(fit, errors, pattern):
    """Return the variances of noise, coefficients and intercepts around zero."""
    blocks = _factor(fit, pattern)
    n_features, has_intercept = len(pattern), fit.has_intercept
    curvature = fit.blocks.curvatures() / pattern
    mean = curvature.mean() if curvature.any() else 1.0
    units = np.log([mean, fit.moments.weight.mean()])[: 1 + has_intercept]

    def at(logs):
        alpha, intercept = np.exp(logs[:1]), float(np.exp(logs[-1]))
        intercept = intercept if has_intercept else 0.0
        zero = np.full(n_features, np.inf)
        strengths = Strengths(alpha, pattern, zero, intercept, holds_intercept=True)
        own = MeanFit(errors, blocks.at(alpha), strengths, has_intercept)
        return RestrictedLikelihood(own)

    def value(logs):
        likelihood = at(logs)
        gradient = np.array(likelihood.total_gradient)[: len(logs)]
        return likelihood.criterion, gradient

    start = min((units + step for step in _STARTS), key=lambda logs: value(logs)[0])
    bounds = [(unit + _LOWEST, unit + _HIGHEST) for unit in units]
    best = minimize(value, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    noise = float(at(best).noise_variance)
    own = noise * np.exp(-best[0]) / pattern
    return noise, own, noise * np.exp(-best[1]) if has_intercept else 0.0


def _factor(fit, pattern):
    """Return the blocks of tasks for strengths of one pattern."""
    moments, ones = fit.moments, np.ones(1)
    if moments.xx is not None:
        return Spectral.from_curvature(moments.xx, pattern, ones)
    if moments.roots is not None:
        shape = moments.xy.shape
        return Spectral.from_groups(moments.roots, *shape, pattern, ones)
    return fit.blocks  # factored from rows, so by eigenvectors


def _calibrate(fit, errors, ratios, noise, own, intercept):
    """Return the factor of variances that makes the mean squared ratio one."""
    weight = fit.moments.weight
    n_rows = weight * ratios
    squares = errors.yy + weight * errors.y_mean**2
    between = weight * (intercept + fit.moments.x_mean**2 @ own)
    between = between + fit.blocks.curvatures() @ own

    def excess(factor):
        variances = n_rows * noise + factor * between
        return np.average(squares / variances, weights=n_rows) - 1

    if not (between > 0).any() or excess(0.0) <= 0:
        return 0.0
    high = 1.0
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, 0.0, high))
