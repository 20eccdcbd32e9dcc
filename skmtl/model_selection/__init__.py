"""Cross-validation splitters, and models compared and chosen on held-out rows."""

from ._candidates import list_candidates as list_candidates
from ._candidates import make_candidates as make_candidates
from ._candidates import make_first_step as make_first_step
from ._candidates import make_regressors as make_regressors
from ._comparison_rows import read_comparison as read_comparison
from ._comparison_rows import split_rows as split_rows
from ._comparison_rows import split_tasks as split_tasks
from ._comparison_targets import check_methods as check_methods
from ._comparison_targets import choose_metric as choose_metric
from ._cross_prediction import predict_held_out as predict_held_out
from ._fold_errors import divide as divide
from ._fold_errors import measure_errors as measure_errors
from ._forward import TaskTimeSeriesSplit
from ._guard import NegativeTransferGuard
from ._metrics import find_metric as find_metric
from ._model_outputs import score_log_loss as score_log_loss
from ._splitters import LeaveOneTaskOut, TaskKFold, TaskShuffleSplit
from ._task_columns import find_common_column as find_common_column
from ._task_columns import set_task_column as set_task_column
from ._task_model_search import TaskModelSearch

__all__ = [
    "LeaveOneTaskOut",
    "NegativeTransferGuard",
    "TaskKFold",
    "TaskModelSearch",
    "TaskShuffleSplit",
    "TaskTimeSeriesSplit",
]
