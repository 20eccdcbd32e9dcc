"""Text in tables that a spreadsheet would run as a formula."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# OWASP's list, and the full-width forms, which spreadsheets treat the same.
_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def quote_formula(value: Any) -> Any:
    """Put an apostrophe before text that begins a formula; return others unchanged.

    Spreadsheets then show the text. Numbers, also as text, are unchanged.
    """
    if not isinstance(value, str) or not _FORMULA.match(value):
        return value
    return value if _NUMBER.fullmatch(value) else f"'{value}"


def quote_formulas(columns: Mapping[str, NDArray]) -> dict[str, NDArray]:
    """Quote formulas in the names and values of columns (values by name)."""
    return {
        quote_formula(name): np.array(
            [quote_formula(value) for value in values], dtype=object
        )
        if values.dtype.kind in "OUT"
        else values
        for name, values in columns.items()
    }
