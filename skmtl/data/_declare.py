"""How the user declares the tasks: a column of X, ``task=``, or the columns of y.

The only module with these rules, for `fit`, `predict`, wrappers, metrics and
comparisons.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length

from skmtl._contracts import Array

from ._containers import column_names, is_instance, refuse_lazy
from ._task_codes import encode_tasks, join_tasks, spread_label
from ._task_column import (
    list_task_columns,
    locate_task_column,
    pick_groupings,
    split_columns,
    take_task_columns,
)

_LAYOUTS = {
    "single": "a 1-d y and no labels",
    "column": "a task column in X",
    "keyword": "labels as task=",
    "outputs": "the columns of a 2-d y",
}
_WAYS = "Declare tasks with task_column=, with task=, or as the columns of a 2-d y"
_ONE_TASK_IS_MEANT = ContextVar("one task is meant", default=False)


@dataclass(frozen=True)
class DeclaredTasks:
    """Features, and the labels of their rows as the user gave them.

    Parameters
    ----------
    layout : {"single", "column", "keyword"}
        Where the labels are; "single" without labels.
    features : container of shape (n_rows, n_features)
        X without its task columns.
    labels : array-like of shape (n_rows,), int, str or None
        Label of each row, or one label for all rows.
    positions : list of int or None
        Position of each task column in X; None for a level of its index.
    columns : list of array-like of shape (n_rows,), default=()
        Columns of labels, if there are several.
    picked : list of (name, tuple of int), default=()
        Name of each grouping, and the positions of its columns in `columns`.
    """

    layout: str
    features: Any
    labels: Any
    positions: list[int | None]
    columns: Sequence[Any] = ()
    picked: Sequence[tuple[Any, tuple[int, ...]]] = ()

    @classmethod
    def by_keyword(cls, X: Any, task: Any) -> Self:
        """Read labels that were given as ``task=``: one column, or several."""
        names, columns = split_columns(task)
        if not columns:
            return cls("keyword", X, task, [])
        picked = [(name, (k,)) for k, name in enumerate(names)]
        return cls("keyword", X, join_tasks(columns, names), [], columns, picked)

    def groupings(self) -> list[tuple[Any, Any]]:
        """Return names and labels of several groupings; none if there is only one."""
        if len(self.picked) < 2:
            return []
        return [
            (name, join_tasks([self.columns[k] for k in places]))
            for name, places in self.picked
        ]

    def match(
        self, features: Any = None, target: Array | None = None
    ) -> tuple[str, Any]:
        """Check labels against rows; return the layout and a label per row, or None.

        The layout is "outputs" if the columns of the target are the tasks.
        """
        rows: Any = target if features is None else features
        labels = spread_label(self.labels, rows.shape[0])
        check_consistent_length(features, target, labels)
        if target is None or target.ndim == 1:
            return self.layout, labels
        if labels is None:
            return "outputs", None
        if target.shape[1] > 1:
            raise ValueError(
                f"y must be 1-d when the task of each row is given, got shape "
                f"{target.shape}. Give the labels or a 2-d y, whose columns are the "
                f"tasks, not both."
            )
        return self.layout, labels


def declare_tasks(
    X: Any,
    task_column: str | int | Sequence[str | int] | None,
    task: ArrayLike | None = None,
    fitted: Any = None,
) -> DeclaredTasks:
    """Separate the features from the labels of the tasks.

    Parameters
    ----------
    X : container of shape (n_rows, n_columns)
        Features, with the task column if there is one.
    task_column : str, int, list of them or None
        Column of X, or level of its index.
    task : array-like of shape (n_rows,) or (n_rows, n_columns), int, str or None
        Label of each row, or one label for all rows; several columns are joined.
    fitted : estimator or None, default=None
        Fitted estimator with the names of the columns, if X has none, and with the
        labels that it knows.

    Returns
    -------
    DeclaredTasks
        Features and labels.

    Examples
    --------
    >>> from skmtl.data import declare_tasks
    >>> declared = declare_tasks([["a", 1.0], ["b", 2.0]], task_column=0)
    >>> declared.layout, declared.labels.tolist()
    ('column', ['a', 'b'])
    """
    refuse_lazy("task", task)
    if task_column is None:
        if task is None:
            return DeclaredTasks("single", X, None, [])
        _refuse_name(X, task, fitted)
        return DeclaredTasks.by_keyword(X, task)
    if task is not None:
        raise ValueError(
            f"The tasks must be declared in one way, got both task= and "
            f"task_column={task_column!r}. Drop one of them."
        )
    if fitted is not None:
        task_column = locate_task_column(fitted, X, task_column)
    features, columns, positions = take_task_columns(X, task_column)
    labels = join_tasks(columns, list_task_columns(task_column))
    picked = pick_groupings(task_column)
    return DeclaredTasks("column", features, labels, positions, columns, picked)


def _refuse_name(X, task, fitted):
    """Refuse the name of a column as the label of all rows, unless `fit` had it."""
    if not isinstance(task, str) or task in list(getattr(fitted, "tasks_", ())):
        return
    names = column_names(X) or []
    levels = list(X.index.names) if is_instance(X, "pandas", "DataFrame") else []
    if task in names or task in levels:
        raise ValueError(
            f"task must be a label for each row or for all rows, got {task!r}, the "
            f"name of a column of X. Set task_column={task!r} instead. If all rows "
            f"are of one task of this name, give a list with a label for each."
        )


def check_query(estimator: Any, task: ArrayLike | None) -> None:
    """Check that `predict` has ``task=`` if, and only if, `fit` had it."""
    layout, name = estimator._layout, type(estimator).__name__
    if layout == "keyword" and task is None and len(estimator.tasks_) > 1:
        raise ValueError(
            f"This {name} was fitted with task=, so it needs task= here too, got None. "
            f"GridSearchCV, cross_val_predict, permutation_importance, "
            f"VotingRegressor, StackingRegressor and string scorers cannot forward "
            f"it: make the labels a column of X and set task_column."
        )
    if layout != "keyword" and task is not None:
        raise ValueError(
            f"task must be given to this {name} only if it was given to fit, which had "
            f"{_LAYOUTS[layout]}. Leave task= out, or fit with it."
        )


def check_batch(estimator: Any, layout: str) -> None:
    """Check that a further batch declares the tasks as the first one did."""
    if layout != estimator._layout:
        raise ValueError(
            f"All batches must declare the tasks in the same way, got "
            f"{_LAYOUTS[estimator._layout]} in the first batch and {_LAYOUTS[layout]} "
            f"in this one. Call fit to start again."
        )


def refuse_unseen(labels: Any, codes: Array, tasks: Array) -> None:
    """Refuse labels that `fit` has not seen, those with a negative code."""
    unseen = codes < 0
    if unseen.any():
        found, _ = encode_tasks(np.asarray(labels)[unseen])
        raise ValueError(
            f"task has labels not seen in fit: {found[:5].tolist()}. This model has "
            f"{len(tasks)} tasks: {tasks[:5].tolist()}... Use handle_unknown='shared' "
            f"to predict them with the shared part."
        )


def refuse_undeclared(layout: str) -> None:
    """Refuse rows of unknown tasks where a comparison of tasks needs them."""
    if layout == "single":
        raise ValueError(
            f"The task of each row must be known, got a 1-d y and no labels. {_WAYS}."
        )


def warn_of_one_task(estimator: Any) -> None:
    """Warn that all rows are one task, unless a wrapper suppresses it."""
    if not _ONE_TASK_IS_MEANT.get():
        warnings.warn(
            f"All rows are taken as one task, as y is 1-d and "
            f"{type(estimator).__name__} was given no task. {_WAYS}; for a single "
            f"task, use task=0 in fit.",
            stacklevel=4,
        )


@contextmanager
def one_task_is_meant() -> Iterator[None]:
    """Suppress the warning while fitting rows of one task, or pooled rows."""
    token = _ONE_TASK_IS_MEANT.set(True)
    try:
        yield
    finally:
        _ONE_TASK_IS_MEANT.reset(token)
