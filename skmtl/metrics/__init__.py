"""Score predictions of each task, and average the scores over tasks."""

from ._classes import average_accuracy, score_classes, score_probabilities
from ._classes import compute_brier_scores as compute_brier_scores
from ._classes import compute_log_losses as compute_log_losses
from ._counts import score_counts
from ._declared import find_task_column, has_position
from ._declared import unwrap_search as unwrap_search
from ._nan import (
    nan_mae_scorer,
    nan_mean_absolute_error,
    nan_mean_squared_error,
    nan_mse_scorer,
    nan_r2_score,
    nan_r2_scorer,
    nan_rmse_scorer,
    nan_root_mean_squared_error,
)
from ._predictions import score_predictions
from ._reading import task_scores
from ._scorers import make_task_scorer
from ._scores import TaskScores
from ._table import draw_html as draw_html
from ._table import draw_text as draw_text

__all__ = [
    "TaskScores",
    "average_accuracy",
    "find_task_column",
    "has_position",
    "make_task_scorer",
    "nan_mae_scorer",
    "nan_mean_absolute_error",
    "nan_mean_squared_error",
    "nan_mse_scorer",
    "nan_r2_score",
    "nan_r2_scorer",
    "nan_rmse_scorer",
    "nan_root_mean_squared_error",
    "score_classes",
    "score_counts",
    "score_predictions",
    "score_probabilities",
    "task_scores",
]
