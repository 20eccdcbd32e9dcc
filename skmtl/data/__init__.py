"""Read what the user gives: tasks, rows, targets and weights, each checked once."""

from ._classes import ClassTargets, find_classes, read_classes, target_classes
from ._columns import take_task_column
from ._counts import read_counts, read_exposure
from ._gate import read_queries, read_rows
from ._mixed import read_labels, read_mixed, read_numbers
from ._moments import TaskMoments
from ._order import declared_orders, order_labels, place_labels
from ._rows import SharedRows, TaskRows
from ._summarise import summarise
from ._tasks import encode_tasks, find_tasks, spread_label
from ._weights import read_task_weight

__all__ = [
    "ClassTargets",
    "SharedRows",
    "TaskMoments",
    "TaskRows",
    "declared_orders",
    "encode_tasks",
    "find_classes",
    "find_tasks",
    "order_labels",
    "place_labels",
    "read_classes",
    "read_counts",
    "read_exposure",
    "read_labels",
    "read_mixed",
    "read_numbers",
    "read_queries",
    "read_rows",
    "read_task_weight",
    "spread_label",
    "summarise",
    "take_task_column",
    "target_classes",
]
