"""Errors that the user can correct, printed in one line without a traceback."""

from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType

_SHOWN = 5


class CommandError(ValueError):
    """An error that the user can correct; the message says what to do."""


def need(module: str) -> ModuleType:
    """Import a module of a package that comes with the extra "cli"."""
    package = module.partition(".")[0]
    try:
        import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise CommandError(
            f'the package {package} is not installed: pip install "skmtl[cli]"'
        ) from None
    return import_module(module)


def check_column(name: str, names: Sequence[str], option: str, where: str) -> None:
    """Check that a table has a column; the error suggests similar names."""
    if name in names:
        return
    near = get_close_matches(name, names) or [
        each for each in names if each.casefold() == name.casefold()
    ]
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else _list(names)
    raise CommandError(f"{option} {name!r} is not a column of {where}: {hint}")


def count_rows(n_rows: int) -> str:
    """Format a number of rows."""
    return f"{n_rows:,} row{'s' if n_rows != 1 else ''}"


def _list(names):
    more = ", ..." * (len(names) > _SHOWN)
    columns = "column" if len(names) == 1 else "columns"
    return f"it has {len(names)} {columns}, {', '.join(names[:_SHOWN])}{more}"
