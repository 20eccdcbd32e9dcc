"""Score a fitted estimator per task, on tasks that it or the user declares."""

from collections.abc import Callable
from typing import Any, Literal

from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import column_or_1d, get_tags

from skmtl.data import (
    as_table,
    declare_tasks,
    encode_tasks,
    read_array,
    read_sample_weight,
    refuse_undeclared,
)

from ._cells import Predictions, Probabilities, read_cells, read_probability_cells
from ._classes import score_classes, score_probabilities
from ._counts import score_counts
from ._declared import find_task_column, unwrap_search
from ._predictions import score_predictions
from ._scores import TaskScores


def task_scores(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task_column: str | int | list[str | int] | None = None,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    counts: bool | Literal["auto"] = "auto",
) -> TaskScores:
    """Score a fitted regressor or classifier task by task.

    The tasks are the first of these: the labels in `task`; the column `task_column`;
    the column that the estimator declares, also within a Pipeline, a search or a
    TaskAware; the columns of a 2-d `y`.

    This scores any estimator, also one without tasks, or one that encodes the task
    column as one-hot features: pass `task_column`, or labels in `task`. These may be
    other groups than the tasks of `fit`.

    Parameters
    ----------
    estimator : fitted regressor or classifier
        Estimator with ``predict(X)`` and, if possible, ``predict_proba(X)``; both get
        `task` too if it was fitted with ``task=``.
    X : {array-like, DataFrame} of shape (n_rows, n_columns)
        Rows, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets or classes; in a 2-d `y`, NaN is unobserved and classes are numbers.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, or level of its index.
    task : array-like of shape (n_rows,), int or str, default=None
        Task of each row, or one task for all rows.
    sample_weight : array-like of shape (n_rows,) or (n_rows, n_tasks), default=None
        Weight of each row, or of each cell of a 2-d `y`.
    counts : bool or "auto", default="auto"
        Whether a regressor predicts means of counts, so that the scores include the
        Poisson deviance. "auto" reads scikit-learn's tag ``target_tags.positive_only``,
        which PoissonRegressor sets.

    Returns
    -------
    scores : TaskScores
        For a regressor, the mean squared error, its root, mean absolute error, R2,
        correlation and normalised error of each task, with their averages; for a
        classifier, accuracies, and scores of probabilities if it predicts them.
        :class:`TaskScores` has the formulas, and the uses of the name explained
        variance.

    See Also
    --------
    make_task_scorer : One number of this table, for model selection.
    score_predictions : The same for arrays of predictions.
    score_probabilities : The same for arrays of probabilities.
    score_counts : The same for arrays of means of counts.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.metrics import task_scores
    >>> X, y = make_related_tasks(n_tasks=3, as_frame=True, random_state=0)
    >>> pooled = LinearRegression().fit(X, y)
    >>> scores = task_scores(pooled, X, y, task_column="task")
    >>> scores.tasks, scores.columns["n"]
    (array([0, 1, 2]), array([30, 30, 30]))
    >>> scores.macro["r2"] < scores.explained_variance
    True
    """
    refuse_no_estimator(estimator, "task_scores")
    read, score = choose_measures(estimator, counts)
    return score(**vars(read(estimator, X, y, task_column, task, sample_weight)))


def refuse_no_estimator(estimator: Any, name: str) -> None:
    """Raise an error for arrays or a class in place of a fitted estimator."""
    if hasattr(estimator, "predict") and not isinstance(estimator, type):
        return
    what = estimator.__name__ if isinstance(estimator, type) else type(estimator)
    raise TypeError(
        f"{name} must be given a fitted estimator, then X and y. Got "
        f"{getattr(what, '__name__', what)} first; to score arrays of predictions, use "
        "score_predictions, score_classes or score_counts (y_true, y_pred, codes, "
        "tasks), with tasks, codes = skmtl.data.encode_tasks(labels)."
    )


def choose_measures(
    estimator: Any, counts: bool | Literal["auto"] = "auto"
) -> tuple[Callable[..., Predictions], Callable[..., TaskScores]]:
    """Return the function that reads predictions, and the function that scores them."""
    if is_classifier(estimator):
        if hasattr(estimator, "predict_proba"):
            return read_probabilities, score_probabilities
        return read_predictions, score_classes
    if counts == "auto":
        counts = get_tags(_find_last(estimator)).target_tags.positive_only
    return read_predictions, score_counts if counts else score_predictions


def read_predictions(
    estimator: Any,
    X: Any,
    y: Any,
    task_column: str | int | list[str | int] | None,
    task: ArrayLike | None,
    sample_weight: ArrayLike | None,
) -> Predictions:
    """Predict, and find the task of each target."""
    labels = _read_labels(estimator, X, y, task_column, task)
    if labels is None:
        return read_cells(y, estimator.predict(X), sample_weight)
    return _pair(estimator, X, y, labels, task, sample_weight)


def read_probabilities(
    estimator: Any,
    X: Any,
    y: Any,
    task_column: str | int | list[str | int] | None,
    task: ArrayLike | None,
    sample_weight: ArrayLike | None,
) -> Probabilities:
    """Predict classes and probabilities, and find the task of each target."""
    if not hasattr(estimator, "predict_proba"):
        raise ValueError(
            "log_loss, auc and brier need an estimator with predict_proba. Got "
            f"{type(estimator).__name__}; choose another metric, such as accuracy."
        )
    labels = _read_labels(estimator, X, y, task_column, task)
    if labels is None:
        found = estimator.predict(X), estimator.predict_proba(X), estimator.classes_
        return read_probability_cells(y, *found, sample_weight)
    rows = _pair(estimator, X, y, labels, task, sample_weight)
    proba = _call(estimator, "predict_proba", X, task)
    return Probabilities(**vars(rows), proba=proba, classes=estimator.classes_)


def _pair(estimator, X, y, labels, task, sample_weight):
    """Join the targets, predictions and tasks of rows with labels."""
    tasks, codes = encode_tasks(labels)
    y = column_or_1d(read_array(y))
    y_pred = column_or_1d(read_array(_call(estimator, "predict", X, task)))
    weight = read_sample_weight(sample_weight, len(y))
    return Predictions(y, y_pred, codes, tasks, weight)


def _read_labels(estimator, X, y, task_column, task):
    """Return the task of each row, None if the columns of `y` are the tasks."""
    if task is None and task_column is None:
        task_column = find_task_column(estimator)
    table = X if task_column is None else as_table(X)
    declared = declare_tasks(table, task_column, task, fitted=estimator)
    layout, labels = declared.match(target=read_array(y))
    refuse_undeclared(layout)
    return labels


def _call(estimator, method, X, task):
    """Call a method, with labels if the estimator was fitted with ``task=``."""
    by_keyword = getattr(_find_last(estimator), "_layout", None) == "keyword"
    if task is not None and by_keyword:
        return getattr(unwrap_search(estimator), method)(X, task=task)
    return getattr(estimator, method)(X)


def _find_last(estimator):
    """Return the last estimator within searches and pipelines."""
    last = unwrap_search(estimator)
    while isinstance(last, Pipeline):
        last = unwrap_search(last.steps[-1][1])
    return last
