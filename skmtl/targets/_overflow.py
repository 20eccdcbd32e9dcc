"""Check that fits and predictions are finite."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import column_sizes

# Attributes that must be finite. Strengths and scores of strengths may be infinite.
_CHECKED = ("coef", "intercept", "objective", "scale")


def check_fit_is_finite(learnt: Mapping[str, Any], data: Any) -> None:
    """Raise an error if a coefficient, an intercept or the objective overflows.

    Parameters
    ----------
    learnt : dict
        Attributes by name.
    data : TaskData
        Training rows.
    """
    for name, value in learnt.items():
        if not name.startswith(_CHECKED) or _is_finite(value):
            continue
        feature, size = _find_largest(data.X)
        y = np.abs(data.Y if data.shares_rows else data.y).max(initial=0.0)
        raise ValueError(
            f"The fit must be finite, but {name} overflows. The largest value of X is "
            f"{size:.3g} (feature {feature}), that of y is {y:.3g}. Divide the column "
            "or y by its largest absolute value."
        )


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):  # by task; a task without rows has NaN
        return all(np.isfinite(v).all() or np.isnan(v).all() for v in value.values())
    return bool(np.isfinite(value).all())


def _find_largest(X: Any) -> tuple[int, float]:
    """Return the feature with the largest absolute value, and that value."""
    sizes = column_sizes(X)
    return int(np.argmax(sizes)), float(np.max(sizes))


def cast(values: Any, dtype: Any) -> Array:
    """Convert an array to a dtype, unless it would overflow or underflow.

    Parameters
    ----------
    values : array-like
        Numbers in float64.
    dtype : dtype
        Dtype of the features.

    Returns
    -------
    ndarray
        The numbers, in `dtype` or float64.
    """
    array: Array = np.asarray(values)
    limits, size = np.finfo(dtype), np.abs(array).max(initial=0.0)
    if size > limits.max or 0 < size < limits.tiny:
        return array
    return array.astype(dtype)


def predict_finite(
    predict: Callable[[Any], Array], X: Any, rows: Array | None = None
) -> Array:
    """Return predictions for rows, or raise an error if they overflow.

    Predictions of float32 rows that overflow are recomputed in float64.

    Parameters
    ----------
    predict : callable
        Returns predictions for rows.
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Rows.
    rows : ndarray of shape (n_samples,), default=None
        Row numbers for the message; None counts from zero.

    Returns
    -------
    ndarray of shape (n_samples, ...)
        The predictions.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        found = predict(X)
        if not np.isfinite(found).all() and X.dtype == np.float32:
            found = predict(X.astype(float))
    check_finite(found, X, rows)
    return found


def check_finite(found: Array, X: Any, rows: Array | None = None) -> None:
    """Raise an error if predictions overflow, naming a row and its largest feature.

    Parameters
    ----------
    found : ndarray of shape (n_samples, ...)
        Predictions.
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Rows.
    rows : ndarray of shape (n_samples,), default=None
        Row numbers for the message; None counts from zero.
    """
    lost = ~np.isfinite(found.reshape(len(found), found[:1].size)).all(axis=1)
    if lost.any():
        row = int(lost.argmax())
        feature, size = _find_largest(X[row : row + 1])
        name = row if rows is None else rows[row]
        raise ValueError(
            f"Predictions must be finite, but that of row {name} overflows: its "
            f"feature {feature} is {size:.3g} in absolute value. Remove rows so far "
            "from the training rows, or divide the column by its largest absolute "
            "value before fit."
        )
