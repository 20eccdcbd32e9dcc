"""Split rows so that every task, or a whole task, is held out."""

from ._splitters import (
    LeaveOneTaskOut,
    TaskKFold,
    TaskShuffleSplit,
)

__all__ = ["LeaveOneTaskOut", "TaskKFold", "TaskShuffleSplit"]
