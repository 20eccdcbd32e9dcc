"""Targets, predictions and tasks of the observed cells of 2-d targets."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array

from skmtl.data import (
    find_observed,
    label_columns,
    read_array,
    read_sample_weight,
    weigh_cells,
)


@dataclass(frozen=True)
class Predictions:
    """Arguments of the score functions; all but `tasks` have one entry per row."""

    y_true: np.ndarray
    y_pred: np.ndarray
    codes: np.ndarray
    tasks: np.ndarray
    sample_weight: np.ndarray | None


@dataclass(frozen=True)
class Probabilities(Predictions):
    """Arguments of ``score_probabilities``; `classes` are the columns of `proba`."""

    proba: np.ndarray
    classes: np.ndarray


def read_cells(
    y_true: Any, y_pred: Any, sample_weight: ArrayLike | None
) -> Predictions:
    """List the observed cells of 2-d targets, whose columns are the tasks."""
    cells, _ = _find_cells(y_true, y_pred, sample_weight)
    return cells


def read_probability_cells(
    y_true: Any,
    y_pred: Any,
    proba: Any,
    classes: Any,
    sample_weight: ArrayLike | None,
) -> Probabilities:
    """List the observed cells, with the probabilities of the classes of all columns."""
    cells, rows = _find_cells(y_true, y_pred, sample_weight)
    proba, classes = _join_outputs(proba, classes)
    return Probabilities(**vars(cells), proba=proba[rows, cells.codes], classes=classes)


def _join_outputs(proba, classes):
    """Return probabilities of shape (n_rows, n_tasks, n_classes), and the classes.

    `proba` is a list with one array per column of the targets, or, if all columns hold
    0 and 1, one array with the probabilities of 1.
    """
    if not isinstance(proba, list):
        return np.stack([1 - proba, proba], axis=2), np.array([0, 1])
    union = np.unique(np.concatenate(classes))
    joined = np.zeros((len(proba[0]), len(proba), len(union)), dtype=proba[0].dtype)
    for t, (part, part_classes) in enumerate(zip(proba, classes, strict=True)):
        joined[:, t, np.searchsorted(union, part_classes)] = part
    return joined, union


def _find_cells(y_true, y_pred, sample_weight):
    """Return the observed cells, and the row of each."""
    target = _read_outputs(y_true, "y_true", "allow-nan")
    tasks = label_columns(y_true, target.shape[1])
    y_pred = _read_outputs(y_pred, "y_pred", True)
    _check_shapes(target, y_pred)
    rows, codes = np.nonzero(find_observed(target, "y_true"))
    sample_weight = read_sample_weight(sample_weight, *target.shape)
    sample_weight = weigh_cells(sample_weight, rows, codes)
    target, y_pred = target[rows, codes], y_pred[rows, codes]
    return Predictions(target, y_pred, codes, tasks, sample_weight), rows


def _read_outputs(y, name, finite):
    y = check_array(
        read_array(y),
        dtype=np.float64,
        ensure_all_finite=finite,
        ensure_2d=False,
        input_name=name,
    )
    return y.reshape(len(y), -1)


def _check_shapes(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError(
            "y_true and y_pred must have the same shape. "
            f"Got {y_true.shape} and {y_pred.shape}."
        )
