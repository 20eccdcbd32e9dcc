"""Scores per task of predicted numbers."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._rows import Rows, divide, read_rows, read_vector
from ._scores import TaskScores, tabulate

# 1 if greater is better, -1 if smaller is better.
SIGNS = {"mse": -1, "rmse": -1, "mae": -1, "r2": 1, "correlation": 1, "nmse": -1}


def score_predictions(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    codes: ArrayLike,
    tasks: ArrayLike,
    sample_weight: ArrayLike | None = None,
) -> TaskScores:
    """Compute the scores of predicted numbers for each task.

    :class:`TaskScores` states the formulas.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Targets.
    y_pred : array-like of shape (n_rows,)
        Predictions.
    codes : array-like of shape (n_rows,), dtype int
        Position of each row's task in `tasks`; rows with -1 are left out.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row, not negative. None means ones.

    Returns
    -------
    scores : TaskScores
        Scores per task and their averages. A task without rows has ``n`` 0 and NaN for
        all scores.

    See Also
    --------
    task_scores : Takes an estimator and data instead of predictions.

    Examples
    --------
    >>> from skmtl.metrics import score_predictions
    >>> scores = score_predictions([1.0, 2.0, 4.0], [1.0, 3.0, 4.0], [0, 0, 1], [5, 8])
    >>> scores.columns["mae"]
    array([0.5, 0. ])
    """
    y = read_vector(y_true, "y_true")
    z = read_vector(y_pred, "y_pred")
    rows, y, z = read_rows(codes, tasks, sample_weight, y, z)
    return tabulate(measure, SIGNS, tasks, rows, y, z)


def measure(
    rows: Rows, y: NDArray[np.float64], z: NDArray[np.float64]
) -> dict[str, NDArray[Any]]:
    """Compute all scores per task, by name."""
    dy, dz = rows.centre(y), rows.centre(z)
    variance, mse = rows.mean(dy**2), rows.mean((y - z) ** 2)
    scale = np.sqrt(variance) * np.sqrt(rows.mean(dz**2))
    correlation = np.clip(divide(rows.mean(dy * dz), scale), -1, 1)
    nmse = divide(mse, variance)
    mae = rows.mean(np.abs(y - z))
    values = (mse, np.sqrt(mse), mae, 1 - nmse, correlation, nmse)
    return dict(zip(SIGNS, values, strict=True))
