"""Append columns to dataframes, arrays and sparse matrices."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from ._containers import column_names, is_instance
from ._sparse_table import SparseTable
from ._task_column import list_task_columns


def library_of(X):
    """Return the name of the library of a dataframe, None for other tables."""
    for name, library in LIBRARIES.items():
        if is_instance(X, name, library.frame_type):
            return name
    return None


def source_library(table):
    """Return the library of a dataframe, or of the source of a SparseTable."""
    return table.library if isinstance(table, SparseTable) else library_of(table)


def name_task_columns(table, task_column, positions):
    """Return the names of the task columns; those of an array get default names."""
    declared = list_task_columns(task_column)
    names, several = column_names(table), len(declared) > 1
    if names is not None:
        pairs = zip(declared, positions, strict=True)
        return [name if j is None else str(names[j]) for name, j in pairs]
    return [f"task{k}" if several else "task" for k in range(len(declared))]


def append_columns(X, columns):
    """Append columns, a dict of names to values, to a dataframe."""
    names = column_names(X)
    clash = [name for name in columns if name in names]
    if clash:
        raise ValueError(
            f"X must not have columns with the names of added columns, got "
            f"{clash[:5]}. Rename them in X."
        )
    return LIBRARIES[library_of(X)].append(X, columns)


def append_indicators(X, codes, prefix, tasks):
    """Append one indicator per task to `X`; all are 0 for code -1."""
    names = column_names(X)
    block = _make_indicators(codes, len(tasks))
    if names is None or not all(isinstance(name, str) for name in names):
        return append_block(X, block)
    names = [f"{prefix}_{task}" for task in tasks.tolist()]
    return append_columns(X, dict(zip(names, block.toarray().T, strict=True)))


def append_block(X, block):
    """Append the columns of a matrix to an array or sparse matrix."""
    if sparse.issparse(X):
        block = sparse.csr_matrix(block).astype(X.dtype)
        return sparse.hstack([X, block], format="csr")
    dense = block.toarray() if sparse.issparse(block) else block
    X = np.asarray(X)
    if X.dtype.kind in "fO":
        dense = dense.astype(X.dtype)
    return np.hstack([X, dense])


def append_labels(X, columns):
    """Append columns of labels to an array or sparse matrix, without rounding them.

    Returns a SparseTable if a sparse matrix cannot hold the labels exactly.
    """
    columns = [np.asarray(each) for each in columns]
    if not sparse.issparse(X):
        if not all(_holds_exactly(each, np.result_type(X, each)) for each in columns):
            X, columns = X.astype(object), [each.astype(object) for each in columns]
        return np.column_stack([X, *columns])
    if not all(_holds_exactly(each, X.dtype) for each in columns):
        return SparseTable(X.tocsr(), tuple(columns))
    block = np.column_stack(columns).astype(X.dtype)
    return sparse.hstack([X, sparse.csr_matrix(block)], format="csr")


def _holds_exactly(labels, dtype):
    """Return whether a dtype can hold the labels exactly."""
    if labels.dtype.kind not in "biuf" or dtype.kind not in "biuf":
        return labels.dtype.kind == dtype.kind == "O"
    if dtype.kind != "f" or labels.dtype.kind == "f":
        return np.can_cast(labels.dtype, dtype)
    limit = 2.0 ** (np.finfo(dtype).nmant + 1)
    return not labels.size or (labels.min() > -limit and labels.max() < limit)


def _make_indicators(codes, n_tasks):
    """Return a sparse matrix of indicators, of shape (n_rows, n_tasks)."""
    seen = np.flatnonzero(codes >= 0)
    shape = (len(codes), n_tasks)
    return sparse.csr_matrix((np.ones(len(seen)), (seen, codes[seen])), shape=shape)


@dataclass(frozen=True)
class FrameLibrary:
    """Operations on the dataframes of a library.

    Parameters
    ----------
    frame_type : str
        Name of the class of dataframes.
    append : callable
        Appends a dict of columns to a frame.
    make : callable
        Makes a frame from an array, column names and an index (None if there is none).
    first_column : callable
        Returns the first column, as a Series or list.
    """

    frame_type: str
    append: Callable
    make: Callable
    first_column: Callable


def _append_pandas(X, columns):
    import pandas as pd

    # Extension arrays keep categories; a Series would be aligned on its index.
    arrays = {name: getattr(each, "array", each) for name, each in columns.items()}
    return pd.concat([X, pd.DataFrame(arrays, index=X.index)], axis=1)


def _make_pandas(values, names, index):
    import pandas as pd

    return pd.DataFrame(values, columns=names, index=index)


def _append_polars(X, columns):
    import polars as pl

    def as_series(name, values):
        if is_instance(values, "polars", "Series"):
            return values.alias(name)
        values = np.asarray(values)
        return pl.Series(name, values.tolist() if values.dtype == object else values)

    return X.with_columns([as_series(*column) for column in columns.items()])


def _make_polars(values, names, index):
    import polars as pl

    return pl.DataFrame(values, schema=list(names), orient="row")


def _append_pyarrow(X, columns):
    for name, values in columns.items():
        X = X.append_column(name, [np.asarray(values)])
    return X


LIBRARIES = {
    "pandas": FrameLibrary(
        "DataFrame", _append_pandas, _make_pandas, lambda X: X.iloc[:, 0]
    ),
    "polars": FrameLibrary(
        "DataFrame", _append_polars, _make_polars, lambda X: X.to_series(0).to_list()
    ),
    # Tables of pyarrow are transformed to frames of pandas.
    "pyarrow": FrameLibrary(
        "Table", _append_pyarrow, _make_pandas, lambda X: X.column(0).to_pylist()
    ),
}
