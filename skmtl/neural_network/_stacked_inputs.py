"""Stack the inputs of tasks with different features into one table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import block_diag

from skmtl._contracts import Array
from skmtl.data import as_table, column_names, encode_tasks, is_instance, join_label


def stack_inputs(inputs: Mapping[Any, Any]) -> tuple[Any, Array]:
    """Stack the rows of tasks with different features, and label them.

    A task has zeros in the columns of other tasks. The first layer of a network then
    has separate weights for the features of each task and, with
    ``task_encoding=True``, separate biases; all later layers are shared.

    Parameters
    ----------
    inputs : mapping of {array-like, sparse matrix, dataframe}
        Features of each task, of shape (n_rows, n_features), by label. Arrays have
        private columns only. Dataframes, of pandas or polars, share the columns of
        equal names.

    Returns
    -------
    X : {ndarray, CSR matrix, dataframe} of shape (n_rows, n_columns)
        Rows of all tasks, in the order of the mapping. A CSR matrix if an input is
        sparse, a dataframe of float columns if the inputs are dataframes.
    task : ndarray of shape (n_rows,)
        Label of each row.

    See Also
    --------
    MultiTaskMLP : Network for tasks of several kinds.

    Notes
    -----
    Stack the targets in the same order: ``np.concatenate([y[t] for t in inputs])``.
    Scale the features of each task before, as scaling may change the zeros. `fit`,
    `predict` and `score` take the labels as ``task=``. To predict rows of one task,
    stack them with no rows of the other tasks, so that all columns exist.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.neural_network import stack_inputs
    >>> sounds, images = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    >>> X, task = stack_inputs({"sound": sounds, "image": images})
    >>> X
    array([[1., 2., 0.],
           [0., 0., 3.],
           [0., 0., 4.]])
    >>> task.tolist()
    ['sound', 'image', 'image']
    """
    tables = [_read(table) for table in _check(inputs).values()]
    tasks, codes = encode_tasks([join_label(label) for label in inputs])
    task = tasks[codes].repeat([table.shape[0] for table in tables])
    n_frames = sum(column_names(table) is not None for table in tables)
    if n_frames not in (0, len(tables)):
        raise TypeError(
            "inputs must be all dataframes or no dataframes, got both. Convert them to "
            "one kind."
        )
    return (_stack_frames if n_frames else _stack_blocks)(tables), task


def _check(inputs: Any) -> Any:
    if not isinstance(inputs, Mapping):
        raise TypeError(
            "inputs must map each task to its features, got a "
            f"{type(inputs).__name__}. Pass a dict: {{task: X, ...}}."
        )
    if not inputs:
        raise ValueError("inputs must have at least one task, got none. Add a task.")
    return inputs


def _read(table: Any) -> Any:
    """Return a table; its number of rows may be zero."""
    is_frame = any(is_instance(table, name, "DataFrame") for name in _LIBRARIES)
    if is_frame or sparse.issparse(table):
        return table
    array = np.asarray(table)
    if array.ndim != 2:
        table = as_table(table)  # explains frames that are not computed, and 1-d arrays
        raise TypeError(
            "inputs must be 2-d arrays, sparse matrices, or dataframes of pandas or "
            f"polars, got a {type(table).__name__}. Convert it."
        )
    return array


def _stack_blocks(tables: list[Any]) -> Any:
    if any(map(sparse.issparse, tables)):
        return sparse.block_diag(tables, format="csr")
    return block_diag(*tables)


_LIBRARIES = "pandas", "polars"


def _stack_frames(frames: list[Any]) -> Any:
    """Stack dataframes; the result is of the class of the first."""
    names = dict.fromkeys(name for each in frames for name in each.columns)
    columns = {
        name: np.concatenate([_take(frame, name) for frame in frames]) for name in names
    }
    return type(frames[0])(columns)


def _take(frame: Any, name: Any) -> Array:
    """Return a column of a dataframe, or zeros if it has none of that name."""
    times = list(frame.columns).count(name)
    if times > 1:
        raise ValueError(
            f"A dataframe in inputs must have one column of each name, got {times} of "
            f"{name!r}. Rename them."
        )
    return np.asarray(frame[name], dtype=float) if times else np.zeros(frame.shape[0])
