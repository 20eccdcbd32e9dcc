"""Folds of rows, and their moments."""

import warnings
from collections.abc import Iterable
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from skmtl._contracts import Array
from skmtl.data import join_labels, spread_label

from ._study import Study

# Number of folds if the user gives none.
N_FOLDS = 5

Splits = list[tuple[Array, Array]]


def read_splits(cv: Any, study: Study) -> Splits:
    """Return the training and test rows of X of each fold.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        The folds; an int or None assigns the rows of each task in turn.
    study : Study
        Rows, and the arguments of `fit`.

    Returns
    -------
    list of (ndarray, ndarray)
        Indices of training and test rows of X.
    """
    return _read_splits(cv, study, assign_folds)


def read_shuffled_splits(cv: Any, study: Study) -> Splits:
    """Return folds as `read_splits` does; those of an int or None are shuffled.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        The folds.
    study : Study
        Rows, and the arguments of `fit`.

    Returns
    -------
    list of (ndarray, ndarray)
        Indices of training and test rows of X.
    """
    return _read_splits(cv, study, assign_shuffled_folds)


def _read_splits(cv, study, assign):
    if cv is None or isinstance(cv, Integral):
        return assign(study.rows, N_FOLDS if cv is None else cv)
    task = spread_label(study.task, study.rows.X.shape[0])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The groups parameter is ignored")
        splits = list(check_cv(cv).split(study.X, study.y, join_labels(task)))
    if not splits:
        raise ValueError(
            f"cv must give at least one fold, got none from {cv!r}. A generator can be "
            "used once only: give a list."
        )
    return splits


def has_rows(data: Any) -> bool:
    """Return whether some rows have weight."""
    n_rows = data.X.shape[0] if data.shares_rows else len(data.y)
    return n_rows > 0 and (data.weight is None or bool(data.weight.any()))


def refuse_empty_folds(are_filled: Iterable[bool], n_folds: int) -> None:
    """Raise an error if the training or test rows of a fold have no weight."""
    if not all(are_filled):
        raise ValueError(
            "Every fold must have training and test rows with weight, but cv "
            f"(n_splits={n_folds}) has a fold without any. Use fewer folds."
        )


def fold_moments(data: Any, splits: Splits) -> list[tuple[Any, Any]]:
    """Return moments of the training and test rows of each fold.

    If every row is a test row of one fold and a training row of the others, each fold
    is summed once, and training moments are sums of those of the other folds.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    splits : list of (train, test)
        Indices of rows of X.

    Returns
    -------
    list of (TaskMoments, TaskMoments)
        Moments of training rows and of test rows, the task weights applied.
    """
    training = (has_rows(data.select(train)) for train, _ in splits)
    refuse_empty_folds(training, len(splits))
    if not data.rooted and _partition(splits, data.X.shape[0]):
        tests = [data.select(test).moments() for _, test in splits]
        pairs = [
            (_total(tests[:k] + tests[k + 1 :]), test) for k, test in enumerate(tests)
        ]
    else:
        pairs = [
            (data.select(train).moments(), data.select(test).moments())
            for train, test in splits
        ]
    weights = (part.weight.any() for pair in pairs for part in pair)
    refuse_empty_folds(weights, len(splits))
    return pairs


def _total(moments):
    total = moments[0]
    for some in moments[1:]:
        total = total + some
    return total


def _partition(splits, n_rows):
    """Return whether every row is a test row once, and else a training row once."""
    n_tests = np.zeros(n_rows, dtype=int)
    for train, test in splits:
        n_uses = np.zeros(n_rows, dtype=int)
        np.add.at(n_uses, np.arange(n_rows)[test], 1)
        n_tests += n_uses
        np.add.at(n_uses, np.arange(n_rows)[train], 1)
        if (n_uses != 1).any():
            return False
    return len(splits) > 1 and (n_tests == 1).all()


def assign_folds(data: Any, n_splits: int) -> Splits:
    """Assign the rows of each task to folds in turn.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    n_splits : int
        Number of folds.

    Returns
    -------
    list of (ndarray, ndarray)
        Indices of training and test rows of X.
    """
    n_rows = data.X.shape[0]
    if not 2 <= n_splits <= n_rows:
        raise ValueError(
            f"cv must be at least 2 and at most the number of rows, got cv={n_splits} "
            f"with n_samples={n_rows}."
        )
    fold = data.assign_folds(n_splits)
    return [
        (np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_splits)
    ]


def assign_shuffled_folds(data: Any, n_splits: int) -> Splits:
    """Assign the rows of each task to folds in turn, in a fixed random order.

    Rows that are sorted by their targets give every fold the same mean as the training
    rows, and tasks then look more different than they are.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    n_splits : int
        Number of folds.

    Returns
    -------
    list of (ndarray, ndarray)
        Indices of training and test rows of X.
    """
    data = data.stacked()
    tasks = np.repeat(np.arange(len(data.tasks)), np.diff(data.offsets))
    shuffled = np.random.default_rng(0).permutation(len(tasks))
    order = shuffled[np.argsort(tasks[shuffled], kind="stable")]
    rows = order if data.rows is None else data.rows[order]
    return assign_folds(
        replace(data, rows=rows, y=data.y[order], weight=None), n_splits
    )
