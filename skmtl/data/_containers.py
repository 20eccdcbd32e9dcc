"""Containers of tables: arrays, sparse matrices and frames of optional packages."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from ._sparse_table import SparseTable


def as_table(X: Any) -> Any:
    """Return a frame or sparse matrix unchanged, anything else as a 2-d array."""
    refuse_lazy("X", X)
    refuse_pieces(X)
    if has_names(X) or isinstance(X, SparseTable):
        return X
    if issparse(X):
        return X if X.format in ("csr", "csc") else X.tocsr()
    array = np.asarray(X)
    if array.dtype.kind in "US" and isinstance(X, (list, tuple)):
        array = np.array(X, dtype=object)  # numbers beside labels stay numbers
    return check_array(array, dtype=None, ensure_all_finite=False, input_name="X")


def has_names(X: Any) -> bool:
    """Return whether the columns of a container have names."""
    return (
        is_instance(X, "pandas", "DataFrame")
        or is_instance(X, "polars", "DataFrame")
        or is_instance(X, "pyarrow", "Table")
        or (isinstance(X, SparseTable) and X.columns is not None)
    )


def column_names(X: Any) -> list | None:
    """Return the column names of a frame, or None for other containers."""
    if is_instance(X, "pandas", "DataFrame"):
        return X.columns.tolist()
    if is_instance(X, "pyarrow", "Table"):
        return X.column_names
    return list(X.columns) if has_names(X) else None


def is_instance(value: Any, package: str, *names: str) -> bool:
    """Return whether a value is of a class of a package, without importing it."""
    module = sys.modules.get(package)
    return module is not None and isinstance(
        value, tuple(getattr(module, name) for name in names)
    )


def refuse_lazy(name: str, value: Any) -> None:
    """Raise an error for dask collections and polars' lazy frames."""
    kind = type(value)
    if kind.__module__.partition(".")[0] in ("dask", "dask_expr"):
        remedy = f"{name}.compute()"
    elif is_instance(value, "polars", "LazyFrame"):
        remedy = f"{name}.collect()"
    else:
        return
    raise TypeError(
        f"{name} must be held in memory, got a {kind.__module__}.{kind.__name__} that "
        f"is not computed yet. Compute it first: {remedy}."
    )


def refuse_pieces(X: Any) -> None:
    """Raise an error for a list or mapping with one table per task."""
    if isinstance(X, Mapping) and not issparse(X):  # a dok_array is a dict
        raise TypeError(
            f"X must be one table with the rows of all tasks, got a "
            f"{type(X).__name__}. If it maps columns to values, pass pd.DataFrame(X). "
            f"If it maps tasks to tables, {_explain_join('[*X.values()]', '[*X]')}"
        )
    if isinstance(X, (list, tuple)) and X and all(map(_is_table, X)):
        raise ValueError(
            f"X must be one table with the rows of all tasks, got a "
            f"{type(X).__name__} of {len(X)} tables. If each is a task, "
            f"{_explain_join('X', 'range(len(X))')}"
        )


def _explain_join(tables, labels):
    values = "[*y.values()]" if tables != "X" else "y"
    return (
        f"join the tables: fit(np.vstack({tables}), np.concatenate({values}), "
        f"task=np.repeat({labels}, [len(v) for v in {values}]))."
    )


def _is_table(value):
    """Return whether a value is a table, not a row of one."""
    if isinstance(value, (list, tuple)):
        return bool(value) and isinstance(value[0], (list, tuple, np.ndarray))
    return len(getattr(value, "shape", ())) == len(("rows", "columns"))
