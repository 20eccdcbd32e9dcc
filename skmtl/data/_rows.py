"""Rows of several tasks, grouped by task once."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TaskRows:
    """Hold observations of several tasks, those of one task side by side.

    Observation ``i`` belongs to task ``t`` when ``offsets[t] <= i < offsets[t + 1]``;
    its features are ``X[rows[i]]``, so several tasks may share a row of `X`.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Features, float32 or float64.
    rows : ndarray of shape (n_samples,), dtype intp, or None
        Row of `X` of each observation; None when they are the rows in order.
    y : ndarray of shape (n_samples,)
        Target of each observation.
    weight : ndarray of shape (n_samples,) or None
        Weight of each observation; None means ones.
    offsets : ndarray of shape (n_tasks + 1,), dtype intp
        Where each task begins and ends.
    tasks : ndarray of shape (n_tasks,)
        Sorted labels.
    task_weight : ndarray of shape (n_tasks,) or None, default=None
        Factor of each task's loss; None means ones.
    layout : {"single", "column", "keyword", "outputs"}, default="keyword"
        How the user declared the tasks.
    """

    X: object
    rows: np.ndarray | None
    y: np.ndarray
    weight: np.ndarray | None
    offsets: np.ndarray
    tasks: np.ndarray
    task_weight: np.ndarray | None = None
    layout: str = "keyword"


@dataclass(frozen=True)
class SharedRows:
    """Hold rows on which every task is observed: one design, several outputs.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Features, float32 or float64.
    Y : ndarray of shape (n_rows, n_tasks)
        Targets, complete.
    weight : ndarray of shape (n_rows,) or None
        Weight of each row; None means ones.
    tasks : ndarray of shape (n_tasks,)
        Labels of the columns, in the order of the columns.
    task_weight : ndarray of shape (n_tasks,) or None, default=None
        Factor of each task's loss; None means ones.
    layout : {"outputs"}, default="outputs"
        How the user declared the tasks.
    """

    X: object
    Y: np.ndarray
    weight: np.ndarray | None
    tasks: np.ndarray
    task_weight: np.ndarray | None = None
    layout: str = "outputs"
