"""Scorers that average over tasks, for searches and cross-validation."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._classes import CLASS_SIGNS, PROBABILITY_SIGNS, score_classes, score_probabilities
from ._counts import COUNT_SIGNS, score_counts
from ._predictions import SIGNS, score_predictions
from ._reading import read_predictions, read_probabilities, refuse_no_estimator
from ._scores import average_tasks

_AVERAGES = ("macro", "weighted", "worst")

# What reads the estimator's answers, and what scores them, so that each measure asks
# for no more than it needs.
_MEASURES = {
    **dict.fromkeys(SIGNS, (read_predictions, score_predictions)),
    **dict.fromkeys(COUNT_SIGNS, (read_predictions, score_counts)),
    **dict.fromkeys(PROBABILITY_SIGNS, (read_probabilities, score_probabilities)),
    **dict.fromkeys(CLASS_SIGNS, (read_predictions, score_classes)),
}


def make_task_scorer(metric="r2", *, task_column=None, average="macro", min_samples=2):
    """Make a scorer that scores each task, then averages over the tasks.

    It is called as ``scorer(estimator, X, y)``, so it serves as `scoring` wherever
    scikit-learn takes one: in GridSearchCV, cross_validate (also in a dict of several),
    permutation_importance. Greater is better: errors come with a minus.

    Parameters
    ----------
    metric : str or callable, default="r2"
        A column of :class:`TaskScores`: "r2", "mse", "rmse", "mae", "correlation" or
        "nmse" for numbers; "poisson_deviance" or "d2_poisson" for counts; "log_loss",
        "auc", "accuracy", "balanced_accuracy" or "brier" for classes. Or a function
        ``metric(y_true, y_pred)`` of the rows of one task, of which greater is better,
        such as :func:`sklearn.metrics.f1_score`.
    task_column : str, int or list of them, default=None
        Column of X that names the task of each row, or a level of its index. None means
        the one that the estimator declares, else that the columns of a 2-d y are the
        tasks.
    average : {"macro", "weighted", "worst"}, default="macro"
        Every task counts the same; or by its rows; or only the worst task counts.
    min_samples : int, default=2
        Tasks with fewer rows than this in the rows being scored are left out.

    Returns
    -------
    scorer : callable
        Scorer, which can be pickled if `metric` can.

    See Also
    --------
    task_scores : The scores of all tasks.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.model_selection import cross_validate
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.metrics import make_task_scorer
    >>> X, y = make_related_tasks(as_frame=True, random_state=0)
    >>> scoring = {
    ...     "typical": make_task_scorer("rmse", task_column="task"),
    ...     "worst": make_task_scorer("rmse", task_column="task", average="worst"),
    ... }
    >>> scores = cross_validate(LinearRegression(), X, y, scoring=scoring)
    >>> bool((scores["test_worst"] < scores["test_typical"]).all())
    True
    """
    if not callable(metric) and metric not in _MEASURES:
        raise ValueError(
            f"metric must be one of {list(_MEASURES)}, or a callable. Got {metric!r}."
        )
    if average not in _AVERAGES:
        raise ValueError(f"average must be one of {_AVERAGES}. Got {average!r}.")
    return _TaskScorer(metric, task_column, average, min_samples)


@dataclass(frozen=True)
class _TaskScorer:
    metric: str | Callable
    task_column: str | int | None
    average: str
    min_samples: int

    def __call__(self, estimator, X, y, sample_weight=None):
        refuse_no_estimator(estimator, "A scorer of tasks")
        data = estimator, X, y, self.task_column, None, sample_weight
        measure = _measure_by_call if callable(self.metric) else _measure_by_name
        values, counts, weights = measure(self.metric, data, self.min_samples)
        score = average_tasks(values, weights, self.average)
        if np.isnan(score):
            raise ValueError(self._explain_no_score(counts))
        return score

    def _explain_no_score(self, counts):
        return (
            f"At least one task must have min_samples={self.min_samples} rows, and "
            f"{self.metric} must be defined there (variance needs different values, "
            "auc two classes). "
            f"Got {len(counts)} tasks of at most {counts.max()} rows; hold out more "
            "rows of each, as TaskKFold does, or choose another metric."
        )


def _measure_by_name(metric, data, min_samples):
    """Take a column of the table, larger being better, with counts and weights."""
    read, score = _MEASURES[metric]
    scores = score(**vars(read(*data)))
    counts = scores.columns["n"]
    signed = scores.signs[metric] * scores.columns[metric]
    values = np.where(counts >= min_samples, signed, np.nan)
    return values, counts, scores.weights


def _measure_by_call(metric, data, min_samples):
    """Call the metric on the rows of each task that has enough of them."""
    rows = read_predictions(*data)
    weight = rows.sample_weight
    weight = np.ones(len(rows.codes)) if weight is None else weight
    kept = np.flatnonzero(weight > 0)
    kept = kept[np.argsort(rows.codes[kept], kind="stable")]
    counts = np.bincount(rows.codes[kept], minlength=len(rows.tasks))
    values = np.full(len(counts), np.nan)
    groups = np.split(kept, np.cumsum(counts)[:-1])
    for t in np.flatnonzero(counts >= max(min_samples, 1)):
        i = groups[t]
        options = {} if rows.sample_weight is None else {"sample_weight": weight[i]}
        values[t] = metric(rows.y_true[i], rows.y_pred[i], **options)
    return values, counts, np.bincount(rows.codes, weight, minlength=len(counts))
