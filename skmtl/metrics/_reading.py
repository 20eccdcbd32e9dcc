"""Scores of an estimator on data whose tasks it, or the user, declares."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, column_or_1d

from ..data import encode_tasks, take_task_column
from ._cells import Predictions, read_cells
from ._declared import find_task_column, unwrap_search
from ._predictions import score_predictions


def task_scores(estimator, X, y, *, task_column=None, task=None, sample_weight=None):
    """Score a fitted regressor task by task.

    The tasks are, whichever comes first: the labels in `task`; those in the column
    `task_column`; those in the column that the estimator declares, be it within a
    Pipeline, a search or a TaskAware; the columns of a 2-d `y`.

    Any regressor can be scored so, also one that knows nothing of tasks, or has the
    task column one-hot encoded: say `task_column`, or give labels in `task`, which may
    also be other groups than those that it was fitted on.

    Parameters
    ----------
    estimator : fitted regressor
        Asked for ``predict(X)``; given `task` too if it was fitted with ``task=``.
    X : {array-like, DataFrame} of shape (n_rows, n_columns)
        Rows, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets; in two dimensions NaN means not observed.
    task_column : str or int, default=None
        Column of X that names the task of each row, or a level of its index.
    task : array-like of shape (n_rows,), default=None
        Task of each row.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row.

    Returns
    -------
    scores : TaskScores
        Mean squared error, its root, mean absolute error, R2, correlation and
        normalised error of each task, with their averages. :class:`TaskScores` states
        each formula, and which of them is called explained variance where.

    See Also
    --------
    make_task_scorer : One number of this table, to choose models by.

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
    if is_classifier(estimator):
        raise ValueError(
            "estimator must be a regressor. Got the classifier "
            f"{type(estimator).__name__}; score it with "
            "make_task_scorer(accuracy_score)."
        )
    rows = read_predictions(estimator, X, y, task_column, task, sample_weight)
    return score_predictions(**vars(rows))


def read_predictions(estimator, X, y, task_column, task, sample_weight):
    """Predict, and find the task of each target."""
    labels = _read_labels(estimator, X, task_column, task)
    if labels is None and np.ndim(y) == 2:
        return read_cells(y, estimator.predict(X), sample_weight)
    if labels is None:
        raise ValueError(
            "The task of each row must be known. Got a y of one dimension, and "
            f"{type(estimator).__name__} declares no task column; give task_column= "
            "or task=."
        )
    tasks, codes = encode_tasks(labels)
    y = column_or_1d(y)
    check_consistent_length(y, codes)
    y_pred = column_or_1d(_predict(estimator, X, task))
    return Predictions(y, y_pred, codes, tasks, sample_weight)


def _read_labels(estimator, X, task_column, task):
    if task is not None and task_column is not None:
        raise ValueError(
            "The tasks must be declared in one way. Got both task= and "
            f"task_column={task_column!r}; drop one of them."
        )
    if task is not None:
        return task
    column = find_task_column(estimator) if task_column is None else task_column
    if column is None:
        return None
    _, labels = take_task_column(X, _find_position(estimator, X, column))
    return labels


def _find_position(estimator, X, column):
    """Return the column, by its position in `fit` if X has lost its names."""
    known = list(getattr(estimator, "feature_names_in_", ()))
    nameless = isinstance(X, np.ndarray)
    return known.index(column) if nameless and column in known else column


def _predict(estimator, X, task):
    """Predict, with the labels if the estimator was fitted with them as ``task=``."""
    chosen = last = unwrap_search(estimator)
    while isinstance(last, Pipeline):
        last = unwrap_search(last.steps[-1][1])
    if task is not None and getattr(last, "_layout", None) == "keyword":
        return chosen.predict(X, task=task)
    return estimator.predict(X)
