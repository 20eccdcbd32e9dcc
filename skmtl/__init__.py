"""Multi-task learning on tabular data for scikit-learn users."""

import importlib

__version__ = "0.1.0.dev0"

_ROOMS = (
    "compose",
    "couplings",
    "data",
    "datasets",
    "deep",
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


def __getattr__(name: str) -> object:
    """Import a subpackage on first access, so that importing skmtl is fast."""
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
