"""Zip archives of a few files, unpacked within size limits."""

from collections import Counter
from collections.abc import Mapping
from gzip import GzipFile
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

_MEGABYTE = 2**20
_ANY_SIZE = 128 * _MEGABYTE  # unpacked size allowed for any archive
_ANY_TEXT = 32 * _MEGABYTE  # the same for text, which takes ten times that to parse
_MOST_GROWTH = 20  # largest ratio of unpacked to packed size above these limits
_TABLE_GROWTH = 50  # the same for a table: columns of a few words compress well
_MOST_FILES = 20_000
_ANY_CELLS = 2**24  # number of cells allowed for any table
_CELL_GROWTH = 8  # largest ratio of padded to stored cells above that


class ArchiveError(ValueError):
    """An invalid archive; the message is a predicate that follows the file's name."""


def pack(files: Mapping[str, bytes]) -> bytes:
    """Pack files (bytes by name) into an archive that :func:`unpack` accepts.

    It is stored uncompressed if the compression ratio would exceed the limit.
    """
    content = _zip(files, ZIP_DEFLATED)
    size = sum(map(len, files.values()))
    bounded = size <= max(_ANY_TEXT, _MOST_GROWTH * len(content))
    return content if bounded else bundle(files)


def bundle(files: Mapping[str, bytes]) -> bytes:
    """Pack files into an uncompressed archive."""
    return _zip(files, ZIP_STORED)


def unpack(content: bytes) -> dict[str, bytes]:
    """Return the files in an archive (bytes by name), or raise if too large."""
    with ZipFile(BytesIO(content)) as archive:
        entries = archive.infolist()
        _check_names([entry.filename for entry in entries])
        check_size(sum(entry.file_size for entry in entries), content)
        text = sum(e.file_size for e in entries if not e.filename.endswith(".npy"))
        check_size(text, content, _ANY_TEXT)
        return {entry.filename: _read(archive, entry) for entry in entries}


def check_workbook(content: bytes) -> int:
    """Check the unpacked size of a workbook, and return it."""
    with ZipFile(BytesIO(content)) as archive:
        entries = archive.infolist()
    _check_names([entry.filename for entry in entries])
    size = sum(entry.file_size for entry in entries)
    check_size(size, content, _ANY_SIZE, _TABLE_GROWTH)
    return size


def unpack_gzip(content: bytes) -> bytes:
    """Return the unpacked content of a gzip file, within the limit."""
    limit = max(_ANY_SIZE, _TABLE_GROWTH * len(content))
    with GzipFile(fileobj=BytesIO(content)) as file:
        unpacked = file.read(limit + 1)
    if len(unpacked) > limit:
        raise ArchiveError(
            f"is too large to open: {_count(len(content))} that unpack to more than "
            f"{_count(limit)}"
        )
    return unpacked


def check_cells(n_cells: int, n_known: int) -> None:
    """Check the number of cells of a padded table against those in the file."""
    limit = max(_ANY_CELLS, _CELL_GROWTH * n_known)
    if n_cells > limit:
        raise ArchiveError(
            f"is too large to open: its padded rows would have more than {limit:,} "
            "cells"
        )


def check_size(
    size: int, content: bytes, any_size: int = _ANY_SIZE, growth: int = _MOST_GROWTH
) -> None:
    """Check the unpacked size of an archive against the limit."""
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
    """Read one file, and no more than its declared size."""
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):  # others have no limit
        raise ArchiveError(f"is damaged: {entry.filename!r} uses another compression")
    with archive.open(entry) as file:
        content = file.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise ArchiveError(f"is damaged: {entry.filename!r} is truncated")
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
