"""Targets that are counts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array, check_consistent_length

from skmtl._contracts import Array, Loss
from skmtl.data import (
    TaskRows,
    read_array,
    read_rows,
    read_sample_weight,
    refuse_lazy,
)
from skmtl.losses import Poisson

from ._numbers import NumericTarget
from ._target import Sample, Target


@dataclass(frozen=True)
class CountTarget(Target):
    """Targets that are counts, with the Poisson loss.

    Parameters
    ----------
    may_be_zero : bool, default=False
        Whether all counts may be zero, as in a later batch.
    """

    may_be_zero: bool = False

    def read(self, estimator: Any, X: Any, y: Any, **given: Any) -> Sample:
        return read_counts(estimator, X, y, may_be_zero=self.may_be_zero, **given)

    def prepare(self, sample: Sample, smooths: bool) -> tuple[TaskRows, Loss, None]:
        rows = sample.rows
        if smooths:
            rows = smooth_counts(rows, sample.mean_exposure)
        return rows, Poisson(sample.mean_exposure), None

    def prepare_part(
        self, sample: Sample, targets: None, smooths: bool, part: TaskRows
    ) -> tuple[TaskRows, None]:
        return smooth_counts(part, sample.mean_exposure) if smooths else part, None

    def shape(self, sample: Sample, models: Any, single: bool) -> dict[str, Any]:
        return NumericTarget(Poisson()).shape(sample, models, single)


def read_exposure(exposure: ArrayLike | None) -> Array | None:
    """Check the exposures of rows.

    Parameters
    ----------
    exposure : array-like of shape (n_rows,) or None
        Time, area or number of people of the count in each row.

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
    given = read_array(exposure)
    if given.ndim == 0:
        raise ValueError(
            "exposure must be one number per row, of shape (n_rows,), got the single "
            f"number {given}. Pass np.full(n_rows, {given}) if it is that of each row."
        )
    values: Array = check_array(
        given, ensure_2d=False, dtype=np.float64, input_name="exposure"
    )
    if values.ndim != 1:
        raise ValueError(
            "exposure must be one number per row, of shape (n_rows,), got shape "
            f"{values.shape}. For cells of a 2-d y, give each cell a row of its own, "
            "with a task column."
        )
    if values.min() <= 0:
        row = int(values.argmin())
        raise ValueError(
            f"exposure must be above 0, got {values[row]} in row {row}. Remove "
            "such rows."
        )
    return values


def read_counts(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    exposure: ArrayLike | None = None,
    task_weight: str | Mapping[Any, float] | None = None,
    may_be_zero: bool = False,
    reset: bool = True,
) -> Sample:
    """Check the training rows of a count model, and group them by task.

    Counts with exposures become rates with weights multiplied by the exposures.

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
    sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_tasks)
        Weight of each row, or of each cell of a 2-d y; None means ones.
    exposure : array-like of shape (n_rows,), default=None
        Exposure of each row; None means ones.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss.
    may_be_zero : bool, default=False
        Whether all counts may be zero.
    reset : bool, default=True
        Whether to record the columns of `X`; otherwise, compare them with the record.

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
    exposures = read_exposure(exposure)
    if exposures is not None:
        check_consistent_length(y, exposures)
        own = read_sample_weight(sample_weight, len(exposures), *np.shape(y)[1:])
        sample_weight = exposures if own is None else (own.T * exposures).T
    rows = read_rows(
        estimator,
        X,
        y,
        task=task,
        sample_weight=sample_weight,
        task_weight=task_weight,
        reset=reset,
    )
    rows = rows.stacked()
    _refuse_negative(rows)
    if not may_be_zero:
        _refuse_zeros(rows)
    mean = 1.0
    if exposures is not None:
        each = exposures if rows.rows is None else exposures[rows.rows]
        rows = replace(rows, y=rows.y / each)
        weight: Any = rows.weight  # it includes the exposures as a factor
        mean = weight.sum() / (weight / each).sum()
    return Sample(rows, mean_exposure=float(mean))


def _refuse_negative(rows: TaskRows) -> None:
    """Raise an error if a count is negative."""
    if rows.y.min() < 0:
        raise ValueError(
            "Some value(s) of y are out of the valid range of the Poisson loss: y must "
            f"be 0 or more, got {rows.y.min()}. For targets below 0 use a regressor "
            "with the squared loss."
        )


def _refuse_zeros(rows: TaskRows) -> None:
    """Raise an error if all counts with weight are zero."""
    weight = 1.0 if rows.weight is None else rows.weight
    if not (weight * rows.y).any():
        raise ValueError(
            "y must have a count above 0 in a row with weight above 0, got zeros only. "
            "The best mean would be 0, and its logarithm is minus infinity. Add rows "
            "with counts."
        )


def smooth_counts(rows: TaskRows, exposure: float) -> TaskRows:
    """Add a pseudo-row with the mean rate and this exposure to tasks with zeros only.

    Without it their intercepts would diverge.
    """
    n_tasks, sizes = len(rows.tasks), np.diff(rows.offsets)
    codes = np.repeat(np.arange(n_tasks), sizes)
    weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
    totals = np.bincount(codes, weight, n_tasks)
    counts = np.bincount(codes, weight * rows.y, n_tasks)
    mean = counts.sum() / totals.sum()
    added = np.where(counts > 0, 0.0, mean * exposure / (totals + exposure))
    return replace(rows, y=rows.y + added[codes])
