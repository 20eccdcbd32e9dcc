"""Name the column and the row in errors about features."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ._containers import as_table, column_names, is_instance
from ._sparse_table import SparseTable

# Beginnings of NumPy's and scikit-learn's errors about a value.
_NUMBER = (
    "could not convert",
    "float() argument",
    "invalid literal",
    "The DType",
    "Cannot cast",
    "Invalid string",
    "Unable to convert",
    "dtype='numeric' is not compatible",
    "unsupported format string",
)
_FINITE = {"Input X contains NaN.": "NaN", "Input X contains infinity": "infinity"}


@contextmanager
def naming_columns(X: Any, skip: Sequence[int | None] = ()) -> Iterator[None]:
    """Add the column of X and the row to errors raised in a block.

    Parameters
    ----------
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Table that the block reads.
    skip : sequence of int
        Positions of columns that are not features.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import naming_columns
    >>> X = np.array([[1, "a"], [2, "mixed"]], dtype=object)
    >>> with naming_columns(X):
    ...     X.astype(float)
    Traceback (most recent call last):
    ...
    ValueError: could not convert string to float: 'a': column 1 of X holds 'a' in row
    0, and features must be numbers. Encode the column (OneHotEncoder), or leave it out.
    """
    try:
        yield
    except (ValueError, TypeError) as error:
        # A block within this one may have named the row of a part of X.
        plain = getattr(error, "without_column", str(error))
        text = _explain(plain, X, skip)
        if text is None:
            raise
        kind = ValueError if isinstance(error, ValueError) else TypeError
        named: Any = kind(text)
        named.without_column = plain
        for note in getattr(error, "__notes__", ()):
            named.add_note(note)
        raise named from error


def _explain(text, X, skip):
    """Return the message with a column and row added, or None if none is found."""
    for start, what in _FINITE.items():
        if text.startswith(start):
            found = _find(as_table(X), skip, _FINDERS[what])
            return found and text.replace(start, _locate(start, *found), 1)
    if not text.startswith(_NUMBER):
        return None
    found = _find(as_table(X), skip, _find_non_number)
    if found is None:
        return None
    name, row, value = found
    return (
        f"{text.rstrip('.')}: column {name!r} of X holds {value!r} in row {row}, and "
        "features must be numbers. Encode the column (OneHotEncoder), or leave it out."
    )


def _locate(start, name, row, _):
    return f"{start.rstrip('.')} in column {name!r}, row {row}" + "." * (
        start.endswith(".")
    )


def _find(table, skip, find_row):
    """Return the column, the row and the value of the first invalid value."""
    names = column_names(table)
    for place in range(table.shape[1]):
        if place in skip:
            continue
        values = _read_column(table, place)
        row = find_row(values)
        if row is not None:
            return place if names is None else names[place], row, values[row]
    return None


def _read_column(table, place):
    """Return a column as an array of objects, or of numbers."""
    if isinstance(table, SparseTable):
        return np.asarray(table.column(place))
    if issparse(table):
        return table[:, [place]].toarray().ravel()
    if is_instance(table, "pyarrow", "Table"):
        return table.column(place).to_numpy()
    if is_instance(table, "polars", "DataFrame"):
        return table.to_series(place).to_numpy()
    if is_instance(table, "pandas", "DataFrame"):
        return table.iloc[:, place].to_numpy()
    return table[:, place]


def _first(mask):
    return int(np.argmax(mask)) if mask.any() else None


def _find_non_number(values):
    if values.dtype.kind in "biuf":
        return None
    if values.dtype.kind in "mM":
        return 0 if len(values) else None
    return next((i for i, each in enumerate(values) if not _is_number(each)), None)


def _is_number(value):
    if type(value).__name__ in ("NAType", "NaTType"):
        return False
    try:
        float(value)
    except (ValueError, TypeError):
        return False
    return True


def _find_nan(values):
    return (
        _first(values != values)
        if values.dtype.kind == "f"
        else _find_none_or_nan(values)
    )


def _find_none_or_nan(values):
    missing = (i for i, each in enumerate(values) if each is None or each != each)
    return next(missing, None)


def _find_infinity(values):
    if values.dtype.kind not in "fO":
        return None
    return _first(np.isinf(values.astype(float)))


_FINDERS = {"NaN": _find_nan, "infinity": _find_infinity}
