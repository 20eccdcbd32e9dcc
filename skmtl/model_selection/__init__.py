"""Split rows so that every task, or a whole task, is held out, and choose strengths."""

from skmtl.linear_model import PathSearchCV

from ._splitters import (
    LeaveOneTaskOut,
    TaskKFold,
    TaskShuffleSplit,
)

__all__ = ["LeaveOneTaskOut", "PathSearchCV", "TaskKFold", "TaskShuffleSplit"]
