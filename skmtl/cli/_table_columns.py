"""Select the columns of a model from a table, and cast each to its kind."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data

from skmtl.compose import TableTransformer

from ._command_errors import CommandError, count_rows
from ._words import (
    WHOLE,
    drop_words,
    is_empty,
    map_cells,
    read_floats,
    strip,
    write_value,
)

LABEL_KINDS = "integer", "text", "whole"
_LARGEST = 1e100  # squares and their sums are finite
_EXACT = 2.0**53  # larger floats cannot represent every integer
_ISO = re.compile(r"\d{4}-\d{2}(-\d{2}([T ].*)?)?", re.A)
_FLAGS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


class TableColumns(TableTransformer):
    """Select the columns of a model from a frame, and cast each to its kind in fit.

    A saved model can thus predict tables that are read again: columns may be in any
    order and among others, and text that looks like a number stays text.

    Parameters
    ----------
    kinds : dict of str to str
        Kind of each column, in the order of the output: "number", "flag" (true or
        false), "category", "date", or for a column of task labels "text", "whole"
        (integers as text, where 1 and 1.0 are equal) or "integer".
    formats : dict of str to str, default=None
        Date formats, such as "%d/%m/%Y"; ISO 8601 for columns not listed.
    words : dict of str to list of str, default=None
        Text that means a missing number or date, in addition to "-", "?", "n/a" and the
        like.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of the table seen in fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Their names.

    See Also
    --------
    make_table_encoder : Turns these columns into numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> from skmtl.cli import TableColumns
    >>> X = pd.DataFrame({"town": [1, None], "x": 0, "age": ["7", "8"]})
    >>> columns = TableColumns({"age": "number", "town": "category"}).fit(X)
    >>> columns.transform(X[["town", "age"]])
       age town
    0  7.0    1
    1  8.0  NaN
    """

    def __init__(
        self,
        kinds: Mapping[str, str],
        formats: Mapping[str, str] | None = None,
        words: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.kinds = kinds
        self.formats = formats
        self.words = words

    @property
    def task_columns(self) -> list[str]:
        """Names of the columns that hold task labels."""
        return [name for name, kind in self.kinds.items() if kind in LABEL_KINDS]

    def fit(self, X: Any, y: object = None) -> Self:
        """Check that the columns are present; `kinds` gives the output.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Table.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : TableColumns
            The same instance.
        """
        self._check_names(X)
        validate_data(self, X, skip_check_array=True)
        return self

    def transform(self, X: Any) -> Any:
        """Select the columns and cast them.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Table with these columns, in any order, and possibly others.

        Returns
        -------
        X : DataFrame of shape (n_rows, len(kinds))
            Numbers and flags as floats, categories as text, dates as datetimes without
            a time zone, task labels as integers or text.
        """
        import pandas as pd

        self._check_names(X)
        formats, words = self.formats or {}, self.words or {}
        cast = {
            name: _CASTS[kind](X[name], formats.get(name), words.get(name, ()))
            for name, kind in self.kinds.items()
        }
        return pd.DataFrame(cast, index=X.index)

    def get_feature_names_out(
        self, input_features: object = None
    ) -> NDArray[np.object_]:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : object, default=None
            Ignored.

        Returns
        -------
        names : ndarray of str objects
            The keys of `kinds`.
        """
        return np.array(list(self.kinds), dtype=object)

    def _check_names(self, X):
        missing = [name for name in self.kinds if name not in X.columns]
        if missing:
            raise CommandError(
                "the table must have the columns that the model was fitted on; "
                f"missing: {', '.join(map(repr, missing))}. Add or rename columns"
            )


def as_number(column, form=None, words=()):
    """Return numbers, with NaN for words that mean missing."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        raise CommandError(f"column {column.name!r} must hold numbers, got dates")
    values = _read_numeric(column) if _is_numeric(column) else _read_plain(column)
    if values is None:
        values = pd.to_numeric(strip(column), errors="coerce").astype(float)
    if not _is_numeric(column):
        words = drop_words(column[values.isna()], words)
        _check_cast(words, words.where(words.isna()), "numbers")
    large = values.abs() > _LARGEST
    if large.any():
        raise CommandError(
            f"column {column.name!r} holds {values[large].iloc[0]:g} in "
            f"{place(column, large)}, too large to compute with: correct it, or leave "
            "it empty"
        )
    return values


def _is_numeric(column):
    import pandas as pd

    return pd.api.types.is_numeric_dtype(column.dtype)


def _read_numeric(column):
    import pandas as pd

    return pd.to_numeric(column).astype(float)


def _read_plain(column):
    """Return numbers by a fast path, or None if some text is not a number."""
    import pandas as pd

    known = column.notna().to_numpy()
    found = read_floats(column[known].tolist())
    if found is None:
        return None
    values = np.full(len(column), np.nan)
    values[known] = found
    return pd.Series(values, column.index, name=column.name)


def _as_flag(column, form=None, words=()):
    column = drop_words(column, words)
    values = map_cells(column, _read_flag).astype(float)
    _check_cast(column, values, "true or false")
    return values


def _read_flag(value):
    return _FLAGS.get(str(value).lower(), np.nan)


def as_category(column, form=None, words=()):
    """Return text, with 1 and 1.0 equal."""
    return map_cells(column, _write_category)


def _write_category(cell):
    text = write_value(cell).strip()
    return np.nan if is_empty(text) else _write_whole(text)


def _write_whole(text):
    whole = WHOLE.fullmatch(text)
    return whole[1] if whole else text


def as_date(column, form=None, words=()):
    """Parse dates in the format `form`, or ISO 8601."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return _drop_zone(pd.to_datetime(column, utc=True))
    column = drop_words(column, words)
    text = map_cells(column, write_value)
    iso = map_cells(text, lambda cell: cell if _ISO.fullmatch(cell) else np.nan)
    options = {"errors": "coerce", "utc": True}
    values = pd.to_datetime(iso, format="ISO8601", **options)
    if form is not None:
        values = values.fillna(pd.to_datetime(text, format=form, **options))
    example = datetime(2024, 1, 31).strftime(form or "%Y-%m-%d")
    _check_cast(column, values, f"dates as {example}")
    return _drop_zone(values)


def _drop_zone(dates):
    return dates.dt.tz_localize(None).astype("datetime64[us]")


def as_integer(column, form=None, words=()):
    """Return task labels as integers."""
    check_known(column)
    if column.dtype.kind in "iu":
        return column.astype(np.int64)
    values = as_number(column)
    _check_whole(column, values)
    return values.astype(np.int64)


def as_text(column, form=None, words=()):
    """Return task labels as text."""
    check_known(column)
    if column.dtype.kind == "f":
        _check_whole(column, column)
    return map_cells(column, lambda cell: write_value(cell).strip())


def as_whole(column, form=None, words=()):
    """Return task labels as text, and 1.0 as 1."""
    return map_cells(as_text(column), _write_whole)


def _check_whole(column, values):
    """Check that floats are integers, small enough to be exact."""
    wrong = (values != np.trunc(values)) | (values.abs() >= _EXACT)
    if wrong.any():
        raise CommandError(
            f"task column {column.name!r} must hold integers or text, got the float "
            f"{values[wrong].iloc[0]:.17g} in {place(column, wrong)}: name a column of "
            "groups, or write them as text"
        )


def check_known(column):
    """Check that every row has a task."""
    unknown = column.isna()
    if unknown.any():
        raise CommandError(
            f"task column {column.name!r} is empty in {count_rows(unknown.sum())}, "
            f"first in {place(column, unknown)}: fill it in, or leave these rows out"
        )


def _check_cast(column, values, what):
    lost = values.isna() & column.notna()
    if lost.any():
        raise CommandError(
            f"column {column.name!r} must hold {what}, got "
            f"{str(column[lost].iloc[0])!r} in {place(column, lost)}: correct it, or "
            "leave it empty"
        )


def place(column, where):
    """Name the first row of a mask, counted from 1 below the header."""
    label = column.index[np.asarray(where)][0]
    return f"row {label + 1 if isinstance(label, Integral) else repr(label)}"


_CASTS = {
    "number": as_number,
    "flag": _as_flag,
    "category": as_category,
    "date": as_date,
    "integer": as_integer,
    "text": as_text,
    "whole": as_whole,
}
