"""Squared losses of tasks that are pulled to a centre, minimised exactly."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.linalg import norm

from skmtl._contracts import TaskBlocks
from skmtl._linalg import EPS
from skmtl._numbers import TINY_SQUARE
from skmtl.couplings import Strengths
from skmtl.data import TaskMoments

from ._task_models import TaskModels
from ._unseen_tasks import mean_residual, unseen_model

# Strengths beyond this multiple of the curvature leave rounding for a gradient.
_RIGID = 1e8


@dataclass(frozen=True)
class MeanFit:
    """Solve the arrowhead system of tasks around a centre.

    Minimises ``sum_t sum_i weight_i (y_i - x_i . w_t - b_t)^2`` plus the pull. Given
    the centre ``(w_s, b_s)``, tasks are apart. Eliminating ``b_t`` leaves one row per
    task at the mean, of weight ``k_t = n_t a / (n_t + a)``, where ``a`` pulls the
    intercepts; eliminating ``w_t`` leaves a quadratic in the centre, summed from terms
    that are all positive, so that no strength costs digits: ``sum_t w_s' D B_t^-1 S_t
    w_s - 2 w_s' D B_t^-1 q_t`` with ``B_t = S_t + D_t``, and the row at the mean with
    weight ``k_t / (1 + k_t m_t)``, ``m_t = x_t' B_t^-1 x_t``.

    Parameters
    ----------
    moments : TaskMoments
        Moments of the rows.
    blocks : TaskBlocks
        The blocks ``B_t``, factored.
    pull : Strengths
        The strengths; finite but for the centre's and the intercept's.
    has_intercept : bool
        False if the moments are about zero and there is none.
    """

    moments: TaskMoments
    blocks: TaskBlocks
    pull: Strengths
    has_intercept: bool = True

    @cached_property
    def _xy(self):
        return self.blocks.clean(self.moments.xy)

    @cached_property
    def mean_weight(self):
        """Weight ``k_t`` of each task's mean once ``b_t`` is eliminated, (n_tasks,)."""
        n, a = self.moments.weight, self.pull.intercept
        if not self.has_intercept or a == 0:
            return np.zeros_like(n)
        return n if np.isinf(a) else n * (a / (n + a))

    @cached_property
    def mean_solved(self):
        """Mean of the features through the block, ``B_t^-1 x_t``."""
        if not self.mean_weight.any():
            return np.zeros_like(self.moments.x_mean)
        return self.blocks.solve(self.moments.x_mean)

    @cached_property
    def row_weight(self):
        """Weight of the row at the mean once ``w_t`` is eliminated, (n_tasks,)."""
        spread = (self.moments.x_mean * self.mean_solved).sum(axis=1)
        return self.mean_weight / (1 + self.mean_weight * spread)

    @cached_property
    def row_design(self):
        """Return how the centre moves the prediction at the mean, ``D B_t^-1 x_t``."""
        return self.pull.own * self.mean_solved

    @cached_property
    def row_mean(self):
        """Weighted mean of the rows at the means, (n_features,)."""
        weight = self.row_weight
        total = weight.sum()
        if total == 0:
            return np.zeros(self.moments.n_features)
        return (weight[:, None] * self.row_design).sum(axis=0) / total

    @cached_property
    def row_gap(self):
        """Rows at the means around their mean, zero if all tasks share one."""
        if len(self.row_design) == 1:
            return np.zeros_like(self.row_design)
        gap, unit = self.row_design - self.row_mean, np.sqrt(self.pull.pattern)
        largest = np.divide(self.row_design, unit, where=unit > 0, out=gap * 0)
        largest = np.abs(largest).max(axis=1, initial=0.0, keepdims=True)
        noise = 8 * EPS * len(unit) * unit * largest
        return np.where(np.abs(gap) > noise, gap, 0.0)

    @cached_property
    def centre(self):
        """Curvature of what is left to minimise over the centre."""
        rows = np.zeros((0, self.moments.n_features))
        if len(self.row_gap) > 1:
            rows = np.sqrt(self.row_weight)[:, None] * self.row_gap
        return self.blocks.centre(self.moments.n_tasks, rows, self.pull.centre)

    @cached_property
    def _apart(self):
        """Coefficients if the centre were zero and intercepts free."""
        return self.blocks.solve(self._xy)

    @cached_property
    def coef_shared(self):
        """Coefficients of the centre, (n_features,)."""
        if self.pull.pinned:
            return np.zeros(self.moments.n_features)
        return self.centre.solve(self.centre_right)

    @cached_property
    def centre_right(self):
        """Return the right side of the centre's normal equations, (n_features,)."""
        right = (self.pull.own * self._apart).sum(axis=0)
        if self.row_weight.any():
            left = self.moments.y_mean - (self.moments.x_mean * self._apart).sum(axis=1)
            left = left - np.average(left, weights=self.row_weight)
            right = right + (self.row_weight * left) @ np.broadcast_to(
                self.row_gap, self._apart.shape
            )
        return right

    @cached_property
    def _free(self):
        """Coefficients given the centre, the rows at the means left aside."""
        if self.pull.pinned:
            return self._apart
        pulled = self.blocks.solve(self.pull.own * self.coef_shared)
        return self._apart + pulled

    @cached_property
    def _left(self):
        """Return what the mean of the target is above the prediction, b_t aside."""
        return self.moments.y_mean - (self.moments.x_mean * self._free).sum(axis=1)

    @cached_property
    def intercept_shared(self):
        """Intercept of the centre; without a penalty, the best fit to all rows."""
        if not self.has_intercept or self.pull.holds_intercept:
            return 0.0
        if not self.row_weight.any():
            return self._find_common(self.coef_shared)[1]
        return float(np.average(self._left, weights=self.row_weight))

    def _find_common(self, known):
        """Return the model fitted to all rows; some coefficients may be given."""
        pull, seen = self.pull, self.moments.weight > 0
        ridge = np.broadcast_to(pull.own, self._apart.shape)[seen].mean(axis=0)
        coef = np.zeros_like(self._apart)
        return unseen_model(self.moments, coef, coef, self.blocks.curve, ridge, known)

    @cached_property
    def row_error(self):
        """Residual of the rows at the means, given the centre, (n_tasks,)."""
        return self._left - self.intercept_shared

    @cached_property
    def coef(self):
        """Coefficients of the tasks, (n_tasks, n_features)."""
        if not self.row_weight.any():
            return self._free
        return self._free + (self.row_weight * self.row_error)[:, None] * (
            self.mean_solved
        )

    @cached_property
    def intercept(self):
        """Intercepts of the tasks, (n_tasks,)."""
        n, a = self.moments.weight, self.pull.intercept
        if not self.has_intercept:
            return np.zeros_like(n)
        left = self.moments.y_mean - (self.moments.x_mean * self.coef).sum(axis=1)
        keep = np.zeros_like(n) if np.isinf(a) else np.where(n > 0, n, 0)
        keep = np.divide(keep, n + a, out=np.zeros_like(n), where=keep > 0)
        return self.intercept_shared + keep * (left - self.intercept_shared)

    @cached_property
    def _curved(self):
        """Products of the scatters with the coefficients, (n_tasks, n_features)."""
        return self.blocks.curve(self.coef)

    @cached_property
    def squared_errors(self):
        """Weighted sum of squared errors per task, (n_tasks,)."""
        moments, coef = self.moments, self.coef
        bias = moments.y_mean - (moments.x_mean * coef).sum(axis=1) - self.intercept
        scatter = moments.yy + (coef * (self._curved - 2 * moments.xy)).sum(axis=1)
        return np.maximum(scatter, 0) + moments.weight * bias**2

    @cached_property
    def objective(self):
        """Smallest value of loss and pull."""
        pull, total = self.pull, self.squared_errors.sum()
        own = self.coef - self.coef_shared
        total = total + (pull.own * own**2).sum()
        if not pull.pinned:
            total = total + (pull.centre * self.coef_shared**2).sum()
        if 0 < pull.intercept < np.inf:
            gap = self.intercept - self.intercept_shared
            total = total + pull.intercept * (gap**2).sum()
        return float(total)

    @cached_property
    def optimality(self):
        """Norm of the gradient, relative to the one at zero coefficients."""
        moments, a = self.moments, self.pull.intercept
        gap = moments.y_mean - np.average(moments.y_mean, weights=moments.weight)
        zero = self._xy + (moments.weight * gap)[:, None] * moments.x_mean
        size = norm(zero)
        if size == 0:
            return 0.0
        data, own = self._curved - self._xy, self.pull.own
        parts = []
        if self.has_intercept and a > 0:
            bias = moments.y_mean - (moments.x_mean * self.coef).sum(axis=1)
            slope = moments.weight * (bias - self.intercept)
            data = data - slope[:, None] * moments.x_mean
            pulled = 0.0
            if np.isfinite(a):
                pulled = a * (self.intercept - self.intercept_shared)
            parts.append(slope.sum() if np.isinf(a) else slope - pulled)
        # The gradient of strengths that act as infinite is rounding.
        typical = norm(self._curved) / max(norm(self.coef), TINY_SQUARE)
        free = own < _RIGID * max(float(typical), TINY_SQUARE)
        parts.append(np.where(free, data + own * (self.coef - self.coef_shared), 0.0))
        if not self.pull.pinned:
            parts.append(data.sum(axis=0) + self.pull.centre * self.coef_shared)
        return float(norm(np.concatenate([np.ravel(part) for part in parts])) / size)

    def unpack_nodes(self):
        """Return the linear models of the tasks, which are all nodes."""
        return self.unpack()

    def unpack(self):
        """Return the linear models of the tasks and of their shared part.

        Where tasks are not penalised, the shared part is a ridge fit to all rows with
        the tasks' mean strength. If the centre is pulled to zero, the shared intercept
        is the tasks' mean residual at the shared coefficients: the mean of their
        intercepts goes with larger coefficients, and would be biased where features
        are not centred. A task without weight gets the shared part.

        Returns
        -------
        TaskModels
            Coefficients and intercepts.
        """
        coef, shared, intercept = self.coef, self.coef_shared, self.intercept
        level, seen = self.intercept_shared, self.moments.weight > 0
        loose = self._loose
        if self._is_shrunk and self.has_intercept and self.pull.intercept > 0:
            level = mean_residual(self.moments, shared, self.pull.intercept)
            intercept = np.where(seen, intercept, level)
        if loose.any():
            shared, level = self._find_common(np.where(loose, np.nan, shared))
            coef = np.where(seen[:, None], coef, shared)
            intercept = np.where(seen, intercept, level)
        return TaskModels(coef, intercept, shared, level)

    @property
    def _is_shrunk(self):
        """Whether the centre is pulled to zero, but not held there."""
        return bool(self.pull.centre.any()) and not self.pull.pinned

    @property
    def _loose(self):
        """Whether all strengths of a feature are zero."""
        if self.pull.pinned:
            return np.ones(self.moments.n_features, dtype=bool)
        return (self.pull.own == 0).all(axis=0)
