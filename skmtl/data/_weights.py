"""Weights of rows and of tasks."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_array

from skmtl._contracts import Array

from ._containers import refuse_lazy
from ._labels import join_label
from ._targets import read_array
from ._task_codes import find_tasks


def read_sample_weight(
    sample_weight: Any, n_rows: int, n_columns: int | None = None
) -> Array | None:
    """Check the weights of rows or cells; repeat a number, and return None for None.

    Parameters
    ----------
    sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_columns) or None
        Weights in any container.
    n_rows : int
        Number of rows.
    n_columns : int, default=None
        Number of columns of a 2-d y, whose cells may have weights; None if rows only
        may have weights.

    Returns
    -------
    ndarray of shape (n_rows,) or (n_rows, n_columns) or None
        The weights.

    Examples
    --------
    >>> from skmtl.data import read_sample_weight
    >>> read_sample_weight(2, 3)
    array([2., 2., 2.])
    """
    refuse_lazy("sample_weight", sample_weight)
    if sample_weight is None:
        return None
    weight = read_array(sample_weight)
    if weight.ndim == 0:
        weight = np.full(n_rows, float(weight))
    weight = check_array(
        weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    _check_shape(weight.shape, n_rows, n_columns)
    if weight.min() < 0:
        row = int(np.argwhere(weight == weight.min())[0, 0])
        raise ValueError(
            "Negative values in data passed to sample_weight: sample_weight must not "
            f"be negative, got {weight.min()} in row {row}. Leave out such rows."
        )
    return weight


def _check_shape(shape, n_rows, n_columns):
    if shape in ((n_rows,), (n_rows, n_columns)):
        return
    if n_columns is None:
        raise ValueError(
            f"sample_weight must be one number per row, of shape ({n_rows},), got "
            f"shape {shape}. To weight the cells of a 2-d y here, give each cell a row "
            "of its own, with a task column."
        )
    raise ValueError(
        f"sample_weight must be one number per row, of shape ({n_rows},), or one per "
        f"cell of y, of shape ({n_rows}, {n_columns}), got shape {shape}. Pass weights "
        "for the rows and columns of y."
    )


def weigh_cells(weight: Array | None, rows: Array, columns: Array) -> Array | None:
    """Return the weights of some cells of a 2-d y, or None for None.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,) or (n_rows, n_columns) or None
        Weight of each row or of each cell.
    rows : ndarray of shape (n_cells,), dtype intp
        Row of each cell.
    columns : ndarray of shape (n_cells,), dtype intp
        Column of each cell.

    Returns
    -------
    ndarray of shape (n_cells,) or None
        The weights.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import weigh_cells
    >>> rows, columns = np.array([0, 1]), np.array([1, 1])
    >>> weigh_cells(np.array([[1.0, 2.0], [3.0, 4.0]]), rows, columns)
    array([2., 4.])
    """
    if weight is None or weight.ndim == 1:
        return None if weight is None else weight[rows]
    return weight[rows, columns]


def read_task_weight(
    task_weight: str | Mapping[Any, float] | None, tasks: Array, totals: Array
) -> Array | None:
    """Check the factors of the tasks' losses.

    Parameters
    ----------
    task_weight : {"balanced"}, mapping or None
        A mapping from every label to a number, or "balanced" for equal totals of all
        tasks, with the same sum. None means ones.
    tasks : ndarray of shape (n_tasks,)
        Labels.
    totals : ndarray of shape (n_tasks,)
        Summed weight of each task's observations.

    Returns
    -------
    factors : ndarray of shape (n_tasks,) or None
        Factor of each task, or None for ones.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import read_task_weight
    >>> read_task_weight("balanced", np.array(["a", "b"]), np.array([1.0, 3.0]))
    array([2.        , 0.66666667])
    """
    if task_weight is None:
        factors = None
    elif isinstance(task_weight, str) and task_weight == "balanced":
        factors = _balance(totals)
    elif isinstance(task_weight, Mapping):
        factors = _look_up(task_weight, tasks)
    else:
        raise TypeError(
            f"task_weight must be None, 'balanced' or a mapping from labels to "
            f"numbers, got {task_weight!r}. Pass for example {{'a': 1.0, 'b': 2.0}}."
        )
    refuse_zero_weight(totals if factors is None else totals * factors)
    return factors


def refuse_zero_weight(weight: Array | None) -> None:
    """Raise an error if the weights of all observations, or of all tasks, are 0."""
    if weight is not None and not np.any(weight):
        raise ValueError(
            "Sample weights and task weights must contain at least one non-zero number "
            "that belongs to an observation, got zero everywhere. Pass None for equal "
            "weights."
        )


def _balance(totals):
    """Return factors for equal totals of all tasks with weight, with the same sum."""
    factors = np.ones(len(totals))
    heavy = totals > 0
    factors[heavy] = totals[heavy].sum() / (heavy.sum() * totals[heavy])
    return factors


def _look_up(task_weight, tasks):
    # Labels of other tasks are ignored, since a fold may lack a small task.
    labels = tasks.tolist()
    named = [join_label(label) for label in task_weight]
    codes = find_tasks(named, tasks).tolist()
    found = dict(zip(codes, task_weight.values(), strict=True))
    missing = [label for t, label in enumerate(labels) if t not in found]
    if missing:
        raise ValueError(
            f"task_weight must have one entry for each of the {len(labels)} tasks, "
            f"missing: {missing[:5]}. Add these labels."
        )
    values = {label: found[t] for t, label in enumerate(labels)}
    bad = {label: value for label, value in values.items() if not _is_weight(value)}
    if bad:
        raise ValueError(
            f"task_weight must map each label to a finite number of 0 or more, got "
            f"{dict(list(bad.items())[:5])}."
        )
    return np.array(list(values.values()), dtype=np.float64)


def _is_weight(value):
    return isinstance(value, Real) and bool(np.isfinite(value)) and value >= 0
