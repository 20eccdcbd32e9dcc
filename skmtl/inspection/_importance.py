"""Importance of features, by permutation within tasks."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import is_classifier
from sklearn.utils import check_random_state

from skmtl.data import as_table, column_names, list_task_columns
from skmtl.model_selection import find_metric

from ._task_rows import find_column, give_task, read_labels


@dataclass(frozen=True, eq=False)
class TaskImportance:
    """Importance of each feature, over all tasks and for each.

    Parameters
    ----------
    features : tuple of str
        Names of the columns.
    tasks : ndarray of shape (n_tasks,)
        Labels.
    metric : str
        Loss of a row.
    importances : ndarray of shape (n_features,)
        Increase of the loss if a feature is permuted within tasks: the mean over tasks,
        so that every task counts the same.
    standard_errors : ndarray of shape (n_features,)
        Standard errors of `importances`, from the differences between tasks; NaN for a
        single task.
    task_importances : ndarray of shape (n_tasks, n_features)
        Increase of the mean loss of each task.
    task_standard_errors : ndarray of shape (n_tasks, n_features)
        Standard errors of `task_importances`, from the differences between rows; NaN
        for tasks of one row.

    See Also
    --------
    task_feature_importance : Computes it.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import task_feature_importance
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(3, n_features=2, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    >>> task_feature_importance(model, X, y, random_state=0)
    TaskImportance(2 features, 3 tasks, metric='mse', most important: 'x0')
    """

    features: tuple[str, ...]
    tasks: NDArray[Any]
    metric: str
    importances: NDArray[np.floating] = field(repr=False)
    standard_errors: NDArray[np.floating] = field(repr=False)
    task_importances: NDArray[np.floating] = field(repr=False)
    task_standard_errors: NDArray[np.floating] = field(repr=False)

    def __repr__(self) -> str:
        best = self.features[int(np.argmax(self.importances))]
        return (
            f"TaskImportance({len(self.features)} features, {len(self.tasks)} tasks, "
            f"metric={self.metric!r}, most important: {best!r})"
        )

    def to_frame(self) -> Any:
        """Return the importances as a table.

        Returns
        -------
        frame : DataFrame of shape (n_features, n_tasks + 2)
            A row per feature, the most important first, with "importance",
            "standard_error", and a column per task.
        """
        import pandas as pd

        columns = np.column_stack(
            [self.importances, self.standard_errors, self.task_importances.T]
        )
        names = ["importance", "standard_error", *self.tasks.tolist()]
        frame = pd.DataFrame(columns, pd.Index(self.features, name="feature"), names)
        return frame.sort_values("importance", ascending=False, kind="stable")


def task_feature_importance(
    model: Any,
    X: Any,
    y: ArrayLike,
    *,
    task: Any = None,
    metric: str | None = None,
    n_repeats: int = 5,
    random_state: int | RandomState | None = None,
) -> TaskImportance:
    """Measure how much a model needs each feature, by permutation within tasks.

    A feature whose mean differs between tasks tells them apart. As its values stay in
    their task, such levels do not count as importance.

    Parameters
    ----------
    model : estimator
        Fitted model of any kind.
    X : {ndarray, dataframe} of shape (n_rows, n_columns)
        Rows, best those that were not in the fit, with the task column if there is one.
    y : array-like of shape (n_rows,)
        Targets.
    task : array-like of shape (n_rows,), default=None
        Task of each row, if X has no task column.
    metric : {"mse", "mae", "log_loss", "brier", "error", "poisson_deviance"}, \
default=None
        Loss of a row; None means "mse", or "log_loss" for classifiers.
    n_repeats : int, default=5
        Number of permutations of each feature, whose losses are averaged.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations.

    Returns
    -------
    importance : TaskImportance
        Importances by feature, and by task and feature.

    See Also
    --------
    sklearn.inspection.permutation_importance : Permutes all rows together.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import task_feature_importance
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(3, n_features=2, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    >>> found = task_feature_importance(model, X, y, random_state=0)
    >>> found.task_importances.shape
    (3, 2)
    """
    table = as_table(X)
    tasks, codes = read_labels(model, X, task)
    rng = check_random_state(random_state)
    losses = _loss_of(model, y, metric, task)
    base = losses.of(table)
    places, names = list_features(model, table, task)
    increase = np.zeros((len(codes), len(places)))
    for j, place in enumerate(places):
        for _ in range(n_repeats):
            moved = replace_column(table, place, permute_within(codes, rng))
            increase[:, j] += (losses.of(moved) - base) / n_repeats
    means, errors = _average(increase, codes, len(tasks))
    spread = (
        means.std(axis=0, ddof=1) if len(tasks) > 1 else np.full(len(places), np.nan)
    )
    return TaskImportance(
        features=names,
        tasks=tasks,
        metric=losses.name,
        importances=means.mean(axis=0),
        standard_errors=spread / np.sqrt(len(tasks)),
        task_importances=means,
        task_standard_errors=errors,
    )


@dataclass(frozen=True)
class _Losses:
    """Loss of each row."""

    model: Any
    targets: NDArray[Any]
    name: str
    options: dict[str, Any]

    def of(self, X: Any) -> NDArray[np.floating]:
        metric = find_metric(self.name)
        found = getattr(self.model, metric.method)(X, **self.options)
        return metric.loss(self.targets, found)


def _loss_of(model, y, metric, task):
    name = metric or ("log_loss" if is_classifier(model) else "mse")
    kind = find_metric(name).kind
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(
            f"y must have shape (n_rows,), got {y.shape}. Stack the columns of y, with "
            "task= for their labels."
        )
    if kind == "classes":
        y = np.searchsorted(np.asarray(model.classes_), y)
    return _Losses(model, y, name, give_task(task))


def list_features(model: Any, table: Any, task: Any) -> tuple[list[int], tuple]:
    """Return positions and names of the columns, without the task columns."""
    names = column_names(table)
    n_columns = table.shape[1]
    known = [f"x{j}" for j in range(n_columns)] if names is None else list(names)
    column = None if task is not None else find_column(model)
    declared = [] if column is None else list_task_columns(column)
    if names is None:
        names_of_fit = list(getattr(model, "feature_names_in_", known))
        left_out = {
            names_of_fit.index(each) if isinstance(each, str) else each % n_columns
            for each in declared
        }
    else:
        left_out = {
            known.index(each) if each in known else each % n_columns
            for each in declared
            if each in known or not isinstance(each, str)
        }
    places = [j for j in range(n_columns) if j not in left_out]
    if names is None:
        return places, tuple(f"x{k}" for k in range(len(places)))
    return places, tuple(str(known[j]) for j in places)


def permute_within(codes: NDArray[np.integer], rng: RandomState) -> NDArray[np.intp]:
    """Return positions of rows, permuted within each task."""
    order = np.argsort(codes, kind="stable")
    shuffled = np.lexsort((rng.uniform(size=len(codes)), codes))
    positions = np.empty(len(codes), dtype=np.intp)
    positions[order] = shuffled
    return positions


def replace_column(table: Any, place: int, positions: NDArray[np.intp]) -> Any:
    """Return a copy of a table, with one column taken from other rows."""
    if isinstance(table, np.ndarray):
        moved = table.copy()
        moved[:, place] = table[positions, place]
        return moved
    if hasattr(table, "iloc"):
        column = table.iloc[positions, place].set_axis(table.index)
        return table.assign(**{table.columns[place]: column})
    raise TypeError(
        f"X must be an ndarray or a pandas DataFrame, got {type(table).__name__}. "
        "Convert it."
    )


def _average(increase, codes, n_tasks):
    """Return the mean of each task and its standard error."""
    counts = np.bincount(codes, minlength=n_tasks)[:, None]
    totals, squares = np.zeros((2, n_tasks, increase.shape[1]))
    np.add.at(totals, codes, increase)
    means = totals / counts
    np.add.at(squares, codes, (increase - means[codes]) ** 2)
    errors = np.full(means.shape, np.nan)
    np.divide(squares, counts * (counts - 1.0), out=errors, where=counts > 1)
    return means, np.sqrt(errors)
