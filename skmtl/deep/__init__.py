"""Neural networks of several tasks in PyTorch, with any module as trunk."""

import importlib

# The module of each public name.
_MODULES: dict[str, str] = {
    "TorchMultiTask": "._estimators",
    "TorchMultiTaskClassifier": "._estimators",
    "TorchMultiTaskRegressor": "._estimators",
}

__all__: list[str] = [*_MODULES]


def __getattr__(name: str) -> object:
    """Import the module of a public name on first access, as it needs PyTorch."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = importlib.import_module(_MODULES[name], __name__)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(
            "skmtl.deep needs PyTorch: pip install 'skmtl[torch]'."
        ) from error
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
