"""Multi-task learning for people who use scikit-learn on tabular data."""

import importlib

__version__ = "0.1.0.dev0"

_ROOMS = (
    "compose",
    "couplings",
    "data",
    "datasets",
    "inspection",
    "linear_model",
    "losses",
    "metrics",
    "model_selection",
    "penalties",
    "problems",
    "report",
    "solvers",
)

__all__ = ["__version__"]


def __getattr__(name):
    """Import a room when it is first named, so that importing skmtl costs nothing."""
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_ROOMS})
