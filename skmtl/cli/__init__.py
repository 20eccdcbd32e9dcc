"""Compare models on a table, and predict with them, from the command line."""

from importlib import import_module

from ._main import main

__all__ = ["TableColumns", "main"]

_MODULES = {"TableColumns": "_table_columns"}


def __getattr__(name: str) -> object:
    """Import modules that use scikit-learn lazily: --help does not need them."""
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
