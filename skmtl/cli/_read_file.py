"""Read a table from a file or from standard input."""

import sys
from pathlib import Path

from ._command_errors import CommandError, need
from ._excel import read_excel
from ._sheet import (
    Sheet,
    decode,
    make_sheet,
    name_columns,
    read_text,
    split_records,
    unpack,
)

STANDARD_INPUT = "-"
_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_OTHERS = (".xlsx", ".parquet")
_ANY_CELLS = 2**27  # of a Parquet file of any size, 1 GB of numbers
_CELL_GROWTH = 50  # cells per byte in a larger one
_GZIP, _ZIP, _PARQUET, _OLD_EXCEL = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11"


def read_table(path, labels=(), keep=False):
    """Read a table; the columns `labels` are kept as exact text.

    With `keep`, the lines of the file are kept for output.
    """
    need("pandas")
    where, content = _read_bytes(path)
    if content.startswith(_GZIP):
        content = unpack(content, where)
    suffix = Path(where).suffix.lower()
    if content.startswith(_PARQUET) or suffix == ".parquet":
        sheet = _read_parquet(content, where, keep)
    elif content.startswith(_ZIP) or suffix == ".xlsx":
        rows, notes = read_excel(content, where)
        sheet = make_sheet(rows, where, labels, keep, notes)
    elif content.startswith(_OLD_EXCEL):
        raise CommandError(f"{where} is an old Excel file: save it as .xlsx or .csv")
    else:
        text, encoding = decode(content, where)
        notes = [f"encoded as {encoding}"] if encoding else []
        sheet = read_text(text, where, labels, keep, notes)
    if not len(sheet.frame):
        raise CommandError(f"{where} has no rows below its column names: add some")
    return sheet


def name_source(path):
    """Return the name of a table's source."""
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


def _read_bytes(path):
    """Return the name of a table, and its bytes."""
    where = name_source(path)
    if str(path) == STANDARD_INPUT and sys.stdin is None:
        raise CommandError("standard input is closed: add <FILE, or name a file")
    if str(path) == STANDARD_INPUT:
        return where, sys.stdin.buffer.read()
    path = Path(path)
    if not path.name.lower().endswith(_SUFFIXES + _OTHERS):
        raise CommandError(
            f"{path}: a table must be a .csv, .tsv, .csv.gz, .xlsx or .parquet file, "
            "or - for standard input: save it as one of these"
        )
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise CommandError(f"{path} {what}: give the path of a table")
    try:
        return where, path.read_bytes()
    except OSError as error:
        raise CommandError(
            f"{path} cannot be read: {error.strerror or _first_line(error)}"
        ) from None


def _read_parquet(content, path, keep):
    import pandas as pd

    pyarrow = need("pyarrow")
    import pyarrow.parquet as pq

    integers = {  # kept as integers if some are missing
        getattr(pyarrow, name.lower())(): getattr(pd, f"{name}Dtype")()
        for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32")
    } | {pyarrow.uint64(): pd.UInt64Dtype()}
    try:
        file = pq.ParquetFile(pyarrow.BufferReader(content))
        name_columns(file.schema_arrow.names, path)
        _check_cells(file.metadata, content, path)
        frame = file.read().to_pandas(types_mapper=integers.get)
    except (pyarrow.ArrowException, OSError) as error:
        raise CommandError(
            f"{path} is not a readable Parquet file: {_first_line(error)}"
        ) from None
    named = [level for level in frame.index.names if level is not None]
    frame = frame.reset_index(level=named) if named else frame
    frame.columns = name_columns(frame.columns, path)
    records = split_records(frame.to_csv(index=False)) if keep else []
    return Sheet(frame, True, [], records)


def _check_cells(metadata, content, path):
    """Check the number of cells that a Parquet file declares."""
    n_cells = metadata.num_rows * metadata.num_columns
    if n_cells > max(_ANY_CELLS, _CELL_GROWTH * len(content)):
        raise CommandError(
            f"{path} is too large to open: {n_cells:,} cells in {len(content):,} "
            "bytes, leave out rows or columns"
        )


def _first_line(error):
    return str(error).strip().partition("\n")[0].rstrip(".")
