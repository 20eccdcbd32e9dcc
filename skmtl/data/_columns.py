"""The task column of a table, whatever container holds the table."""

from difflib import get_close_matches
from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from ._containers import as_table, column_names, is_instance


def take_task_column(X, task_column):
    """Separate the labels of the tasks from the features.

    Parameters
    ----------
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Table with the labels in one column, or in a level of its pandas index.
    task_column : str or int
        Name or position of the column, or name of the level. A column is preferred
        to a level of the same name; a negative position counts from the end.

    Returns
    -------
    features : {ndarray, sparse matrix, dataframe} of shape (n_rows, n_features)
        `X` without the column, in the same kind of container; a view where possible.
    labels : {ndarray, Series, ChunkedArray} of shape (n_rows,)
        Label of each row, as it is stored.

    Examples
    --------
    >>> from skmtl.data import take_task_column
    >>> features, labels = take_task_column([["a", 1.0], ["b", 2.0]], 0)
    >>> labels
    array(['a', 'b'], dtype=object)
    """
    table = as_table(X)
    if _is_index_level(table, task_column):
        level = table.index.get_level_values(task_column)
        return table, level.to_series(index=table.index)
    position = _find_position(table, task_column)
    if table.shape[1] == 1:
        raise ValueError(
            f"X must have features besides its task column, got 1 feature(s) "
            f"(shape={tuple(table.shape)}), the task column alone. Add a feature, or "
            f"set task_column=None."
        )
    return _drop_column(table, position), _take_column(table, position)


def _is_index_level(table, task_column):
    return (
        isinstance(task_column, str)
        and is_instance(table, "pandas", "DataFrame")
        and task_column in table.index.names
        and task_column not in table.columns
    )


def _find_position(table, task_column):
    if isinstance(task_column, str):
        return _find_name(table, task_column)
    if isinstance(task_column, bool) or not isinstance(task_column, Integral):
        raise TypeError(
            f"task_column must be the name of a column (str) or its position (int), "
            f"got {task_column!r}."
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
    """Say that a column is not there, and what it may be called."""
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


def _drop_column(table, position):
    """Drop one column, as a view if it is the first or the last."""
    names = column_names(table)
    if is_instance(table, "pyarrow", "Table"):
        return table.remove_column(position)
    if is_instance(table, "polars", "DataFrame"):
        return table.drop(names[position])
    if position in (0, table.shape[1] - 1):
        keep = slice(1, None) if position == 0 else slice(None, -1)
    else:
        keep = np.delete(np.arange(table.shape[1]), position)
    return table[:, keep] if names is None else table.iloc[:, keep]


def _take_column(table, position):
    if is_instance(table, "pyarrow", "Table"):
        column = table.column(position)
        # An array would lose the order of an ordered dictionary.
        return column if getattr(column.type, "ordered", False) else column.to_numpy()
    if is_instance(table, "polars", "DataFrame"):
        return table.to_series(position)
    if is_instance(table, "pandas", "DataFrame"):
        return table.iloc[:, position]
    if issparse(table):
        return table[:, [position]].toarray().ravel()
    return table[:, position]
