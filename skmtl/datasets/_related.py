"""Simulated regression tasks with coefficients near a shared centre."""

from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state


def make_related_tasks(
    n_tasks: int = 20,
    n_samples: int | ArrayLike = 30,
    n_features: int = 10,
    *,
    spread: float = 0.5,
    noise: float = 1.0,
    intercept_spread: float = 1.0,
    task_names: ArrayLike | None = None,
    as_frame: bool = False,
    coef: bool = False,
    random_state: int | RandomState | None = None,
) -> tuple[Any, ...]:
    """Simulate regression tasks with coefficients near a shared centre.

    A row of task ``t`` has standard normal features ``x`` and the target

    ``y = x @ w_t + b_t + noise * e``, where ``w_t = w_s + spread * u_t`` and
    ``b_t = intercept_spread * v_t``.

    ``w_s``, ``u_t``, ``v_t`` and ``e`` are standard normal. The rows of the tasks are
    in random order. Use these data for examples and tests without real grouped data,
    such as pupils in schools.

    Parameters
    ----------
    n_tasks : int, default=20
        Number of tasks.
    n_samples : int or array-like of shape (n_tasks,), default=30
        Number of rows per task: one number, or one for each task.
    n_features : int, default=10
        Number of features, without the task column.
    spread : float, default=0.5
        Standard deviation of a task's coefficients around the shared ones. With 0 only
        the intercepts of tasks differ; with a large value the tasks are unrelated.
    noise : float, default=1.0
        Standard deviation of the noise in the target.
    intercept_spread : float, default=1.0
        Standard deviation of the tasks' intercepts.
    task_names : array-like of shape (n_tasks,), default=None
        Distinct labels of the tasks, str or int. None means ``0`` to ``n_tasks - 1``.
    as_frame : bool, default=False
        Return a pandas DataFrame with columns ``x0``, ``x1``, ... and ``task``, and a
        Series named ``target``, instead of arrays.
    coef : bool, default=False
        Return also the true coefficients.
    random_state : int, RandomState instance or None, default=None
        Seed of the random draws; an int gives the same data in each call.

    Returns
    -------
    X : {ndarray, DataFrame} of shape (n_rows, n_features + 1)
        Features, then the task column. The array has dtype float if the labels are
        integers, and object if they are strings.
    y : {ndarray, Series} of shape (n_rows,)
        Targets.
    coef : ndarray of shape (n_tasks, n_features)
        True coefficients, in the order of `task_names`; only if ``coef=True``.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> X, y = make_related_tasks(n_tasks=3, n_samples=[5, 20, 10], random_state=0)
    >>> X.shape, y.shape
    ((35, 11), (35,))
    >>> X, y = make_related_tasks(
    ...     2, 4, 1, task_names=["north", "south"], as_frame=True, random_state=0
    ... )
    >>> X["task"].value_counts().to_dict()
    {'north': 4, 'south': 4}
    """
    sizes = _read_sizes(n_samples, n_tasks)
    names = _read_names(task_names, n_tasks)
    rng = check_random_state(random_state)
    shared = rng.standard_normal(n_features)
    W = shared + spread * rng.standard_normal((n_tasks, n_features))
    b = intercept_spread * rng.standard_normal(n_tasks)
    codes = rng.permutation(np.repeat(np.arange(n_tasks), sizes))
    features = rng.standard_normal((len(codes), n_features))
    y = np.einsum("ij,ij->i", features, W[codes]) + b[codes]
    y += noise * rng.standard_normal(len(codes))
    join = _join_frame if as_frame else _join_array
    X, y = join(features, names[codes], y)
    return (X, y, W) if coef else (X, y)


def _read_sizes(n_samples, n_tasks):
    sizes = np.asarray(n_samples)
    if sizes.ndim == 0:
        sizes = np.full(n_tasks, sizes)
    if sizes.shape != (n_tasks,) or sizes.dtype.kind not in "iu" or (sizes < 1).any():
        raise ValueError(
            "n_samples must be a positive integer, or a list of one for each of the "
            f"n_tasks={n_tasks} tasks. Got {n_samples!r}."
        )
    return sizes


def _read_names(task_names, n_tasks):
    names = np.arange(n_tasks) if task_names is None else np.asarray(task_names)
    if names.shape != (n_tasks,) or len(set(names.tolist())) != n_tasks:
        raise ValueError(
            f"task_names must have n_tasks={n_tasks} distinct labels. "
            f"Got {task_names!r}."
        )
    return names


def _join_array(features, labels, y):
    """Append the labels as the last column; strings give an array of objects."""
    if labels.dtype.kind not in "iu":
        features, labels = features.astype(object), labels.astype(object)
    return np.column_stack([features, labels]), y


def _join_frame(features, labels, y):
    import pandas as pd

    X = pd.DataFrame(features, columns=[f"x{j}" for j in range(features.shape[1])])
    if labels.dtype.kind not in "iu":
        labels = labels.tolist()  # so that pandas infers its own string dtype
    return X.assign(task=labels), pd.Series(y, name="target")
