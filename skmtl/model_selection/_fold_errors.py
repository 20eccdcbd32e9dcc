"""Mean losses over folds, tasks and rows."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Errors:
    """Losses and predictions of one model.

    Parameters
    ----------
    by_task, by_row : ndarray of shape (n_folds,)
        Mean loss in each fold: over tasks, of each task's mean; and over rows.
    loss : ndarray of shape (n_targets,)
        Loss of each target: the mean if held out more than once, NaN if never.
    prediction : ndarray of the shape of y
        Held-out prediction, averaged likewise; for classes with one more axis.
    """

    by_task: np.ndarray
    by_row: np.ndarray
    loss: np.ndarray
    prediction: np.ndarray


def measure_errors(data, splits, predictions, loss):
    """Compute the errors of one model from its predictions of each fold."""
    total, times = np.zeros(len(data.targets)), np.zeros(len(data.targets))
    summed, held = np.zeros(data.prediction_shape), np.zeros(data.n_rows)
    means = []
    for (_, held_out), z in zip(splits, predictions, strict=True):
        full = np.zeros(data.prediction_shape, dtype=z.dtype)
        full[held_out] = z
        seen = np.isin(data.rows, held_out)
        answers = full.reshape(-1, *full.shape[len(data.shape) :])
        losses = loss(data.targets[seen], answers[data.cells[seen]])
        means.append(_average_fold(data, seen, losses))
        total[seen] += losses
        times[seen] += 1
        summed[held_out] += z
        held[held_out] += 1
    by_task, by_row = np.transpose(means)
    held = held.reshape(-1, *(1,) * (summed.ndim - 1))
    return Errors(by_task, by_row, divide(total, times), divide(summed, held))


def divide(a, b):
    """Return a / b, NaN where `b` is 0 or NaN."""
    a, b = np.broadcast_arrays(a, b)
    return np.divide(a, b, out=np.full(a.shape, np.nan), where=np.abs(b) > 0)


def _average_fold(data, seen, losses):
    """Return the mean loss of a fold over its tasks, and over its rows."""
    weight, codes = data.target_weight[seen], data.codes[seen]
    sums = np.bincount(codes, weight * losses, minlength=len(data.tasks))
    weights = np.bincount(codes, weight, minlength=len(data.tasks))
    if not weights.any():
        raise ValueError(
            "Every fold must hold out a target with positive weight. Got a fold with "
            "none; use fewer folds, or leave out rows of weight 0."
        )
    present = weights > 0
    return np.mean(sums[present] / weights[present]), sums.sum() / weights.sum()
