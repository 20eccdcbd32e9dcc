"""Moments of folds: cross-validation that never refits on rows."""

from dataclasses import replace

import numpy as np


def check_has_rows(data, n_samples):
    """Refuse folds that leave nothing to fit on."""
    n_left = data.X.shape[0] if data.shares_rows else len(data.y)
    if n_left == 0 or (data.weight is not None and not data.weight.any()):
        raise ValueError(
            "Every fold must have rows with weight to train on and to test on, and one "
            f"fold of cv has none of n_samples={n_samples}. Use fewer folds."
        )


def fold_moments(data, splits):
    """Return moments of training and of test rows, split by split.

    Where every row is tested once and the rest is trained on, each fold is summed once,
    and training moments are sums of those of the other folds.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.
    splits : list of (train, test)
        Indices of rows of X.

    Returns
    -------
    list of (TaskMoments, TaskMoments)
        Moments of training rows, the task weights applied, and of test rows.
    """
    for train, _ in splits:
        check_has_rows(data.select(train), data.X.shape[0])
    if not data.rooted and _partitions(splits, data.X.shape[0]):
        tests = [data.select(test).moments() for _, test in splits]
        pairs = [
            (_total(tests[:k] + tests[k + 1 :]), test) for k, test in enumerate(tests)
        ]
    else:
        pairs = [
            (data.select(train).moments(), data.select(test).moments())
            for train, test in splits
        ]
    if not all(some.weight.any() for pair in pairs for some in pair):
        raise ValueError(
            "Every fold must have rows with weight to train on and to test on, and cv "
            f"gives {len(pairs)} folds of which some have none. Use fewer folds."
        )
    return pairs


def _total(moments):
    total = moments[0]
    for some in moments[1:]:
        total = total + some
    return total


def _partitions(splits, n_rows):
    tested = np.zeros(n_rows, dtype=int)
    for train, test in splits:
        held_out = np.zeros(n_rows, dtype=int)
        np.add.at(held_out, np.arange(n_rows)[test], 1)
        tested += held_out
        np.add.at(held_out, np.arange(n_rows)[train], 1)
        if (held_out != 1).any():
            return False
    return len(splits) > 1 and (tested == 1).all()


def assign_folds(data, n_splits):
    """Deal the rows of each task to folds in turn, and return splits of rows of X.

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


def assign_shuffled_folds(data, n_splits):
    """Assign the rows of each task to folds in turn, in a fixed random order.

    Rows of a task must not come in the order of their targets: held-out rows that
    repeat the mean of the rest make tasks look more different than they are.

    Parameters
    ----------
    data : TaskRows
        Rows of tasks.
    n_splits : int
        Number of folds.

    Returns
    -------
    list of (ndarray, ndarray)
        Indices of training and test rows of X.
    """
    tasks = np.repeat(np.arange(len(data.tasks)), np.diff(data.offsets))
    shuffled = np.random.default_rng(0).permutation(len(tasks))
    order = shuffled[np.argsort(tasks[shuffled], kind="stable")]
    rows = order if data.rows is None else data.rows[order]
    return assign_folds(
        replace(data, rows=rows, y=data.y[order], weight=None), n_splits
    )
