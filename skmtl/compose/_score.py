"""Score of predictions for one target, or for several with missing labels."""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import accuracy_score, r2_score

from ._observations import find_observed, read_target, take_cells


def score_prediction(classifies, y, prediction, sample_weight):
    """Return R2 or accuracy, averaged over the columns that have enough labels."""
    metric, least = (accuracy_score, 1) if classifies else (r2_score, 2)
    if prediction.ndim == 1:
        return metric(y, prediction, sample_weight=sample_weight)
    target = read_target(y)
    if target.shape != prediction.shape:
        raise ValueError(
            f"y must have one column per task in score as in fit, of shape "
            f"{prediction.shape}, got shape {target.shape}."
        )
    observed = find_observed(target)
    enough = np.flatnonzero(observed.sum(axis=0) >= least)
    if not len(enough):
        text = f"score needs {least} or more labels in some column of y; it is NaN."
        warnings.warn(text, UndefinedMetricWarning, stacklevel=3)
        return np.nan
    scores = []
    for t in enough:
        seen = observed[:, t]
        weight = None if sample_weight is None else np.asarray(sample_weight)[seen]
        cells = take_cells(target[:, t], seen)
        scores.append(metric(cells, prediction[seen, t], sample_weight=weight))
    return float(np.mean(scores))
