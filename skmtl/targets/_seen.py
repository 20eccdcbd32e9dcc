"""Tasks that have rows with weight."""

from typing import Any

import numpy as np

from skmtl._contracts import Array


def seen_tasks(rows: Any) -> Array:
    """Find the tasks that have rows with weight.

    Parameters
    ----------
    rows : TaskData
        Rows of the tasks.

    Returns
    -------
    ndarray of shape (n_tasks,), dtype bool
        Whether the task has a row with weight.
    """
    seen: Array
    n_tasks = len(rows.tasks)
    if rows.shares_rows:
        seen = np.full(n_tasks, rows.weight is None or rows.weight.any())
    else:
        codes = np.repeat(np.arange(n_tasks), np.diff(rows.offsets))
        seen = np.bincount(codes, rows.weight, minlength=n_tasks) > 0
    return seen if rows.task_weight is None else seen & (rows.task_weight > 0)
