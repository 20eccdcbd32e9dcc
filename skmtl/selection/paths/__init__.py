"""Searches of strengths along a path."""

from ._centre_search import CentreSearch
from ._path_search import PathGrid, PathSearch

__all__ = [
    "CentreSearch",
    "PathGrid",
    "PathSearch",
]
