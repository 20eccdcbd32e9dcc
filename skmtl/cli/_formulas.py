"""Text in tables that a spreadsheet would run as a formula."""

import re

import numpy as np

# As OWASP lists them, and their wide forms, which spreadsheets take for the same.
_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def defuse(value):
    """Put an apostrophe before a text that begins as a formula; leave anything else.

    Spreadsheets then show the text. Numbers stay numbers, as text too.
    """
    if not isinstance(value, str) or not _FORMULA.match(value):
        return value
    return value if _NUMBER.fullmatch(value) else f"'{value}"


def defuse_all(columns):
    """Defuse the names and the values of columns, a mapping of names to values."""
    return {
        defuse(name): np.array([defuse(value) for value in values], dtype=object)
        if values.dtype.kind in "OUT"
        else values
        for name, values in columns.items()
    }
