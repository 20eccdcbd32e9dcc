"""Measures of predicted classes and of their probabilities, task by task."""

import numpy as np
from sklearn.utils import check_array, column_or_1d

from skmtl.data import find_missing, read_class_labels, read_sample_weight, read_target

from ._auc import measure_auc
from ._rows import divide, read_rows
from ._scores import tabulate

# 1 where greater is better, -1 where smaller is
CLASS_SIGNS = {"accuracy": 1, "balanced_accuracy": 1}
PROBABILITY_SIGNS = {"log_loss": -1, "auc": 1, **CLASS_SIGNS, "brier": -1}


def score_classes(y_true, y_pred, codes, tasks, sample_weight=None):
    """Score predicted classes task by task.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Classes.
    y_pred : array-like of shape (n_rows,)
        Predicted classes.
    codes : array-like of shape (n_rows,), dtype int
        Position in `tasks` of each row's task; rows with -1 are left out.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row, not negative. None means ones.

    Returns
    -------
    scores : TaskScores
        Accuracy and balanced accuracy per task, and their averages.

    See Also
    --------
    score_probabilities : Scores probabilities too.

    Examples
    --------
    >>> from skmtl.metrics import score_classes
    >>> y_true = ["cat", "cat", "dog", "dog"]
    >>> scores = score_classes(y_true, ["cat"] * 4, [0, 0, 0, 1], ["home", "farm"])
    >>> scores.columns["accuracy"].round(2), scores.columns["balanced_accuracy"]
    (array([0.67, 0.  ]), array([0.5, 0. ]))
    """
    y, z = read_class_labels(y_true, "y_true"), read_class_labels(y_pred, "y_pred")
    rows, y, z = read_rows(codes, tasks, sample_weight, y, z)
    distinct, places = np.unique(y, return_inverse=True)
    return tabulate(
        _measure_hits, CLASS_SIGNS, tasks, rows, y == z, places, len(distinct)
    )


def score_probabilities(
    y_true, proba, codes, tasks, classes, sample_weight=None, y_pred=None
):
    """Score probabilities of classes task by task.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        Classes.
    proba : array-like of shape (n_rows, n_classes)
        Probabilities of all classes; each row sums to 1.
    codes : array-like of shape (n_rows,), dtype int
        Position in `tasks` of each row's task; rows with -1 are left out.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    classes : array-like of shape (n_classes,)
        Classes of the columns of `proba`, sorted. A task need not have all of them.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row, not negative. None means ones.
    y_pred : array-like of shape (n_rows,), default=None
        Predicted classes. None means those of the largest probability.

    Returns
    -------
    scores : TaskScores
        Log loss, area under the ROC curve, accuracy, balanced accuracy and Brier score
        per task, and their averages.

    See Also
    --------
    task_scores : Reads tasks and probabilities from a classifier and its data.
    score_classes : Scores predicted classes alone.

    Examples
    --------
    >>> from skmtl.metrics import score_probabilities
    >>> proba = [[0.8, 0.2], [0.5, 0.5], [0.4, 0.6], [0.1, 0.9]]
    >>> y_true = ["no", "no", "yes", "yes"]
    >>> score_probabilities(y_true, proba, [0, 0, 0, 1], ["a", "b"], ["no", "yes"])
    TaskScores: 2 tasks, 4 rows
              n  log_loss  auc  accuracy  balanced_accuracy  brier
    a         3    0.4757    1         1                  1   0.15
    b         1    0.1054  nan         1                  1   0.01
    macro          0.2905    1         1                  1   0.08
    weighted       0.3831    1         1                  1  0.115
    worst          0.4757    1         1                  1   0.15
    pooled    4    0.3831    1         1                  1  0.115
    covered             2    1         2                  2      2
    """
    classes = _read_columns(classes)
    proba = _read_probabilities(proba, len(classes))
    y = read_class_labels(y_true, "y_true")
    z = classes[proba.argmax(axis=1)] if y_pred is None else y_pred
    z = read_class_labels(z, "y_pred")
    rows, y, z, proba = read_rows(codes, tasks, sample_weight, y, z, proba)
    places = _find_places(y, classes)
    return tabulate(
        _measure_probabilities, PROBABILITY_SIGNS, tasks, rows, y == z, places, proba
    )


def average_accuracy(y_true, y_pred, sample_weight=None):
    """Average the accuracy over columns of classes.

    Parameters
    ----------
    y_true : array-like of shape (n_rows, n_tasks)
        Classes; missing values are left out.
    y_pred : array-like of shape (n_rows, n_tasks)
        Predicted classes.
    sample_weight : float or array-like of shape (n_rows,), default=None
        Weight of each row.

    Returns
    -------
    accuracy : float
        Mean over the columns with observed rows of positive weight.

    Examples
    --------
    >>> from skmtl.metrics import average_accuracy
    >>> average_accuracy([[0, 1], [1, None]], [[0, 1], [0, 1]])
    0.75
    """
    target, found = read_target(y_true), read_target(y_pred)
    if target.shape != found.shape:
        raise ValueError(
            f"y must have shape {found.shape} in score, one column per task as in fit, "
            f"got shape {target.shape}."
        )
    weight = read_sample_weight(sample_weight, len(target))
    weight = np.ones(len(target)) if weight is None else weight
    counted = ~find_missing(target) * weight[:, None]
    total = counted.sum(axis=0)
    if not total.any():
        raise ValueError("y must have a label with positive weight in score, got none.")
    right = (counted * (target == found)).sum(axis=0)
    return float(np.mean(right[total > 0] / total[total > 0]))


def _read_columns(classes):
    classes = column_or_1d(classes)
    if not np.array_equal(classes, np.unique(classes)):
        raise ValueError(
            f"classes must be sorted and distinct. Got {classes.tolist()}; give "
            "classes_ of the classifier."
        )
    return classes


def _read_probabilities(proba, n_classes):
    proba = check_array(proba, dtype=[np.float64, np.float32], input_name="proba")
    if proba.shape[1] != n_classes:
        raise ValueError(
            "proba must have one column per class. "
            f"Got {proba.shape[1]} columns for {n_classes} classes."
        )
    tolerance = np.sqrt(np.finfo(proba.dtype).eps)  # that of scikit-learn's log_loss
    sums = proba.sum(axis=1)
    if proba.min() < 0 or not np.allclose(sums, 1, rtol=tolerance, atol=0):
        raise ValueError(
            "proba must be probabilities, each row summing to 1. Got values from "
            f"{proba.min():g} on, and sums from {sums.min():g} to {sums.max():g}."
        )
    return proba


def _find_places(y, classes):
    """Return the position of each row's class in `classes`."""
    known = np.isin(y, classes)
    if not known.all():
        raise ValueError(
            f"y_true must be of the known classes, {classes.tolist()}. Got "
            f"{y[~known][:5].tolist()}; train on rows of every class, as "
            "TaskKFold(stratify=True) does, or score with 'accuracy'."
        )
    return np.searchsorted(classes, y)


def _measure_hits(rows, hits, places, n_classes):
    """Compute the part of rows, and of the rows of each class, that is right."""
    recalls = rows.split(places, n_classes).mean(hits).reshape(-1, n_classes)
    known = ~np.isnan(recalls)
    balanced = divide(recalls.sum(axis=1, where=known), known.sum(axis=1))
    return {"accuracy": rows.mean(hits), "balanced_accuracy": balanced}


def _measure_probabilities(rows, hits, places, proba):
    """Compute the columns of each task."""
    columns = {
        "log_loss": rows.mean(measure_surprise(proba, places)),
        "auc": measure_auc(rows, proba, places),
        "brier": rows.mean(measure_squares(proba, places)),
        **_measure_hits(rows, hits, places, proba.shape[1]),
    }
    return {name: columns[name] for name in PROBABILITY_SIGNS}


def measure_surprise(proba, places):
    """Return the log loss of each row, probabilities clipped as scikit-learn does."""
    own = proba[np.arange(len(proba)), places]
    eps = np.finfo(proba.dtype).eps
    return -np.log(own.clip(eps, 1 - eps), dtype=np.float64)


def measure_squares(proba, places):
    """Sum the squared errors over classes; with two classes that of the second."""
    errors = proba.astype(np.float64)  # a copy
    errors[np.arange(len(errors)), places] -= 1
    squares = (errors**2).sum(axis=1)
    return squares if proba.shape[1] > 2 else squares / 2
