"""Write files whole or not at all."""

import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

from ._errors import CommandError

_NEW = 0o666  # mode of a new file, less what the process masks


def check_output(path, suffix, option, inputs=()):
    """Check, before the work begins, that a file can be written when it is done.

    Parameters
    ----------
    path : str
        File to write; a link stands for the file that it points to.
    suffix : str
        How its name must end.
    option : str
        Option that named it.
    inputs : iterable of str
        Files that are read, which it must not be.

    Returns
    -------
    path : Path
        The same.
    """
    if not path:
        raise CommandError(f"{option} is empty: name a file that ends with {suffix}")
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise CommandError(f"{option} {path} must end with {suffix}: rename it")
    try:
        _check_place(path, option)
        for each in filter(os.path.exists, inputs):
            _keep_input(path, each, option)
    except CommandError:
        raise
    except (OSError, ValueError) as error:  # a name that no file can have
        reason = getattr(error, "strerror", None) or error
        raise CommandError(
            f"{option} {path} cannot be written: {reason}, choose another"
        ) from None
    return path


def _check_place(path, option):
    real = Path(os.path.realpath(path))
    if path.is_dir():
        raise CommandError(f"{option} {path} is a folder: name a file in it")
    folder = real.parent if path.is_symlink() else path.parent
    if not folder.is_dir():
        raise CommandError(
            f"{option} {path}: the folder {folder} does not exist, make it first"
        )
    if not os.access(folder, os.W_OK):
        raise CommandError(
            f"{option} {path}: the folder {folder} cannot be written to, choose another"
        )
    if _exists(real) and not os.access(real, os.W_OK):
        raise CommandError(
            f"{option} {path} is a file that cannot be written to: choose another, or "
            "change its mode"
        )
    if not _is_special(real):
        with _beside(real):
            pass


def _keep_input(path, data, option):
    if os.path.exists(path) and os.path.samefile(path, data):
        raise CommandError(
            f"{option} {path} is the same file as {data}, which is read: write to "
            "another file"
        )


def write_file(path, content):
    """Write bytes beside the file, then put them in its place at once.

    What a link points to is written, not the link, and a file that was there keeps its
    mode and its owner.
    """
    real = Path(os.path.realpath(path))
    try:
        if _is_special(real):  # a pipe or a device has no place to be put in
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
    """Open a new file beside another, with its mode, and remove it if it is left."""
    # A name of its own length: that of the file may be as long as names can be.
    part = path.with_name(f".skmtl-{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _NEW), "wb") as f:
            if _exists(path):
                _keep_owner(os.stat(path), f.fileno())
            yield part, f
    finally:
        part.unlink(missing_ok=True)


def _keep_owner(before, number):
    """Give an open file the owner, if we may, and the mode of another."""
    if hasattr(os, "fchown"):
        with suppress(PermissionError):
            os.fchown(number, before.st_uid, before.st_gid)
        os.fchmod(number, stat.S_IMODE(before.st_mode))


def _exists(path):
    """Tell whether a file exists; OSError if its name is none that a file can have."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def _is_special(path):
    return _exists(path) and not stat.S_ISREG(os.stat(path).st_mode)
