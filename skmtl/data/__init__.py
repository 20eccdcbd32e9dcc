"""Read what the user gives: tasks, rows, targets and weights, each checked once."""

from ._block_rows import BlockRows
from ._classes import ClassTargets, find_classes, read_classes, target_classes
from ._columns import locate_task_column, take_task_column, take_task_columns
from ._counts import read_counts, read_exposure
from ._features import naming_columns
from ._gate import read_queries, read_rows
from ._labels import join_label
from ._mixed import read_labels, read_mixed, read_numbers
from ._moments import TaskMoments
from ._order import declared_orders, order_labels, place_labels
from ._rows import SharedRows, TaskRows
from ._sparse_table import SparseTable
from ._summarise import summarise
from ._targets import (
    find_missing,
    read_array,
    read_class_labels,
    read_numeric_target,
    read_target,
    refuse_missing,
)
from ._tasks import encode_tasks, find_tasks, join_tasks, spread_label
from ._weights import read_sample_weight, read_task_weight

__all__ = [
    "BlockRows",
    "ClassTargets",
    "SharedRows",
    "SparseTable",
    "TaskMoments",
    "TaskRows",
    "declared_orders",
    "encode_tasks",
    "find_classes",
    "find_missing",
    "find_tasks",
    "join_label",
    "join_tasks",
    "locate_task_column",
    "naming_columns",
    "order_labels",
    "place_labels",
    "read_array",
    "read_class_labels",
    "read_classes",
    "read_counts",
    "read_exposure",
    "read_labels",
    "read_mixed",
    "read_numbers",
    "read_numeric_target",
    "read_queries",
    "read_rows",
    "read_sample_weight",
    "read_target",
    "read_task_weight",
    "refuse_missing",
    "spread_label",
    "summarise",
    "take_task_column",
    "take_task_columns",
    "target_classes",
]
