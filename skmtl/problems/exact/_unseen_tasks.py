"""The linear model for unseen tasks: a ridge fit to all rows."""

from dataclasses import dataclass

import numpy as np

from skmtl._linalg import Semidefinite
from skmtl._numbers import TINY_SQUARE

# Smaller relative differences between means of a feature are rounding errors.
_ROUNDING = 1e-13
# Stopping rule of conjugate gradients: relative residual, and steps.
_CLOSE, _MAX_STEPS = 1e-10, 300


def unseen_model(moments, coef, shared, curve, ridge=None, known=None):
    """Fit one linear model to the rows of all tasks.

    Minimises ``sum_t sum_i weight_i (y_i - x_i . (w_t - p_t) - x_i . w - b)^2 + sum_j
    ridge_j w_j^2``, where ``p_t`` is the part of ``w_t`` that tasks share. If ``p_t =
    w_t``, it is the mean of the tasks' unpenalised coefficients, weighted by their Gram
    matrices.

    Parameters
    ----------
    moments : TaskMoments
        Centred moments, or moments about zero without intercepts.
    coef : ndarray of shape (n_tasks, n_features)
        Coefficients of the tasks.
    shared : ndarray of shape (n_tasks, n_features)
        Their part that tasks share.
    curve : callable
        Multiplies rows (n_tasks, n_features) by the scatters of the tasks.
    ridge : ndarray of shape (n_features,), default=None
        Strengths of the ridge; None uses :func:`implied_ridge`.
    known : ndarray of shape (n_features,), default=None
        Fixed coefficients, NaN where free.

    Returns
    -------
    coef : ndarray of shape (n_features,)
        Coefficients.
    intercept : float
        Intercept; zero for moments about zero.
    """
    weight = moments.weight
    seen = weight[:, None] > 0
    own, shared = np.where(seen, coef - shared, 0.0), np.where(seen, shared, 0.0)
    xy, y_mean = moments.xy, moments.y_mean
    if own.any():
        xy, y_mean = xy - curve(own), y_mean - (moments.x_mean * own).sum(axis=1)
    if ridge is None:
        ridge = implied_ridge(xy - curve(shared), shared, ~xy.any(axis=0))
    mean, level = weigh(moments.x_mean, weight), float(weigh(y_mean, weight))
    gap = _between(moments.x_mean, mean, weight)
    right = xy.sum(axis=0) + gap.T @ (np.sqrt(weight) * (y_mean - level))[: len(gap)]
    known = np.where(np.isfinite(ridge), np.nan, 0.0) if known is None else known
    system = _System(moments, curve, gap)
    found = system.solve(right, ridge, known)
    return found, level - float(mean @ found)


def mean_residual(moments, coef, pull):
    """Return the tasks' mean residual at shared coefficients.

    Parameters
    ----------
    moments : TaskMoments
        Moments of the tasks.
    coef : ndarray of shape (n_features,)
        Shared coefficients.
    pull : float
        Strength between the intercepts: a task counts by the precision of its
        intercept, by its weight if the strength is 0.

    Returns
    -------
    float
        The mean.
    """
    seen = moments.weight > 0
    left = (moments.y_mean - moments.x_mean @ coef)[seen]
    precision = moments.weight[seen]
    if pull:
        precision = 1 / (1 / precision + 1 / pull)
    return float(np.average(left, weights=precision))


def implied_ridge(pulled, coef, silent):
    """Return the ridge strengths that reproduce a penalty's gradient.

    Parameters
    ----------
    pulled : ndarray of shape (n_tasks, ...)
        Negative gradients of the losses.
    coef : ndarray of shape (n_tasks, ...)
        Coefficients.
    silent : ndarray of shape (...), dtype bool
        Coefficients that cannot be estimated, as their feature is constant in all
        tasks.

    Returns
    -------
    ndarray of shape (...)
        Strengths, infinite for a coefficient that is zero in all tasks. Silent
        coefficients get the pooled strength of the others.
    """
    along, square = (pulled * coef).sum(axis=0), (coef**2).sum(axis=0)
    total = _ratio(along.sum(), square.sum())
    return np.where(silent & (square <= TINY_SQUARE), total, _ratio(along, square))


def _ratio(along, square):
    found = np.full(np.shape(square), np.inf)
    return np.divide(
        np.maximum(along, 0.0), square, out=found, where=square > TINY_SQUARE
    )


def weigh(values, weight):
    """Return the weighted mean of the rows of an array; one row may stand for all."""
    if len(values) == 1 < len(weight):
        return values[0]
    total = weight.sum()
    return np.tensordot(weight, values, axes=1) / (total if total > 0 else 1.0)


def _between(x_mean, mean, weight):
    """Return root-weighted deviations of the tasks' means, if they differ."""
    if len(x_mean) == 1:
        return np.zeros((0, len(mean)))
    gap = x_mean - mean
    gap = np.where(np.abs(gap) > _ROUNDING * np.abs(x_mean), gap, 0.0)
    return np.sqrt(weight)[:, None] * gap


@dataclass(frozen=True)
class _System:
    """The normal equations of all rows, as a matrix if moments are given."""

    moments: object
    curve: object
    gap: np.ndarray

    def solve(self, right, ridge, known):
        """Solve for coefficients, some of them fixed."""
        free, given = np.isnan(known), np.nan_to_num(known)
        if given.any():
            right = right - self._multiply(given)
        if not free.any():
            return given
        if self.moments.xx is None:
            return given + self._iterate(right, np.where(free, ridge, np.inf))
        matrix = self._times * self.moments.xx.sum(axis=0) + self.gap.T @ self.gap
        matrix = matrix[free][:, free] + np.diag(ridge[free])
        given[free] = Semidefinite(matrix).solve(right[free])
        return given

    @property
    def _times(self):
        """Number of tasks per scatter."""
        return self.moments.n_tasks // len(self.moments.x_mean)

    def _multiply(self, w):
        rows = np.broadcast_to(w, self.moments.xy.shape)
        return self.curve(rows).sum(axis=0) + self.gap.T @ (self.gap @ w)

    def _iterate(self, right, ridge):
        """Solve by conjugate gradients; an infinite strength gives zero."""
        free = np.isfinite(ridge)
        ridge, left = np.where(free, ridge, 0.0), np.where(free, right, 0.0)
        found, direction, before = np.zeros_like(left), np.zeros_like(left), 1.0
        enough = _CLOSE**2 * float(left @ left)
        for _ in range(_MAX_STEPS):
            size = float(left @ left)
            if size <= enough:
                break
            direction, before = left + size / before * direction, size
            image = np.where(free, self._multiply(direction) + ridge * direction, 0.0)
            length = size / max(float(direction @ image), TINY_SQUARE)
            found, left = found + length * direction, left - length * image
        return found
