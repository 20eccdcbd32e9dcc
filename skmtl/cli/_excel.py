"""The first sheet of an Excel workbook, as text."""

import datetime
import re
import warnings
from io import BytesIO
from zipfile import BadZipFile

from ._errors import CommandError, need

_ZEROS = re.compile(r"0{2,}")


def read_excel(content, path):
    """Return the rows of the first sheet as lists of text, and what was assumed."""
    openpyxl = need("openpyxl")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unsupported styles and features
            book = openpyxl.load_workbook(
                BytesIO(content), read_only=True, data_only=True
            )
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            rows = [[*map(_write_cell, row)] for row in sheet.iter_rows()]
    except (BadZipFile, IndexError, KeyError, OSError, TypeError, ValueError) as error:
        raise CommandError(
            f"{path} is not a readable Excel file ({type(error).__name__}): save it "
            "again as .xlsx or .csv"
        ) from None
    width = max(map(len, rows), default=0)
    rows = [row + [""] * (width - len(row)) for row in rows if any(row)]
    first = f"the first of {len(book.worksheets)} sheets, {sheet.title!r}"
    return rows, [first] if len(book.worksheets) > 1 else []


def _write_cell(cell):
    """Return a cell as text, as in a CSV file."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return _write_number(cell, int(value) if value.is_integer() else value)
    if isinstance(value, int):
        return _write_number(cell, value)
    if isinstance(value, datetime.datetime):
        return str(value).removesuffix(" 00:00:00")
    return str(value)


def _write_number(cell, value):
    """Format a number with the leading zeros of a format such as 00000."""
    zeros = _ZEROS.fullmatch(cell.number_format or "")
    return str(value).zfill(len(zeros[0])) if zeros else str(value)
