"""The linear model for unseen tasks, for any loss."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite
from skmtl._linalg import join_first_axes as flat
from skmtl._numbers import TINY_SQUARE
from skmtl.problems.exact import implied_ridge, weigh
from skmtl.solvers import Newton

from ._coupled_losses import CoupledLosses
from ._datafit import Datafit

# With more coefficients, the model is the mean of the tasks, weighted by rows: Newton
# steps would take too long.
_MANY = 2000
_NEWTON = Newton(tol=1e-14, max_iter=50)


def fit_unseen_model(datafit: Datafit, tasks: Array, known: Any = None) -> Array:
    """Fit one model to all rows, for any loss.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    tasks : ndarray of shape (n_tasks, n_outputs, n_columns)
        Coefficients of the tasks and, last, their intercepts if there are any, for
        uncentred features.
    known : ndarray of shape (n_outputs, n_columns), default=None
        Fixed coefficients, NaN where free. None fixes those that are zero in all tasks
        and penalises the others by :func:`implied_ridge`. Intercepts are free.

    Returns
    -------
    ndarray of shape (n_outputs, n_columns)
        The model.
    """
    seen = datafit.task_totals > 0
    tasks = np.where(seen[:, None, None], tasks, 0.0)
    ridge = np.zeros(tasks.shape[1:])
    if known is None:
        ridge, known = _implied_ridge(datafit, tasks)
    n_features = datafit.n_features
    free = np.isnan(known)
    free[:, n_features:] = True
    if free.any(axis=0).sum() * len(free) > _MANY:
        free[:, :n_features] = False
    common = datafit.about_zero().about_means(common=True)
    mean = weigh(common.move(tasks, 1), datafit.task_totals)
    model = np.where(free | np.isnan(known), mean, known)[None]
    if free.any():
        losses = UnseenTaskLosses(common, ridge, free)
        model = _NEWTON.minimize(losses, model).variable
    return common.move(model, -1)[0]


def _implied_ridge(datafit, tasks):
    """Return the implied ridge, and 0 for coefficients that are 0 in all tasks."""
    raw = datafit.predict(datafit.move(tasks, 1))
    slope = -datafit.gradient(raw)
    n_features = datafit.n_features
    slope[..., n_features:] = 0.0
    ridge = implied_ridge(slope, tasks, np.zeros(tasks.shape[1:], dtype=bool))
    ridge[:, n_features:] = 0.0
    zero = np.isinf(ridge)
    return np.where(zero, 0.0, ridge), np.where(zero, 0.0, np.nan)


@dataclass(frozen=True)
class UnseenTaskLosses(CoupledLosses):
    """One linear model of all rows, ``sum losses + 1/2 sum_j ridge_j w_j^2``.

    The variable has shape (1, n_outputs, n_columns); some of it may be fixed.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows, with a common shift of the features.
    ridge : ndarray of shape (n_outputs, n_columns)
        Strengths of the ridge.
    free : ndarray of shape (n_outputs, n_columns), dtype bool
        Which coefficients are free.
    """

    datafit: Datafit
    ridge: np.ndarray
    free: np.ndarray

    @property
    def shape(self):
        """Shape of the variable."""
        return 1, *self.datafit.shape[1:]

    def coefs(self, variable):
        return np.broadcast_to(variable, self.datafit.shape)

    def coupling_value(self, variable):
        penalized = self.ridge > 0  # squares of others may overflow on a long step
        return float(self.ridge[penalized] @ variable[0, penalized] ** 2) / 2

    def slopes(self, variable, gradient):
        slope = gradient.sum(axis=0) + self.ridge * variable[0]
        return (slope * self.free).reshape(1, -1)

    def free_part(self, step):
        return step * self.free

    def precondition(self, total, first, second):
        """Return the inverse of the Hessian's diagonal."""
        found = second.sum(axis=0)
        if self.datafit.fit_intercept:
            found = np.concatenate([found, total.sum(axis=0)], axis=-1)
        found = found + self.ridge.mean(axis=0)
        found = np.where(found > TINY_SQUARE, found, 1.0)
        return lambda right: right / found

    @cached_property
    def _columns(self):
        return np.flatnonzero(self.free.any(axis=0))

    def factor(self, point):
        """Return a solver with the Hessian of the free coefficients."""
        if self.datafit.iterates:
            return self.iterate(point)
        free = self.free[:, self._columns].ravel()
        matrix = self._curve(point.raw)[free][:, free]
        if not np.isfinite(matrix).all():
            return lambda gradient: np.full_like(gradient, np.nan)
        matrix += np.diag(self.ridge[self.free])
        system, where = Semidefinite(matrix), self.free.ravel()

        def divide(gradient):
            step = np.zeros_like(gradient)
            step[0, where] = system.solve(gradient[0, where])
            return step

        return divide

    def _curve(self, raw):
        """Return the Hessian of the losses in the free columns of all outputs."""
        datafit, columns = self.datafit, self._columns
        n_outputs, size = len(self.free), len(columns)
        total = np.zeros((n_outputs, size, n_outputs, size))
        some = columns[columns < datafit.n_features]
        pairs = zip(datafit.stacks(), raw, strict=True)
        for stack, z in datafit.with_features(raw) if len(some) else pairs:
            weight = flat(
                datafit.loss.majorant(stack.y, z) * stack.weight[..., None, None]
            )
            parts = [stack.X[:, :, some]] if len(some) else []
            if len(some) < size:
                parts.append(np.ones((*z.shape[:2], 1)))
            X = flat(np.concatenate(parts, axis=2))
            for k in range(n_outputs):
                for m in range(n_outputs):
                    total[k, :, m] += X.T @ (weight[:, k, m, None] * X)
        return total.reshape(2 * [n_outputs * size])
