"""Find the public rooms of the package."""

import importlib
import pkgutil
from importlib.util import find_spec

import skmtl

# Packages without which the public names of a room cannot be imported.
NEEDS = {"deep": "torch"}


def find_rooms(left_out=()):
    """Import the public rooms, except those that need a package that is missing."""
    names = [found.name for found in pkgutil.iter_modules(skmtl.__path__)]
    return [
        importlib.import_module(f"skmtl.{name}")
        for name in names
        if not name.startswith("_")
        and name not in left_out
        and (name not in NEEDS or find_spec(NEEDS[name]))
    ]
