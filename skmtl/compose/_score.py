"""Score of predictions for one target, or for several with missing labels."""

import numpy as np
from sklearn.metrics import accuracy_score, r2_score

from ..metrics import nan_r2_score
from ._observations import find_observed, read_target


def score_prediction(classifies, y, prediction, sample_weight):
    """Return R2 or accuracy, averaged over the columns that have enough labels."""
    if prediction.ndim == 1:
        metric = accuracy_score if classifies else r2_score
    else:
        metric = _average_accuracy if classifies else nan_r2_score
    return metric(y, prediction, sample_weight=sample_weight)


def _average_accuracy(y, prediction, sample_weight):
    target = read_target(y)
    if target.shape != prediction.shape:
        raise ValueError(
            f"y must have one column per task in score as in fit, of shape "
            f"{prediction.shape}, got shape {target.shape}."
        )
    weight = np.ones(len(target)) if sample_weight is None else sample_weight
    counted = find_observed(target) * np.asarray(weight)[:, None]
    total = counted.sum(axis=0)
    if not total.any():
        raise ValueError("y must have a label with weight in score, got none.")
    right = (counted * (target == prediction)).sum(axis=0)
    return float(np.mean(right[total > 0] / total[total > 0]))
