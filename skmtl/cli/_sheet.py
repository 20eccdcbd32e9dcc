"""Decode and parse tables of text, and keep their lines."""

import csv
import io
import zlib
from collections import Counter
from dataclasses import dataclass
from itertools import compress, islice

from ._archive import ArchiveError, check_cells, unpack_gzip
from ._command_errors import CommandError, count_rows
from ._decimals import read_decimals

_SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "bars", ",": "commas"}
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_SAMPLE = 100_000  # characters searched for separators


@dataclass(frozen=True)
class Sheet:
    """A table as read from a file.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns)
        Cells: exact text, NaN if empty, unless `typed`.
    typed : bool
        Whether the file stores column types.
    notes : list of str
        Assumptions about the file, to print.
    records : list of str
        Lines of a CSV file with these cells, header first; empty unless requested.
    """

    frame: object
    typed: bool
    notes: list
    records: list


def unpack(content, path):
    """Return the content of a gzip file."""
    try:
        return unpack_gzip(content)
    except ArchiveError as error:
        raise CommandError(
            f"{path} {error}: if it is a table of yours, unpack it first"
        ) from None
    except (EOFError, OSError, zlib.error) as error:
        raise CommandError(
            f"{path} is not a readable gzip file ({error}): compress it again"
        ) from None


def decode(content, path):
    """Return text, and the encoding if it is not UTF-8."""
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    encoding = _MARKS.get(mark, "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise CommandError(
                f"{path} is damaged: byte {error.start} is not valid {encoding}. Save "
                "the file as CSV UTF-8"
            ) from None
        encoding, text = _decode_western(content, error.start, path)
    if "\0" in text:
        raise CommandError(
            f"{path} must be text, but holds NUL characters: save it as CSV UTF-8"
        )
    return text, None if encoding.startswith("utf-8") else encoding


def _decode_western(content, start, path):
    """Decode as Windows-1252, or Latin-1, unless most of the text is UTF-8."""
    text = content.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    if sum(not letter.isascii() for letter in text) > 2 * wrong:
        raise CommandError(
            f"{path}: byte {start} is not valid UTF-8, but the rest is. Save the file "
            "as CSV UTF-8"
        )
    try:
        return "cp1252", content.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1", content.decode("latin-1")


def read_text(text, path, labels=(), keep=False, notes=()):
    """Parse the text of a file; the columns `labels` are kept as exact text."""
    separator, text = _find_separator(text, path)
    notes = [*notes]
    if separator != "," and not (separator == "\t" and ".tsv" in str(path)):
        notes.append(f"separated by {_SEPARATORS[separator]}")
    rows, lines = _parse(text, separator, path, keep)
    unchanged = lines if keep and separator == "," else None
    return make_sheet(rows, path, labels, keep, notes, separator, unchanged)


def make_sheet(rows, path, labels=(), keep=False, notes=(), separator="", lines=None):
    """Make a sheet of rows of text, header first."""
    if not rows:
        raise CommandError(
            f"{path} must hold a line of column names, then rows, but is empty"
        )
    import pandas as pd

    names = name_columns(rows[0], path)
    rows, lines, short = _pad_rows(rows, lines, path)
    records = (lines or write_records(rows)) if keep else []
    columns = dict(zip(names, map(list, zip(*rows[1:], strict=True)), strict=False))
    features = {name: each for name, each in columns.items() if name not in labels}
    changed, decimals = read_decimals(features, separator)
    columns |= changed
    cells = {name: _find_empty(columns.get(name, [])) for name in names}
    frame = pd.DataFrame(
        {name: pd.Series(each, dtype=object) for name, each in cells.items()}
    )
    found = [note for note in (decimals, short) if note]
    return Sheet(frame, False, [*notes, *found], records)


def name_columns(names, path):
    """Strip column names, and check that they are unique."""
    names = [
        str(name).strip() or f"Unnamed: {place}" for place, name in enumerate(names)
    ]
    duplicate = next((name for name, n in Counter(names).items() if n > 1), None)
    if duplicate is not None:
        raise CommandError(f"{path} has two columns named {duplicate!r}: rename one")
    return names


def write_records(rows):
    """Return lines of a CSV file."""
    return [write_record(row) for row in rows]


def write_record(cells):
    """Return a line of a CSV file, without the line break."""
    if len(cells) == 1 and not cells[0]:
        return '""'
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def split_records(text):
    """Return the records of a CSV file; quoted line breaks stay inside one."""
    return _parse(text, ",", "the table")[1]


def _find_separator(text, path):
    """Return the separator, and the text without a leading ``sep=`` line."""
    first, _, rest = text.partition("\n")
    first = first.strip().strip('"')
    if first.startswith("sep=") and first[4:] in _SEPARATORS:
        return first[4:], rest
    tab = ".tsv" in str(path)
    return max(_SEPARATORS, key=lambda each: _rate(text, each, tab)), text


def _rate(text, separator, tab):
    """Rate a separator: rows of equal width first, then the width of the first row."""
    sample = text[:_SAMPLE]
    if len(text) > _SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample  # of one long line
    try:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=separator)
        widths = [len(row) for row in islice(reader, 100) if row]
    except csv.Error:
        return False, 0, 0
    width = widths[0] if widths else 0
    equal = width > 1 and all(each == width for each in widths)
    return equal, tab and separator == "\t" and width > 1, width


def _parse(text, separator, path, keep=True):
    """Return the rows as lists of cells, and their lines."""
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=separator, strict=True)
    try:
        if keep and '"' in text:
            rows, lines = _read_lines(reader, lines)
        else:
            rows = list(reader)
    except csv.Error as error:
        raise CommandError(
            f"{path} is not a readable CSV file: {error} in line {reader.line_num}, "
            "correct that line"
        ) from None
    there = [len(row) > 1 or any(map(str.strip, row)) for row in rows]
    rows = list(compress(rows, there))
    return rows, [
        line.rstrip("\r\n") for line in compress(lines, there)
    ] if keep else []


def _read_lines(reader, lines):
    """Return rows, and the joined lines of each."""
    rows, kept, start = [], [], 0
    for row in reader:
        rows.append(row)
        kept.append("".join(lines[start : reader.line_num]))
        start = reader.line_num
    return rows, kept


def _pad_rows(rows, lines, path):
    """Pad short rows; raise for rows that are too long."""
    width = len(rows[0])
    _check_filled(rows, width, path)
    odd = [place for place, row in enumerate(rows) if len(row) != width]
    early = [place for place in odd if len(rows[place]) < width]
    rows, lines = list(rows), lines and list(lines)
    for place in odd:
        row = rows[place]
        if any(map(str.strip, row[width:])):
            raise CommandError(
                f"{path}: line {_count_lines(lines, rows, place)} has more fields "
                f"({len(row)}) than there are column names ({width}): correct it or "
                "the first line, or quote fields that hold a separator"
            )
        rows[place] = row[:width] + [""] * (width - len(row))
        if lines:
            lines[place] = write_record(rows[place])
    if not early:
        return rows, lines, None
    what = (
        f"{count_rows(len(early))} with fewer fields than names, first row {early[0]}"
    )
    return rows, lines, what


def _check_filled(rows, width, path):
    """Check that padding short rows adds few cells to those in the file."""
    try:
        check_cells(width * len(rows), sum(map(len, rows)))
    except ArchiveError as error:
        raise CommandError(
            f"{path} {error}, as its first row has {width:,}: correct it"
        ) from None


def _count_lines(lines, rows, place):
    """Return the line number at which a row ends, not counting empty lines."""
    return place + 1 + sum("\n" in cell for row in rows[:place] for cell in row)


def _find_empty(cells):
    """Return an array of text, NaN for empty cells."""
    import numpy as np

    values = np.empty(len(cells), dtype=object)
    values[:] = [np.nan if not cell or cell.isspace() else cell for cell in cells]
    return values
