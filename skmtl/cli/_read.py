"""Read a table from a file."""

import warnings
from pathlib import Path

from ._errors import CommandError, need

DELIMITERS = ",;\t"


def read_table(path, text_columns=()):
    """Read a CSV or Parquet file, some columns as text whatever they look like."""
    path = Path(path)
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    if path.suffix.lower() not in readers:
        raise CommandError(
            f"{path}: a table must be a .csv or .parquet file, save it as one of these"
        )
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise CommandError(f"{path} {what}: give the path of a table")
    need("pandas")
    try:
        frame = readers[path.suffix.lower()](path, text_columns)
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read: {error.strerror or _first_line(error)}"
        ) from None
    return _name_columns(frame, path)


def _read_csv(path, text_columns):
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                sep=_find_delimiter(path),
                dtype=dict.fromkeys(text_columns, str),
                index_col=False,
                low_memory=False,
            )
    except UnicodeDecodeError as error:
        raise CommandError(
            f"{path}: byte {error.start} is not UTF-8, save the file as CSV UTF-8"
        ) from None
    except pd.errors.EmptyDataError:
        raise CommandError(
            f"{path} is empty: it must hold a line of column names, then rows"
        ) from None
    except pd.errors.ParserWarning:
        raise CommandError(
            f"{path}: a row has more fields than there are column names, mend the "
            "first line, or quote fields that hold a comma"
        ) from None
    except pd.errors.ParserError as error:
        reason = _first_line(error).removeprefix("Error tokenizing data. C error: ")
        raise CommandError(
            f"{path} is not a readable CSV file: {reason}, mend that line"
        ) from None


def _find_delimiter(path):
    """Return what separates the names in the first line."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = file.readline(100_000)
    return max(DELIMITERS, key=first.count)


def _read_parquet(path, text_columns):
    import pandas as pd

    pyarrow = need("pyarrow")
    try:
        frame = pd.read_parquet(path, engine="pyarrow")
    except pyarrow.ArrowException as error:
        raise CommandError(
            f"{path} is not a readable Parquet file: {_first_line(error)}"
        ) from None
    named = [level for level in frame.index.names if level is not None]
    return frame.reset_index(level=named) if named else frame


def _name_columns(frame, path):
    """Check what a table must have, and make its names strings."""
    frame.columns = [str(name).strip() for name in frame.columns]
    if not len(frame):
        raise CommandError(f"{path} has no rows below its column names: add some")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise CommandError(f"{path} has two columns named {twice!r}: rename one")
    return frame


def _first_line(error):
    return str(error).strip().partition("\n")[0].rstrip(".")
