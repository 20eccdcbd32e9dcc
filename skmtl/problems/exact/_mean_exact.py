"""Squared losses of tasks around a centre, minimised exactly."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.linalg import norm

from skmtl._contracts import Array, TaskBlocks
from skmtl._linalg import EPS
from skmtl._numbers import TINY_SQUARE
from skmtl.couplings import Strengths
from skmtl.data import TaskMoments

from ._task_models import TaskModels
from ._unseen_model import mean_residual, unseen_model

# Strengths beyond this multiple of the curvature act as infinite: their part of the
# gradient is rounding.
_RIGID = 1e8


@dataclass(frozen=True)
class MeanFit:
    """Exact solution for tasks around a centre, from an arrowhead system.

    It minimises ``sum_t sum_i weight_i (y_i - x_i . w_t - b_t)^2`` plus the coupling.
    Given the centre ``(w_s, b_s)``, tasks are independent. Eliminating ``b_t`` leaves
    one row per task at its mean, of weight ``k_t = n_t a / (n_t + a)``, where ``a`` is
    the strength of the intercepts. Eliminating ``w_t`` leaves a quadratic in the
    centre, ``sum_t w_s' D B_t^-1 S_t w_s - 2 w_s' D B_t^-1 q_t`` with ``B_t = S_t +
    D_t``, and the row at the mean with weight ``k_t / (1 + k_t m_t)``, ``m_t = x_t'
    B_t^-1 x_t``. All terms are positive, so no strength causes cancellation.

    Parameters
    ----------
    moments : TaskMoments
        Moments of the rows.
    blocks : TaskBlocks
        The blocks ``B_t``, factored.
    strengths : Strengths
        Strengths of the coupling. Those of the tasks' own parts are finite.
    has_intercept : bool, default=True
        False if the moments are about zero and there are no intercepts.
    """

    moments: TaskMoments
    blocks: TaskBlocks
    strengths: Strengths
    has_intercept: bool = True

    def of_tasks(self, tasks: Array) -> "MeanFit":
        """Solve for some of the tasks, with the same strengths and factors.

        Parameters
        ----------
        tasks : ndarray of int
            Positions of the tasks, at least one.

        Returns
        -------
        MeanFit
            Their solution, computed when it is read.
        """
        moments, blocks = self.moments.select(tasks), self.blocks.select(tasks)
        strengths, alpha = self.strengths, self.strengths.alpha
        if len(alpha) > 1:
            strengths = replace(strengths, alpha=alpha[tasks])
        return MeanFit(moments, blocks, strengths, self.has_intercept)

    @cached_property
    def _xy(self):
        return self.blocks.clean(self.moments.xy)

    @cached_property
    def mean_weight(self) -> Array:
        """Weight ``k_t`` of each task's mean once ``b_t`` is eliminated, (n_tasks,)."""
        n, a = self.moments.weight, self.strengths.intercept
        if not self.has_intercept or a == 0:
            return np.zeros_like(n)
        return n if np.isinf(a) else n * (a / (n + a))

    @cached_property
    def mean_solved(self) -> Array:
        """Solution for the mean of the features, ``B_t^-1 x_t``."""
        if not self.mean_weight.any():
            return np.zeros_like(self.moments.x_mean)
        return self.blocks.solve(self.moments.x_mean)

    @cached_property
    def row_weight(self) -> Array:
        """Weight of the row at the mean once ``w_t`` is eliminated, (n_tasks,)."""
        spread = (self.moments.x_mean * self.mean_solved).sum(axis=1)
        return self.mean_weight / (1 + self.mean_weight * spread)

    @cached_property
    def row_design(self) -> Array:
        """Features of the row at the mean, for the centre: ``D B_t^-1 x_t``."""
        return self.strengths.own * self.mean_solved

    @cached_property
    def row_mean(self) -> Array:
        """Weighted mean of the rows at the means, (n_features,)."""
        weight = self.row_weight
        total = weight.sum()
        if total == 0:
            return np.zeros(self.moments.n_features)
        return (weight[:, None] * self.row_design).sum(axis=0) / total

    @cached_property
    def row_gap(self) -> Array:
        """Rows at the means minus their mean; zero if all tasks share one row."""
        if len(self.row_design) == 1:
            return np.zeros_like(self.row_design)
        gap, unit = self.row_design - self.row_mean, np.sqrt(self.strengths.pattern)
        largest = np.divide(self.row_design, unit, where=unit > 0, out=gap * 0)
        largest = np.abs(largest).max(axis=1, initial=0.0, keepdims=True)
        noise = 8 * EPS * len(unit) * unit * largest
        return np.where(np.abs(gap) > noise, gap, 0.0)

    @cached_property
    def centre(self) -> Any:
        """Curvature of the problem that is left for the centre, factored."""
        rows = np.zeros((0, self.moments.n_features))
        if len(self.row_gap) > 1:
            rows = np.sqrt(self.row_weight)[:, None] * self.row_gap
        return self.blocks.centre(self.moments.n_tasks, rows, self.strengths.centre)

    @cached_property
    def _apart(self):
        """Coefficients for a centre at zero and unpenalised intercepts."""
        return self.blocks.solve(self._xy)

    @cached_property
    def coef_shared(self) -> Array:
        """Coefficients of the centre, (n_features,)."""
        if self.strengths.pinned:
            return np.zeros(self.moments.n_features)
        return self.centre.solve(self.centre_right)

    @cached_property
    def centre_right(self) -> Array:
        """Right side of the centre's normal equations, (n_features,)."""
        right = (self.strengths.own * self._apart).sum(axis=0)
        if self.row_weight.any():
            fitted = (self.moments.x_mean * self._apart).sum(axis=1)
            residual = self.moments.y_mean - fitted
            residual = residual - np.average(residual, weights=self.row_weight)
            right = right + (self.row_weight * residual) @ np.broadcast_to(
                self.row_gap, self._apart.shape
            )
        return right

    @cached_property
    def _without_rows_at_means(self):
        """Coefficients given the centre, without the rows at the means."""
        if self.strengths.pinned:
            return self._apart
        return self._apart + self.blocks.solve(self.strengths.own * self.coef_shared)

    @cached_property
    def _mean_residual(self):
        """Mean of the target minus its prediction without rows at the means."""
        coef = self._without_rows_at_means
        return self.moments.y_mean - (self.moments.x_mean * coef).sum(axis=1)

    @cached_property
    def intercept_shared(self) -> float:
        """Intercept of the centre; without a penalty, that of a fit to all rows."""
        if not self.has_intercept or self.strengths.holds_intercept:
            return 0.0
        if not self.row_weight.any():
            return self._fit_all_rows(self.coef_shared)[1]
        return float(np.average(self._mean_residual, weights=self.row_weight))

    def _fit_all_rows(self, known):
        """Return the model fitted to all rows; coefficients are fixed unless NaN."""
        own, seen = self.strengths.own, self.moments.weight > 0
        ridge = np.broadcast_to(own, self._apart.shape)[seen].mean(axis=0)
        coef = np.zeros_like(self._apart)
        return unseen_model(self.moments, coef, coef, self.blocks.curve, ridge, known)

    @cached_property
    def row_error(self) -> Array:
        """Residual of the rows at the means, given the centre, (n_tasks,)."""
        return self._mean_residual - self.intercept_shared

    @cached_property
    def coef(self) -> Array:
        """Coefficients of the tasks, (n_tasks, n_features)."""
        if not self.row_weight.any():
            return self._without_rows_at_means
        return self._without_rows_at_means + (
            (self.row_weight * self.row_error)[:, None] * self.mean_solved
        )

    @cached_property
    def intercept(self) -> Array:
        """Intercepts of the tasks, (n_tasks,)."""
        n, a = self.moments.weight, self.strengths.intercept
        if not self.has_intercept:
            return np.zeros_like(n)
        free = self.moments.y_mean - (self.moments.x_mean * self.coef).sum(axis=1)
        share = np.zeros_like(n) if np.isinf(a) else np.where(n > 0, n, 0)
        share = np.divide(share, n + a, out=np.zeros_like(n), where=share > 0)
        return self.intercept_shared + share * (free - self.intercept_shared)

    @cached_property
    def _curved(self):
        """Products of scatter matrices and coefficients, (n_tasks, n_features)."""
        return self.blocks.curve(self.coef)

    @cached_property
    def squared_errors(self) -> Array:
        """Weighted sum of squared errors per task, (n_tasks,)."""
        moments, coef = self.moments, self.coef
        bias = moments.y_mean - (moments.x_mean * coef).sum(axis=1) - self.intercept
        scatter = moments.yy + (coef * (self._curved - 2 * moments.xy)).sum(axis=1)
        return np.maximum(scatter, 0) + moments.weight * bias**2

    @cached_property
    def objective(self) -> float:
        """Value of the objective."""
        strengths, total = self.strengths, self.squared_errors.sum()
        own = self.coef - self.coef_shared
        total = total + (strengths.own * own**2).sum()
        if not strengths.pinned:
            total = total + (strengths.centre * self.coef_shared**2).sum()
        if 0 < strengths.intercept < np.inf:
            gap = self.intercept - self.intercept_shared
            total = total + strengths.intercept * (gap**2).sum()
        return float(total)

    @cached_property
    def optimality(self) -> float:
        """Norm of the gradient, relative to that at zero coefficients."""
        moments, a = self.moments, self.strengths.intercept
        gap = moments.y_mean - np.average(moments.y_mean, weights=moments.weight)
        zero = self._xy + (moments.weight * gap)[:, None] * moments.x_mean
        size = norm(zero)
        if size == 0:
            return 0.0
        data, own = self._curved - self._xy, self.strengths.own
        parts = []
        if self.has_intercept and a > 0:
            bias = moments.y_mean - (moments.x_mean * self.coef).sum(axis=1)
            slope = moments.weight * (bias - self.intercept)
            data = data - slope[:, None] * moments.x_mean
            own_intercept = self.intercept - self.intercept_shared
            parts.append(slope.sum() if np.isinf(a) else slope - a * own_intercept)
        typical = norm(self._curved) / max(float(norm(self.coef)), TINY_SQUARE)
        free = own < _RIGID * max(float(typical), TINY_SQUARE)
        parts.append(np.where(free, data + own * (self.coef - self.coef_shared), 0.0))
        if not self.strengths.pinned:
            centre = self.strengths.centre * self.coef_shared
            parts.append(data.sum(axis=0) + centre)
        return float(norm(np.concatenate([np.ravel(part) for part in parts])) / size)

    def unpack_nodes(self) -> TaskModels:
        """Return the linear models of the tasks, which are all nodes."""
        return self.unpack()

    def unpack(self) -> TaskModels:
        """Return the linear models of the tasks and of their shared part.

        Where tasks are not penalised, the shared part is a ridge fit to all rows with
        the tasks' mean strength. If the centre is shrunk to zero, the shared intercept
        is the tasks' mean residual at the shared coefficients: the mean of their
        intercepts belongs to larger coefficients, and would be biased where features
        are not centred. A task without weight gets the shared part.

        Returns
        -------
        TaskModels
            Coefficients and intercepts, without an axis of outputs.
        """
        coef, shared, intercept = self.coef, self.coef_shared, self.intercept
        common, seen = self.intercept_shared, self.moments.weight > 0
        a, unpenalized = self.strengths.intercept, self._unpenalized
        if self._is_shrunk and self.has_intercept and a > 0:
            common = mean_residual(self.moments, shared, a)
            intercept = np.where(seen, intercept, common)
        if unpenalized.any():
            shared, common = self._fit_all_rows(np.where(unpenalized, np.nan, shared))
            coef = np.where(seen[:, None], coef, shared)
            intercept = np.where(seen, intercept, common)
        coef, intercept = self.strengths.restore(coef, intercept)
        return TaskModels(coef, intercept, *self.strengths.restore(shared, common))

    @property
    def _is_shrunk(self):
        """Whether the centre is shrunk to zero, but not fixed there."""
        return bool(self.strengths.centre.any()) and not self.strengths.pinned

    @property
    def _unpenalized(self):
        """Whether nothing couples a feature of the tasks to a centre."""
        if self.strengths.pinned:
            return np.ones(self.moments.n_features, dtype=bool)
        return (self.strengths.own == 0).all(axis=0)
