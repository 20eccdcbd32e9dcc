"""The task column of a table in any container."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ._containers import as_table, column_names, has_names, is_instance
from ._sparse_table import SparseTable
from ._task_codes import join_tasks


def take_task_column(
    X: Any, task_column: str | int | Sequence[str | int]
) -> tuple[Any, Any]:
    """Separate the labels of the tasks from the features.

    Parameters
    ----------
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Table with the labels in one column, or in a level of its pandas index.
    task_column : str, int or list of them
        Name or position of the column, or name of the level. A column has precedence
        over a level of the same name; a negative position counts from the end. A list
        declares tasks by several columns: each combination of their labels is a task.
        A tuple in the list is a combination of columns.

    Returns
    -------
    features : {ndarray, sparse matrix, dataframe} of shape (n_rows, n_features)
        `X` without the column, in the same container; a view where possible.
    labels : {ndarray, Series, ChunkedArray} of shape (n_rows,)
        Label of each row, as stored; those of several columns are joined by
        :func:`join_tasks`.

    Examples
    --------
    >>> from skmtl.data import take_task_column
    >>> features, labels = take_task_column([["a", 1.0], ["b", 2.0]], 0)
    >>> labels
    array(['a', 'b'], dtype=object)
    >>> _, labels = take_task_column([["a", 1, 0.1], ["a", 2, 0.2]], [0, 1])
    >>> labels
    array(['a/1', 'a/2'], dtype=object)
    """
    features, columns, _ = take_task_columns(X, task_column)
    return features, join_tasks(columns, list_task_columns(task_column))


def take_task_columns(
    X: Any, task_column: str | int | Sequence[str | int]
) -> tuple[Any, list[Any], list[int | None]]:
    """Separate the label columns from the features, without conversion.

    Parameters
    ----------
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Table, as in :func:`take_task_column`.
    task_column : str, int or list of them
        Columns, or levels of the pandas index.

    Returns
    -------
    features : {ndarray, sparse matrix, dataframe} of shape (n_rows, n_features)
        `X` without the columns.
    columns : list of {ndarray, Series} of shape (n_rows,)
        Columns of labels, in the given order, each once.
    positions : list of int or None
        Position of each column in `X`, None for a level of the index.

    Examples
    --------
    >>> from skmtl.data import take_task_columns
    >>> take_task_columns([["a", 1, 0.1], ["a", 2, 0.2]], [0, 1])[2]
    [0, 1]
    """
    table = as_table(X)
    named = list_task_columns(task_column)
    positions = [
        None if _is_index_level(table, name) else _find_position(table, name)
        for name in named
    ]
    inside = [place for place in positions if place is not None]
    if not named or len(set(inside)) < len(inside):
        raise ValueError(
            f"A list as task_column must name distinct columns, got {task_column}. "
            f"Name each column once."
        )
    if inside and table.shape[1] == len(inside):
        raise ValueError(
            f"X must have features besides its task column, got {len(inside)} "
            f"feature(s) (shape={tuple(table.shape)}), only the task column. Add a "
            "feature, or set task_column=None."
        )
    columns = [
        _take_level(table, name) if place is None else _take_column(table, place)
        for name, place in zip(named, positions, strict=True)
    ]
    return _drop_columns(table, inside) if inside else table, columns, positions


def locate_task_column(estimator: Any, table: Any, task_column: Any) -> Any:
    """Return the task column, by its position in `fit` if the table has no names.

    Parameters
    ----------
    estimator : estimator
        Estimator; if fitted with column names, its positions are used.
    table : {ndarray, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Table with the columns of fit, in the same order.
    task_column : str, int or list of them
        Column, as declared.

    Returns
    -------
    str, int or list of them
        Name or position of the column in the table.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from skmtl.data import locate_task_column
    >>> model = BaseEstimator()
    >>> model.feature_names_in_ = np.array(["x", "school"])
    >>> locate_task_column(model, np.ones((3, 2)), "school")
    1
    """
    if has_names(table):
        return task_column
    known = list(getattr(estimator, "feature_names_in_", ()))
    return map_task_columns(
        task_column, lambda name: known.index(name) if name in known else name
    )


def map_task_columns(task_column: Any, change: Callable[[Any], Any]) -> Any:
    """Change the name or position of each task column.

    Parameters
    ----------
    task_column : str, int or list of them
        Columns, as declared.
    change : callable
        Returns the new name or position of a column.

    Returns
    -------
    str, int or list of them
        Columns in the same structure.

    Examples
    --------
    >>> from skmtl.data import map_task_columns
    >>> map_task_columns(["a", ("a", "b")], {"a": -2, "b": -1}.get)
    [-2, (-2, -1)]
    """
    if isinstance(task_column, list | tuple):
        changed = [map_task_columns(each, change) for each in task_column]
        return type(task_column)(changed)
    return change(task_column)


def list_task_columns(task_column: Any) -> list[Any]:
    """List the task columns of a declaration, each once.

    Parameters
    ----------
    task_column : str, int or list of them
        Columns, as declared. A tuple in a list is a combination of columns.

    Returns
    -------
    list of str or int
        The columns.

    Examples
    --------
    >>> from skmtl.data import list_task_columns
    >>> list_task_columns("school"), list_task_columns(["school", ("school", "class")])
    (['school'], ['school', 'class'])
    """
    if not isinstance(task_column, list):
        return [task_column]
    parts = [each if isinstance(each, tuple) else (each,) for each in task_column]
    if len(set(map(repr, parts))) < len(parts):
        raise ValueError(
            f"A list as task_column must name distinct columns, got {task_column}. "
            f"Name each column once."
        )
    named = [name for part in parts for name in part]
    in_tuples = {name for part in parts if len(part) > 1 for name in part}
    return list(dict.fromkeys(named)) if in_tuples else named


def pick_groupings(task_column: Any) -> list[tuple[Any, tuple[int, ...]]]:
    """Return the name of each grouping, and the positions of its columns.

    Parameters
    ----------
    task_column : str, int or list of them
        Columns, as declared. A tuple in a list is a combination of columns.

    Returns
    -------
    list of (name, tuple of int)
        Elements of the list, with positions in :func:`list_task_columns`.

    Examples
    --------
    >>> from skmtl.data import pick_groupings
    >>> pick_groupings(["school", ("school", "class")])
    [('school', (0,)), (('school', 'class'), (0, 1))]
    """
    named = list_task_columns(task_column)
    declared = task_column if isinstance(task_column, list) else [task_column]
    parts = [each if isinstance(each, tuple) else (each,) for each in declared]
    picked = [tuple(named.index(name) for name in part) for part in parts]
    return list(zip(declared, picked, strict=True))


def split_columns(task: Any) -> tuple[list[Any], list[Any]]:
    """Split labels that are given as a table into columns.

    Parameters
    ----------
    task : array-like of shape (n_rows, n_columns), or any other declaration
        Labels.

    Returns
    -------
    names : list
        Names of the columns, or their positions.
    columns : list of {ndarray, Series} of shape (n_rows,)
        The columns; none unless there are several.

    Examples
    --------
    >>> from skmtl.data import split_columns
    >>> split_columns([["Ash", 1], ["Elm", 2]])[0]
    [0, 1]
    >>> split_columns(["Ash", "Elm"])
    ([], [])
    """
    if isinstance(task, list | tuple) and task and _is_row(task[0]):
        task = np.array(task, dtype=object)
    shape: Any = getattr(task, "shape", ())
    if len(shape) != 2 or shape[1] < 2:
        return [], []
    names = column_names(task)
    columns = [_take_column(task, place) for place in range(shape[1])]
    return list(range(shape[1])) if names is None else list(names), columns


def join_labels(task: Any) -> Any:
    """Join the columns of labels that are given as a table; return others unchanged.

    Parameters
    ----------
    task : array-like of shape (n_rows, n_columns), or any other declaration
        Labels.

    Returns
    -------
    array-like of shape (n_rows,), or the declaration
        A label per row.

    Examples
    --------
    >>> from skmtl.data import join_labels
    >>> join_labels([["Ash", 1], ["Elm", 2]]).tolist()
    ['Ash/1', 'Elm/2']
    """
    names, columns = split_columns(task)
    return join_tasks(columns, names) if columns else task


def _is_row(value):
    return isinstance(value, list | tuple)


def _is_index_level(table, task_column):
    return (
        isinstance(task_column, str)
        and is_instance(table, "pandas", "DataFrame")
        and task_column in table.index.names
        and task_column not in table.columns
    )


def _take_level(table, name):
    return table.index.get_level_values(name).to_series(index=table.index)


def _find_position(table, task_column):
    if isinstance(task_column, str):
        return _find_name(table, task_column)
    if isinstance(task_column, bool) or not isinstance(task_column, Integral):
        raise TypeError(
            f"task_column must be the name of a column (str) or its position (int), "
            f"or a list of these for several columns, got {task_column!r}."
        )
    width = table.shape[1]
    if not -width <= task_column < width:
        raise ValueError(
            f"task_column must be a position between {-width} and {width - 1}, got "
            f"{task_column}: X has {width} columns."
        )
    return int(task_column) % width


def _find_name(table, name):
    names = column_names(table)
    if names is None:
        raise ValueError(
            f"task_column={name!r} is a column name, but X is a "
            f"{type(table).__name__} without column names. Pass a dataframe (in a "
            f"Pipeline: set_output(transform='pandas')), or give the position of the "
            f"column."
        )
    if names.count(name) > 1:
        raise ValueError(
            f"task_column={name!r} must name one column, got {names.count(name)} "
            f"columns of that name. Rename them, or give a position."
        )
    if name not in names:
        raise ValueError(_explain_missing(table, name, names))
    return names.index(name)


def _explain_missing(table, name, names):
    """Return the message for a missing column, with names that are similar."""
    known = [str(column) for column in names]
    prefixed = [column for column in known if column.endswith(f"__{name}")]
    near = prefixed or get_close_matches(name, known)
    text = f"task_column={name!r} must be a column of X, or a level of its pandas index"
    text += f". X has {len(known)} columns: {', '.join(known[:5])}"
    text += ", ..." * (len(known) > len(known[:5]))
    if is_instance(table, "pandas", "DataFrame"):
        text += f", index levels {list(table.index.names)}"
    text += ". "
    if near:
        text += f"Did you mean {' or '.join(map(repr, near))}? "
    if prefixed:
        return text + "Use verbose_feature_names_out=False in the ColumnTransformer."
    return text + "Keep the task column in every earlier step."


def _drop_columns(table, positions):
    """Drop columns, without a copy if only the first or the last is dropped."""
    if isinstance(table, SparseTable):
        return table.drop(positions)
    if is_instance(table, "pyarrow", "Table"):
        for place in sorted(positions, reverse=True):
            table = table.remove_column(place)
        return table
    if is_instance(table, "polars", "DataFrame"):
        return table.drop([table.columns[place] for place in positions])
    if positions in ([0], [table.shape[1] - 1]):
        keep = slice(1, None) if positions == [0] else slice(None, -1)
    else:
        keep = np.delete(np.arange(table.shape[1]), positions)
    return table.iloc[:, keep] if has_names(table) else table[:, keep]


def _take_column(table, position):
    if isinstance(table, SparseTable):
        return table.column(position)
    if is_instance(table, "pyarrow", "Table"):
        column = table.column(position)
        # An ndarray would lose the order of the categories.
        return column if getattr(column.type, "ordered", False) else column.to_numpy()
    if is_instance(table, "polars", "DataFrame"):
        return table.to_series(position)
    if is_instance(table, "pandas", "DataFrame"):
        return table.iloc[:, position]
    if issparse(table):
        return table[:, [position]].toarray().ravel()
    return table[:, position]
