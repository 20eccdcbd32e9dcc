"""One clone of the inner estimator, fitted on one set of observations."""

import numpy as np
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from skmtl._linalg import column_sizes
from skmtl.data import one_task_is_meant

# Squares of larger numbers, or their sums, overflow.
_LARGE = 1e150


def fit_clone(estimator, X, y, weight, options=None):
    """Fit a clone; weights are passed on under the name that its fit knows."""
    options = dict(options or {})
    if weight is not None:
        options[name_of_weight(estimator)] = weight
    try:
        with one_task_is_meant(), np.errstate(over="ignore", invalid="ignore"):
            return clone(estimator).fit(X, y, **options)
    except ValueError as error:
        name, size = find_largest(X)
        if not _LARGE <= size < np.inf:
            raise
        raise ValueError(
            f"Squares of the features must not overflow, got {size:.3g} in column "
            f"{name!r}. Divide the column by its largest absolute value."
        ) from error


def find_largest(X):
    """Return the column with the largest number, and that number (0 if none)."""
    if hasattr(X, "select_dtypes"):
        sizes = X.select_dtypes("number").abs().max()
        return (sizes.idxmax(), float(sizes.max())) if len(sizes) else (None, 0.0)
    if getattr(getattr(X, "dtype", None), "kind", "") != "f":
        return None, 0.0
    sizes = column_sizes(X)
    return int(sizes.argmax()), float(sizes.max())


def fit_task(estimator, X, y, weight, name):
    """Fit a clone on the rows of one task, and say which task if it fails."""
    labels = y if weight is None else y[weight > 0]
    if is_classifier(estimator) and len(np.unique(labels)) == 1:
        return DummyClassifier().fit(X, y, weight)  # most classifiers want two classes
    try:
        return fit_clone(estimator, X, y, weight)
    except Exception as error:
        error.add_note(f"This happened in the fit of {name}: {len(y)} row(s).")
        raise


def name_of_weight(estimator):
    """Return the keyword that passes the weights of rows on to a fit."""
    path = _find_weight(estimator)
    if path is None:
        raise ValueError(
            f"sample_weight was given, but {type(estimator).__name__} does not take it "
            f"in fit. Leave sample_weight out, or use an estimator that takes it."
        )
    return path


def _find_weight(estimator):
    if has_fit_parameter(estimator, "sample_weight"):
        return "sample_weight"
    if get_config()["enable_metadata_routing"]:
        return "sample_weight"  # routed to whoever requests it
    if isinstance(estimator, (GridSearchCV, RandomizedSearchCV)):
        return _find_weight(estimator.estimator)
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        path = _find_weight(last)
        return None if path is None else f"{name}__{path}"
    return None
