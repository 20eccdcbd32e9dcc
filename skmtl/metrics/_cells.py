"""Targets and predictions side by side, row by row, with the task of each."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import check_array, check_consistent_length


@dataclass(frozen=True)
class Predictions:
    """Arguments of ``score_predictions``; all but `tasks` have one entry per row."""

    y_true: np.ndarray
    y_pred: np.ndarray
    codes: np.ndarray
    tasks: np.ndarray
    sample_weight: np.ndarray | None


def read_cells(y_true, y_pred, sample_weight):
    """List the observed cells of 2-d targets, each column a task."""
    labels = _read_names(y_true)
    y_true = _read_outputs(y_true, "y_true", "allow-nan")
    y_pred = _read_outputs(y_pred, "y_pred", True)
    _check_shapes(y_true, y_pred)
    rows, codes = np.nonzero(~np.isnan(y_true))
    if not rows.size:
        raise ValueError(
            "y_true must have an observed value. "
            f"Got {y_true.shape[0]} rows of {y_true.shape[1]} outputs, all NaN."
        )
    if sample_weight is not None:
        check_consistent_length(y_true, sample_weight)
        sample_weight = np.asarray(sample_weight)[rows]
    tasks = np.arange(y_true.shape[1]) if labels is None else labels
    return Predictions(
        y_true[rows, codes], y_pred[rows, codes], codes, tasks, sample_weight
    )


def _read_names(y):
    """Return the names of the columns of a frame."""
    names = getattr(y, "column_names", getattr(y, "columns", None))
    return None if names is None else np.array(list(names))


def _read_outputs(y, name, finite):
    if isinstance(y, np.ma.MaskedArray):
        y = y.astype(np.float64).filled(np.nan)  # check_array would show what it hides
    y = check_array(
        y, dtype=np.float64, ensure_all_finite=finite, ensure_2d=False, input_name=name
    )
    return y.reshape(len(y), -1)


def _check_shapes(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "y_true and y_pred must have the same shape. "
            f"Got {y_true.shape} and {y_pred.shape}."
        )
