"""Squared losses of tasks around a centre, as a smooth term of the deviations."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array, Centre, Point
from skmtl._numbers import FEW_FEATURES
from skmtl.problems.exact import TaskModels, mean_residual, unseen_model

from ._quadratic import QuadraticSmooth
from ._squared_loss import SquaredLoss


@dataclass(frozen=True)
class CentredSquares(QuadraticSmooth):
    """Squared errors of all tasks as a function of deviations from a centre.

    ``f(V) = min over c, b, b_s of scale / 2 sum_t ||y_t - X_t (c + v_t) - b_t||^2 +
    alpha_shared / 2 ||c||^2 + alpha_intercept / 2 sum_t (b_t - b_s)^2``, plus ridge and
    coupling of the deviations, as in SquaredLoss.

    Eliminating ``b_t`` leaves one row per task at its means, of weight ``k_t = n_t a /
    (n_t + a)`` with ``a = alpha_intercept / scale``. Eliminating ``b_s`` subtracts the
    mean of these rows, weighted by ``k``. Then ``c`` solves a system of n_features
    equations, which is factored once. All of it is the projection of a least-squares
    problem, so that values, gradients and the duality gap have the form of a squared
    loss.

    Parameters
    ----------
    loss : SquaredLoss
        Losses of the coefficients, without ridge and coupling.
    centre : Centre
        Strengths of the centre.
    alpha_ridge : float, default=0.0
        Strength of the ridge on the deviations.
    precision : {ndarray, sparse matrix} of shape (n_tasks, n_tasks), default=None
        Precision matrix of a coupling of the deviations; None means no coupling.
    """

    loss: SquaredLoss
    centre: Centre
    alpha_ridge: float = 0.0
    precision: Any = None

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the deviations, (n_tasks, n_features)."""
        return self.loss.shape

    @property
    def _strength(self):
        """Strength of the intercepts in the scale of a sum of squares."""
        return self.centre.alpha_intercept / self.loss.scale

    @cached_property
    def _mean_weight(self):
        """Weights ``k_t`` of the rows at the means of the tasks."""
        n, a = self.loss.moments.weight, self._strength
        if np.isinf(a):
            return n
        return n * (a / np.where(n + a > 0, n + a, 1.0))

    @cached_property
    def _mean_share(self):
        """Weights ``k_t`` divided by their sum; zeros if all of them are zero."""
        weight = self._mean_weight
        return weight / (weight.sum() if weight.any() else 1.0)

    @cached_property
    def _solve(self):
        """Solver for the centre, given the sum over tasks of products with it."""
        loss, weight = self.loss, self._mean_weight
        x_mean, rows = loss.moments.x_mean, np.zeros((0, self.shape[1]))
        if len(x_mean) > 1:
            rows = np.sqrt(weight)[:, None] * (x_mean - self._mean_share @ x_mean)
        ridge = self.centre.alpha_shared / loss.scale
        system = loss.curvature.pooled(self.shape[0], rows, ridge)
        if self.shape[1] > FEW_FEATURES:
            return system.solve
        inverse = system.inverse  # a product is faster than two triangular solutions
        return lambda right: inverse @ right

    def _pull(self, residual):
        """Return residuals minus their mean, times the weights ``k_t``."""
        return self._mean_weight * (residual - self._mean_share @ residual)

    @cached_property
    def _xy(self):
        """Products of features and targets, with the rows at the means."""
        moments = self.loss.moments
        return moments.xy + self._pull(moments.y_mean)[:, None] * moments.x_mean

    def _pull_fitted(self, W):
        return self._pull((self.loss.moments.x_mean * W).sum(axis=1))

    def _curve(self, W):
        """Return the product of coefficients with the Hessian of a sum of squares."""
        spread = self._pull_fitted(W)[:, None] * self.loss.moments.x_mean
        return self.loss.curvature.curve(W) + spread

    def _centre_of(self, V):
        """Return the centre that minimises the losses at zero targets."""
        if not self.centre.has_coef:
            return np.zeros(self.shape[1])
        total = self.loss.curvature.total(V)
        x_mean = np.broadcast_to(self.loss.moments.x_mean, self.shape)
        return -self._solve(total + self._pull_fitted(V) @ x_mean)

    @cached_property
    def _centre_of_zero(self):
        if not self.centre.has_coef:
            return np.zeros(self.shape[1])
        return self._solve(self._xy.sum(axis=0))

    @cached_property
    def _zero(self):
        moments, scale, c = self.loss.moments, self.loss.scale, self._centre_of_zero
        squares = moments.yy.sum() + moments.y_mean @ self._pull(moments.y_mean)
        value = scale / 2 * float(squares - c @ self._xy.sum(axis=0))
        rows = np.broadcast_to(c, self.shape)
        gradient = scale * (self._curve(rows) - self._xy)
        return Point(np.zeros(self.shape), max(value, 0.0), gradient)

    def at(self, V: Array) -> Point:
        """Return the Point at V."""
        gradient = self.loss.scale * self._curve(V + self._centre_of(V))
        if self.precision is not None:
            gradient = gradient + self.loss.scale * (self.precision @ V)
        if self.alpha_ridge:
            gradient = gradient + self.alpha_ridge * V
        return self._point(V, gradient + self._zero.gradient)

    @cached_property
    def _lipschitz(self):
        squares = (self.loss.moments.x_mean**2).sum(axis=1)
        bound = self.loss.curvature.bound()
        bound += float((self._mean_weight * squares).max(initial=0.0))
        if self.precision is not None:
            bound += float(abs(self.precision).sum(axis=0).max())
        return self.loss.scale * bound + self.alpha_ridge

    def lipschitz(self) -> float:
        """Return an upper bound of the curvature in any direction."""
        return self._lipschitz

    def unpack(self, V: Array, shared: Array) -> Any:
        """Return the linear models of the tasks, and that of their centre.

        Without a centre, the latter is fitted to all rows. A task without weight gets
        it too.

        Parameters
        ----------
        V : ndarray of shape (n_tasks, n_features)
            Deviations from the centre.
        shared : ndarray of shape (n_tasks, n_features)
            Part of the deviations that tasks share.

        Returns
        -------
        TaskModels
            Coefficients and intercepts.
        """
        moments, c = self.loss.moments, self._centre_of(V) + self._centre_of_zero
        W, seen = V + c, moments.weight > 0
        intercepts, common = self._intercepts(W)
        coef, intercept = self._unseen(W, shared, c, common)
        models = TaskModels(
            np.where(seen[:, None], W, coef),
            np.where(seen, intercepts, intercept),
            coef,
            intercept,
        )
        return models.add_output_axis()

    def _unseen(self, W, shared, c, common):
        """Return the model for unseen tasks.

        If the centre is shrunk, its intercept is the tasks' mean residual: the mean of
        their intercepts belongs to larger coefficients.
        """
        moments = self.loss.moments
        if not self.centre.has_coef:
            return unseen_model(moments, W, shared, self.loss.curvature.curve)
        if self.centre.alpha_shared or common is None:
            return c, mean_residual(moments, c, self._strength)
        return c, common

    def _intercepts(self, W):
        """Return the intercepts, and their common value, if any."""
        moments, weight = self.loss.moments, self._mean_weight
        free = moments.y_mean - (moments.x_mean * W).sum(axis=1)
        if not weight.any():
            return free, None
        common = float(self._mean_share @ free)
        share = moments.weight / (moments.weight + self._strength)
        return common + share * (free - common), common
