"""Cross-validation splitters: within tasks, by task, by time."""

from ._forward import TaskTimeSeriesSplit
from ._splitters import LeaveOneTaskOut, TaskKFold, TaskShuffleSplit

__all__ = [
    "LeaveOneTaskOut",
    "TaskKFold",
    "TaskShuffleSplit",
    "TaskTimeSeriesSplit",
]
