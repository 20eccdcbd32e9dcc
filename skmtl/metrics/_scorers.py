"""Scorers that average the scores of tasks, for searches and cross-validation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._classes import CLASS_SIGNS, PROBABILITY_SIGNS, score_classes, score_probabilities
from ._counts import COUNT_SIGNS, score_counts
from ._predictions import SIGNS, score_predictions
from ._reading import read_predictions, read_probabilities, refuse_no_estimator
from ._scores import average_tasks

_AVERAGES = ("macro", "weighted", "worst")

# Functions that compute predictions and their scores, by metric: only the metrics of
# probabilities call predict_proba.
_METRICS = {
    **dict.fromkeys(SIGNS, (read_predictions, score_predictions)),
    **dict.fromkeys(COUNT_SIGNS, (read_predictions, score_counts)),
    **dict.fromkeys(PROBABILITY_SIGNS, (read_probabilities, score_probabilities)),
    **dict.fromkeys(CLASS_SIGNS, (read_predictions, score_classes)),
}


def make_task_scorer(
    metric: str | Callable[..., float] = "r2",
    *,
    task_column: str | int | list[str | int] | None = None,
    average: str = "macro",
    min_samples: int = 2,
) -> Callable[..., float]:
    """Make a scorer that averages the scores of the tasks.

    Use it as `scoring` in GridSearchCV, cross_validate (also in a dict of scorers) or
    permutation_importance: they call ``scorer(estimator, X, y)``. Greater is better, so
    errors are negated.

    Parameters
    ----------
    metric : str or callable, default="r2"
        A column of :class:`TaskScores`: "r2", "mse", "rmse", "mae", "correlation" or
        "nmse" for numbers; "poisson_deviance" or "d2_poisson" for counts; "log_loss",
        "auc", "accuracy", "balanced_accuracy" or "brier" for classes. Or a function
        ``metric(y_true, y_pred)`` of the rows of one task, greater being better, such
        as :func:`sklearn.metrics.f1_score`.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, or a level of its index. None means the
        column that the estimator declares, or else that the columns of a 2-d y are
        tasks.
    average : {"macro", "weighted", "worst"}, default="macro"
        Mean over tasks, mean weighted by the rows of each task, or score of the worst
        task.
    min_samples : int, default=2
        Leave out tasks with fewer scored rows than this.

    Returns
    -------
    scorer : callable
        Scorer. It can be pickled if `metric` can.

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
    if not callable(metric) and metric not in _METRICS:
        raise ValueError(
            f"metric must be one of {list(_METRICS)} or a callable. Got {metric!r}."
        )
    if average not in _AVERAGES:
        raise ValueError(f"average must be one of {_AVERAGES}. Got {average!r}.")
    return _TaskScorer(metric, task_column, average, min_samples)


@dataclass(frozen=True)
class _TaskScorer:
    metric: str | Callable[..., float]
    task_column: str | int | list[str | int] | None
    average: str
    min_samples: int

    def __call__(
        self,
        estimator: Any,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        refuse_no_estimator(estimator, "A scorer of tasks")
        data = estimator, X, y, self.task_column, None, sample_weight
        score_tasks = _score_by_function if callable(self.metric) else _score_by_name
        values, counts, weights = score_tasks(self.metric, data, self.min_samples)
        score = average_tasks(values, weights, self.average)
        if np.isnan(score):
            raise ValueError(self._explain_no_score(counts))
        return score

    def _explain_no_score(self, counts):
        return (
            f"At least one task must have min_samples={self.min_samples} rows on which "
            f"{self.metric} is defined (r2 needs different values, auc two classes). "
            f"Got {len(counts)} tasks of at most {counts.max()} rows; hold out rows of "
            "every task, as TaskKFold does, or choose another metric."
        )


def _score_by_name(metric, data, min_samples):
    """Return the score (greater is better), row count and weight of each task."""
    read, score = _METRICS[metric]
    scores = score(**vars(read(*data)))
    counts = scores.columns["n"]
    signed = scores.signs[metric] * scores.columns[metric]
    values = np.where(counts >= min_samples, signed, np.nan)
    return values, counts, scores.weights


def _score_by_function(metric, data, min_samples):
    """Call the metric for each task; return scores, row counts and weights."""
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
