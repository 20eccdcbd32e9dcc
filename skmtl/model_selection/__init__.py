"""Split rows so that every task, a whole task, or the future is held out."""

from ._forward import TaskTimeSeriesSplit
from ._splitters import (
    LeaveOneTaskOut,
    TaskKFold,
    TaskShuffleSplit,
)

__all__ = [
    "LeaveOneTaskOut",
    "TaskKFold",
    "TaskShuffleSplit",
    "TaskTimeSeriesSplit",
]
