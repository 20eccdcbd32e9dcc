"""Moments of rows that are valid arrays."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmtl._contracts import Array

from ._arrange import order_by_task
from ._moments import TaskMoments
from ._task_codes import encode_tasks
from ._task_rows import TaskRows


def summarise(
    X: Any, y: Array, task: ArrayLike, sample_weight: Array | None = None
) -> TaskMoments:
    """Compute the moments of each task.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Features, finite.
    y : ndarray of shape (n_samples,)
        Target, finite.
    task : array-like of shape (n_samples,)
        Label of each row.
    sample_weight : ndarray of shape (n_samples,) or None, default=None
        Weights.

    Returns
    -------
    TaskMoments
        The moments of each task.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import summarise
    >>> X, y = np.array([[1.0], [3.0], [5.0]]), np.array([0.0, 1.0, 2.0])
    >>> summarise(X, y, ["b", "a", "b"]).x_mean.tolist()
    [[3.0], [3.0]]
    """
    tasks, codes = encode_tasks(task)
    order = order_by_task(codes)
    rows = slice(None) if order is None else order
    offsets = np.concatenate([[0], np.cumsum(np.bincount(codes))])
    weight = None if sample_weight is None else np.asarray(sample_weight)[rows]
    return TaskRows(X, order, y[rows], weight, offsets, tasks).moments()
