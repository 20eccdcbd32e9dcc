"""Make data of related tasks, to learn from and to test with."""

from ._related import make_related_tasks

__all__ = ["make_related_tasks"]
