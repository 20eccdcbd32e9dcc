"""Losses of any kind around a centre, as a smooth term of the deviations."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array, Centre, Point, Smooth
from skmtl.problems.exact import unpack_tasks
from skmtl.problems.newton import fit_unseen_model

from ._any_loss import AnyLoss
from ._shared_part import SharedPart, SharedPartFit

# Lower bound on the Lipschitz constant, as for losses without centre.
_LEAST_CURVATURE = 1.0


@dataclass(frozen=True)
class CentredPoint(Point):
    """Value and gradient at a point, and the predictions they come from.

    Parameters
    ----------
    linear : ndarray of shape (n_rows, n_outputs)
        Raw predictions of the deviations.
    shared : SharedPart
        Centre and intercepts that minimise the loss there.
    slope : ndarray of shape (n_rows, n_outputs)
        Derivatives of the loss of each row.
    """

    linear: np.ndarray
    shared: SharedPart
    slope: np.ndarray


@dataclass(frozen=True)
class CentredLosses(Smooth):
    """Losses of all rows as a function of deviations from a centre.

    ``f(V) = min over c, b, b_s of n_tasks / N sum_i weight_i loss(y_i, x_i . (c + v_t)
    + b_t) + alpha_shared / 2 ||c||^2 + alpha_intercept / 2 sum_t (b_t - b_s)^2 +
    alpha_ridge / 2 ||V||^2``. By the envelope theorem the gradient of ``f`` is that in
    ``V`` at the minimisers.

    Parameters
    ----------
    loss : AnyLoss
        Losses of the coefficients, without ridge.
    centre : Centre
        Strengths of the centre.
    alpha_ridge : float, default=0.0
        Strength of the ridge on the deviations.
    """

    loss: AnyLoss
    centre: Centre
    alpha_ridge: float = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the deviations, (n_tasks * n_outputs, n_features)."""
        return self.loss.shape

    @property
    def scale(self) -> float:
        """Factor of the sum of the losses."""
        return self.loss.scale

    @cached_property
    def _fit(self):
        return SharedPartFit(self.loss.datafit, self.loss.rows, self.centre)

    @cached_property
    def _zero(self):
        linear = np.zeros(
            (len(self.loss.rows.weight), self.loss.datafit.loss.n_outputs)
        )
        start = self._fit.start(self.loss.start)
        return self._point(np.zeros(self.shape), linear, start)

    def zero(self) -> CentredPoint:
        """Return the Point at zero."""
        return self._zero

    def at(self, V: Array) -> CentredPoint:
        """Return the Point at V."""
        return self.at_near(V, self._zero)

    def at_near(self, V: Array, point: Any) -> CentredPoint:
        """Return the Point at V; the shared part of another Point is the start."""
        if not V.any():
            return self._zero
        return self._point(V, self.loss.predict(V), point.shared)

    def extrapolate(self, point: Any, before: Any, momentum: float) -> CentredPoint:
        """Return the Point at ``V + momentum * (V - V_before)``, without a product."""
        V = point.variable + momentum * (point.variable - before.variable)
        linear = point.linear + momentum * (point.linear - before.linear)
        start = point.shared.plus(point.shared.minus(before.shared), momentum)
        return self._point(V, linear, start)

    def _point(self, V, linear, start):
        fit, rows, loss = self._fit, self.loss.rows, self.loss.datafit.loss
        shared = fit.minimize(linear, start)
        raw = linear + fit.predict(shared)
        slope = loss.gradient(rows.y, raw)
        ridge = self.alpha_ridge / 2 * float(np.vdot(V, V))
        value = rows.value(raw) + fit.penalty(shared) + ridge
        gradient = self.loss.adjoint(rows.weight[:, None] * slope)
        if self.alpha_ridge:
            gradient = gradient + self.alpha_ridge * V
        return CentredPoint(V, value, gradient, linear, shared, slope)

    @cached_property
    def _lipschitz(self):
        centred = self.loss.datafit.fit_intercept and not self.centre.alpha_intercept
        return max(self.loss.bound(centred) + self.alpha_ridge, _LEAST_CURVATURE)

    def lipschitz(self) -> float:
        """Return an upper bound of the curvature in any direction."""
        return self._lipschitz

    def unit(self) -> float:
        """Return the scale of values; losses of perfect predictions may be negative."""
        return self._zero.value - min(self.loss.least, 0.0)

    def dual_value(self, point: Any, limit: float) -> float:
        """Return the dual value of the slopes times ``min(limit, 1)``.

        At the minimising centre and intercepts, the conjugates of their penalties equal
        these.
        """
        multiple = min(limit, 1.0)
        ridge = self.alpha_ridge / 2 * float(np.vdot(point.variable, point.variable))
        penalty = ridge + self._fit.penalty(point.shared)
        return -self.loss.rows.conjugate(multiple * point.slope) - multiple**2 * penalty

    def unpack(self, V: Array, shared: Array) -> Any:
        """Return the linear models of the tasks, and that of their centre.

        Without a centre, the latter is fitted to all rows. A task without weight gets
        it too.

        Parameters
        ----------
        V : ndarray of shape (n_tasks * n_outputs, n_features)
            Deviations from the centre.
        shared : ndarray of shape (n_tasks * n_outputs, n_features)
            Part of the deviations that tasks share.

        Returns
        -------
        TaskModels
            Coefficients and intercepts.
        """
        datafit, part = self.loss.datafit, self.at(V).shared
        tasks = V.reshape(*datafit.shape[:2], -1) + part.coef
        if datafit.fit_intercept:
            intercepts = part.intercepts[:, :, None]
            tasks = np.concatenate([tasks, intercepts], axis=2)
        tasks = datafit.move(tasks, -1)
        common = self._unseen(tasks, part)
        seen = datafit.task_totals > 0
        return unpack_tasks(
            np.where(seen[:, None, None], tasks, common), common, datafit
        )

    def _unseen(self, tasks, part):
        """Return the model for unseen tasks, (n_outputs, n_columns).

        If the centre is shrunk, its intercept is fitted to all rows.
        """
        datafit, centre = self.loss.datafit, self.centre
        if not centre.has_coef:
            return fit_unseen_model(datafit, tasks)
        known = np.full(datafit.shape[1:], np.nan)
        known[:, : datafit.n_features] = part.coef
        if datafit.fit_intercept and centre.alpha_intercept and not centre.alpha_shared:
            known[:, -1] = part.intercept
            return known
        return fit_unseen_model(datafit, tasks, known)
