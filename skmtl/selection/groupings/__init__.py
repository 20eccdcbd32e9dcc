"""Searches of the strengths of several groupings."""

from ._loss_search import GroupedLossSearch
from ._search import GroupedSearch

__all__ = [
    "GroupedLossSearch",
    "GroupedSearch",
]
