"""Targets of regression."""

import numpy as np
from sklearn.utils import assert_all_finite, check_array, column_or_1d

from ._columns import column_names, refuse_lazy
from ._tasks import encode_tasks


def read_numeric_target(estimator, y):
    """Check numeric targets: a complete 1-d array, or a 2-d one with NaN as missing."""
    name = type(estimator).__name__
    if y is None:
        raise ValueError(
            f"This {name} estimator requires y to be passed, but the target y is None."
        )
    refuse_lazy("y", y)
    if isinstance(y, np.ma.MaskedArray):
        y = y.astype(np.float64).filled(np.nan)  # check_array would show what it hides
    checked = check_array(
        y,
        ensure_2d=False,
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan",
        input_name="y",
        estimator=estimator,
    )
    if checked.shape[1:] == (1,):
        checked = column_or_1d(checked, warn=True)
    if checked.ndim == 1:
        assert_all_finite(checked, input_name="y", estimator_name=name)
    return checked


def label_outputs(y, n_outputs):
    """Return the labels of the columns of a 2-d target, in their order."""
    names = column_names(y)
    if names is None:
        return np.arange(n_outputs)
    tasks, codes = encode_tasks(names)
    if len(tasks) < n_outputs:
        doubled = tasks[np.bincount(codes) > 1].tolist()
        raise ValueError(
            f"The columns of y are the tasks and must have different names, got twice: "
            f"{doubled[:5]}. Rename them."
        )
    return tasks[codes]
