"""Uncertainty of tasks around a centre by Laplace's method, any loss."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.optimize import minimize

from skmtl._contracts import Array

from ._mean_newton import ArrowFactor

# Bounds and starts of log variances, relative to the inverse curvature of a mean task.
_LOWEST, _HIGHEST = -23.0, 25.0
_STARTS = -3.0, 0.0, 3.0


@dataclass(frozen=True)
class LaplacePosterior:
    """Covariances of coefficients and intercepts, from the curvature at the optimum.

    Given the centre, the parameters of a task have the covariance ``B_t^-1 (scale H_t +
    D) B_t^-1``, which is ``B_t^-1`` for a scale of 1. There ``B_t = H_t + D``, with the
    Hessian ``H_t`` of the task's loss and the strengths ``D``. The uncertainty of the
    centre adds ``B_t^-1 D C D B_t^-1`` with its covariance ``C``.

    Parameters
    ----------
    hessians : ndarray of shape (n_tasks, size, size)
        Hessians of the losses, where size is n_outputs * n_columns; zero without rows.
    right : ndarray of shape (n_tasks, size)
        Gradients of the losses at the shared part, negated.
    own, centre : ndarray of shape (size,)
        Strengths of the tasks' own parts and of the centre, infinite if it is fixed.
    n_outputs : int
        Number of outputs.
    n_features : int
        Number of features; one more column of an output is its intercept.
    scale : float, default=1.0
        Variance of the gradient of a row, relative to its curvature; above 1 for
        counts that vary more than those of Poisson.
    """

    hessians: Array
    right: Array
    own: Array
    centre: Array
    n_outputs: int
    n_features: int
    scale: float = 1.0

    @classmethod
    def of(cls, objective: Any, variable: Array, shared: Array) -> LaplacePosterior:
        """Return the posterior at an optimum.

        Parameters
        ----------
        objective : MeanLosses
            Losses and strengths.
        variable : ndarray of shape (n_tasks + 1, n_outputs, n_columns)
            Differences from the centre and, last, the centre.
        shared : ndarray of shape (n_outputs, n_columns)
            Parameters that predict an unseen task.

        Returns
        -------
        LaplacePosterior
            The posterior.
        """
        datafit, n_outputs = objective.datafit, objective.shape[1]
        hessians = datafit.curve(objective.at(variable).raw)
        own, centre = (
            np.tile(each, n_outputs) for each in (objective.own, objective.centre)
        )
        gaps = (objective.coefs(variable) - shared).reshape(len(hessians), -1)
        # Each loss is a quadratic around its task's optimum.
        right = np.matmul(hessians, gaps[:, :, None])[:, :, 0]
        right = right + own * variable[:-1].reshape(gaps.shape)
        if objective.strengths.pinned:
            centre = np.full_like(centre, np.inf)
        return cls(hessians, right, own, centre, n_outputs, datafit.n_features)

    @property
    def n_tasks(self) -> int:
        """Number of tasks that have rows."""
        return int(self._seen.sum())

    @property
    def _n_columns(self):
        return len(self.own) // self.n_outputs

    @cached_property
    def _seen(self):
        return np.einsum("tjj->t", self.hessians) > 0

    @cached_property
    def _factor(self):
        pinned = bool(np.isinf(self.centre).all())
        centre = np.zeros_like(self.centre) if pinned else self.centre
        return ArrowFactor.factor_in_place(
            self.hessians.copy(), self.own, centre, pinned
        )

    @cached_property
    def _centre_covariance(self):
        factor = self._factor
        if factor.pinned:
            return np.zeros(2 * self.own.shape)
        return factor.centre.inverse * (factor.unit * factor.unit[:, None])

    @cached_property
    def new(self) -> tuple[Array, Array]:
        """Variances of the parameters of an unseen task, and their mean.

        The mean is relative to the shared parameters. Its intercepts differ from zero,
        as the shared ones predict the mean of all rows, and a mean of exponentials is
        above the exponential of the mean.
        """
        position = np.arange(len(self.own)) % self._n_columns
        seen, is_intercept = self._seen, position == self.n_features
        hessians, right = (
            self.hessians[seen] / self.scale,
            self.right[seen] / self.scale,
        )
        return estimate_variances(hessians, right, self.own, is_intercept)

    def shifts(self, codes: Array) -> Array:
        """Return what to add to raw predictions, (n_rows, n_outputs): 0 if seen."""
        mean = self.new[1].reshape(self.n_outputs, self._n_columns)
        found = np.zeros((len(codes), self.n_outputs))
        if self._n_columns > self.n_features:
            found[self.is_new(codes)] = mean[:, self.n_features]
        return found

    def covariances(self, X: Array, codes: Array) -> Array:
        """Return covariances of raw predictions.

        Parameters
        ----------
        X : ndarray of shape (n_rows, n_features)
            Rows.
        codes : ndarray of shape (n_rows,)
            Task of each row, -1 if it is unseen.

        Returns
        -------
        ndarray of shape (n_rows, n_outputs, n_outputs)
            Covariances; infinite for unseen tasks if fewer than two have rows.
        """
        n_outputs, n_columns = shape = self.n_outputs, self._n_columns
        design = np.ones((len(X), n_columns))
        design[:, : self.n_features] = X
        known = np.where(self.is_new(codes), -1, codes)
        found = np.empty((len(X), n_outputs, n_outputs))
        for code in np.unique(known):
            rows = known == code
            some = design[rows]
            if code < 0:
                spread = some**2 @ self.new[0].reshape(shape).T
                found[rows] = spread[:, :, None] * np.eye(n_outputs)
                continue
            covariance = self._covariance_of(code).reshape(*shape, *shape)
            left = np.einsum("ij,kjml->ikml", some, covariance)
            found[rows] = np.einsum("ikml,il->ikm", left, some)
        return found

    def _covariance_of(self, code):
        unit = self._factor.unit
        inverse = self._factor.blocks.inverse[code] * (unit * unit[:, None])
        pulled = inverse * self.own
        own = inverse + (self.scale - 1) * inverse @ self.hessians[code] @ inverse
        return own + pulled @ self._centre_covariance @ pulled.T

    def is_new(self, codes: Array) -> Array:
        """Return whether the task of each row is unseen, or has no rows."""
        return ~np.append(self._seen, False)[codes]


def estimate_variances(
    hessians: Array, right: Array, own: Array, groups: Array
) -> tuple[Array, Array]:
    """Return variances and means of tasks, by penalised maximum likelihood.

    Differences ``v_t`` from the shared part are normal with independent entries, with
    mean zero but for intercepts, and the log likelihood of a task is ``right_t . v_t -
    v_t . H_t v_t / 2``. The penalty is one on small variances, without which rows that
    say little about them give zero. It takes the degree of freedom of the mean: exactly
    known draws have the usual unbiased variance. The variances allow for the estimated
    mean, as a new draw differs from a mean of n draws.

    References
    ----------
    Chung, Y., Rabe-Hesketh, S., Dorie, V., Gelman, A., Liu, J. (2013). A nondegenerate
    penalized likelihood estimator for variance parameters in multilevel models.
    Psychometrika, 78(4), 685-709. :doi:`10.1007/s11336-013-9328-2`

    Parameters
    ----------
    hessians : ndarray of shape (n_tasks, size, size)
        Hessians of the tasks that have rows.
    right : ndarray of shape (n_tasks, size)
        Gradients at the shared part, negated.
    own : ndarray of shape (size,)
        Strengths of the fit; variances of coefficients are proportional to their
        inverses.
    groups : ndarray of shape (size,), dtype bool
        Whether each entry is an intercept; coefficients and intercepts have a factor
        each.

    Returns
    -------
    variances : ndarray of shape (size,)
        Variances; infinite for fewer than two tasks.
    means : ndarray of shape (size,)
        Means of the differences; zero for coefficients.
    """
    n_tasks = len(hessians)
    if n_tasks < 2:
        return np.full(len(own), np.inf), np.zeros(len(own))
    shape = _shape(own, groups)
    curvature = np.einsum("tjj->j", hessians) * shape / n_tasks
    number = groups.astype(int)
    sums = np.bincount(number, curvature, 2) / np.maximum(np.bincount(number), 1)
    units = -np.log(np.where(sums > 0, sums, 1.0))

    def solve(logs):
        """Return precisions, factored tasks, the mean, and its part of the value."""
        precision = np.exp(-logs[number]) / shape
        blocks = hessians + np.diag(precision)
        inverse = np.linalg.inv(blocks)
        solved = np.matmul(inverse, right[:, :, None])[:, :, 0]
        known = np.diag(n_tasks * precision)
        known -= precision * inverse.sum(axis=0) * precision[:, None]
        slope, mean = precision * solved.sum(axis=0), np.zeros(len(own))
        some = np.linalg.pinv(known[np.ix_(groups, groups)], hermitian=True)
        mean[groups] = some @ slope[groups]
        gaps = solved - mean + (inverse * precision) @ mean
        value = np.linalg.slogdet(blocks)[1].sum() - np.vdot(right, solved)
        return precision, inverse, gaps, mean, value - mean @ slope

    def value(logs):
        precision, inverse, gaps, _, total = solve(logs)
        total -= (n_tasks - 1) * np.log(precision).sum()
        moments = np.einsum("tjj->j", inverse) + (gaps**2).sum(axis=0)
        slope = n_tasks - 1 - precision * moments
        return total, np.bincount(number, slope, 2)

    start = min((units + step for step in _STARTS), key=lambda logs: value(logs)[0])
    bounds = [(unit + _LOWEST, unit + _HIGHEST) for unit in units]
    options = {"ftol": 1e-14}
    logs = minimize(
        value, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    ).x
    variances = np.exp(logs[number]) * shape * (n_tasks + 1) / n_tasks
    return variances, solve(logs)[3]


def _shape(own, groups):
    """Return relative variances, with ones for entries without a penalty."""
    free = groups | (own <= 0)
    positive = own[~free]
    lowest = positive.min(initial=np.inf)
    return np.where(free, 1.0, lowest / np.where(free, 1.0, own))
