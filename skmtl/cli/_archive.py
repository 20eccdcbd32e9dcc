"""Archives of a few files, unpacked within limits that are set before the work."""

from collections import Counter
from gzip import GzipFile
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

_MEGABYTE = 2**20
_ANY_SIZE = 128 * _MEGABYTE  # what an archive of any size may unpack to
_ANY_TEXT = 32 * _MEGABYTE  # of that, text to be parsed, which takes ten times as much
_MOST_GROWTH = 20  # times its own size that a larger archive may unpack to
_TABLE_GROWTH = 50  # the same of a table, as columns may repeat a few words
_MOST_FILES = 20_000


_ANY_CELLS = 2**24  # what a table of any size may be filled up to
_CELL_GROWTH = 8  # times its cells, or a part of its bytes, in a larger one


class ArchiveError(ValueError):
    """Say what is wrong with an archive, to go after its name."""


def pack(files):
    """Return files, bytes by name, as an archive that :func:`unpack` accepts.

    It is compressed, unless so well that its size no longer bounds what it holds.
    """
    content = _zip(files, ZIP_DEFLATED)
    size = sum(map(len, files.values()))
    bounded = size <= max(_ANY_TEXT, _MOST_GROWTH * len(content))
    return content if bounded else bundle(files)


def bundle(files):
    """Return files as an archive that is not compressed, for a library to read."""
    return _zip(files, ZIP_STORED)


def unpack(content):
    """Return the files in an archive, bytes by name, if they keep the limits."""
    with ZipFile(BytesIO(content)) as archive:
        entries = archive.infolist()
        _check_names([entry.filename for entry in entries])
        check_size(sum(entry.file_size for entry in entries), content)
        text = sum(e.file_size for e in entries if not e.filename.endswith(".npy"))
        check_size(text, content, _ANY_TEXT)
        return {entry.filename: _read(archive, entry) for entry in entries}


def check_workbook(content):
    """Check what the files of a workbook unpack to; return their size together."""
    with ZipFile(BytesIO(content)) as archive:
        entries = archive.infolist()
    _check_names([entry.filename for entry in entries])
    size = sum(entry.file_size for entry in entries)
    check_size(size, content, _ANY_SIZE, _TABLE_GROWTH)
    return size


def unpack_gzip(content):
    """Return the content of a gzip file, if it keeps the limit."""
    limit = max(_ANY_SIZE, _TABLE_GROWTH * len(content))
    with GzipFile(fileobj=BytesIO(content)) as file:
        unpacked = file.read(limit + 1)
    if len(unpacked) > limit:
        raise ArchiveError(
            f"is too large to open: {_count(len(content))} that unpack to more than "
            f"{_count(limit)}"
        )
    return unpacked


def check_cells(n_cells, n_known):
    """Check how many cells a table is filled up to, against those that it states."""
    limit = max(_ANY_CELLS, _CELL_GROWTH * n_known)
    if n_cells > limit:
        raise ArchiveError(
            f"is too large to open: its rows would be filled up to more than {limit:,} "
            "cells"
        )


def check_size(size, content, any_size=_ANY_SIZE, growth=_MOST_GROWTH):
    """Check what an archive unpacks to against the memory that it may take."""
    limit = max(any_size, growth * len(content))
    if size > limit:
        raise ArchiveError(
            f"is too large to open: {_count(len(content))} that unpack to "
            f"{_count(size)}, more than {_count(limit)}"
        )


def _check_names(names):
    if len(names) > _MOST_FILES:
        raise ArchiveError(
            f"is too large to open: it holds {len(names):,} files, more than "
            f"{_MOST_FILES:,}"
        )
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ArchiveError(f"is damaged: it holds two files named {twice[0]!r}")


def _read(archive, entry):
    """Read one file; never more of it than it is said to have."""
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # others know no limit
        raise ArchiveError(f"is damaged: {entry.filename!r} in it is packed otherwise")
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ArchiveError(f"is damaged: {entry.filename!r} in it is cut off")
    return content


def _zip(files, compression):
    with BytesIO() as buffer:
        with ZipFile(buffer, "w", compression) as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return buffer.getvalue()


def _count(n_bytes):
    if n_bytes < _MEGABYTE:
        return f"{n_bytes / 2**10:.0f} kB"
    return f"{n_bytes / _MEGABYTE:,.0f} MB"
