"""Losses of any kind as a smooth term, their intercepts eliminated."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array, Point
from skmtl.problems.exact import unpack_tasks
from skmtl.problems.newton import Datafit, fit_unseen_model
from skmtl.problems.rows import MomentCurvature, prefers_rows, row_curvature
from skmtl.solvers import HasQuadraticModel

from ._intercepts import FlatRows
from ._quadratic_model import quadratic_model

# Lower bound on the Lipschitz constant L. Class losses may be so flat that a step of
# length 1/L, by which optimality is measured, leaves the region in which a non-convex
# penalty acts; few points would be stationary.
_LEAST_CURVATURE = 1.0

# Curvature of losses without a bound, relative to that at zero. Steps are adaptive, and
# log(1e6) = 14 is the most by which raw predictions exceed those at zero.
_UNBOUNDED = 1e6


@dataclass(frozen=True)
class AnyLossPoint(Point):
    """Value and gradient at a point, and the predictions they come from.

    Parameters
    ----------
    linear : ndarray of shape (n_rows, n_outputs)
        Raw predictions without intercepts.
    intercepts : ndarray of shape (n_tasks, n_outputs)
        Intercepts that minimise the loss there.
    raw : ndarray of shape (n_rows, n_outputs)
        Raw predictions.
    slope : ndarray of shape (n_rows, n_outputs)
        Derivatives of the loss of each row.
    """

    linear: np.ndarray
    intercepts: np.ndarray
    raw: np.ndarray
    slope: np.ndarray


@dataclass(frozen=True)
class AnyLoss(HasQuadraticModel):
    """Losses of all rows as a function of the coefficients.

    ``f(W) = min over b of n_tasks / N sum_i weight_i loss(y_i, x_i . w_t + b_t) +
    alpha_ridge / 2 ||W||^2``, where ``N`` is the total weight. Tasks without weight do
    not count. By the envelope theorem the gradient of ``f`` is that in ``W`` at the
    minimising ``b``.

    A row of ``W`` is an output of a task: those of the first task come first.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    alpha_ridge : float, default=0.0
        Strength of the ridge.
    """

    datafit: Datafit
    alpha_ridge: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the coefficients, (n_tasks * n_outputs, n_features)."""
        n_tasks, n_outputs, _ = self.datafit.shape
        return n_tasks * n_outputs, self.datafit.n_features

    @cached_property
    def scale(self) -> float:
        """Factor of the sum of the losses."""
        totals = self.datafit.task_totals
        return np.count_nonzero(totals) * self.datafit.loss.mean_exposure / totals.sum()

    @cached_property
    def rows(self) -> FlatRows:
        """All rows, their weights multiplied by the scale."""
        return FlatRows.of(self.datafit, self.scale)

    @cached_property
    def start(self) -> Array:
        """Intercepts that predict the means of the targets."""
        if self.datafit.fit_intercept:
            return self.datafit.start()[:, :, -1]
        return np.zeros(self.datafit.shape[:2])

    @cached_property
    def _zero(self):
        linear = np.zeros((len(self.rows.weight), self.datafit.loss.n_outputs))
        return self._point(np.zeros(self.shape), linear, self.start)

    def zero(self) -> AnyLossPoint:
        """Return the Point at zero."""
        return self._zero

    def at(self, W: Array) -> AnyLossPoint:
        """Return the Point at W."""
        if not W.any():
            return self._zero
        return self._point(W, self.predict(W), self.start)

    def at_near(self, W: Array, point: Any) -> AnyLossPoint:
        """Return the Point at W; the intercepts of another Point are the start."""
        if not W.any():
            return self._zero
        return self._point(W, self.predict(W), point.intercepts)

    def extrapolate(self, point: Any, before: Any, momentum: float) -> AnyLossPoint:
        """Return the Point at ``W + momentum * (W - W_before)``, without a product."""
        W = point.variable + momentum * (point.variable - before.variable)
        linear = point.linear + momentum * (point.linear - before.linear)
        start = point.intercepts + momentum * (point.intercepts - before.intercepts)
        return self._point(W, linear, start)

    def predict(self, W: Array) -> Array:
        """Return raw predictions of all rows without intercepts."""
        n_tasks, n_outputs, n_columns = self.datafit.shape
        variable = np.zeros((n_tasks, n_outputs, n_columns))
        variable[:, :, : W.shape[1]] = W.reshape(n_tasks, n_outputs, -1)
        return self.rows.join(self.datafit.predict(variable))

    def _fit_intercepts(self, linear, start):
        if not self.datafit.fit_intercept:
            return self.start
        return self.rows.fit_intercepts(linear, start)

    def _point(self, W, linear, start):
        rows, intercepts = self.rows, self._fit_intercepts(linear, start)
        raw = linear + intercepts[rows.task_of_row]
        slope = self.datafit.loss.gradient(rows.y, raw)
        value = rows.value(raw) + self.alpha_ridge / 2 * float(np.vdot(W, W))
        gradient = self.adjoint(rows.weight[:, None] * slope)
        if self.alpha_ridge:
            gradient = gradient + self.alpha_ridge * W
        return AnyLossPoint(W, value, gradient, linear, intercepts, raw, slope)

    def adjoint(self, slope: Array) -> Array:
        """Return the gradient, given the weighted derivatives of all rows."""
        total = self.datafit.adjoint(self.rows.split(slope))
        return total[:, :, : self.shape[1]].reshape(self.shape)

    @cached_property
    def _lipschitz(self):
        largest = self.bound(self.datafit.fit_intercept)
        return max(largest + self.alpha_ridge, _LEAST_CURVATURE)

    def bound(self, centred: bool) -> float:
        """Return an upper bound of the losses' curvature, with centred rows or not."""
        data = self.datafit.data
        if prefers_rows(data):
            largest = row_curvature(data, centred).bound()
        else:
            moments = data.moments() if centred else data.moments().about_zero()
            largest = MomentCurvature(moments.xx).bound()
        return self.scale * self._largest_curvature * largest

    def unit(self) -> float:
        """Return the scale of values; losses of perfect predictions may be negative."""
        return self._zero.value - min(self.least, 0.0)

    @cached_property
    def least(self) -> float:
        """Value of perfect predictions."""
        return -self.rows.conjugate(np.zeros_like(self._zero.slope))

    @property
    def _largest_curvature(self):
        """Largest curvature of a row; if unbounded, a multiple of that at zero."""
        largest = self.datafit.loss.largest_curvature
        if np.isfinite(largest):
            return largest
        at_zero = self.datafit.loss.hessian(self.rows.y, self._zero.raw)
        return _UNBOUNDED * float(at_zero.max())

    def lipschitz(self) -> float:
        """Return an upper bound of the curvature in any direction."""
        return self._lipschitz

    def dual_value(self, point: Any, limit: float) -> float:
        """Return the dual value of the slopes times ``min(limit, 1)``.

        Among multiples of the slopes between zero and that one it is the largest dual
        value near the optimum, and wherever the objective decreases along W.
        """
        multiple = min(limit, 1.0)
        ridge = self.alpha_ridge / 2 * float(np.vdot(point.variable, point.variable))
        return -self.rows.conjugate(multiple * point.slope) - multiple**2 * ridge

    # Features need no order: quadratic models have their own.
    is_ordered = True

    def restrict(self, features: Array) -> "AnyLoss":
        """Return the loss of some features."""
        return AnyLoss(self.datafit.columns(features), self.alpha_ridge)

    def model(self, point: Any) -> Any:
        """Return a quadratic term with the gradient and Hessian at a point.

        Losses of several outputs have none, as their Hessian couples the outputs.
        """
        rows, ridge = self.rows, self.alpha_ridge
        weight = rows.weight * self.datafit.loss.hessian(rows.y, point.raw)[:, 0, 0]
        through = Point(
            point.variable,
            point.value + 2 * self._zero.value,
            point.gradient - ridge * point.variable,
        )
        return quadratic_model(self.datafit, rows.split(weight), through, ridge)

    def unpack(self, W: Array, shared: Array) -> Any:
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
        intercepts = self._fit_intercepts(self.predict(W), self.start)[:, :, None]
        tasks = np.concatenate([coef, intercepts], axis=2)
        if not datafit.fit_intercept:
            tasks = coef
        tasks = datafit.move(tasks, -1)
        common = fit_unseen_model(datafit, tasks)
        seen = datafit.task_totals > 0
        return unpack_tasks(
            np.where(seen[:, None, None], tasks, common), common, datafit
        )
