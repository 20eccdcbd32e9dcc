"""Say on a terminal what is going on, nowhere else."""

import sys
from contextlib import contextmanager


@contextmanager
def progress(what, quiet):
    """Show what is being done, until it is done."""
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
