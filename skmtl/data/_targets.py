"""Read targets, numbers or classes, from any container."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import assert_all_finite, check_array, column_or_1d

from skmtl._contracts import Array

from ._containers import column_names, refuse_lazy
from ._task_codes import encode_tasks

_MISSING_TYPES = ("NAType", "NaTType")


def find_missing(values: Array) -> Array:
    """Return which entries of an array are NaN, None, NA or NaT.

    Parameters
    ----------
    values : ndarray
        Values of any kind.

    Returns
    -------
    ndarray of the same shape, dtype bool
        Whether the entry is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import find_missing
    >>> find_missing(np.array(["a", None, np.nan], dtype=object))
    array([False,  True,  True])
    """
    if values.dtype.kind != "O":
        return values != values
    found = [_is_missing(value) for value in values.ravel().tolist()]
    return np.array(found, dtype=bool).reshape(values.shape)


def _is_missing(value):
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return True
    return isinstance(value, Real) and value != value


def read_array(y: Any) -> Array:
    """Convert numbers or classes from any container to an array.

    Parameters
    ----------
    y : array-like, dataframe or series
        Values; some may be missing.

    Returns
    -------
    ndarray
        The values. In an object array, missing values are None; an object array of
        numbers is converted to numbers.

    Examples
    --------
    >>> from skmtl.data import read_array
    >>> read_array([1, float("nan"), "a"])
    array([1, None, 'a'], dtype=object)
    """
    if isinstance(y, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(y)  # asarray would ignore the mask
        array = _set_none(y.data, mask)
    elif isinstance(y, (list, tuple)) and len(set(map(type, y))) > 1:
        array = np.array(y, dtype=object)  # asarray would turn 1 beside "a" into "1"
    else:
        array = np.asarray(y)
    if array.dtype.kind != "O":
        return array
    missing = find_missing(array)
    if missing.any():
        return _set_none(array, missing)
    values = array.ravel().tolist()
    if not all(isinstance(value, (Real, np.bool_)) for value in values):
        return array
    return np.array(values).reshape(array.shape)


def _set_none(values, mask):
    """Return a copy of dtype object with None where the mask is true."""
    values = values.astype(object)
    values[mask] = None
    return values


def refuse_missing(values: Array, name: str = "y", what: str = "value") -> None:
    """Raise an error if a 1-d target has missing or infinite values.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Numbers or classes.
    name : str, default="y"
        Name of the values in error messages.
    what : {"value", "label"}, default="value"
        Word for one target in error messages.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import refuse_missing
    >>> refuse_missing(np.array(["a", None], dtype=object), what="label")
    Traceback (most recent call last):
    ...
    ValueError: Input y contains NaN: y has a missing label in row 1. Leave out such
    rows.
    """
    missing = find_missing(values)
    if missing.any():
        raise ValueError(
            f"Input {name} contains NaN: {name} has a missing {what} in row "
            f"{int(np.argmax(missing))}. Leave out such rows."
        )
    if values.dtype.kind == "f":
        assert_all_finite(values, input_name=name)


def read_numeric_target(estimator: Any, y: Any) -> tuple[Array, Array | None]:
    """Check numeric targets: 1-d and complete, or 2-d with NaN as unobserved.

    Parameters
    ----------
    estimator : estimator
        Estimator to name in error messages.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets in any container.

    Returns
    -------
    target : ndarray of shape (n_rows,) or (n_rows, n_tasks)
        The targets, float32 or float64.
    outputs : ndarray of shape (n_tasks,) or None
        Labels of the columns if there are several, else None.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> from skmtl.data import read_numeric_target
    >>> read_numeric_target(Ridge(), [[1, 2], [3, None]])
    (array([[ 1.,  2.],
           [ 3., nan]]), array([0, 1]))
    """
    name = type(estimator).__name__
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    refuse_lazy("y", y)
    target = check_array(
        read_array(y),
        ensure_2d=False,
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan",
        input_name="y",
        estimator=estimator,
    )
    if target.shape[1:] == (1,):
        target = column_or_1d(target, warn=True)
    if target.ndim == 1:
        refuse_missing(target)
        return target, None
    return target, label_columns(y, target.shape[1])


def read_target(y: Any) -> Array:
    """Read numbers or classes: 1-d, or 2-d with missing values as unobserved cells.

    Parameters
    ----------
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets in any container.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_tasks)
        The targets; a single column becomes 1-d, with a warning.

    Examples
    --------
    >>> from skmtl.data import read_target
    >>> read_target([["a", "b"], ["a", None]])
    array([['a', 'b'],
           ['a', None]], dtype=object)
    """
    refuse_lazy("y", y)
    target = check_array(
        read_array(y),
        ensure_2d=False,
        dtype=None,
        ensure_all_finite=False,
        input_name="y",
    )
    if target.ndim == 2 and target.shape[1] > 1:
        return target
    return column_or_1d(target, warn=True)


def read_class_labels(y: Any, name: str = "y") -> Array:
    """Read the class of each row; raise an error for missing values.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Classes in any container.
    name : str, default="y"
        Name of the values in error messages.

    Returns
    -------
    ndarray of shape (n_rows,)
        Classes, all strings or all numbers.

    Examples
    --------
    >>> from skmtl.data import read_class_labels
    >>> read_class_labels(["no", "yes"])
    array(['no', 'yes'], dtype='<U3')
    """
    refuse_lazy(name, y)
    labels = column_or_1d(read_array(y), warn=True)
    refuse_missing(labels, name, "label")
    if labels.dtype.kind != "O":
        return labels
    kinds = {isinstance(label, str): label for label in labels.tolist()}
    if len(kinds) > 1:
        examples = " and ".join(repr(label) for label in kinds.values())
        raise ValueError(
            f"{name} must hold classes of one kind, strings or numbers, got both: "
            f"{examples}. Convert them to one kind."
        )
    return labels


def find_observed(target: Array, name: str = "y") -> Array:
    """Return the mask of the observed cells of a 2-d target; raise if none is."""
    observed = ~find_missing(target)
    if not observed.any():
        raise ValueError(
            f"{name} must have an observed value, got NaN in all {target.size} cells."
        )
    return observed


def label_columns(y: Any, n_outputs: int) -> Array:
    """Return a label for each column of a 2-d target: its name or its position."""
    labels = label_outputs(column_names(y))
    return np.arange(n_outputs) if labels is None else labels


def label_outputs(names: Sequence[Any] | None) -> Array | None:
    """Return the names of several columns as labels; None for one or without names."""
    if names is None or len(names) == 1:
        return None
    labels = np.empty(len(names), dtype=object)
    labels[:] = names
    tasks, codes = encode_tasks(labels)
    if len(tasks) < len(names):
        doubled = tasks[np.bincount(codes) > 1].tolist()
        raise ValueError(
            f"The columns of y are the tasks and must have different names, got twice: "
            f"{doubled[:5]}. Rename them."
        )
    return tasks[codes]
