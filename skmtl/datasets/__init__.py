"""Simulated data of related tasks, for examples and tests."""

from ._related import make_related_tasks

__all__ = ["make_related_tasks"]
