"""Columns added at the end of a table, whatever container holds the table."""

import numpy as np
from scipy import sparse

from skmtl.data import SparseTable, column_names, is_instance

FRAMES = ("pandas", "polars", "pyarrow")


def library_of(X):
    """Return the library that a frame is from, None for anything else."""
    if column_names(X) is None:
        return None
    names = {"pandas": "DataFrame", "polars": "DataFrame", "pyarrow": "Table"}
    return next(each for each in FRAMES if is_instance(X, each, names[each]))


def make_frame(library, values, names, index=None):
    """Make a frame of a library from an array of values."""
    if library == "polars":
        import polars as pl

        return pl.DataFrame(values, schema=list(names), orient="row")
    import pandas as pd

    return pd.DataFrame(values, columns=names, index=index)


def append_columns(X, columns):
    """Add columns at the end of a frame, given as a mapping of names to values."""
    names = column_names(X)
    clash = [name for name in columns if name in names]
    if clash:
        raise ValueError(
            f"X must not have columns of the names that are added to it, got "
            f"{clash[:5]}. Rename them in X."
        )
    return _APPEND[library_of(X)](X, columns)


def append_indicators(X, codes, prefix, tasks):
    """Add one indicator per task at the end of `X`; code -1 has none set."""
    names = column_names(X)
    block = _indicate(codes, len(tasks))
    if names is None or not all(isinstance(name, str) for name in names):
        return append_block(X, block)
    names = [f"{prefix}_{task}" for task in tasks.tolist()]
    return append_columns(X, dict(zip(names, block.toarray().T, strict=True)))


def append_block(X, block):
    """Add the columns of a matrix at the end of an array or sparse matrix."""
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

    Labels that a sparse matrix cannot hold make a SparseTable.
    """
    columns = [np.asarray(each) for each in columns]
    if not sparse.issparse(X):
        if not all(_keeps(each, np.result_type(X, each)) for each in columns):
            X, columns = X.astype(object), [each.astype(object) for each in columns]
        return np.column_stack([X, *columns])
    if not all(_keeps(each, X.dtype) for each in columns):
        return SparseTable(X.tocsr(), tuple(columns))
    block = np.column_stack(columns).astype(X.dtype)
    return sparse.hstack([X, sparse.csr_matrix(block)], format="csr")


def _keeps(labels, dtype):
    """Return whether a dtype holds the labels exactly."""
    if labels.dtype.kind not in "biuf" or dtype.kind not in "biuf":
        return labels.dtype.kind == dtype.kind == "O"
    if dtype.kind != "f" or labels.dtype.kind == "f":
        return np.can_cast(labels.dtype, dtype)
    limit = 2.0 ** (np.finfo(dtype).nmant + 1)
    return not labels.size or (labels.min() > -limit and labels.max() < limit)


def _indicate(codes, n_tasks):
    seen = np.flatnonzero(codes >= 0)
    shape = (len(codes), n_tasks)
    return sparse.csr_matrix((np.ones(len(seen)), (seen, codes[seen])), shape=shape)


def _append_pandas(X, columns):
    import pandas as pd

    # As arrays, which keep categories and are not aligned on the index.
    arrays = {name: getattr(each, "array", each) for name, each in columns.items()}
    return pd.concat([X, pd.DataFrame(arrays, index=X.index)], axis=1)


def _append_polars(X, columns):
    import polars as pl

    def as_series(name, values):
        if is_instance(values, "polars", "Series"):
            return values.alias(name)
        values = np.asarray(values)
        return pl.Series(name, values.tolist() if values.dtype == object else values)

    return X.with_columns([as_series(*column) for column in columns.items()])


def _append_pyarrow(X, columns):
    for name, values in columns.items():
        X = X.append_column(name, [np.asarray(values)])
    return X


_APPEND = {
    "pandas": _append_pandas,
    "polars": _append_polars,
    "pyarrow": _append_pyarrow,
}
