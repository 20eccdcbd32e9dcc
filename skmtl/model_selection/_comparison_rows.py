"""Rows of a comparison, and their folds."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import KFold, check_cv
from sklearn.utils.validation import validate_data

from skmtl.compose import needs_encoder, take_rows
from skmtl.data import (
    as_table,
    column_names,
    declare_tasks,
    find_observed,
    label_columns,
    number_rows,
    read_sample_weight,
    read_target,
    refuse_missing,
    refuse_zero_weight,
    take_task_columns,
    warn_of_one_task,
)

from ._comparison_targets import encode_classes, read_numbers
from ._metrics import find_metric
from ._splitters import TaskKFold


@dataclass(frozen=True)
class Rows:
    """Rows of a comparison, and their observed targets.

    Parameters
    ----------
    X : container of shape (n_rows, n_columns)
        Rows in the user's container.
    y : container of shape (n_rows,) or (n_rows, n_tasks)
        Targets that models are fitted on.
    task : array-like of shape (n_rows,) or None
        Labels to pass to `fit` and `predict`; None if `X` or `y` gives them.
    weight : ndarray of shape (n_rows,) or None
        Weights of the rows.
    tasks : ndarray of shape (n_tasks,)
        Labels.
    targets : ndarray of shape (n_targets,)
        Observed targets; for classes, their positions in `classes`.
    rows : ndarray of shape (n_targets,), dtype intp
        Row of each target.
    codes : ndarray of shape (n_targets,), dtype intp
        Position of the task of each target in `tasks`.
    kind : {"numbers", "classes", "counts"}, default="numbers"
        Kind of target.
    classes : ndarray of shape (n_classes,) or None, default=None
        Sorted classes.
    layout : {"single", "column", "keyword", "outputs"}, default="column"
        How the user declared the tasks.
    needs_encoder : bool, default=False
        Whether features are text, dates or flags, or have gaps.
    """

    X: Any
    y: Any
    task: Any
    weight: np.ndarray | None
    tasks: np.ndarray
    targets: np.ndarray
    rows: np.ndarray
    codes: np.ndarray
    kind: str = "numbers"
    classes: np.ndarray | None = None
    layout: str = "column"
    needs_encoder: bool = False

    @property
    def n_rows(self) -> int:
        return self.X.shape[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the targets, including unobserved cells."""
        return np.shape(self.y)

    @property
    def prediction_shape(self) -> tuple[int, ...]:
        """Shape of predictions, with a last axis for classes."""
        return self.shape if self.classes is None else (*self.shape, len(self.classes))

    @property
    def cells(self) -> np.ndarray:
        """Positions of the observed targets in flat predictions."""
        if len(self.shape) == 1:
            return self.rows
        return self.rows * len(self.tasks) + self.codes

    @property
    def target_weight(self) -> np.ndarray:
        weight = np.ones(self.n_rows) if self.weight is None else self.weight
        return weight[self.rows]

    def take(self, rows: Any) -> tuple[Any, Any, Any, Any]:
        """Return X, y, labels and weight of some rows, or None where not given."""
        task = None if self.task is None else self.task[rows]
        weight = None if self.weight is None else self.weight[rows]
        return take_rows(self.X, rows), take_rows(self.y, rows), task, weight


def read_comparison(
    X: Any,
    y: Any,
    task_column: str | int | Sequence[str | int] | None,
    task: ArrayLike | None,
    sample_weight: ArrayLike | None,
    metric: str = "mse",
) -> Rows:
    """Read rows; a column of X, `task`, or the columns of y give the tasks."""
    table, target = as_table(X), read_target(y)
    layout, labels = declare_tasks(table, task_column, task).match(table, target)
    weight = read_sample_weight(sample_weight, len(target))
    encode = needs_encoder(_drop_task_columns(table, task_column))
    if layout == "outputs":
        rows = _list_cells(table, y, target, weight, metric)
        return replace(rows, needs_encoder=encode)
    tasks, codes = number_rows(labels, len(target))
    target, targets, known = _read_targets(target, metric)
    known |= {"layout": layout, "needs_encoder": encode}
    task = tasks[codes] if layout == "keyword" else None
    rows = np.arange(len(target))
    return Rows(table, target, task, weight, tasks, targets, rows, codes, **known)


def _drop_task_columns(table, task_column):
    if task_column is None:
        return table
    return take_task_columns(table, task_column)[0]


def read_fitted_rows(
    estimator: Any,
    X: Any,
    y: Any,
    task: ArrayLike | None,
    sample_weight: ArrayLike | None,
    metric: str,
) -> Rows:
    """Read the rows of an estimator's `fit`, and store the names of their columns."""
    table = as_table(X)
    validate_data(estimator, table, y, skip_check_array=True)
    if table.shape[0] < 2:
        raise ValueError("There must be rows to fit and rows to hold out. n_samples=1.")
    data = read_comparison(X, y, estimator.task_column, task, sample_weight, metric)
    refuse_zero_weight(data.weight)
    if data.layout == "single":
        warn_of_one_task(estimator)
    return data


def _read_targets(target, metric):
    """Return targets to fit, targets for the losses, and their kind and classes."""
    kind = find_metric(metric).kind
    if kind == "classes":
        classes, codes = encode_classes(target)
        return target, codes, {"kind": kind, "classes": classes}
    target = read_numbers(target, metric)
    refuse_missing(target)
    return target, target, {"kind": kind}


def split_rows(
    data: Rows, cv: Any, random_state: Any
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return pairs of training rows and held-out rows."""
    if isinstance(cv, Integral):
        cv = _make_splitter(data, cv, random_state)
    groups = None if len(data.shape) == 2 else data.tasks[data.codes]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The groups parameter is ignored by")
        splits = list(check_cv(cv).split(data.X, data.y, groups))
    if not all(len(held_out) for _, held_out in splits):
        raise ValueError("cv must hold out rows in every fold. Got an empty fold.")
    return splits


def split_tasks(
    data: Rows, n_folds: int, random_state: Any
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return pairs of training rows and held-out rows, in folds of whole tasks."""
    n_tasks = len(data.tasks)
    if data.layout == "outputs" or n_tasks == 1:
        raise ValueError(
            "Only rows that each have a task show errors for new tasks. Got "
            f"{'a 2-d y' if n_tasks > 1 else 'one task'}; leave out new_tasks."
        )
    folds = KFold(min(n_folds, n_tasks), shuffle=True, random_state=random_state)
    held_out = [np.isin(data.codes, tasks) for _, tasks in folds.split(data.tasks)]
    return [(np.flatnonzero(~each), np.flatnonzero(each)) for each in held_out]


def _make_splitter(data, n_folds, random_state):
    options = {"shuffle": True, "random_state": random_state}
    if len(data.shape) == 2:
        return KFold(n_folds, **options)
    return TaskKFold(n_folds, stratify=data.kind == "classes", **options)


def _list_cells(X, y, target, weight, metric):
    """List the observed cells of a 2-d target, row by row."""
    words = [value for value in target.ravel().tolist() if isinstance(value, str)]
    if words:
        raise ValueError(
            "A 2-d y must hold numbers and NaN (for classes, 0, 1 and NaN). Got "
            f"{words[0]!r}; for other classes give each cell a row of its own."
        )
    tasks = label_columns(y, target.shape[1])
    if target.dtype.kind not in "iu":
        target = target.astype(np.float64)
    y = target if column_names(y) is None else y
    rows, codes = np.nonzero(find_observed(target))
    observed = target[rows, codes]
    _, targets, known = _read_targets(observed, metric)
    known["layout"] = "outputs"
    return Rows(X, y, None, weight, tasks, targets, rows, codes, **known)
