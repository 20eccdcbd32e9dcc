"""The gate: what the user gives becomes rows of tasks, checked once."""

import numpy as np
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils.validation import validate_data

from ._arrange import arrange_outputs, group_rows
from ._containers import as_table, refuse_lazy, refuse_pieces
from ._features import naming_columns
from ._targets import read_numeric_target
from ._task_codes import encode_tasks, find_tasks, join_tasks, spread_label
from ._task_column import locate_task_column, take_task_columns
from ._undeclared import warn_of_one_task
from ._weights import read_sample_weight

_FEATURES = {
    "accept_sparse": "csr",
    "dtype": [np.float64, np.float32],
}
_LAYOUTS = {
    "single": "a 1-d y and no labels",
    "column": "a task column in X",
    "keyword": "labels as task=",
    "outputs": "the columns of a 2-d y",
}


@np.errstate(over="ignore", invalid="ignore")  # in sums that check for NaN
def read_rows(
    estimator, X, y, *, task=None, sample_weight=None, task_weight=None, reset=True
):
    """Check what a regressor is fitted on, and group its rows by task.

    Only the number and the names of the columns of `X` are written on the estimator,
    and only when everything else has been accepted.

    Parameters
    ----------
    estimator : estimator instance
        Its parameter `task_column` says which column of `X` holds the task, or is None.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Features, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets. Without any labels, columns are tasks and NaN is not observed.
    task : array-like of shape (n_rows,), int or str, default=None
        Label of each row, or one label for all rows.
    sample_weight : float or array-like of shape (n_rows,), default=None
        Weight of each row; None means ones.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight. None means ones.
    reset : bool, default=True
        Whether the columns of `X` are recorded; else they must be those recorded.

    Returns
    -------
    rows : TaskRows or SharedRows
        Rows of each task, or shared rows when `y` is 2-d and complete.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from skmtl.data import read_rows
    >>> class Model(BaseEstimator):
    ...     task_column = 0
    >>> X = np.array([[7.0, 0.1], [3.0, 0.2], [7.0, 0.3]])
    >>> rows = read_rows(Model(), X, [1.0, 2.0, 3.0])
    >>> rows.tasks, rows.rows, rows.offsets
    (array([3, 7]), array([1, 0, 2]), array([0, 1, 3]))
    """
    layout, table = _resolve(estimator, X, task)
    if not reset:
        validate_data(estimator, table, reset=False, skip_check_array=True)
    features, labels, places = _separate(estimator, table, task, reset)
    with naming_columns(table, places):
        features = _check_features(estimator, features)
    labels = spread_label(labels, features.shape[0])
    target, outputs = read_numeric_target(estimator, y)
    check_consistent_length(features, target, labels)
    weight = read_sample_weight(sample_weight, features.shape[0])
    if outputs is None:
        if reset and layout == "single":
            warn_of_one_task(estimator)
        rows = group_rows(features, target, weight, labels, task_weight, layout)
    else:
        _check_no_labels(layout, target)
        rows = arrange_outputs(features, target, weight, outputs, task_weight)
    if not reset:
        _check_same_layout(estimator, rows.layout)
    else:
        validate_data(estimator, table, reset=True, skip_check_array=True)
    return rows


@np.errstate(over="ignore", invalid="ignore")
def read_queries(estimator, X, task=None, known=None, place=None):
    """Check what a fitted model predicts for, and find the task of each row.

    Parameters
    ----------
    estimator : fitted estimator
        With its parameters `task_column` and `handle_unknown`, and what `fit` kept of
        the rows it read: `tasks_` and `_layout`.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Features, with the task column if there was one in `fit`. An array without
        names stands for a frame with its columns in the order of `fit`.
    task : array-like of shape (n_rows,), int or str, default=None
        Label of each row, or one label for all rows, if `fit` was given labels so.
    known : ndarray of shape (n_known,), default=None
        Labels of models that can predict; None for `tasks_`.
    place : callable, default=None
        Maps distinct unknown labels to codes, -1 for labels that only the shared part
        can predict. None if the shared part predicts all of them.

    Returns
    -------
    features : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Features, float32 or float64.
    codes : ndarray of shape (n_rows,), dtype intp, or None
        Position of each row's task in `tasks_` or `known`, -1 for an unseen task; None
        when `fit` was given no labels.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.base import BaseEstimator
    >>> from skmtl.data import read_queries
    >>> class Model(BaseEstimator):
    ...     task_column, handle_unknown, _layout = 0, "shared", "column"
    ...     tasks_, n_features_in_ = np.array([3, 7]), 2
    >>> read_queries(Model(), [[7, 0.1], [8, 0.2]])
    (array([[0.1],
           [0.2]]), array([ 1, -1]))
    """
    refuse_lazy("X", X)
    _check_labels_given(estimator, task)
    if estimator._layout == "column":
        table = as_table(X)
        validate_data(estimator, table, reset=False, skip_check_array=True)
        features, task, places = _take(table, _column_in(estimator, table))
        with naming_columns(table, places):
            features = _check_features(estimator, features)
    else:
        refuse_pieces(X)
        with naming_columns(X):
            features = validate_data(estimator, X, reset=False, **_FEATURES)
    if estimator._layout in ("single", "outputs"):
        return features, None
    if task is None:  # a single task
        return features, np.zeros(features.shape[0], dtype=np.intp)
    task = spread_label(task, features.shape[0])
    check_consistent_length(features, task)
    known = estimator.tasks_ if known is None else known
    return features, _find_or_refuse(estimator, task, known, place)


def _resolve(estimator, X, task):
    """Resolve how the tasks are declared, and make a table of what holds labels."""
    refuse_lazy("X", X)
    refuse_pieces(X)
    refuse_lazy("task", task)
    column = estimator.task_column
    if column is None:
        return "single" if task is None else "keyword", X
    if task is not None:
        raise ValueError(
            f"The tasks must be declared in one way, got both task= and "
            f"task_column={column!r}. Drop one of them."
        )
    return "column", as_table(X)


def _separate(estimator, table, task, reset):
    """Return the features, the labels if there are any, and their positions."""
    if estimator.task_column is None:
        return table, task, []
    return _take(
        table, estimator.task_column if reset else _column_in(estimator, table)
    )


def _take(table, column):
    features, columns, places = take_task_columns(table, column)
    return features, join_tasks(columns), places


def _check_no_labels(layout, target):
    if layout != "single":
        raise ValueError(
            f"y must be 1-d when the task of each row is given, got shape "
            f"{target.shape}. Give the labels or a 2-d y, whose columns are the tasks, "
            f"not both."
        )


def _check_features(estimator, features):
    return check_array(features, input_name="X", estimator=estimator, **_FEATURES)


def _check_same_layout(estimator, layout):
    if layout != estimator._layout:
        raise ValueError(
            f"All batches must declare the tasks in the same way: the model was begun "
            f"with {_LAYOUTS[estimator._layout]}, this batch has {_LAYOUTS[layout]}. "
            f"Call fit to begin anew."
        )


def _check_labels_given(estimator, task):
    """Refuse labels where `fit` had none, and their absence where it had them."""
    layout, name = estimator._layout, type(estimator).__name__
    if layout == "keyword" and task is None and len(estimator.tasks_) > 1:
        raise ValueError(
            f"This {name} was fitted with task=, so it needs task= here too, got None. "
            f"GridSearchCV, cross_val_predict, permutation_importance, "
            f"VotingRegressor, StackingRegressor and string scorers cannot forward "
            f"it: make the labels a column of X and set task_column."
        )
    if layout != "keyword" and task is not None:
        raise ValueError(
            f"task must be given to this {name} only if it was given to fit, which had "
            f"{_LAYOUTS[layout]}. Leave task= out, or fit with it."
        )


def _column_in(estimator, table):
    """Return the task column, by its position in `fit` if the table has no names."""
    return locate_task_column(estimator, table, estimator.task_column)


def _find_or_refuse(estimator, task, known, place):
    codes = find_tasks(task, known)
    unseen = codes < 0
    if estimator.handle_unknown == "error" and unseen.any():
        labels, _ = encode_tasks(np.asarray(task)[unseen])
        raise ValueError(
            f"task has labels not seen in fit: {labels[:5].tolist()}. This model knows "
            f"{len(estimator.tasks_)} tasks: {estimator.tasks_[:5].tolist()}... Use "
            f"handle_unknown='shared' to predict them with the shared part."
        )
    if place is not None and unseen.any():
        labels, which = encode_tasks(np.asarray(task)[unseen])
        codes[unseen] = place(labels)[which]
    return codes
