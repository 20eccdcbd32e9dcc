"""Write files whole or not at all."""

import os
from contextlib import contextmanager
from pathlib import Path

from ._errors import CommandError


def check_output(path, suffix, option):
    """Check, before the work begins, that a file can be written when it is done."""
    path = Path(path)
    if path.suffix.lower() != suffix:
        raise CommandError(f"{option} {path} must end with {suffix}: rename it")
    if path.is_dir():
        raise CommandError(f"{option} {path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise CommandError(
            f"{option} {path}: the folder {path.parent} does not exist, make it first"
        )
    if not os.access(path.parent, os.W_OK):
        raise CommandError(
            f"{option} {path}: the folder {path.parent} cannot be written to, choose "
            "another"
        )
    return path


def write_file(path, content):
    """Write bytes beside the file, then put them in its place at once."""
    with _beside(path) as part:
        part.write_bytes(content)


@contextmanager
def _beside(path):
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
