"""Check user input once, and return rows of tasks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skmtl._contracts import Array

from ._arrange import arrange_outputs, group_rows
from ._containers import (
    as_table,
    column_names,
    is_instance,
    refuse_lazy,
    refuse_pieces,
)
from ._declare import (
    check_batch,
    check_query,
    declare_tasks,
    refuse_unseen,
    warn_of_one_task,
)
from ._features import naming_columns
from ._groupings import find_groups, group_tasks
from ._targets import read_numeric_target
from ._task_codes import encode_tasks, find_tasks
from ._task_rows import SharedRows, TaskRows
from ._weights import read_sample_weight

_FEATURES: dict[str, Any] = {
    "accept_sparse": "csr",
    "dtype": [np.float64, np.float32],
}


@np.errstate(over="ignore", invalid="ignore")  # sums that check for NaN overflow
def read_rows(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    task_weight: str | Mapping[Any, float] | None = None,
    reset: bool = True,
) -> TaskRows | SharedRows:
    """Check the rows to fit a regressor on, and sort them by task.

    The number and the names of the columns of `X` are stored on the estimator after
    all checks; nothing else is.

    Parameters
    ----------
    estimator : estimator instance
        Its parameter `task_column` is the column of `X` with the task, or None.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Features, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets. Without labels, the columns are the tasks and NaN is unobserved.
    task : array-like of shape (n_rows,), int or str, default=None
        Label of each row, or one label for all rows.
    sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_tasks)
        Weight of each row, or of each cell of a 2-d y; None means ones.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight. None means ones.
    reset : bool, default=True
        Whether to record the columns of `X`; otherwise, compare them with the record.

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
    refuse_lazy("X", X)
    refuse_pieces(X)
    table = X if estimator.task_column is None else as_table(X)
    if not reset:
        _check_columns(estimator, table)
    fitted = None if reset else estimator
    declared = declare_tasks(table, estimator.task_column, task, fitted)
    with naming_columns(table, declared.positions):
        features = _check_features(estimator, declared.features)
    target, outputs = read_numeric_target(estimator, y)
    layout, labels = declared.match(features, target)
    if not reset:
        check_batch(estimator, layout)
    weight = read_sample_weight(sample_weight, *target.shape)
    if outputs is not None:
        rows = arrange_outputs(features, target, weight, outputs, task_weight)
    else:
        if reset and layout == "single":
            warn_of_one_task(estimator)
        rows = group_rows(features, target, weight, labels, task_weight, layout)
        rows = replace(rows, groupings=group_tasks(declared, rows))
    if reset:
        validate_data(estimator, table, reset=True, skip_check_array=True)
    return rows


@np.errstate(over="ignore", invalid="ignore")
def read_queries(
    estimator: Any,
    X: Any,
    task: ArrayLike | None = None,
    known: Array | None = None,
    place: Callable[[Array], Array] | None = None,
) -> tuple[Any, Array | None]:
    """Check the rows to predict, and find the task of each.

    Parameters
    ----------
    estimator : fitted estimator
        Has the parameters `task_column` and `handle_unknown`, and from `fit` `tasks_`
        and `_layout`.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Features, with the task column if there was one in `fit`. An array without
        names has its columns in the order of `fit`.
    task : array-like of shape (n_rows,), int or str, default=None
        Label of each row, or one label for all rows, if `fit` had ``task=``.
    known : ndarray of shape (n_known,), default=None
        Labels of models that can predict; None for `tasks_`.
    place : callable, default=None
        Function from distinct unknown labels to codes, -1 for labels that the shared
        part predicts. None if the shared part predicts all of them.

    Returns
    -------
    features : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Features, float32 or float64.
    codes : ndarray of shape (n_rows,), dtype intp, or None
        Position of each row's task in `tasks_` or `known`, -1 for an unseen task; None
        if `fit` had no labels.

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
    features, declared = _read_features(estimator, X, task)
    _, labels = declared.match(features)
    if estimator._layout in ("single", "outputs"):
        return features, None
    if labels is None:  # a single task
        return features, np.zeros(features.shape[0], dtype=np.intp)
    known = estimator.tasks_ if known is None else known
    codes = find_tasks(labels, known)
    if estimator.handle_unknown == "error":
        refuse_unseen(labels, codes, estimator.tasks_)
    return features, codes if place is None else _place_unseen(labels, codes, place)


@np.errstate(over="ignore", invalid="ignore")
def read_grouped_queries(
    estimator: Any, X: Any, task: Any, known: Sequence[Array]
) -> tuple[Any, Array]:
    """Check the rows to predict, and find the label of each in several groupings.

    Parameters
    ----------
    estimator : fitted estimator
        As in :func:`read_queries`, with several task columns.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Features, with the task columns if there were some in `fit`.
    task : array-like of shape (n_rows, n_groupings) or None
        Labels of each row, if `fit` had ``task=``.
    known : sequence of ndarray of shape (n_labels,)
        Known labels of each grouping.

    Returns
    -------
    features : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Features, float32 or float64.
    codes : ndarray of shape (n_rows, n_groupings), dtype intp
        Position of each label in `known`, -1 for an unseen label.
    """
    features, declared = _read_features(estimator, X, task)
    declared.match(features)
    found = find_groups(declared, known)
    if estimator.handle_unknown == "error":
        for (labels, codes), tasks in zip(found, known, strict=True):
            refuse_unseen(labels, codes, tasks)
    return features, np.stack([codes for _, codes in found], axis=1)


def _read_features(estimator, X, task):
    """Check features as in `fit`; return them and the declared tasks."""
    refuse_lazy("X", X)
    check_query(estimator, task)
    if estimator._layout == "column":
        table = as_table(X)
        _check_columns(estimator, table)
        declared = declare_tasks(table, estimator.task_column, fitted=estimator)
        with naming_columns(table, declared.positions):
            return _check_features(estimator, declared.features), declared
    refuse_pieces(X)
    declared = declare_tasks(X, None, task, fitted=estimator)
    with naming_columns(X):
        features = validate_data(estimator, X, reset=False, **_FEATURES)
    return features, declared


def _check_columns(estimator, table):
    """Compare the columns of a table with those of `fit`."""
    known = getattr(estimator, "feature_names_in_", None)
    # The same names need no further checks, which take a third of a millisecond.
    if known is None or known.tolist() != column_names(table):
        validate_data(estimator, table, reset=False, skip_check_array=True)


def _check_features(estimator, features):
    if is_instance(features, "pandas", "DataFrame") and all(
        isinstance(dtype, np.dtype) and dtype.kind in "iuf"
        for dtype in set(features.dtypes)
    ):
        features = features.to_numpy()  # check_array looks at each column of a frame
    return check_array(features, input_name="X", estimator=estimator, **_FEATURES)


def _place_unseen(labels, codes, place):
    """Replace the codes of unseen tasks by those of `place`."""
    unseen = codes < 0
    if unseen.any():
        tasks, which = encode_tasks(np.asarray(labels)[unseen])
        codes[unseen] = place(tasks)[which]
    return codes
