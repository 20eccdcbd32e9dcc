"""Scores per task of predicted classes and of their probabilities."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, column_or_1d

from skmtl.data import find_missing, read_class_labels, read_sample_weight, read_target

from ._auc import compute_auc
from ._rows import divide, read_rows
from ._scores import TaskScores, tabulate

# 1 if greater is better, -1 if smaller is better.
CLASS_SIGNS = {"accuracy": 1, "balanced_accuracy": 1}
PROBABILITY_SIGNS = {"log_loss": -1, "auc": 1, **CLASS_SIGNS, "brier": -1}


def score_classes(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    codes: ArrayLike,
    tasks: ArrayLike,
    sample_weight: ArrayLike | None = None,
) -> TaskScores:
    """Compute the accuracies of predicted classes for each task.

    :class:`TaskScores` states the formulas.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True classes.
    y_pred : array-like of shape (n_rows,)
        Predicted classes.
    codes : array-like of shape (n_rows,), dtype int
        Position of each row's task in `tasks`; rows with -1 are left out.
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
    score_probabilities : Scores probabilities as well.

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
    classes, positions = np.unique(y, return_inverse=True)
    is_correct = y == z
    return tabulate(
        _measure_classes, CLASS_SIGNS, tasks, rows, is_correct, positions, len(classes)
    )


def score_probabilities(
    y_true: ArrayLike,
    proba: ArrayLike,
    codes: ArrayLike,
    tasks: ArrayLike,
    classes: ArrayLike,
    sample_weight: ArrayLike | None = None,
    y_pred: ArrayLike | None = None,
) -> TaskScores:
    """Compute the scores of class probabilities for each task.

    :class:`TaskScores` states the formulas.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True classes.
    proba : array-like of shape (n_rows, n_classes)
        Probabilities of all classes; each row sums to 1.
    codes : array-like of shape (n_rows,), dtype int
        Position of each row's task in `tasks`; rows with -1 are left out.
    tasks : array-like of shape (n_tasks,)
        Labels of the tasks.
    classes : array-like of shape (n_classes,)
        Sorted classes of the columns of `proba`. A task need not have all of them.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row, not negative. None means ones.
    y_pred : array-like of shape (n_rows,), default=None
        Predicted classes. None means those with the largest probability.

    Returns
    -------
    scores : TaskScores
        Log loss, area under the ROC curve, accuracy, balanced accuracy and Brier score
        per task, and their averages.

    See Also
    --------
    task_scores : Takes a classifier and data instead of probabilities.
    score_classes : Scores predicted classes only.

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
    labels = _read_classes(classes)
    p = _read_probabilities(proba, len(labels))
    y = read_class_labels(y_true, "y_true")
    z = labels[p.argmax(axis=1)] if y_pred is None else y_pred
    z = read_class_labels(z, "y_pred")
    rows, y, z, p = read_rows(codes, tasks, sample_weight, y, z, p)
    positions, is_correct = _find_positions(y, labels), y == z
    return tabulate(
        _measure_probabilities,
        PROBABILITY_SIGNS,
        tasks,
        rows,
        is_correct,
        positions,
        p,
    )


def average_accuracy(
    y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None
) -> float:
    """Average the accuracies of the columns of a 2-d target.

    The mean over tasks ``t`` of ``sum_i v_i (y_it == z_it) / sum_i v_i``, where ``i``
    are the rows with an observed ``y_it``, ``v`` their weights and ``z`` predictions.

    Parameters
    ----------
    y_true : array-like of shape (n_rows, n_tasks)
        True classes; missing values are left out.
    y_pred : array-like of shape (n_rows, n_tasks)
        Predicted classes.
    sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_tasks)
        Weight of each row, or of each cell.

    Returns
    -------
    accuracy : float
        Mean over the columns that have an observed row with positive weight.

    Examples
    --------
    >>> from skmtl.metrics import average_accuracy
    >>> average_accuracy([[0, 1], [1, None]], [[0, 1], [0, 1]])
    0.75
    """
    y, z = read_target(y_true), read_target(y_pred)
    if y.shape != z.shape:
        raise ValueError(
            f"y must have shape {z.shape} in score, one column per task as in fit. "
            f"Got shape {y.shape}."
        )
    weight = read_sample_weight(sample_weight, *y.shape)
    weight = np.ones(len(y)) if weight is None else weight
    weights = (~find_missing(y).T * weight.T).T
    total = weights.sum(axis=0)
    if not total.any():
        raise ValueError("y must have a label with positive weight in score, got none.")
    correct = (weights * (y == z)).sum(axis=0)
    return float(np.mean(correct[total > 0] / total[total > 0]))


def _read_classes(classes):
    classes = column_or_1d(classes)
    if not np.array_equal(classes, np.unique(classes)):
        raise ValueError(
            f"classes must be sorted and distinct. Got {classes.tolist()}; pass "
            "classes_ of the classifier."
        )
    return classes


def _read_probabilities(proba, n_classes):
    proba = check_array(proba, dtype=[np.float64, np.float32], input_name="proba")
    if proba.shape[1] != n_classes:
        raise ValueError(
            "proba must have one column per class. "
            f"Got {proba.shape[1]} columns for {n_classes} classes; pass the result of "
            "predict_proba."
        )
    tolerance = np.sqrt(np.finfo(proba.dtype).eps)  # as in scikit-learn's log_loss
    sums = proba.sum(axis=1)
    if proba.min() < 0 or not np.allclose(sums, 1, rtol=tolerance, atol=0):
        raise ValueError(
            "proba must hold probabilities that sum to 1 in each row. Got a minimum of "
            f"{proba.min():g}, and sums from {sums.min():g} to {sums.max():g}; pass "
            "the result of predict_proba."
        )
    return proba


def _find_positions(y, classes):
    """Return the position of each row's class in `classes`."""
    known = np.isin(y, classes)
    if not known.all():
        raise ValueError(
            f"y_true must hold only the classes {classes.tolist()}. Got "
            f"{y[~known][:5].tolist()}; train on rows of every class, as with "
            "TaskKFold(stratify=True), or score with 'accuracy'."
        )
    return np.searchsorted(classes, y)


def _measure_classes(rows, is_correct, positions, n_classes):
    """Compute accuracy and balanced accuracy (mean recall of the classes) per task."""
    by_class = rows.split(positions, n_classes)
    recalls = by_class.mean(is_correct).reshape(-1, n_classes)
    known = ~np.isnan(recalls)
    balanced = divide(recalls.sum(axis=1, where=known), known.sum(axis=1))
    return {"accuracy": rows.mean(is_correct), "balanced_accuracy": balanced}


def _measure_probabilities(rows, is_correct, positions, proba):
    """Compute all scores of probabilities per task."""
    columns = {
        "log_loss": rows.mean(compute_log_losses(proba, positions)),
        "auc": compute_auc(rows, proba, positions),
        "brier": rows.mean(compute_brier_scores(proba, positions)),
        **_measure_classes(rows, is_correct, positions, proba.shape[1]),
    }
    return {name: columns[name] for name in PROBABILITY_SIGNS}


def compute_log_losses(
    proba: NDArray[Any], positions: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Compute the log loss of each row, with probabilities clipped as in scikit-learn.

    `positions` are the columns of `proba` of the true classes.
    """
    own = proba[np.arange(len(proba)), positions]
    eps = np.finfo(proba.dtype).eps
    return -np.log(own.clip(eps, 1 - eps), dtype=np.float64)


def compute_brier_scores(
    proba: NDArray[Any], positions: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Compute the Brier score of each row: its squared errors summed over classes.

    With two classes it is half the sum, the squared error of the second class.
    """
    errors = proba.astype(np.float64)  # a copy
    errors[np.arange(len(errors)), positions] -= 1
    squares = (errors**2).sum(axis=1)
    return squares if proba.shape[1] > 2 else squares / 2
