"""Write files atomically."""

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import contextmanager, suppress
from pathlib import Path

from ._command_errors import CommandError

_NEW = 0o666  # mode of a new file before the umask


def check_output(
    path: str, suffix: str, option: str, inputs: Iterable[str] = ()
) -> Path:
    """Check in advance that a file can be written.

    Parameters
    ----------
    path : str
        File to write; symbolic links are followed.
    suffix : str
        Required suffix.
    option : str
        Option that gave the path.
    inputs : iterable of str
        Files that are read, and must not be overwritten.

    Returns
    -------
    path : Path
        The same.
    """
    if not path:
        raise CommandError(f"{option} is empty: name a file that ends with {suffix}")
    file = Path(path)
    if file.suffix.lower() != suffix:
        raise CommandError(f"{option} {file} must end with {suffix}: rename it")
    try:
        _check_place(file, option)
        for each in filter(os.path.exists, inputs):
            _check_not_input(file, each, option)
    except CommandError:
        raise
    except (OSError, ValueError) as error:  # an invalid file name
        reason = getattr(error, "strerror", None) or error
        raise CommandError(
            f"{option} {file} cannot be written ({reason}): choose another"
        ) from None
    return file


def _check_place(path, option):
    real = Path(os.path.realpath(path))
    if path.is_dir():
        raise CommandError(f"{option} {path} is a folder: name a file in it")
    folder = real.parent if path.is_symlink() else path.parent
    if not folder.is_dir():
        raise CommandError(
            f"{option} {path}: the folder {folder} does not exist: create it first"
        )
    if not os.access(folder, os.W_OK):
        raise CommandError(
            f"{option} {path}: the folder {folder} is not writable: choose another"
        )
    if _exists(real) and not os.access(real, os.W_OK):
        raise CommandError(
            f"{option} {path} is not writable: choose another file, or change its mode"
        )
    if not _is_special(real):
        with _beside(real):
            pass


def _check_not_input(path, data, option):
    if os.path.exists(path) and os.path.samefile(path, data):
        raise CommandError(
            f"{option} {path} is the input file {data}: write to another file"
        )


def write_file(path: str | Path, content: bytes) -> None:
    """Write bytes to a temporary file, then replace the target atomically.

    Symbolic links are followed, and an existing file keeps its mode and owner.
    """
    real = Path(os.path.realpath(path))
    try:
        if _is_special(real):  # pipes and devices cannot be replaced
            real.write_bytes(content)
            return
        with _beside(real) as (part, file):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.replace(part, real)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None


@contextmanager
def _beside(path):
    """Open a temporary file beside another, with its mode; remove it on errors."""
    # A fixed-length name: the file's own may already have the maximum length.
    part = path.with_name(f".skmtl-{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _NEW), "wb") as f:
            if _exists(path):
                _copy_owner(os.stat(path), f.fileno())
            yield part, f
    finally:
        part.unlink(missing_ok=True)


def _copy_owner(before, number):
    """Copy mode and, if permitted, owner of another file to an open file."""
    if hasattr(os, "fchown"):
        with suppress(PermissionError):
            os.fchown(number, before.st_uid, before.st_gid)
        os.fchmod(number, stat.S_IMODE(before.st_mode))


def _exists(path):
    """Return whether a file exists; raise OSError if its name is invalid."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _is_special(path):
    return _exists(path) and not stat.S_ISREG(os.stat(path).st_mode)
