"""Losses of any kind as a smooth term, their intercepts eliminated."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from skmtl._contracts import Point
from skmtl.problems.exact import unpack_tasks
from skmtl.problems.newton import Datafit, fit_unseen_model
from skmtl.problems.rows import MomentCurvature, prefers_rows, row_curvature
from skmtl.solvers import HasQuadraticModel

from ._intercepts import RowList
from ._quadratic_model import quadratic_model

# Losses of classes may be so flat that a step goes past where penalties that are not
# convex end: measured by such steps, few points would be stationary.
_LEAST_CURVATURE = 1.0

# Bounds the curvature of losses that have no bound, relative to that at zero: steps are
# adaptive, and raw predictions exceed those at zero by log(1e6) = 14 at most.
_UNBOUNDED = 1e6


@dataclass(frozen=True)
class AnyLossPoint(Point):
    """Hold what is known at a point beyond value and gradient.

    Parameters
    ----------
    linear : ndarray of shape (n_rows, n_outputs)
        Raw predictions without intercepts.
    levels : ndarray of shape (n_tasks, n_outputs)
        The best intercepts.
    raw : ndarray of shape (n_rows, n_outputs)
        Raw predictions.
    slope : ndarray of shape (n_rows, n_outputs)
        Derivatives of the loss of each row.
    """

    linear: np.ndarray
    levels: np.ndarray
    raw: np.ndarray
    slope: np.ndarray


@dataclass(frozen=True)
class AnyLoss(HasQuadraticModel):
    """Weigh the losses of all rows at the best intercepts of their tasks.

    ``min over b of n_tasks / N sum_i weight_i loss(y_i, x_i . w_t + b_t) + alpha_ridge
    / 2 ||W||^2`` with the total weight ``N``; tasks without weight do not count. A row
    of ``W`` is an output of a task: those of the first task come first.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    alpha_ridge : float, default=0.0
        Strength of the quadratic pull to zero.
    """

    datafit: Datafit
    alpha_ridge: float = 0.0
    # The last intercepts that were found, from which the next are.
    _last: list = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def shape(self):
        """Shape of the coefficients, (n_tasks * n_outputs, n_features)."""
        n_tasks, n_outputs, _ = self.datafit.shape
        return n_tasks * n_outputs, self.datafit.data.X.shape[1]

    @cached_property
    def scale(self):
        """Factor of the sum of the losses."""
        totals = self.datafit.task_totals
        return np.count_nonzero(totals) / totals.sum()

    @cached_property
    def rows(self):
        """All rows, their weights scaled."""
        return RowList.of(self.datafit, self.scale)

    @cached_property
    def _begin(self):
        """Intercepts that predict the means of the targets."""
        if self.datafit.fit_intercept:
            return self.datafit.start()[:, :, -1]
        return np.zeros(self.datafit.shape[:2])

    @cached_property
    def _zero(self):
        linear = np.zeros((len(self.rows.weight), self.datafit.loss.n_outputs))
        return self._point(np.zeros(self.shape), linear)

    def zero(self):
        """Return the Point at zero."""
        return self._zero

    def at(self, W):
        """Return the Point at W."""
        return self._point(W, self._predict(W)) if W.any() else self._zero

    def extrapolate(self, point, before, momentum):
        """Return the Point on the line through both, whose predictions are known."""
        W = point.variable + momentum * (point.variable - before.variable)
        return self._point(W, point.linear + momentum * (point.linear - before.linear))

    def _predict(self, W):
        """Return raw predictions of all rows without intercepts."""
        n_tasks, n_outputs, n_columns = self.datafit.shape
        variable = np.zeros((n_tasks, n_outputs, n_columns))
        variable[:, :, : W.shape[1]] = W.reshape(n_tasks, n_outputs, -1)
        parts = [z.reshape(-1, n_outputs) for z in self.datafit.predict(variable)]
        return np.concatenate(parts)

    def _find_intercepts(self, linear):
        """Return the best intercepts, near the last ones if these were settled."""
        if not self.datafit.fit_intercept:
            return self._begin
        levels, settled = self.rows.best(linear, [self._begin, *self._last][-1])
        if settled:
            self._last[:] = [levels]
        return levels

    def _point(self, W, linear):
        rows, levels = self.rows, self._find_intercepts(linear)
        raw = linear + levels[rows.codes]
        slope = self.datafit.loss.gradient(rows.y, raw)
        value = rows.value(raw) + self.alpha_ridge / 2 * float(np.vdot(W, W))
        gradient = self._pull_back(rows.weight[:, None] * slope)
        if self.alpha_ridge:
            gradient = gradient + self.alpha_ridge * W
        return AnyLossPoint(W, value, gradient, linear, levels, raw, slope)

    def _pull_back(self, slope):
        """Return the gradient, given the weighted derivatives of all rows."""
        total = self.datafit.adjoint(self._split(slope))
        return total[:, :, : self.shape[1]].reshape(self.shape)

    def _split(self, values):
        """Give values of all rows the shapes of their stacks."""
        shapes = [stack.weight.shape for stack in self.datafit.stacks()]
        ends = np.cumsum([rows * size for rows, size in shapes])
        parts = np.split(values, ends[:-1])
        return [
            part.reshape(*shape, *values.shape[1:])
            for part, shape in zip(parts, shapes, strict=True)
        ]

    @cached_property
    def _lipschitz(self):
        data, centred = self.datafit.data, self.datafit.fit_intercept
        if prefers_rows(data):
            bound = row_curvature(data, centred).bound()
        else:
            moments = data.moments() if centred else data.moments().about_zero()
            bound = MomentCurvature(moments.xx).bound()
        steepest = self.scale * self._largest_curvature * bound
        return max(steepest + self.alpha_ridge, _LEAST_CURVATURE)

    def unit(self):
        """Return the scale of values: losses of perfect predictions may be negative."""
        best = -self.rows.conjugate(np.zeros_like(self._zero.slope))
        return self._zero.value - min(best, 0.0)

    @property
    def _largest_curvature(self):
        """Largest curvature of a row; where unbounded, a multiple of that at zero."""
        largest = self.datafit.loss.largest_curvature
        if np.isfinite(largest):
            return largest
        at_zero = self.datafit.loss.hessian(self.rows.y, self._zero.raw)
        return _UNBOUNDED * float(at_zero.max())

    def lipschitz(self):
        """Return an upper bound of the curvature in any direction."""
        return self._lipschitz

    def dual_value(self, point, limit):
        """Return the dual value of the largest multiple of the slopes, at most of one.

        Near the optimum and wherever W points downhill, it is the best of those from
        zero to one.
        """
        multiple = min(limit, 1.0)
        ridge = self.alpha_ridge / 2 * float(np.vdot(point.variable, point.variable))
        return -self.rows.conjugate(multiple * point.slope) - multiple**2 * ridge

    # Any order of the features will do: models have their own.
    is_ordered = True

    def restrict(self, features):
        """Return the loss of some features."""
        return AnyLoss(self.datafit.columns(features), self.alpha_ridge)

    def model(self, point):
        """Return a quadratic term of the same gradient and curvature at a point.

        The loss must have one output: several share their curvature.
        """
        rows, ridge = self.rows, self.alpha_ridge
        bend = rows.weight * self.datafit.loss.hessian(rows.y, point.raw)[:, 0, 0]
        through = Point(
            point.variable,
            point.value + 2 * self._zero.value,
            point.gradient - ridge * point.variable,
        )
        return quadratic_model(self.datafit, self._split(bend), through, ridge)

    def unpack(self, W, shared):
        """Return the linear models of the tasks, and the one fitted to all rows.

        A task without weight gets the latter.

        Parameters
        ----------
        W : ndarray of shape (n_tasks * n_outputs, n_features)
            Coefficients.
        shared : ndarray of shape (n_tasks * n_outputs, n_features)
            Part of the coefficients that tasks share.

        Returns
        -------
        TaskModels
            Coefficients and intercepts.
        """
        datafit, coef = self.datafit, W.reshape(*self.datafit.shape[:2], -1)
        levels = self._find_intercepts(self._predict(W))[:, :, None]
        tasks = np.concatenate([coef, levels], axis=2)
        if not datafit.fit_intercept:
            tasks = coef
        tasks = datafit.move(tasks, -1)
        common = fit_unseen_model(datafit, tasks)
        seen = datafit.task_totals > 0
        return unpack_tasks(
            np.where(seen[:, None, None], tasks, common), common, datafit
        )
