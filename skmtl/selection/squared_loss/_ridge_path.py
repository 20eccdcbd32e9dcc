"""Ridge of independent tasks at many strengths, and its held-out errors."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import apply, diagonalise, refuse_huge
from skmtl.couplings import Apart
from skmtl.problems.exact import (
    MeanFit,
    TaskModels,
    factor_path,
    factor_rows,
    has_few_rows,
)

from ..search import SolvedModels, Splits, fold_moments
from ._left_out import leave_out

# Compute leave-one-out residuals of so many numbers at a time, to bound memory.
_CHUNK = 2**22
# With a smaller share of residual degrees of freedom, a small error is due to chance.
_FEW_LEFT = 0.1
# Number of neighbours, on either side, of the minimum of generalised cross-validation
# at which errors are computed.
_NEIGHBOURS = 2


@dataclass(frozen=True)
class RidgePath:
    """Held-out errors of independent tasks, and their fits.

    Parameters
    ----------
    errors : ndarray of shape (n_tasks, n_alphas)
        Weighted sums of squared held-out errors; infinite where they were not computed.
    weight : ndarray of shape (n_tasks,)
        Sums of the weights.
    fit : callable
        Returns the exact fit at one strength per task.
    """

    errors: Array
    weight: Array
    fit: Callable[[Array], Any]

    def mean_errors(self, per_task: bool) -> Array:
        """Return the mean error of each task, or of all, (n_tasks, n_alphas)."""
        if per_task:
            return self.errors / np.where(self.weight > 0, self.weight, 1.0)[:, None]
        mean = self.errors.sum(axis=0) / self.weight.sum()
        return np.broadcast_to(mean, self.errors.shape)


def suggest_ridge_alphas(data: Any, fit_intercept: bool) -> Array:
    """Return strengths from no penalty to nearly zero coefficients.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    fit_intercept : bool
        Whether tasks have an intercept.

    Returns
    -------
    ndarray of shape (n_alphas,)
        1e-12 to 1e6 times the mean curvature of a task along a feature.
    """
    squares = []
    with np.errstate(over="ignore", invalid="ignore"):  # raises an error later
        for _, X in data.roots(fit_intercept)[1]:
            squares.extend(np.einsum("tij,tij->t", X, X) / max(X.shape[2], 1))
    positive = [each for each in squares if 0 < each < np.inf]
    return np.geomspace(1e-12, 1e6, 55) * (np.mean(positive) if positive else 1.0)


def fold_path(
    data: Any,
    splits: Splits,
    alphas: Array,
    fit_intercept: bool,
    measure: Any = None,
) -> RidgePath:
    """Compute errors on the test rows of splits.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.
    alphas : ndarray of shape (n_alphas,)
        Strengths, positive.
    fit_intercept : bool
        Whether tasks have an intercept.
    measure : callable, default=None
        Called with test rows, it returns a function that scores a Solved, with one
        score or one per task; None for squared errors.

    Returns
    -------
    RidgePath
        Errors and fits.
    """
    n_tasks = len(data.tasks)
    errors, total = np.zeros((n_tasks, len(alphas))), np.zeros(n_tasks)
    folds = zip(fold_moments(data, splits), splits, strict=True)
    for (train, test), (_, rows) in folds:
        measure_on = _sum_squares(test) if measure is None else _negate(measure(rows))
        fit_at = _factor(train, fit_intercept)
        for k, alpha in enumerate(alphas):
            error, weight = measure_on(fit_at(alpha).unpack())
            errors[:, k] += error
        total += weight
    return RidgePath(errors, total, _factor(data.moments(), fit_intercept))


def _factor(moments, fit_intercept):
    """Return the exact fit to moments as a function of one or all strengths."""
    moments = moments if fit_intercept else moments.about_zero()
    unit = Apart(1.0).strengths(moments.n_tasks, moments.n_features)
    return _fit_at(moments, factor_path(moments, unit), fit_intercept)


def _fit_at(moments, blocks, fit_intercept):
    def fit(alpha):
        strengths = Apart(alpha).strengths(moments.n_tasks, moments.n_features)
        return MeanFit(moments, blocks.at(strengths.alpha), strengths, fit_intercept)

    return fit


def _sum_squares(test):
    """Return a function of models that returns errors of tasks and their weights."""
    return lambda models: (
        test.squared_errors(models.coef, models.intercept),
        test.weight,
    )


def _negate(score):
    """Return the same for negative scores; tasks without a score have no weight."""

    def measure(models):
        scores = np.asarray(score(SolvedModels(models.add_output_axis(), True)))
        has_score = np.broadcast_to(~np.isnan(scores), len(models.coef)).astype(float)
        return -np.where(np.isnan(scores), 0.0, scores), has_score

    return measure


def rows_path(data: Any, alphas: Array, fit_intercept: bool) -> RidgePath:
    """Compute leave-one-out errors of tasks that have different rows.

    Parameters
    ----------
    data : TaskRows
        Rows of tasks.
    alphas : ndarray of shape (n_alphas,)
        Strengths, positive.
    fit_intercept : bool
        Whether tasks have an intercept.

    Returns
    -------
    RidgePath
        Errors and fits.
    """
    few = has_few_rows(data)
    unit = Apart(1.0).strengths(len(data.tasks), data.X.shape[1])
    moments = data.moments(curvature=not few)
    moments = moments if fit_intercept else moments.about_zero()
    if few:
        blocks = factor_rows(data, unit, fit_intercept)
    else:
        blocks = factor_path(moments, unit)
    errors = _errors_of_rows(data, moments, blocks, alphas, fit_intercept)
    fit_at = _fit_at(moments, blocks, fit_intercept)
    return RidgePath(errors, moments.weight, fit_at)


def _errors_of_rows(data, moments, blocks, alphas, fit_intercept):
    right = apply(blocks.basis, moments.xy)[:, :, None]
    shrunk = 1 / (blocks.values[:, :, None] + alphas)
    of_intercept = np.zeros(moments.n_tasks)
    if fit_intercept:
        np.divide(1, moments.weight, out=of_intercept, where=moments.weight > 0)
    errors = np.zeros((moments.n_tasks, len(alphas)))
    for group in data.weighted_groups():
        t = group.tasks
        rows = group.X - moments.x_mean[t][:, None]
        rows = np.matmul(rows, blocks.basis[t].transpose(0, 2, 1))
        centred = (group.y - moments.y_mean[t][:, None])[:, :, None]
        residuals = centred - np.matmul(rows, right[t] * shrunk[t])
        leverage = np.matmul(rows**2, shrunk[t]) + of_intercept[t][:, None, None]
        leverage = group.weight[:, :, None] * leverage
        residuals = leave_out(residuals, leverage, centred)
        np.add.at(errors, t, np.matmul(group.weight[:, None], residuals**2)[:, 0])
    return errors


class SharedDesign:
    """Ridge of many outputs on one design, in the basis of its singular vectors.

    Parameters
    ----------
    data : SharedRows
        Complete outputs.
    fit_intercept : bool
        Whether outputs have intercepts.
    """

    @np.errstate(over="ignore", invalid="ignore")
    def __init__(self, data: Any, fit_intercept: bool) -> None:
        X = data.X.toarray() if hasattr(data.X, "toarray") else data.X
        X, Y = np.asarray(X, dtype=float), np.asarray(data.Y, dtype=float)
        weight = np.ones(len(Y)) if data.weight is None else data.weight
        self.root, self.share = np.sqrt(weight)[:, None], np.zeros(len(Y))
        self.x_mean, self.y_mean = np.zeros(X.shape[1]), np.zeros(Y.shape[1])
        if fit_intercept:
            self.share = weight / weight.sum()
            self.x_mean, self.y_mean = self.share @ X, self.share @ Y
        X, self.Y = X - self.x_mean, Y - self.y_mean
        if data.weight is not None:
            X *= self.root
            self.Y *= self.root
        refuse_huge(np.einsum("ij,ij->j", X, X), np.einsum("it,it->t", self.Y, self.Y))
        self._rotate(X)
        self.right = self.rows.T @ self.Y

    def _rotate(self, X):
        n_rows, n_features = X.shape
        if n_rows < n_features:
            left, sizes, self.basis = np.linalg.svd(X, full_matrices=False)
            self.rows, self.values = left * sizes, sizes**2
            return
        values, basis = diagonalise((X.T @ X)[None])
        self.values, self.basis = values[0], basis[0]
        self.rows = X @ self.basis.T * (self.values > 0)

    def generalised_errors(self, alphas: Array) -> Array:
        """Return generalised cross-validation of each output, (n_tasks, n_alphas).

        It is infinite if few degrees of freedom are left.
        """
        total = self.values[:, None] + alphas
        explained = (self.right**2).T @ ((total + alphas) / total**2)
        total_square = np.einsum("it,it->t", self.Y, self.Y)[:, None]
        squares = np.maximum(total_square - explained, 0)
        freedom = (self.values[:, None] / total).sum(axis=0) + self.share.any()
        n_rows = (self.root > 0).sum()
        n_left = np.maximum(n_rows - freedom, _FEW_LEFT * n_rows)
        few = n_rows - freedom < _FEW_LEFT * n_rows
        return np.where(few, np.inf, squares / n_left**2)

    def errors(self, alpha: float, outputs: Array) -> Array:
        """Return sums of squared leave-one-out errors of some outputs."""
        leverage = self.leverage(alpha)[:, None]
        errors = np.empty(len(outputs))
        step = max(1, _CHUNK // max(len(self.rows), 1))
        for start in range(0, len(outputs), step):
            part = slice(start, start + step)
            coef = self.right[:, outputs[part]] / (self.values[:, None] + alpha)
            targets = self.Y.take(outputs[part], axis=1)
            residuals = leave_out(targets - self.rows @ coef, leverage, targets)
            errors[part] = np.einsum("it,it->t", residuals, residuals)
        return errors

    def leverage(self, alpha: float) -> Array:
        """Return the leverage of each row at one strength."""
        return self.share + self.rows**2 @ (1 / (self.values + alpha))

    def models(self, alphas: Array) -> TaskModels:
        """Return the linear models at one strength per output."""
        coef = (self.right / (self.values[:, None] + alphas)).T @ self.basis
        intercept = self.y_mean - coef @ self.x_mean
        total = len(alphas) * self.values + np.mean(alphas)
        shared = (self.right.sum(axis=1) / total) @ self.basis
        intercept_shared = self.y_mean.mean() - shared @ self.x_mean
        return TaskModels(coef, intercept, shared, intercept_shared)


@dataclass(frozen=True)
class SharedFit:
    """Ridge of outputs on one design, at one strength per output.

    Parameters
    ----------
    design : SharedDesign
        The design, in the basis of its singular vectors.
    alphas : ndarray of shape (n_tasks,)
        Strengths.
    """

    design: SharedDesign
    alphas: Array

    def unpack_nodes(self) -> TaskModels:
        """Return the linear models of the tasks."""
        return self.design.models(self.alphas)

    @cached_property
    def _solved(self):
        total = self.design.values[:, None] + self.alphas
        return total, self.design.right / total

    @property
    def objective(self) -> float:
        """Minimum of the sum of losses and penalties."""
        explained = np.vdot(self._solved[1], self.design.right)
        return float(max(np.vdot(self.design.Y, self.design.Y) - explained, 0.0))

    @property
    def optimality(self) -> float:
        """Norm of the gradient, relative to that at zero."""
        total, coef = self._solved
        size = np.linalg.norm(self.design.right)
        gradient = np.linalg.norm(total * coef - self.design.right)
        return float(gradient / size) if size > 0 else 0.0


def shared_path(
    data: Any, alphas: Array, fit_intercept: bool, per_task: bool
) -> RidgePath:
    """Compute leave-one-out errors of outputs that share a design.

    Parameters
    ----------
    data : SharedRows
        Complete outputs of equal weight.
    alphas : ndarray of shape (n_alphas,)
        Strengths in increasing order, positive.
    fit_intercept : bool
        Whether tasks have an intercept.
    per_task : bool
        Whether each task has its own strength; errors are then computed near it only.

    Returns
    -------
    RidgePath
        Errors and fits.
    """
    design = SharedDesign(data, fit_intercept)
    n_near = _NEIGHBOURS if per_task else len(alphas)
    errors = screened_errors(design, alphas, n_near)
    weight = np.full(len(errors), (design.root**2).sum())
    return RidgePath(errors, weight, lambda chosen: SharedFit(design, chosen))


def screened_errors(design: SharedDesign, alphas: Array, n_near: int) -> Array:
    """Compute leave-one-out errors of each output near its best strength.

    They are computed near the minimum of generalised cross-validation, where this is
    infinite, and at neighbours of the best strength until it lies between others.

    Parameters
    ----------
    design : SharedDesign
        The design.
    alphas : ndarray of shape (n_alphas,)
        Strengths in increasing order, positive.
    n_near : int
        Number of neighbours of the minimum, on either side.

    Returns
    -------
    ndarray of shape (n_tasks, n_alphas)
        Sums of squared errors; infinite where they were not computed.
    """
    guess = design.generalised_errors(alphas)
    places = np.arange(len(alphas))
    near = guess.argmin(axis=1)
    errors = np.full(guess.shape, np.inf)
    wanted = np.abs(places - near[:, None]) <= n_near
    wanted |= np.isinf(guess)
    done = np.zeros_like(wanted)
    while wanted.any():
        for k in np.flatnonzero(wanted.any(axis=0)):
            outputs = np.flatnonzero(wanted[:, k])
            errors[outputs, k] = design.errors(alphas[k], outputs)
        done |= wanted
        best = errors.argmin(axis=1)[:, None]
        wanted = (np.abs(places - best) <= 1) & ~done
    return errors
