"""Cross-validation splitters that know tasks: within tasks, by task, by time."""

from ._forward import TaskTimeSeriesSplit
from ._splitters import LeaveOneTaskOut, TaskKFold, TaskShuffleSplit

__all__ = [
    "LeaveOneTaskOut",
    "TaskKFold",
    "TaskShuffleSplit",
    "TaskTimeSeriesSplit",
]
