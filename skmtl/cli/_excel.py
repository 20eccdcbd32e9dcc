"""Read the first sheet of an Excel workbook as text."""

import datetime
import re
import warnings
from io import BytesIO

from ._archive import ArchiveError, check_cells, check_workbook
from ._command_errors import CommandError, need

_MOST_ROWS = 2**20  # of a sheet, as in Excel
_CELL_BYTES = 16  # fewest bytes of a cell in XML
_ZEROS = re.compile(r"0{2,}")


def read_excel(content, path):
    """Return the rows of the first sheet as lists of text, and notes."""
    openpyxl = need("openpyxl")
    try:
        size = check_workbook(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about unsupported styles and features
            book = openpyxl.load_workbook(
                BytesIO(content), read_only=True, data_only=True
            )
            sheet = book.worksheets[0]
            sheet.reset_dimensions()
            rows, width = _read_rows(sheet, size // _CELL_BYTES)
    except ArchiveError as error:
        raise CommandError(f"{path} {error}: save it as .csv") from None
    except MemoryError:
        raise
    except Exception as error:  # a damaged file may raise anything
        raise CommandError(
            f"{path} is not a readable Excel file ({type(error).__name__}): save it "
            "again as .xlsx or .csv"
        ) from None
    rows = [row + [""] * (width - len(row)) for row in rows]
    first = f"the first of {len(book.worksheets)} sheets, {sheet.title!r}"
    return rows, [first] if len(book.worksheets) > 1 else []


def _read_rows(sheet, n_known):
    """Return the non-empty rows, and the width of the widest."""
    rows, width, n_cells = [], 0, 0
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if number > _MOST_ROWS:
            raise ArchiveError(f"is too large to open: more than {_MOST_ROWS:,} rows")
        n_cells += len(cells)
        check_cells(n_cells, n_known)
        row = [*map(_write_cell, cells)]
        if any(row):
            rows.append(row)
            width = max(width, len(row))
            check_cells(width * len(rows), n_known)
    return rows, width


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
