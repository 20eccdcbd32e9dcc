"""Read targets of one kind per task: numbers and classes side by side."""

from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.multiclass import type_of_target

from skmtl._contracts import Array
from skmtl.data import (
    TaskRows,
    column_names,
    find_missing,
    is_instance,
    label_outputs,
    read_rows,
    read_task_weight,
    refuse_lazy,
    refuse_pieces,
)


def read_mixed(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    task_weight: str | Mapping[Any, float] | None = None,
    reset: bool = True,
) -> tuple[TaskRows, Array]:
    """Check rows with one kind of target per task, and group them by task.

    Rows of weight zero are left out.

    Parameters
    ----------
    estimator : estimator instance
        As in :func:`read_rows`.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Features, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets: numbers or labels. If 2-d, columns are tasks, and NaN or None is not
        observed.
    task : array-like of shape (n_rows,), default=None
        Label of each row.
    sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_tasks)
        Weight of each row, or of each cell of a 2-d y; None means ones.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss.
    reset : bool, default=True
        Whether to record the columns of `X`; otherwise, compare them with the record.

    Returns
    -------
    rows : TaskRows
        Rows of each task, with positions in `cells` as targets.
    cells : ndarray of shape (n_cells,)
        Targets as the user gave them, row by row.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skmtl.targets import read_mixed
    >>> class Model(BaseEstimator):
    ...     task_column = None
    >>> rows, cells = read_mixed(Model(), [[1], [2]], [["yes", 0.5], [None, 1.5]])
    >>> [cells[rows.y[rows.offsets[t] :].astype(int)].tolist() for t in (0, 1)]
    [['yes', 0.5, 1.5], [0.5, 1.5]]
    """
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )
    refuse_lazy("y", y)
    refuse_pieces(X)
    outputs, cells = label_outputs(column_names(y)), _as_cells(y)
    places = np.where(find_missing(cells), np.nan, _positions(cells))
    rows = read_rows(
        estimator, X, places, task=task, sample_weight=sample_weight, reset=reset
    )
    rows = rows.stacked()
    if outputs is not None:
        rows = replace(rows, tasks=outputs)
    rows = rows if rows.weight is None else rows.keep(rows.weight > 0)
    return _weigh_tasks(rows, task_weight), cells.ravel()


def read_numbers(values: Array, label: Any, loss: str) -> Array:
    """Check targets of a task that must be numbers.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Targets, of any kind.
    label : object
        Label of the task, for error messages.
    loss : str
        Name of its loss, for error messages.

    Returns
    -------
    ndarray of shape (n_samples,)
        The targets in float64.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.targets import read_numbers
    >>> read_numbers(np.array([1, 2.5], dtype=object), "price", "squared")
    array([1. , 2.5])
    """
    if values.dtype.kind == "O":
        invalid = [value for value in values.tolist() if not isinstance(value, Real)]
        if invalid:
            raise ValueError(
                f"The target of task {label!r} must be numbers, as its loss is "
                f"{loss!r}, got {invalid[0]!r}. For classes, use 'logistic' or "
                f"'multinomial'."
            )
    numbers: Array = values.astype(float)
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"Input y contains infinity: the target of task {label!r} must be finite. "
            f"Remove such rows."
        )
    return numbers


def read_labels(values: Array, label: Any) -> Array:
    """Check targets of a task that must be classes.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
        Targets, of any kind.
    label : object
        Label of the task, for error messages.

    Returns
    -------
    ndarray of shape (n_samples,)
        The targets, in one dtype.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.targets import read_labels
    >>> read_labels(np.array(["no", "yes"], dtype=object), "kind")
    array(['no', 'yes'], dtype='<U3')
    """
    kinds = {isinstance(value, str): value for value in values.tolist()}
    if len(kinds) > 1:
        examples = " and ".join(repr(value) for value in kinds.values())
        raise ValueError(
            f"The classes of task {label!r} must be all strings or all numbers, got "
            f"both: {examples}. Convert them to one kind."
        )
    labels = np.array(values.tolist())
    if len(labels) and type_of_target(labels) not in ("binary", "multiclass"):
        raise ValueError(
            f"The target of task {label!r} must be classes, got continuous numbers "
            f"such as {values[0]!r}. For numbers, use 'squared' or 'poisson'."
        )
    return labels


def _as_cells(y: Any) -> Array:
    """Return y as an array, of objects unless all values are numbers of one dtype."""
    if isinstance(y, np.ma.MaskedArray):
        values, mask = y.data.astype(object), np.ma.getmaskarray(y)
        values[mask] = None
        return values
    columns = _read_columns(y)
    if columns is not None:
        return np.array(columns, dtype=object).T
    array = np.asarray(y, dtype=object if isinstance(y, list | tuple) else None)
    return array if array.dtype.kind in "biuf" else array.astype(object)


def _read_columns(y: Any) -> list[list[Any]] | None:
    """Return the columns of a frame; an array would convert them to one dtype."""
    if is_instance(y, "pandas", "DataFrame"):
        return [y.iloc[:, place].tolist() for place in range(y.shape[1])]
    if is_instance(y, "polars", "DataFrame"):
        return [column.to_list() for column in y.get_columns()]
    if is_instance(y, "pyarrow", "Table"):
        return list(y.to_pydict().values())
    return None


def _positions(cells: Array) -> Array:
    return np.arange(cells.size, dtype=float).reshape(cells.shape)


def _weigh_tasks(rows: TaskRows, task_weight: Any) -> TaskRows:
    ones = np.ones(len(rows.y)) if rows.weight is None else rows.weight
    before = np.concatenate([[0.0], np.cumsum(ones)])
    totals = np.diff(before[rows.offsets])
    factors = read_task_weight(task_weight, rows.tasks, totals)
    return replace(rows, task_weight=factors)
