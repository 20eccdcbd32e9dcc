"""Targets that are counts."""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.utils import check_array, check_consistent_length

from skmtl.data import read_array, read_rows, read_sample_weight, refuse_lazy
from skmtl.losses import Poisson

from ._numbers import NumericTarget
from ._target import Sample, Target


@dataclass(frozen=True)
class CountTarget(Target):
    """Targets that are counts, with the Poisson loss."""

    def read(self, estimator, X, y, **given):
        return read_counts(estimator, X, y, **given)

    def prepare(self, sample, smooths):
        rows = sample.rows
        if smooths:
            rows = smooth_counts(rows, sample.mean_exposure)
        return rows, Poisson(), None

    def shape(self, sample, models, single):
        return NumericTarget(Poisson()).shape(sample, models, single)


def read_exposure(exposure):
    """Check the exposures of rows.

    Parameters
    ----------
    exposure : array-like of shape (n_rows,) or None
        How much of time, area or people each row counts over.

    Returns
    -------
    ndarray of shape (n_rows,) or None
        The exposures, finite and above zero.

    Examples
    --------
    >>> from skmtl.targets import read_exposure
    >>> read_exposure([1, 2])
    array([1., 2.])
    """
    refuse_lazy("exposure", exposure)
    if exposure is None:
        return None
    exposure = check_array(
        read_array(exposure), ensure_2d=False, dtype=np.float64, input_name="exposure"
    )
    if exposure.ndim != 1:
        raise ValueError(
            "exposure must be one number per row, of shape (n_rows,), got shape "
            f"{exposure.shape}. For cells of a 2-d y, give each cell a row of its own, "
            "with a task column."
        )
    if exposure.min() <= 0:
        row = int(exposure.argmin())
        raise ValueError(
            f"exposure must be above 0, got {exposure[row]} in row {row}. Leave such "
            "rows out: nothing could be counted there."
        )
    return exposure


def read_counts(
    estimator,
    X,
    y,
    *,
    task=None,
    sample_weight=None,
    exposure=None,
    task_weight=None,
):
    """Check what a model of counts is fitted on, and group its rows by task.

    Counts over exposures become rates, their weights multiplied by the exposures.

    Parameters
    ----------
    estimator : estimator instance
        As in :func:`read_rows`.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Features, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Counts, 0 or more. If 2-d, columns are tasks and NaN is not observed.
    task : array-like of shape (n_rows,), default=None
        Label of each row.
    sample_weight : float or array-like of shape (n_rows,), default=None
        Weight of each row; None means ones.
    exposure : array-like of shape (n_rows,), default=None
        Exposure of each row; None means ones.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss.

    Returns
    -------
    Sample
        Rows of each task with rates as targets, and the mean exposure of a row.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skmtl.targets import read_counts
    >>> class Model(BaseEstimator):
    ...     task_column = 0
    >>> sample = read_counts(Model(), [[7, 0.1], [7, 0.2]], [3, 4], exposure=[1, 2])
    >>> sample.rows.y, sample.rows.weight
    (array([3., 2.]), array([1., 2.]))
    """
    exposure = read_exposure(exposure)
    if exposure is not None:
        check_consistent_length(y, exposure)
        own = read_sample_weight(sample_weight, len(exposure))
        sample_weight = exposure if own is None else own * exposure
    rows = read_rows(
        estimator,
        X,
        y,
        task=task,
        sample_weight=sample_weight,
        task_weight=task_weight,
    )
    rows = rows.stacked() if rows.shares_rows else rows
    _check_counts(rows)
    unit = 1.0
    if exposure is not None:
        each = exposure if rows.rows is None else exposure[rows.rows]
        rows = replace(rows, y=rows.y / each)
        # Weights hold the exposures, so that their sum over rows' own is the mean.
        unit = rows.weight.sum() / (rows.weight / each).sum()
    return Sample(rows, mean_exposure=float(unit))


def _check_counts(rows):
    """Refuse counts below zero, and counts that are all zero where they have weight."""
    if rows.y.min() < 0:
        raise ValueError(
            "Some value(s) of y are out of the valid range of the Poisson loss: y must "
            f"be 0 or more, got {rows.y.min()}. For targets below 0 use a regressor "
            "with the squared loss."
        )
    weight = 1.0 if rows.weight is None else rows.weight
    if not (weight * rows.y).any():
        raise ValueError(
            "y must have a count above 0 in a row that has a weight, got zeros only. "
            "Without one the best mean is 0, and its logarithm is infinite."
        )


def smooth_counts(rows, unit):
    """Add a pseudo-row with the mean rate to tasks without counts.

    Without it their intercepts would diverge. Its exposure is `unit`.
    """
    n_tasks, sizes = len(rows.tasks), np.diff(rows.offsets)
    codes = np.repeat(np.arange(n_tasks), sizes)
    weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
    totals = np.bincount(codes, weight, n_tasks)
    counts = np.bincount(codes, weight * rows.y, n_tasks)
    mean = counts.sum() / totals.sum()
    added = np.where(counts > 0, 0.0, mean * unit / (totals + unit))
    return replace(rows, y=rows.y + added[codes])
