"""Progress messages on a terminal."""

import sys
from contextlib import contextmanager


@contextmanager
def progress(what, quiet):
    """Show a message on the terminal while the block runs."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    try:
        from rich.console import Console
    except ModuleNotFoundError:
        print(f"{what} ...", file=sys.stderr)
        yield
        return
    with Console(stderr=True).status(what):
        yield
