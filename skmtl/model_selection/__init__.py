"""Split rows to hold out rows of every task, whole tasks, or the future."""

from ._forward import TaskTimeSeriesSplit
from ._splitters import LeaveOneTaskOut, TaskKFold, TaskShuffleSplit

__all__ = [
    "LeaveOneTaskOut",
    "TaskKFold",
    "TaskShuffleSplit",
    "TaskTimeSeriesSplit",
]
