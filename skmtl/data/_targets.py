"""Targets of regression."""

import numpy as np
from sklearn.utils import assert_all_finite, check_array, column_or_1d

from ._containers import column_names, refuse_lazy
from ._tasks import encode_tasks


def read_numeric_target(estimator, y):
    """Check numeric targets: a complete 1-d array, or a 2-d one with NaN as missing.

    Returns the array, and the labels of its columns if it is 2-d, else None.
    """
    name = type(estimator).__name__
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    refuse_lazy("y", y)
    outputs = label_outputs(column_names(y))
    if isinstance(y, np.ma.MaskedArray):
        y = y.astype(np.float64).filled(np.nan)  # check_array would show what it hides
    target = check_array(
        y,
        ensure_2d=False,
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan",
        input_name="y",
        estimator=estimator,
    )
    if target.shape[1:] == (1,):
        target = column_or_1d(target, warn=True)
    if target.ndim == 1:
        assert_all_finite(target, input_name="y", estimator_name=name)
        return target, None
    return target, np.arange(target.shape[1]) if outputs is None else outputs


def label_outputs(names):
    """Return the names of several columns as labels, in their order."""
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
