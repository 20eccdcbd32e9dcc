"""Read and check user input: tasks, rows, targets and weights."""

from ._block_rows import BlockRows as BlockRows
from ._columns import LIBRARIES as LIBRARIES
from ._columns import append_block as append_block
from ._columns import append_columns as append_columns
from ._columns import append_indicators as append_indicators
from ._columns import append_labels as append_labels
from ._columns import library_of as library_of
from ._columns import name_task_columns as name_task_columns
from ._columns import source_library as source_library
from ._containers import as_table as as_table
from ._containers import column_names as column_names
from ._containers import is_instance as is_instance
from ._containers import refuse_lazy as refuse_lazy
from ._containers import refuse_pieces as refuse_pieces
from ._declare import DeclaredTasks as DeclaredTasks
from ._declare import check_query as check_query
from ._declare import declare_tasks as declare_tasks
from ._declare import one_task_is_meant as one_task_is_meant
from ._declare import refuse_undeclared as refuse_undeclared
from ._declare import refuse_unseen as refuse_unseen
from ._declare import warn_of_one_task as warn_of_one_task
from ._features import naming_columns
from ._gate import read_grouped_queries, read_queries, read_rows
from ._graphs import TaskGraph as TaskGraph
from ._graphs import join_chain as join_chain
from ._graphs import join_edges as join_edges
from ._graphs import read_graph as read_graph
from ._groupings import Grouping, warn_of_restarts
from ._known_tasks import KnownTasks as KnownTasks
from ._labels import join_label, split_label
from ._moments import TaskMoments
from ._multiply import multiply_rows as multiply_rows
from ._order import declared_orders, order_labels, place_labels
from ._row_stacks import RowStack as RowStack
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
from ._targets import find_observed as find_observed
from ._targets import label_columns as label_columns
from ._targets import label_outputs as label_outputs
from ._task_codes import encode_tasks, find_tasks, join_tasks, spread_label
from ._task_codes import number_rows as number_rows
from ._task_column import (
    join_labels,
    list_task_columns,
    locate_task_column,
    map_task_columns,
    pick_groupings,
    split_columns,
    take_task_column,
    take_task_columns,
)
from ._task_rows import SharedRows, TaskRows
from ._weights import read_sample_weight, read_task_weight
from ._weights import refuse_zero_weight as refuse_zero_weight
from ._weights import weigh_cells as weigh_cells

__all__ = [
    "Grouping",
    "SharedRows",
    "SparseTable",
    "TaskMoments",
    "TaskRows",
    "declared_orders",
    "encode_tasks",
    "find_missing",
    "find_tasks",
    "join_label",
    "join_labels",
    "join_tasks",
    "list_task_columns",
    "locate_task_column",
    "map_task_columns",
    "naming_columns",
    "order_labels",
    "pick_groupings",
    "place_labels",
    "read_array",
    "read_class_labels",
    "read_grouped_queries",
    "read_numeric_target",
    "read_queries",
    "read_rows",
    "read_sample_weight",
    "read_target",
    "read_task_weight",
    "refuse_missing",
    "split_columns",
    "split_label",
    "spread_label",
    "summarise",
    "take_task_column",
    "take_task_columns",
    "warn_of_restarts",
]
