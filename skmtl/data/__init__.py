"""Read what the user gives: tasks, rows, targets and weights, each checked once."""

from ._block_rows import BlockRows
from ._columns import locate_task_column, take_task_column, take_task_columns
from ._containers import as_table, column_names, is_instance, refuse_lazy, refuse_pieces
from ._features import naming_columns
from ._gate import read_queries, read_rows
from ._graphs import TaskGraph, join_chain, join_edges, read_graph
from ._known_tasks import KnownTasks
from ._labels import join_label
from ._moments import TaskMoments
from ._multiply import multiply_rows
from ._order import declared_orders, order_labels, place_labels
from ._rows import SharedRows, TaskRows
from ._sparse_table import SparseTable
from ._summarise import summarise
from ._targets import (
    find_missing,
    label_outputs,
    read_array,
    read_class_labels,
    read_numeric_target,
    read_target,
    refuse_missing,
)
from ._tasks import encode_tasks, find_tasks, join_tasks, spread_label
from ._undeclared import one_task_is_meant, warn_of_one_task
from ._weights import read_sample_weight, read_task_weight

__all__ = [
    "BlockRows",
    "KnownTasks",
    "SharedRows",
    "SparseTable",
    "TaskGraph",
    "TaskMoments",
    "TaskRows",
    "as_table",
    "column_names",
    "declared_orders",
    "encode_tasks",
    "find_missing",
    "find_tasks",
    "is_instance",
    "join_chain",
    "join_edges",
    "join_label",
    "join_tasks",
    "label_outputs",
    "locate_task_column",
    "multiply_rows",
    "naming_columns",
    "one_task_is_meant",
    "order_labels",
    "place_labels",
    "read_array",
    "read_class_labels",
    "read_graph",
    "read_numeric_target",
    "read_queries",
    "read_rows",
    "read_sample_weight",
    "read_target",
    "read_task_weight",
    "refuse_lazy",
    "refuse_missing",
    "refuse_pieces",
    "spread_label",
    "summarise",
    "take_task_column",
    "take_task_columns",
    "warn_of_one_task",
]
