"""Scores per task of predicted means of counts."""

from numpy.typing import ArrayLike
from scipy.special import kl_div

from ._predictions import SIGNS as NUMBER_SIGNS
from ._predictions import measure as measure_numbers
from ._rows import divide, read_rows, read_vector
from ._scores import TaskScores, tabulate

# 1 if greater is better, -1 if smaller is better.
COUNT_SIGNS = {"poisson_deviance": -1, "d2_poisson": 1}
SIGNS = {**COUNT_SIGNS, **NUMBER_SIGNS}


def score_counts(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    codes: ArrayLike,
    tasks: ArrayLike,
    sample_weight: ArrayLike | None = None,
) -> TaskScores:
    """Compute the scores of predicted means of counts for each task.

    :class:`TaskScores` states the formulas.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Counts, or other targets that are not negative.
    y_pred : array-like of shape (n_rows,)
        Predicted means, not negative. A mean of 0 has deviance 0 for a count of 0, and
        an infinite deviance for any other count.
    codes : array-like of shape (n_rows,), dtype int
        Position of each row's task in `tasks`; rows with -1 are left out.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row, not negative. None means ones.

    Returns
    -------
    scores : TaskScores
        Poisson deviance, explained deviance and the scores of
        :func:`score_predictions` per task, and their averages.

    See Also
    --------
    task_scores : Takes an estimator and data instead of predictions.

    Examples
    --------
    >>> from skmtl.metrics import score_counts
    >>> y_true, y_pred = [0, 4, 3, 3], [1.0, 3.0, 3.0, 3.0]
    >>> scores = score_counts(y_true, y_pred, [0, 0, 1, 1], ["north", "south"])
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
            f"{name} must not be negative for scores of counts. Got {values.min():g}; "
            "score the estimator with counts=False."
        )


def _measure(rows, y, z):
    """Compute all scores per task."""
    mean = y - rows.centre(y)
    deviance = rows.mean(2 * kl_div(y, z))
    explained = 1 - divide(deviance, rows.mean(2 * kl_div(y, mean)))
    numbers = measure_numbers(rows, y, z)
    return {"poisson_deviance": deviance, "d2_poisson": explained, **numbers}
