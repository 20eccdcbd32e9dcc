"""Read the target of a comparison: numbers, classes, or counts."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.multiclass import check_classification_targets

from skmtl.data import find_missing, read_target

from ._metrics import find_metric, list_metrics


def choose_metric(name, y, estimators):
    """Return the name of the metric, by default that of the kind of target.

    Integers are numbers, unless all estimators are classifiers.
    """
    if name is not None:
        find_metric(name)
        return name
    models = estimators.values() if estimators else ()
    only_classifiers = bool(models) and all(map(is_classifier, models))
    return "log_loss" if only_classifiers or _names_classes(y) else "mse"


def check_methods(models, name):
    """Check that all models have the method that a metric needs."""
    method = find_metric(name).method
    missing = [key for key, model in models.items() if not hasattr(model, method)]
    if missing:
        raise ValueError(
            f"Models must have {method} for metric={name!r}. Got {missing} without it; "
            "leave them out, or use metric='error' for classifiers."
        )


def read_numbers(target, name):
    """Return targets as floats."""
    if target.dtype.kind in "OUST" and _names_classes(target):  # booleans are numbers
        raise ValueError(
            f"y must hold numbers for metric={name!r}. Got classes such as "
            f"{str(target.ravel()[0])!r}; use one of {list_metrics('classes')}."
        )
    numbers = target.astype(np.float64)
    if find_metric(name).kind == "counts" and (numbers < 0).any():
        raise ValueError(
            f"y must not be negative for metric={name!r}. Got {np.nanmin(numbers):g}; "
            f"use one of {list_metrics('numbers')}."
        )
    return numbers


def holds_text(target):
    """Return whether some target is a string."""
    if target.dtype.kind != "O":
        return target.dtype.kind in "US"
    return any(isinstance(value, str) for value in target.ravel())


def encode_classes(target):
    """Return the sorted classes, and the position of each target among them."""
    if find_missing(target).any():
        raise ValueError(
            "y must hold a class in every row. Got missing values; leave the rows out."
        )
    check_classification_targets(target)
    classes, codes = np.unique(target, return_inverse=True)
    if len(classes) == 1:
        raise ValueError(
            f"y must hold at least two classes. Got {classes.tolist()} in every row."
        )
    return classes, codes


def _names_classes(y):
    """Return whether targets are strings, booleans or categories."""
    if str(getattr(y, "dtype", "")).startswith(("category", "Categorical", "Enum")):
        return True
    target = read_target(y)
    if target.dtype.kind != "O":
        return target.dtype.kind in "bUST"
    return any(isinstance(value, (str, bool, np.bool_)) for value in target.ravel())
