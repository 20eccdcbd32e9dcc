"""Rows by task, their features kept in the container that the user gave."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils import assert_all_finite, check_consistent_length
from sklearn.utils.validation import validate_data

from skmtl.data import (
    as_table,
    column_names,
    encode_tasks,
    find_missing,
    find_tasks,
    is_instance,
    label_outputs,
    locate_task_column,
    read_sample_weight,
    read_target,
    refuse_missing,
    spread_label,
    take_task_column,
    warn_of_one_task,
)


@dataclass(frozen=True)
class Observations:
    """Hold labelled observations of several tasks.

    Parameters
    ----------
    X : container of shape (n_rows, n_features)
        Features as the user gave them, without the task column.
    rows : ndarray of shape (n_samples,), dtype intp, or None
        Row of `X` of each observation; None when they are the rows in order.
    y : ndarray of shape (n_samples,)
        Target of each observation.
    weight : ndarray of shape (n_samples,) or None
        Weight of each observation; None means ones.
    codes : ndarray of shape (n_samples,), dtype intp
        Position of each observation's task in `tasks`.
    tasks : ndarray of shape (n_tasks,)
        Labels: sorted, or those of the columns of a 2-d target in their order.
    layout : {"single", "column", "keyword", "outputs"}
        How the user declared the tasks.
    """

    X: object
    rows: np.ndarray | None
    y: np.ndarray
    weight: np.ndarray | None
    codes: np.ndarray
    tasks: np.ndarray
    layout: str

    def by_task(self):
        """Return the positions of each task's observations; none without weight."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(np.bincount(self.codes, minlength=len(self.tasks)))
        groups = np.split(order, ends[:-1])
        return [group if self._has_weight(group) else group[:0] for group in groups]

    def take(self, group=None):
        """Return features, target and weight of some observations, or of all."""
        if group is None or len(group) == len(self.y):
            return (
                self.X if self.rows is None else take_rows(self.X, self.rows),
                self.y,
                self.weight,
            )
        rows = group if self.rows is None else self.rows[group]
        weight = None if self.weight is None else self.weight[group]
        return take_rows(self.X, rows), self.y[group], weight

    def _has_weight(self, group):
        return self.weight is None or self.weight[group].any()


def read_observations(estimator, X, y, task=None, sample_weight=None):
    """Read what a model is fitted on; what it is, its inner estimator will check."""
    _refuse_two_labels(estimator, task)
    X = as_table(X)
    validate_data(estimator, X, y, skip_check_array=True)
    outputs = label_outputs(column_names(y))
    target = read_target(y)
    task = spread_label(task, X.shape[0])
    check_consistent_length(X, target, task)
    weight = read_sample_weight(sample_weight, len(target))
    if weight is not None and not weight.any():
        raise ValueError(
            "Sample weights must contain at least one non-zero number, got zero "
            "everywhere. Pass sample_weight=None for equal weights."
        )
    X, labels, layout = split_labels(estimator, X, task)
    if target.ndim == 1:
        what = "label" if is_classifier(estimator) else "value"
        refuse_missing(target, what=what)
        if layout == "single":
            warn_of_one_task(estimator)
        tasks, codes = _encode(labels, len(target))
        return Observations(X, None, target, weight, codes, tasks, layout)
    if layout != "single":
        raise ValueError(
            f"y must be 1-d when the task of each row is given, got shape "
            f"{target.shape}. Either the columns of y are the tasks, or the labels are."
        )
    outputs = np.arange(target.shape[1]) if outputs is None else outputs
    return _read_outputs(X, target, weight, outputs)


def read_query(estimator, X, task=None):
    """Read what is to be predicted: features, and codes or None for all outputs.

    Codes are positions in `tasks_`; -1 stands for a task that was not seen in fit.
    """
    _refuse_two_labels(estimator, task)
    X = as_table(X)
    validate_data(estimator, X, reset=False, skip_check_array=True)
    _refuse_another_layout(estimator, task)
    X, labels, _ = split_labels(estimator, X, task)
    if X.shape[0] == 0:
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of 1 is required by "
            f"{type(estimator).__name__}. Pass at least one row."
        )
    if labels is not None:
        labels = spread_label(labels, X.shape[0])
        check_consistent_length(X, labels)
        return X, find_tasks(labels, estimator.tasks_)
    if estimator._layout == "outputs":
        return X, None
    return X, np.zeros(X.shape[0], dtype=np.intp)


def split_labels(estimator, X, task=None):
    """Return features, labels or None, and the layout that says where they are."""
    if estimator.task_column is not None:
        column = locate_task_column(estimator, X, estimator.task_column)
        return *take_task_column(X, column), "column"
    return X, task, "single" if task is None else "keyword"


def take_rows(X, rows):
    """Return some rows of a table, in the same kind of container."""
    if is_instance(X, "pandas", "DataFrame") or is_instance(X, "pyarrow", "Table"):
        return X.take(rows)
    return X[rows]


def _encode(labels, n_rows):
    if labels is None:
        return np.zeros(1, dtype=np.int64), np.zeros(n_rows, dtype=np.intp)
    return encode_tasks(labels)


def _read_outputs(X, target, weight, tasks):
    observed = ~find_missing(target)
    codes, rows = np.nonzero(observed.T)
    if not len(rows):
        raise ValueError("Input y contains NaN only. Give at least one label per task.")
    weight = None if weight is None else weight[rows]
    y = target.T[observed.T]
    y = np.array(y.tolist()) if y.dtype == object else y  # no None is left in it
    assert_all_finite(y, input_name="y")
    return Observations(X, rows, y, weight, codes, tasks, "outputs")


def warn_of_encoded_missing(y):
    """Warn of columns of 0, 1 and 2, which scikit-learn makes from 0, 1 and NaN."""
    target = read_target(y)
    if target.dtype.kind != "i":
        return
    classes = [np.unique(column).tolist() for column in target.T]
    usual = all(each in ([0, 1], [0, 1, 2]) for each in classes)
    if not usual or [0, 1, 2] not in classes:
        return
    warnings.warn(
        f"y has the classes 0, 1 and 2 in {classes.count([0, 1, 2])} of its "
        f"{len(classes)} columns. If y had NaN, 2 stands for it: scikit-learn's "
        "cross_val_predict treats NaN as a class if asked for probabilities. In that "
        "case, give each cell a row of its own, with a task column.",
        UserWarning,
        stacklevel=4,
    )


def _refuse_two_labels(estimator, task):
    if task is not None and estimator.task_column is not None:
        raise ValueError(
            f"The task of each row must be given once, got task= and "
            f"task_column={estimator.task_column!r}. Leave one of them out."
        )


def _refuse_another_layout(estimator, task):
    lacks_labels = estimator._layout == "keyword" and task is None
    if lacks_labels and estimator.n_tasks_ > 1:
        raise ValueError(
            f"This {type(estimator).__name__} was fitted with task=, so it needs task= "
            f"again. Tools such as GridSearchCV and cross_val_predict cannot pass it "
            f"on: put the labels in a column of X and set task_column."
        )
    if estimator._layout in ("single", "outputs") and task is not None:
        raise ValueError(
            f"This {type(estimator).__name__} was fitted without task=, so it cannot "
            f"use it. Fit it with task=, or leave task out."
        )
