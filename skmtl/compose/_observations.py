"""Labelled rows of several tasks, with features in the user's container."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import is_classifier
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data

from skmtl.data import (
    as_table,
    check_query,
    declare_tasks,
    find_observed,
    find_tasks,
    is_instance,
    label_columns,
    number_rows,
    read_sample_weight,
    read_target,
    refuse_missing,
    refuse_unseen,
    refuse_zero_weight,
    warn_of_one_task,
    weigh_cells,
)


@dataclass(frozen=True)
class Observations:
    """Labelled observations of several tasks.

    Parameters
    ----------
    X : container of shape (n_rows, n_features)
        Features in the user's container, without the task column.
    rows : ndarray of shape (n_samples,), dtype intp, or None
        Row of `X` of each observation; None when they are the rows in order.
    y : ndarray of shape (n_samples,)
        Target of each observation.
    weight : ndarray of shape (n_samples,) or None
        Weight of each observation; None means ones.
    codes : ndarray of shape (n_samples,), dtype intp
        Position of each observation's task in `tasks`.
    tasks : ndarray of shape (n_tasks,)
        Labels: sorted, or in the order of the columns of a 2-d target.
    layout : {"single", "column", "keyword", "outputs"}
        How the user declared the tasks.
    """

    X: Any
    rows: np.ndarray | None
    y: np.ndarray
    weight: np.ndarray | None
    codes: np.ndarray
    tasks: np.ndarray
    layout: str

    def by_task(self) -> list[NDArray[np.intp]]:
        """Return the positions of each task's observations; none without weight."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(np.bincount(self.codes, minlength=len(self.tasks)))
        groups = np.split(order, ends[:-1])
        return [group if self._has_weight(group) else group[:0] for group in groups]

    def take(self, group: NDArray[np.intp] | None = None) -> tuple[Any, Any, Any]:
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


def read_observations(
    estimator: Any,
    X: Any,
    y: Any,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
) -> Observations:
    """Read labelled rows; the inner estimator will check features and targets."""
    table = as_table(X)
    declared = declare_tasks(table, estimator.task_column, task)
    validate_data(estimator, table, y, skip_check_array=True)
    target = read_target(y)
    X = declared.features
    layout, labels = declared.match(X, target)
    weight = read_sample_weight(sample_weight, *target.shape)
    if layout == "outputs":
        observations = _list_cells(X, y, target, weight)
    else:
        refuse_missing(target, what="label" if is_classifier(estimator) else "value")
        if layout == "single":
            warn_of_one_task(estimator)
        tasks, codes = number_rows(labels, len(target))
        observations = Observations(X, None, target, weight, codes, tasks, layout)
    refuse_zero_weight(observations.weight)
    return observations


def read_query(
    estimator: Any, X: Any, task: ArrayLike | None = None
) -> tuple[Any, NDArray[np.intp] | None]:
    """Read rows to predict: features, and a code per row, or None for all outputs.

    Codes are positions in `tasks_`; -1 stands for an unseen task.
    """
    X, labels = read_labelled_query(estimator, X, task)
    if labels is not None:
        return X, find_tasks(labels, estimator.tasks_)
    if estimator._layout == "outputs":
        return X, None
    return X, np.zeros(X.shape[0], dtype=np.intp)


def read_labelled_query(
    estimator: Any, X: Any, task: ArrayLike | None = None
) -> tuple[Any, Any]:
    """Read rows to predict: features, and the label of each row, or None."""
    check_query(estimator, task)
    table = as_table(X)
    validate_data(estimator, table, reset=False, skip_check_array=True)
    declared = declare_tasks(table, estimator.task_column, task, fitted=estimator)
    X = declared.features
    if X.shape[0] == 0:
        raise ValueError(
            f"Found array with 0 sample(s) while a minimum of 1 is required by "
            f"{type(estimator).__name__}. Pass at least one row."
        )
    _, labels = declared.match(X)
    is_strict = estimator.get_params(deep=False).get("handle_unknown") == "error"
    if labels is not None and is_strict:
        refuse_unseen(labels, find_tasks(labels, estimator.tasks_), estimator.tasks_)
    return X, labels


def take_rows(X: Any, rows: Any) -> Any:
    """Return some rows of a table, in the same container."""
    if is_instance(X, "pandas", "DataFrame") or is_instance(X, "pyarrow", "Table"):
        return X.take(rows)
    return X[rows]


def _list_cells(X, y, target, weight):
    """List the observed cells of a 2-d target, column by column."""
    observed = find_observed(target)
    codes, rows = np.nonzero(observed.T)
    weight = weigh_cells(weight, rows, codes)
    values = target.T[observed.T]
    if values.dtype == object:  # only because of the missing values
        values = np.array(values.tolist())
    assert_all_finite(values, input_name="y")
    tasks = label_columns(y, target.shape[1])
    return Observations(X, rows, values, weight, codes, tasks, "outputs")


def warn_of_encoded_missing(y: Any) -> None:
    """Warn of columns of 0, 1 and 2, since scikit-learn encodes 0, 1 and NaN so."""
    target = read_target(y)
    if target.dtype.kind != "i":
        return
    classes = [np.unique(column).tolist() for column in target.T]
    usual = all(each in ([0, 1], [0, 1, 2]) for each in classes)
    if not usual or [0, 1, 2] not in classes:
        return
    warnings.warn(
        f"y has the classes 0, 1 and 2 in {classes.count([0, 1, 2])} of its "
        f"{len(classes)} columns. If y had NaN, 2 stands for it: cross_val_predict of "
        "scikit-learn treats NaN as a class when it predicts probabilities. In that "
        "case, give each cell a row of its own, with a task column.",
        UserWarning,
        stacklevel=4,
    )


def chosen_library(transformer):
    """Return the library that the user has set by `set_output`, or None."""
    config = getattr(transformer, "_sklearn_output_config", {})
    library = config.get("transform", get_config()["transform_output"])
    return None if library == "default" else library
