"""Find the tasks of rows, and predict rows with the model of every task."""

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from skmtl._contracts import Array
from skmtl.data import (
    as_table,
    declare_tasks,
    find_tasks,
    number_rows,
    take_task_columns,
)
from skmtl.metrics import find_task_column, unwrap_search

from ._linear_parts import LinearParts


def find_column(estimator: Any) -> Any:
    """Return the task column of the rows that an estimator gets, None without one."""
    estimator = unwrap_search(estimator)
    if isinstance(estimator, Pipeline):
        # Positions of later steps refer to the output of the first.
        first = find_task_column(estimator.steps[0][1])
        if first is not None:
            return first
    return find_task_column(estimator)


def read_labels(estimator: Any, X: Any, task: Any) -> tuple[Array, Array]:
    """Return the labels of the tasks in rows, and the position of each row's task."""
    table = as_table(X)
    column = None if task is not None else find_column(estimator)
    declared = declare_tasks(table, column, task)
    _, labels = declared.match(table, np.zeros(table.shape[0]))
    return number_rows(labels, table.shape[0])


def read_labelled_rows(estimator: Any, X: Any, task: Any, known: Array) -> Array:
    """Return the position of each row's task among the known ones, -1 if unseen."""
    tasks, codes = read_labels(estimator, X, task)
    if len(tasks) == len(known) == 1:
        return codes
    return find_tasks(tasks, known)[codes]


def give_task(task: Any) -> dict[str, Any]:
    """Return the keyword `task` where there are labels."""
    return {} if task is None else {"task": task}


def average_row(rows: Any, model: Any) -> Array:
    """Return the mean of the features over all rows, (n_features,)."""
    table = as_table(rows)
    if model.task_column is not None:
        table = take_task_columns(table, model.task_column)[0]
    if hasattr(table, "toarray"):
        return np.asarray(table.mean(axis=0), dtype=float).ravel()
    return np.asarray(table).astype(float).mean(axis=0)


def predict_each_task(parts: LinearParts, row: Array) -> Array:
    """Return the raw prediction of a row by each task, (n_tasks, n_outputs)."""
    return parts.coef @ row + parts.intercept
