"""Nothing leaves a fit or a prediction that is not finite."""

import numpy as np
from scipy import sparse

# What must be finite of a fit; strengths, and scores of some of them, may be infinite.
_CHECKED = ("coef", "intercept", "objective", "scale")


def refuse_infinite(learnt, data):
    """Refuse what a fit learnt if coefficients or the like overflow.

    Parameters
    ----------
    learnt : dict
        Attributes by name.
    data : TaskData
        Rows that it was learnt from.
    """
    for name, value in learnt.items():
        if not name.startswith(_CHECKED) or _is_finite(value):
            continue
        feature, size = _find_largest(data.X)
        y = np.abs(data.Y if data.shares_rows else data.y).max(initial=0.0)
        raise ValueError(
            f"A fit must be finite, but {name} overflows. The largest number of X is "
            f"{size:.3g} in feature {feature}, that of y is {y:.3g}. Divide the column "
            "or y by its largest absolute value."
        )


def _is_finite(value):
    parts = value.values() if isinstance(value, dict) else [value]
    return all(np.isfinite(part).all() for part in parts)


def _find_largest(X):
    """Return the feature that holds the largest number, and this."""
    sizes = abs(X).max(axis=0)
    sizes = sizes.toarray().ravel() if sparse.issparse(sizes) else sizes
    return int(np.argmax(sizes)), float(np.max(sizes))


def cast(values, dtype):
    """Return an array in a dtype, or as it is where that would overflow.

    Parameters
    ----------
    values : ndarray
        Numbers in float64.
    dtype : dtype
        Of the features.

    Returns
    -------
    ndarray
        The numbers.
    """
    values, limits = np.asarray(values), np.finfo(dtype)
    size = np.abs(values).max(initial=0.0)
    if size > limits.max or 0 < size < limits.tiny:
        return values
    return values.astype(dtype)


def predict_finite(calculate, X, rows=None):
    """Return finite predictions for rows, or refuse.

    Those of float32 rows that overflow are calculated in float64.

    Parameters
    ----------
    calculate : callable
        Returns predictions for rows.
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Rows.
    rows : ndarray of shape (n_samples,), default=None
        Their numbers, for the message; None if they are counted from zero.

    Returns
    -------
    ndarray of shape (n_samples, ...)
        The predictions.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        found = calculate(X)
        if not np.isfinite(found).all() and X.dtype == np.float32:
            found = calculate(X.astype(float))
    check_finite(found, X, rows)
    return found


def check_finite(found, X, rows=None):
    """Refuse predictions that overflow, naming a row and its largest feature.

    Parameters
    ----------
    found : ndarray of shape (n_samples, ...)
        Predictions.
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Rows.
    rows : ndarray of shape (n_samples,), default=None
        Their numbers, for the message; None if they are counted from zero.
    """
    lost = ~np.isfinite(found).reshape(len(found), -1).all(axis=1)
    if lost.any():
        row = int(lost.argmax())
        feature, size = _find_largest(X[row : row + 1])
        name = row if rows is None else rows[row]
        raise ValueError(
            f"Predictions must be finite, but that of row {name} overflows, where "
            f"feature {feature} has the size {size:.3g}. Leave out rows that are so "
            "far from those of fit, or divide the column by its largest absolute value "
            "before fit."
        )
