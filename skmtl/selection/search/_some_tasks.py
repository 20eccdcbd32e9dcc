"""Choice of some of many tasks, for the first steps of a search."""

from typing import Any

import numpy as np

from skmtl._contracts import Array

# With more tasks, or numbers in their matrices, searches take fewer steps.
_MANY_TASKS, _MANY_NUMBERS = 200, 2**19


def is_costly(moments: Any) -> bool:
    """Return whether fits to tasks take so long that a search should need few.

    Parameters
    ----------
    moments : TaskMoments
        Moments of the tasks.

    Returns
    -------
    bool
        Whether the tasks or their matrices are many.
    """
    n_numbers = moments.n_tasks * moments.n_features**2
    return moments.n_tasks > _MANY_TASKS or n_numbers > _MANY_NUMBERS


def sample_tasks(weight: Array, n_tasks: int) -> Array:
    """Return positions of at most so many tasks, of all sizes.

    Parameters
    ----------
    weight : ndarray of shape (n_tasks,)
        Weight of each task's rows.
    n_tasks : int
        Largest number of tasks.

    Returns
    -------
    ndarray of int
        Positions, increasing. All tasks if they are not more.
    """
    if len(weight) <= n_tasks:
        return np.arange(len(weight))
    order = np.argsort(-weight, kind="stable")[: (weight > 0).sum()]
    places = (np.arange(n_tasks) + 0.5) * len(order) / n_tasks
    return np.unique(order[places.astype(int)])
