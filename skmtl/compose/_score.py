"""Score of predictions for a 1-d target, or a 2-d target with missing labels."""

from sklearn.metrics import accuracy_score, r2_score

from skmtl.data import (
    read_class_labels,
    read_sample_weight,
    read_target,
    refuse_missing,
)
from skmtl.metrics import average_accuracy, nan_r2_score


def score_prediction(has_classes, y, prediction, sample_weight):
    """Return the R2 or accuracy, averaged over the columns that have one."""
    weight = read_sample_weight(sample_weight, len(prediction))
    if prediction.ndim == 1:
        metric = accuracy_score if has_classes else r2_score
        target = read_class_labels(y) if has_classes else read_target(y)
        refuse_missing(target, what="label" if has_classes else "value")
    else:
        metric = average_accuracy if has_classes else nan_r2_score
        target = read_target(y)
    return metric(target, prediction, sample_weight=weight)
