"""Fit one clone of the inner estimator to one set of rows."""

from typing import Any

import numpy as np
from sklearn import get_config
from sklearn.base import clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from skmtl._linalg import column_sizes
from skmtl.data import one_task_is_meant

# Squares of larger numbers, or sums of these squares, may overflow.
_LARGE = 1e150


def fit_clone(estimator, X, y, weight, options=None):
    """Fit a clone, with weights under the name that its fit accepts."""
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


def find_largest(X: Any) -> tuple[Any, float]:
    """Return the column with the largest absolute value, and that value.

    Returns (None, 0.0) if there is no numeric column.
    """
    if hasattr(X, "select_dtypes"):
        sizes = X.select_dtypes("number").abs().max()
        return (sizes.idxmax(), float(sizes.max())) if len(sizes) else (None, 0.0)
    if getattr(getattr(X, "dtype", None), "kind", "") != "f":
        return None, 0.0
    sizes = column_sizes(X)
    return int(sizes.argmax()), float(sizes.max())


def fit_task(estimator, X, y, weight, name):
    """Fit a clone to the rows of one task; an error names the task."""
    labels = y if weight is None else y[weight > 0]
    if is_classifier(estimator) and len(np.unique(labels)) == 1:
        return DummyClassifier().fit(X, y, weight)  # most classifiers need two classes
    try:
        return fit_clone(estimator, X, y, weight)
    except Exception as error:
        error.add_note(f"Raised in the fit of {name}, which has {len(y)} row(s).")
        raise


def name_of_weight(estimator: Any) -> str:
    """Return the keyword under which a fit accepts the weights of rows."""
    if get_config()["enable_metadata_routing"]:
        return "sample_weight"  # scikit-learn routes it to the steps that request it
    keyword = find_keyword(estimator, "sample_weight")
    if keyword is None:
        raise ValueError(
            "sample_weight needs an estimator whose fit accepts it. Got "
            f"{type(estimator).__name__}; leave out sample_weight, or use another "
            "estimator."
        )
    return keyword


def find_keyword(estimator: Any, keyword: str) -> str | None:
    """Return the name under which a fit accepts a keyword of its last step, or None.

    Parameters
    ----------
    estimator : estimator
        Model, or a search over one, or a pipeline that ends with one.
    keyword : str
        Name of the parameter of `fit`.

    Returns
    -------
    str or None
        The name, with the names of steps of pipelines.
    """
    if has_fit_parameter(estimator, keyword):
        return keyword
    if isinstance(estimator, (GridSearchCV, RandomizedSearchCV)):
        return find_keyword(estimator.estimator, keyword)
    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        path = find_keyword(last, keyword)
        return None if path is None else f"{name}__{path}"
    return None
