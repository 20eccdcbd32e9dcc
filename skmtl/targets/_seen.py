"""Tasks that have rows with weight."""

import numpy as np


def seen_tasks(rows):
    """Return whether each task has rows with weight.

    Parameters
    ----------
    rows : TaskData
        Rows of the tasks.

    Returns
    -------
    ndarray of shape (n_tasks,), dtype bool
        Whether it has.
    """
    n_tasks = len(rows.tasks)
    if rows.shares_rows:
        seen = np.full(n_tasks, rows.weight is None or rows.weight.any())
    else:
        codes = np.repeat(np.arange(n_tasks), np.diff(rows.offsets))
        seen = np.bincount(codes, rows.weight, minlength=n_tasks) > 0
    return seen if rows.task_weight is None else seen & (rows.task_weight > 0)
