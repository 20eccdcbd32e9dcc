"""Which kind each column of a table is."""

import datetime
import numbers
import re
from decimal import Decimal

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ].*)?")


def find_kind(column):
    """Return "number", "flag", "category", "date", or None for what cannot be used."""
    from pandas.api import types

    if types.is_bool_dtype(column.dtype):
        return "flag"
    if types.is_numeric_dtype(column.dtype):
        return None if types.is_complex_dtype(column.dtype) else "number"
    if types.is_datetime64_any_dtype(column.dtype):
        return "date"
    if isinstance(column.dtype, types.CategoricalDtype):
        return "category"
    return _find_kind_of_objects(column.dropna())


def _find_kind_of_objects(values):
    """Look at the values of a column of text, or of anything."""
    values = values.tolist()
    kinds = (
        (bool, "flag"),
        (str, "date" if _are_dates(values) else "category"),
        ((numbers.Real, Decimal), "number"),
        (datetime.date, "date"),
    )
    for of_type, kind in kinds:
        if all(isinstance(value, of_type) for value in values):
            return kind
    mixed = (str, numbers.Real, Decimal)
    return "category" if all(isinstance(value, mixed) for value in values) else None


def _are_dates(values):
    """Tell whether texts are days as 2024-01-31, maybe with a time."""
    import pandas as pd

    if not all(isinstance(value, str) and _DAY.fullmatch(value) for value in values):
        return False
    dates = pd.to_datetime(
        pd.Series(values), format="ISO8601", errors="coerce", utc=True
    )
    return bool(dates.notna().all())
