"""The columns of a table that a model knows, each cast to its kind."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import validate_data

from ._errors import CommandError, count_rows
from ._transformer import TableTransformer

_LARGEST = 1e100  # squares and their sums are finite
_FLAGS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}


class TableColumns(TableTransformer):
    """Take the columns of a frame that a model knows, each as the kind that it was.

    So that a saved model can be used on tables that were read anew: columns may come in
    any order and among others, and text that looks like a number stays text.

    Parameters
    ----------
    kinds : dict of str to str
        Kind of each column, in the order in which they are to come out: "number",
        "flag" (true or false), "category", "date", or for a column of labels of tasks
        "integer" or "text".

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
    0  7.0  1.0
    1  8.0  NaN
    """

    def __init__(self, kinds):
        self.kinds = kinds

    def fit(self, X, y=None):
        """Check that the columns are there; what they become is said by `kinds`.

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

    def transform(self, X):
        """Take the columns and cast them.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Table that has these columns, in any order, and maybe others.

        Returns
        -------
        X : DataFrame of shape (n_rows, len(kinds))
            Numbers and flags as floats, categories as text, dates as datetimes without
            a time zone, labels of tasks as integers or text.
        """
        import pandas as pd

        self._check_names(X)
        cast = {name: _CASTS[kind](X[name]) for name, kind in self.kinds.items()}
        return pd.DataFrame(cast, index=X.index)

    def get_feature_names_out(self, input_features=None):
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
                f"the table must have the columns that the model was fitted on, it "
                f"lacks {', '.join(map(repr, missing))}: add or rename columns"
            )


def as_number(column):
    import pandas as pd

    values = pd.to_numeric(column, errors="coerce").astype(float)
    _check_cast(column, values, "numbers")
    large = values.abs() > _LARGEST
    if large.any():
        raise CommandError(
            f"column {column.name!r} holds {values[large].iloc[0]:g} in "
            f"{place(column, large)}, too large to compute with: correct it, or leave "
            "it empty"
        )
    return values


def _as_flag(column):
    values = column.astype(object).map(_read_flag).astype(float)
    _check_cast(column, values, "true or false")
    return values


def _read_flag(value):
    return _FLAGS.get(str(value).lower(), np.nan)


def _as_category(column):
    known = column.notna()
    text = column.astype(object).map(str)
    return text.where(known, np.nan).astype(object)


def _as_date(column):
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = column.astype(object)
    values = pd.to_datetime(column, format="ISO8601", errors="coerce", utc=True)
    _check_cast(column, values, "dates as 2024-01-31")
    return values.dt.tz_localize(None)


def as_integer(column):
    """Return labels of tasks as integers."""
    check_known(column)
    if column.dtype.kind in "iu":
        return column.astype(np.int64)
    values = as_number(column)
    fractions = values != np.trunc(values)
    if fractions.any():
        raise CommandError(
            f"task column {column.name!r} must hold integers or text, got "
            f"{values[fractions].iloc[0]:g} in {place(column, fractions)}: name a "
            "column of groups"
        )
    return values.astype(np.int64)


def as_text(column):
    """Return labels of tasks as text."""
    check_known(column)
    return _as_category(column)


def check_known(column):
    """Check that every row says its task."""
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
    """Say which row is the first one meant, counted from 1 below the names."""
    label = column.index[np.asarray(where)][0]
    return f"row {label + 1 if isinstance(label, Integral) else repr(label)}"


_CASTS = {
    "number": as_number,
    "flag": _as_flag,
    "category": _as_category,
    "date": _as_date,
    "integer": as_integer,
    "text": as_text,
}
