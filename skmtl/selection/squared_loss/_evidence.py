"""Errors of held-out rows, and comparisons of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import EPS
from skmtl._numbers import TINY
from skmtl.data import multiply_rows
from skmtl.problems.exact import Posterior

from ..search import Splits, has_rows
from ._left_out import leave_out


@dataclass(frozen=True)
class HeldOutErrors:
    """Squared errors of held-out observations, in any fixed order.

    Parameters
    ----------
    squares : ndarray of shape (n_samples,)
        Squared errors.
    deviations : ndarray of shape (n_samples,)
        Squared deviations of the targets from their overall mean.
    weight : ndarray of shape (n_samples,)
        Weights of the observations.
    codes : ndarray of shape (n_samples,), dtype intp
        Tasks of the observations.
    """

    squares: Array
    deviations: Array
    weight: Array
    codes: Array

    def in_units(self, factor: Array) -> HeldOutErrors:
        """Return the errors of targets that were divided by a factor of their task."""
        return replace(self, squares=self.squares * factor[self.codes] ** 2)


def change_in_task_errors(first: HeldOutErrors, second: HeldOutErrors) -> float:
    """Compare the errors of two models, where tasks may have different units.

    Parameters
    ----------
    first, second : HeldOutErrors
        Errors of two models for the same observations.

    Returns
    -------
    float
        Mean over tasks of the log of each task's mean squared error, of the second
        minus the first model; negative if the second is better.
    """
    weight, codes = first.weight, first.codes
    total = np.bincount(codes, weight)
    used = total > 0
    if not used.any():  # no row can be left out
        return 0.0

    def means(values: Array) -> Array:
        summed: Array = np.bincount(codes, weight * values)[used] / total[used]
        return summed

    floor = EPS * means(first.deviations) + np.finfo(float).tiny
    ratio = (means(second.squares) + floor) / (means(first.squares) + floor)
    return float(np.log(ratio).mean())


def lowers_squared_errors(first: HeldOutErrors, second: HeldOutErrors) -> bool:
    """Return whether squared errors are smaller by more than one standard error.

    Parameters
    ----------
    first, second : HeldOutErrors
        Errors of two models for the same observations.

    Returns
    -------
    bool
        Whether those of the second are.
    """
    change, weight = second.squares - first.squares, first.weight
    if not weight.sum() > 0:  # no row can be left out
        return False
    change = change / max(np.abs(change).max(), TINY)  # squares may underflow
    mean = np.average(change, weights=weight)
    error = np.sqrt((weight * (change - mean) ** 2).sum()) / weight.sum()
    return bool(mean < -error)


def left_out_errors(data: Any, fit: Any) -> HeldOutErrors:
    """Compute leave-one-out errors of an exact fit.

    Parameters
    ----------
    data : TaskData
        The rows that it was fitted to.
    fit : MeanFit
        The fit.

    Returns
    -------
    HeldOutErrors
        The errors of the rows that have weight.
    """
    posterior, models = Posterior(fit), fit.unpack()
    mean = np.average(fit.moments.y_mean, weights=fit.moments.weight)
    mean = mean if fit.has_intercept else 0.0
    parts = []
    for group in data.weighted_groups():
        coef = models.coef[group.tasks][:, :, None]
        residuals = group.y - np.matmul(group.X, coef)[:, :, 0]
        residuals = residuals - models.intercept[group.tasks][:, None]
        leverage = group.weight * posterior.variance(group.X, group.tasks)
        gap = group.y - mean
        residuals = leave_out(residuals, leverage, gap)
        codes = np.broadcast_to(group.tasks[:, None], group.y.shape)
        each = residuals**2, gap**2, group.weight, codes
        parts.append([values[group.weight > 0] for values in each])
    return HeldOutErrors(*map(np.concatenate, zip(*parts, strict=True)))


def fold_errors(data: Any, folds: Iterable[tuple[Any, Array]]) -> HeldOutErrors:
    """Compute errors of models on test rows.

    Parameters
    ----------
    data : TaskData
        All rows.
    folds : iterable of (TaskModels, ndarray)
        For each fold, the models of all tasks without an axis of outputs, and the
        positions of its test observations in the stacked rows.

    Returns
    -------
    HeldOutErrors
        The errors of the test observations.
    """
    data = data.stacked()
    codes = np.repeat(np.arange(len(data.tasks)), np.diff(data.offsets))
    row = np.arange(len(codes)) if data.rows is None else data.rows
    weight = np.ones(len(codes)) if data.weight is None else data.weight
    if data.task_weight is not None:
        weight = weight * data.task_weight[codes]
    gap = (data.y - np.average(data.y, weights=weight)) ** 2
    found = []
    for models, test in folds:
        of = codes[test]
        fitted = multiply_rows(data.X[row[test]], models.coef, of)
        squares = (data.y[test] - fitted - models.intercept[of]) ** 2
        found.append((squares, gap[test], weight[test], of))
    return HeldOutErrors(*map(np.concatenate, zip(*found, strict=True)))


def deal_observations(data: Any, n_splits: int) -> Iterator[tuple[Any, Array]]:
    """Yield training rows and test observations; a task's rows go to folds in turn.

    The folds are the same for rows, and for cells of a 2-d y.

    Parameters
    ----------
    data : TaskData
        All rows.
    n_splits : int
        Number of folds.

    Yields
    ------
    training : TaskData
        Training rows.
    test : ndarray of int
        Positions of the test observations in the stacked rows.
    """
    stacked = data.stacked()
    first = np.repeat(stacked.offsets[:-1], np.diff(stacked.offsets))
    fold = (np.arange(len(first)) - first) % n_splits
    for k in range(n_splits):
        if data.shares_rows:
            training = data.select(np.arange(data.X.shape[0]) % n_splits != k)
        else:
            training = stacked.keep(fold != k)
        if has_rows(training):
            yield training, np.flatnonzero(fold == k)


def split_observations(data: Any, splits: Splits) -> Iterator[tuple[Any, Array]]:
    """Yield training rows and test observations of folds of the rows of X.

    Parameters
    ----------
    data : TaskData
        All rows.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.

    Yields
    ------
    training : TaskData
        Training rows.
    test : ndarray of int
        Positions of the test observations in the stacked rows.
    """
    stacked = data.stacked()
    n_rows = data.X.shape[0]
    row = np.arange(n_rows) if stacked.rows is None else stacked.rows
    for train, test in splits:
        is_test = np.zeros(n_rows, dtype=bool)
        is_test[test] = True
        yield data.select(train), np.flatnonzero(is_test[row])
