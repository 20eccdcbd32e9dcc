"""Cross-validation splitters: by rows of every task, by task, or by time."""

from ._forward import TaskTimeSeriesSplit
from ._splitters import LeaveOneTaskOut, TaskKFold, TaskShuffleSplit

__all__ = [
    "LeaveOneTaskOut",
    "TaskKFold",
    "TaskShuffleSplit",
    "TaskTimeSeriesSplit",
]
