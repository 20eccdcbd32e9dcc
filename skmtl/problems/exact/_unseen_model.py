"""The linear model for unseen tasks: a ridge fit to all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite
from skmtl._numbers import TINY_SQUARE
from skmtl.data import TaskMoments

# Smaller relative differences between the means of a feature are rounding errors.
_ROUNDING = 1e-13
# Conjugate gradients stop at this relative residual, or after so many steps.
_TOL, _MAX_STEPS = 1e-10, 300


def unseen_model(
    moments: TaskMoments,
    coef: Array,
    shared: Array,
    curve: Callable[[Array], Array],
    ridge: Array | None = None,
    known: Array | None = None,
) -> tuple[Array, float]:
    """Fit one linear model to the rows of all tasks.

    Minimises ``sum_t sum_i weight_i (y_i - x_i . (w_t - p_t) - x_i . w - b)^2 + sum_j
    ridge_j w_j^2``, where ``p_t`` is the part of ``w_t`` that tasks share. If ``p_t =
    w_t``, the result is the mean of the tasks' unpenalised coefficients, weighted by
    their Gram matrices.

    Parameters
    ----------
    moments : TaskMoments
        Centred moments, or moments about zero without intercepts.
    coef : ndarray of shape (n_tasks, n_features)
        Coefficients of the tasks.
    shared : ndarray of shape (n_tasks, n_features)
        The part of them that tasks share.
    curve : callable
        Multiplies rows (n_tasks, n_features) by the scatter matrices of the tasks.
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
    x_mean, y_centre = weigh(moments.x_mean, weight), float(weigh(y_mean, weight))
    gap = _deviations(moments.x_mean, x_mean, weight)
    y_gap = np.sqrt(weight) * (y_mean - y_centre)
    right = xy.sum(axis=0) + gap.T @ y_gap[: len(gap)]
    known = np.where(np.isfinite(ridge), np.nan, 0.0) if known is None else known
    system = _System(moments, curve, gap)
    pooled = system.solve(right, ridge, known)
    return pooled, y_centre - float(x_mean @ pooled)


def mean_residual(moments: TaskMoments, coef: Array, strength: float) -> float:
    """Return the tasks' mean residual at shared coefficients.

    Parameters
    ----------
    moments : TaskMoments
        Moments of the tasks.
    coef : ndarray of shape (n_features,)
        Shared coefficients.
    strength : float
        Strength of the intercepts. Tasks are weighted by the precision of their
        intercepts, or by their weights if the strength is 0.

    Returns
    -------
    float
        The mean.
    """
    seen = moments.weight > 0
    residual = (moments.y_mean - moments.x_mean @ coef)[seen]
    precision = moments.weight[seen]
    if strength:
        precision = 1 / (1 / precision + 1 / strength)
    return float(np.average(residual, weights=precision))


def implied_ridge(descent: Array, coef: Array, constant: Any) -> Array:
    """Return the ridge strengths that reproduce a penalty's gradient.

    Parameters
    ----------
    descent : ndarray of shape (n_tasks, ...)
        Negative gradients of the losses.
    coef : ndarray of shape (n_tasks, ...)
        Coefficients.
    constant : ndarray of shape (...), dtype bool
        Coefficients without information, as their feature is constant in all tasks.

    Returns
    -------
    ndarray of shape (...)
        Strengths, infinite for a coefficient that is zero in all tasks. Those
        without information get the pooled strength of the others.
    """
    along, square = (descent * coef).sum(axis=0), (coef**2).sum(axis=0)
    total = _ratio(along.sum(), square.sum())
    return np.where(constant & (square <= TINY_SQUARE), total, _ratio(along, square))


def _ratio(along, square):
    ratio = np.full(np.shape(square), np.inf)
    return np.divide(
        np.maximum(along, 0.0), square, out=ratio, where=square > TINY_SQUARE
    )


def weigh(values: Array, weight: Array) -> Any:
    """Return the weighted mean of the rows of an array.

    Parameters
    ----------
    values : ndarray of shape (n_tasks or 1, ...)
        Rows, a single one if all tasks have the same.
    weight : ndarray of shape (n_tasks,)
        Weights.

    Returns
    -------
    ndarray of shape (...)
        The mean.
    """
    if len(values) == 1 < len(weight):
        return values[0]
    total = weight.sum()
    return np.tensordot(weight, values, axes=1) / (total if total > 0 else 1.0)


def _deviations(x_mean, mean, weight):
    """Return deviations of the tasks' means, scaled by root weights, if they differ."""
    if len(x_mean) == 1:
        return np.zeros((0, len(mean)))
    gap = x_mean - mean
    gap = np.where(np.abs(gap) > _ROUNDING * np.abs(x_mean), gap, 0.0)
    return np.sqrt(weight)[:, None] * gap


@dataclass(frozen=True)
class _System:
    """Normal equations of all rows, as a matrix if there are scatter matrices."""

    moments: Any
    curve: Callable[[Array], Array]
    gap: Array

    def solve(self, right, ridge, known):
        """Solve for coefficients; `known` ones are fixed unless NaN."""
        free, solution = np.isnan(known), np.nan_to_num(known)
        if solution.any():
            right = right - self._multiply(solution)
        if not free.any():
            return solution
        if self.moments.xx is None:
            return solution + self._iterate(right, np.where(free, ridge, np.inf))
        matrix = self._n_repeats * self.moments.xx.sum(axis=0) + self.gap.T @ self.gap
        matrix = matrix[free][:, free] + np.diag(ridge[free])
        solution[free] = Semidefinite(matrix).solve(right[free])
        return solution

    @property
    def _n_repeats(self):
        """Number of tasks per scatter matrix."""
        return self.moments.n_tasks // len(self.moments.x_mean)

    def _multiply(self, w):
        rows = np.broadcast_to(w, self.moments.xy.shape)
        return self.curve(rows).sum(axis=0) + self.gap.T @ (self.gap @ w)

    def _iterate(self, right, ridge):
        """Solve by conjugate gradients; an infinite strength gives zero."""
        free = np.isfinite(ridge)
        ridge, residual = np.where(free, ridge, 0.0), np.where(free, right, 0.0)
        solution, direction = np.zeros_like(residual), np.zeros_like(residual)
        before, enough = 1.0, _TOL**2 * float(residual @ residual)
        for _ in range(_MAX_STEPS):
            size = float(residual @ residual)
            if size <= enough:
                break
            direction, before = residual + size / before * direction, size
            image = np.where(free, self._multiply(direction) + ridge * direction, 0.0)
            length = size / max(float(direction @ image), TINY_SQUARE)
            solution = solution + length * direction
            residual = residual - length * image
        return solution
