"""Measures of predicted means of counts, task by task."""

from scipy.special import kl_div

from ._predictions import SIGNS as NUMBER_SIGNS
from ._predictions import measure as measure_numbers
from ._rows import divide, read_rows, read_vector
from ._scores import tabulate

# 1 where greater is better, -1 where smaller is
COUNT_SIGNS = {"poisson_deviance": -1, "d2_poisson": 1}
SIGNS = {**COUNT_SIGNS, **NUMBER_SIGNS}


def score_counts(y_true, y_pred, codes, tasks, sample_weight=None):
    """Score predicted means of counts task by task.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Counts, or other targets that are not negative.
    y_pred : array-like of shape (n_rows,)
        Predicted means, not negative. A mean of 0 is right for a count of 0, and
        infinitely wrong for any other.
    codes : array-like of shape (n_rows,), dtype int
        Position in `tasks` of each row's task; rows with -1 are left out.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row, not negative. None means ones.

    Returns
    -------
    scores : TaskScores
        Poisson deviance, the part of it that is explained, and the measures of
        :func:`score_predictions`, per task, and their averages.

    See Also
    --------
    task_scores : Reads tasks and predictions from an estimator and its data.

    Examples
    --------
    >>> from skmtl.metrics import score_counts
    >>> scores = score_counts([0, 4, 3, 3], [1.0, 3.0, 3.0, 3.0], [0, 0, 1, 1], "ab")
    >>> scores.columns["poisson_deviance"].round(3), scores.columns["d2_poisson"]
    (array([1.151, 0.   ]), array([0.585...,   nan]))
    """
    y = read_vector(y_true, "y_true")
    z = read_vector(y_pred, "y_pred")
    rows, y, z = read_rows(codes, tasks, sample_weight, y, z)
    for name, values in {"y_true": y, "y_pred": z}.items():
        _refuse_negative(name, values)
    return tabulate(_measure, SIGNS, tasks, rows, y, z)


def _refuse_negative(name, values):
    if values.min() < 0:
        raise ValueError(
            f"{name} must not be negative to be scored as counts. Got {values.min():g};"
            " score the estimator with counts=False."
        )


def _measure(rows, y, z):
    """Compute the columns of each task."""
    mean = y - rows.centre(y)
    deviance = rows.mean(2 * kl_div(y, z))
    explained = 1 - divide(deviance, rows.mean(2 * kl_div(y, mean)))
    numbers = measure_numbers(rows, y, z)
    return {"poisson_deviance": deviance, "d2_poisson": explained, **numbers}
