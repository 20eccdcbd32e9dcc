"""Read what the user gives: tasks, rows, targets and weights, each checked once."""

from ._columns import take_task_column
from ._gate import read_queries, read_rows
from ._rows import SharedRows, TaskRows
from ._tasks import encode_tasks, find_tasks

__all__ = [
    "SharedRows",
    "TaskRows",
    "encode_tasks",
    "find_tasks",
    "read_queries",
    "read_rows",
    "take_task_column",
]
