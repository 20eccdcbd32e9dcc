"""Ridge of every task along a path of strengths, and its errors on rows left out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmtl._linalg import apply, diagonalise, refuse_huge
from skmtl.couplings import Apart
from skmtl.problems.exact import (
    MeanFit,
    TaskModels,
    factor_path,
    factor_rows,
    has_few_rows,
)

from ._folds import fold_moments
from ._held_out import SolvedModels
from ._left_out import leave_out

# Targets are worked on so many numbers at a time.
_CHUNK = 2**22
# With a smaller share of the degrees of freedom left, small errors are chance.
_FEW_LEFT = 0.1
# A strength that generalised cross-validation prefers is looked at with so many
# neighbours on either side.
_NEIGHBOURS = 2


@dataclass(frozen=True)
class RidgePath:
    """Hold what chooses the strengths of tasks apart.

    Parameters
    ----------
    errors : ndarray of shape (n_tasks, n_alphas)
        Weighted sums of squared errors on rows left out; infinite where they were not
        computed.
    weight : ndarray of shape (n_tasks,)
        Sums of the weights.
    fit : callable
        Returns the exact fit at one strength per task.
    """

    errors: np.ndarray
    weight: np.ndarray
    fit: object

    def mean_errors(self, per_task):
        """Return the mean error of each task, or of all, (n_tasks, n_alphas)."""
        if per_task:
            return self.errors / np.where(self.weight > 0, self.weight, 1.0)[:, None]
        mean = self.errors.sum(axis=0) / self.weight.sum()
        return np.broadcast_to(mean, self.errors.shape)


def suggest_ridge_alphas(data, fit_intercept):
    """Return strengths from no penalty to no effect of any feature.

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
    with np.errstate(over="ignore", invalid="ignore"):  # such are refused later
        for _, X in data.roots(fit_intercept)[1]:
            squares.extend(np.einsum("tij,tij->t", X, X) / max(X.shape[2], 1))
    seen = [each for each in squares if 0 < each < np.inf]
    return np.geomspace(1e-12, 1e6, 55) * (np.mean(seen) if seen else 1.0)


def fold_path(data, splits, alphas, fit_intercept, measure=None):
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
        Errors and models.
    """
    n_tasks, n_features = len(data.tasks), data.X.shape[1]
    errors, total = np.zeros((n_tasks, len(alphas))), np.zeros(n_tasks)
    folds = zip(fold_moments(data, splits), splits, strict=True)
    for (train, test), (_, rows) in folds:
        measure_on = _sum_squares(test) if measure is None else _negate(measure(rows))
        about = train if fit_intercept else train.about_zero()
        blocks = factor_path(about, Apart(1.0).strengths(n_tasks, n_features))
        for k, alpha in enumerate(alphas):
            pull = Apart(alpha).strengths(n_tasks, n_features)
            fit = MeanFit(about, blocks.at(pull.alpha), pull, fit_intercept)
            error, weight = measure_on(fit.unpack())
            errors[:, k] += error
        total += weight
    moments = data.moments()
    moments = moments if fit_intercept else moments.about_zero()
    blocks = factor_path(moments, Apart(1.0).strengths(n_tasks, n_features))
    return _path(errors, total, moments, blocks, fit_intercept)


def _sum_squares(test):
    """Return a function of models for the errors of tasks and their weights."""
    return lambda models: (
        test.squared_errors(models.coef, models.intercept),
        test.weight,
    )


def _negate(score):
    """Return the same by scores; tasks without a score have no weight."""

    def measure(models):
        found = np.asarray(score(SolvedModels(models.add_output_axis(), True)))
        scored = np.broadcast_to(~np.isnan(found), len(models.coef)).astype(float)
        return -np.nan_to_num(found), scored

    return measure


def _path(errors, total, moments, blocks, fit_intercept):
    def fit(chosen):
        pull = Apart(chosen).strengths(moments.n_tasks, moments.n_features)
        return MeanFit(moments, blocks.at(chosen), pull, fit_intercept)

    return RidgePath(errors, total, fit)


def rows_path(data, alphas, fit_intercept):
    """Compute leave-one-out errors of tasks that have rows of their own.

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
        Errors and models.
    """
    few, pull = (
        has_few_rows(data),
        Apart(1.0).strengths(len(data.tasks), data.X.shape[1]),
    )
    moments = data.moments(curvature=not few)
    moments = moments if fit_intercept else moments.about_zero()
    if few:
        blocks = factor_rows(data, pull, fit_intercept)
    else:
        blocks = factor_path(moments, pull)
    errors = _errors_of_rows(data, moments, blocks, alphas, fit_intercept)
    return _path(errors, moments.weight, moments, blocks, fit_intercept)


def _errors_of_rows(data, moments, blocks, alphas, fit_intercept):
    right = apply(blocks.basis, moments.xy)[:, :, None]
    shrunk = 1 / (blocks.values[:, :, None] + alphas)
    level = np.zeros(moments.n_tasks)
    if fit_intercept:
        np.divide(1, moments.weight, out=level, where=moments.weight > 0)
    errors = np.zeros((moments.n_tasks, len(alphas)))
    for group in data.weighted_groups():
        t = group.tasks
        rows = group.X - moments.x_mean[t][:, None]
        rows = np.matmul(rows, blocks.basis[t].transpose(0, 2, 1))
        alone = (group.y - moments.y_mean[t][:, None])[:, :, None]
        left = alone - np.matmul(rows, right[t] * shrunk[t])
        leverage = np.matmul(rows**2, shrunk[t]) + level[t][:, None, None]
        left = leave_out(left, group.weight[:, :, None] * leverage, alone)
        np.add.at(errors, t, np.matmul(group.weight[:, None], left**2)[:, 0])
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
    def __init__(self, data, fit_intercept):
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

    def generalised_errors(self, alphas):
        """Return generalised cross-validation of each output, (n_tasks, n_alphas).

        It is infinite where few degrees of freedom are left to know an error by.
        """
        total = self.values[:, None] + alphas
        explained = (self.right**2).T @ ((total + alphas) / total**2)
        total_square = np.einsum("it,it->t", self.Y, self.Y)[:, None]
        left = np.maximum(total_square - explained, 0)
        freedom = (self.values[:, None] / total).sum(axis=0) + self.share.any()
        n_rows = (self.root > 0).sum()
        n_left = np.maximum(n_rows - freedom, _FEW_LEFT * n_rows)
        few = n_rows - freedom < _FEW_LEFT * n_rows
        return np.where(few, np.inf, left / n_left**2)

    def errors(self, alphas, outputs, leverage):
        """Return squared leave-one-out errors of some outputs, each at its alpha."""
        errors = np.empty(len(outputs))
        step = max(1, _CHUNK // max(len(self.rows), 1))
        for start in range(0, len(outputs), step):
            part = slice(start, start + step)
            coef = self.right[:, outputs[part]] / (self.values[:, None] + alphas[part])
            alone = self.Y.take(outputs[part], axis=1)
            left = alone - self.rows @ coef
            left = leave_out(left, leverage[:, None], alone)
            errors[part] = np.einsum("it,it->t", left, left)
        return errors

    def leverage(self, alpha):
        """Return the leverage of each row at one strength."""
        return self.share + self.rows**2 @ (1 / (self.values + alpha))

    def models(self, alphas):
        """Return the linear models at one strength per output."""
        coef = (self.right / (self.values[:, None] + alphas)).T @ self.basis
        intercept = self.y_mean - coef @ self.x_mean
        total = len(alphas) * self.values + np.mean(alphas)
        shared = (self.right.sum(axis=1) / total) @ self.basis
        level = self.y_mean.mean() - shared @ self.x_mean
        return TaskModels(coef, intercept, shared, level)


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
    alphas: np.ndarray

    def unpack_nodes(self):
        """Return the linear models of the tasks."""
        return self.design.models(self.alphas)

    @cached_property
    def _solved(self):
        total = self.design.values[:, None] + self.alphas
        return total, self.design.right / total

    @property
    def objective(self):
        """Smallest value of losses and penalties."""
        explained = np.vdot(self._solved[1], self.design.right)
        return float(max(np.vdot(self.design.Y, self.design.Y) - explained, 0.0))

    @property
    def optimality(self):
        """Norm of the gradient, relative to the one at zero."""
        total, coef = self._solved
        size = np.linalg.norm(self.design.right)
        left = np.linalg.norm(total * coef - self.design.right)
        return float(left / size) if size > 0 else 0.0


def shared_path(data, alphas, fit_intercept, per_task):
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
        Whether each task has its own strength, so that errors far from it may be left
        out.

    Returns
    -------
    RidgePath
        Errors and models.
    """
    design = SharedDesign(data, fit_intercept)
    n_near = _NEIGHBOURS if per_task else len(alphas)
    errors = screened_errors(design, alphas, n_near)
    weight = np.full(len(errors), (design.root**2).sum())
    return RidgePath(errors, weight, lambda chosen: SharedFit(design, chosen))


def screened_errors(design, alphas, n_near):
    """Return leave-one-out errors of each output near the strength that suits it.

    Generalised cross-validation says where to look, but where it is infinite; errors
    are exact, and as long as the best lies at an end of what was looked at, its
    neighbours are looked at too.

    Parameters
    ----------
    design : SharedDesign
        The design.
    alphas : ndarray of shape (n_alphas,)
        Strengths in increasing order, positive.
    n_near : int
        How many neighbours to look at first, on either side.

    Returns
    -------
    ndarray of shape (n_tasks, n_alphas)
        Sums of squared errors; infinite where it was not looked.
    """
    n_alphas = len(alphas)
    guess = design.generalised_errors(alphas)
    near = guess.argmin(axis=1)
    known = np.full((len(near), n_alphas), np.inf)
    wanted = np.abs(np.arange(n_alphas) - near[:, None]) <= n_near
    wanted |= np.isinf(guess)
    done = np.zeros_like(wanted)
    while wanted.any():
        for k in np.flatnonzero(wanted.any(axis=0)):
            outputs = np.flatnonzero(wanted[:, k])
            strength = np.full(len(outputs), alphas[k])
            leverage = design.leverage(alphas[k])
            known[outputs, k] = design.errors(strength, outputs, leverage)
        done |= wanted
        best = known.argmin(axis=1)[:, None]
        wanted = (np.abs(np.arange(n_alphas) - best) <= 1) & ~done
    return known
