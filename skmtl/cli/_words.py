"""Parse cells of text: missing values, numbers, integers and codes."""

import re

import numpy as np

# Missing values as programs write them, in lower case.
_EMPTY = {"", "na", "n/a", "nan", "-nan", "null", "<na>", "#n/a", "#na"}
# Missing numbers and dates as people write them.
_NO_VALUE = _EMPTY | {
    *("-", "--", "---", "\N{EN DASH}", "\N{EM DASH}", ".", "..", "...", "?", "??", "*"),
    *("n.a.", "n.a", "n.d.", "none", "nil", "missing", "unknown", "not available"),
    *("#div/0!", "#value!", "#ref!", "#num!", "#null!", "#name?", "0000-00-00"),
}
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.I | re.A)
CODE = re.compile(r"[+-]?0\d+", re.A)
WHOLE = re.compile(r"(-?[1-9]\d*|0)(\.0+)?", re.A)


def is_empty(text):
    """Return whether a cell means missing, in any column."""
    return text.casefold() in _EMPTY


def is_no_value(text):
    """Return whether a cell means missing, in a column of numbers or dates."""
    return text.casefold() in _NO_VALUE


def read_floats(cells):
    """Return a list of text as numbers, or None if some are not plain numbers."""
    try:
        text = "".join(cells)
        values = np.array([*map(float, cells)])
    except (TypeError, ValueError):
        return None
    plain = text.isascii() and "_" not in text and not np.isnan(values).any()
    return values if plain else None


def map_cells(column, function):
    """Apply a function to known cells, once per distinct value."""
    import pandas as pd

    cells = column.astype(object)
    found = {cell: function(cell) for cell in cells.dropna().unique()}
    values = [found.get(cell, np.nan) for cell in cells]
    return pd.Series(values, column.index, dtype=object, name=column.name)


def strip(column):
    """Strip spaces from text cells."""
    return map_cells(column, _strip)


def _strip(value):
    return value.strip() if isinstance(value, str) else value


def drop_words(column, words=()):
    """Replace words that mean missing by NaN."""

    def drop(value):
        value = _strip(value)
        text = isinstance(value, str)
        return np.nan if text and (value in words or is_no_value(value)) else value

    return map_cells(column, drop)


def write_value(value):
    """Return text for a value of any type, the same for 1, 1.0 and the text "1"."""
    if isinstance(value, (float, np.floating)) and value == np.trunc(value):
        return str(int(value)) if abs(value) < 2.0**53 else repr(float(value))
    midnight = getattr(value, "hour", None) == 0 and str(value).endswith(" 00:00:00")
    return str(value).removesuffix(" 00:00:00") if midnight else str(value)
