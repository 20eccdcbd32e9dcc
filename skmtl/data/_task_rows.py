"""Rows of several tasks, sorted by task."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array, TaskData

from ._accumulate import moments_of_outputs, moments_of_tasks, roots_of_tasks
from ._block_rows import BlockRows
from ._groupings import Grouping
from ._moments import TaskMoments
from ._row_stacks import RowStack, stack_rows, stack_whole_tasks


@dataclass(frozen=True)
class TaskRows(TaskData):
    """Observations of several tasks, sorted by task.

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
    orders : tuple of tuple, default=()
        Order of the labels, if their container declares one.
    rooted : bool, default=False
        Whether moments hold `roots` instead of `xx`.
    width : int or None, default=None
        Number of original features, if `X` holds coordinates in a basis; else None.
    groupings : tuple of Grouping, default=()
        Groupings of the tasks, if several columns declare them.
    """

    X: Any
    rows: np.ndarray | None
    y: np.ndarray
    weight: np.ndarray | None
    offsets: np.ndarray
    tasks: np.ndarray
    task_weight: np.ndarray | None = None
    layout: str = "keyword"
    orders: tuple = ()
    rooted: bool = False
    width: int | None = None
    groupings: tuple[Grouping, ...] = ()

    def moments(self, curvature: bool = True) -> TaskMoments:
        """Return the moments of each task, multiplied by the task weights."""
        moments = moments_of_tasks(self, curvature and not self.rooted)
        moments = replace(moments, orders=self.orders, width=self.width)
        if not (curvature and self.rooted):
            return moments
        return replace(moments, roots=tuple(self.roots()[1]))

    def groups(self, features: bool = True) -> Iterator[RowStack]:
        """Yield stacks of tasks with about equally many rows; cut large tasks."""
        return stack_rows(self, features)

    def whole_groups(self) -> Iterator[RowStack]:
        """Yield stacks of tasks with equally many rows."""
        return stack_whole_tasks(self)

    def block(self, features: Any = None, ones: bool = False) -> BlockRows:
        """Return sparse rows as one linear operator, of some features if given."""
        return BlockRows.of(self, features, ones)

    @property
    def shares_moments(self) -> bool:
        """Whether one scatter of the features serves all tasks."""
        return False

    @property
    def shares_rows(self) -> bool:
        """Whether every task is observed on every row of X."""
        return False

    def stacked(self) -> Self:
        """Return these rows, which are already grouped by task."""
        return self

    def assign_folds(self, n_splits: int) -> Array:
        """Assign the observations of each task to folds in turn; return rows' folds."""
        sizes = np.diff(self.offsets)
        number = np.arange(len(self.y)) - np.repeat(self.offsets[:-1], sizes)
        # Each task starts at the fold after the last one's end, so that folds have
        # equal sizes.
        fold = (number + np.repeat(self.offsets[:-1], sizes)) % n_splits
        folds = np.arange(self.X.shape[0]) % n_splits
        if self.layout != "outputs":
            folds[slice(None) if self.rows is None else self.rows] = fold
        return folds

    def weighted_groups(self, features: bool = True) -> Iterator[RowStack]:
        """Yield the stacks of `groups`, with weights multiplied by the task weights.

        Parameters
        ----------
        features : bool, default=True
            Whether the stacks hold their features.

        Yields
        ------
        RowStack
            Observations of tasks, padded by repetitions of weight 0.
        """
        for some in self.groups(features=features):
            weight = np.ones_like(some.y) if some.weight is None else some.weight
            if self.task_weight is not None:
                weight = weight * self.task_weight[some.tasks][:, None]
            yield replace(some, weight=weight)

    def mean_rows(self) -> float:
        """Return the mean number of rows per task."""
        return len(self.y) / max(len(self.tasks), 1)

    def roots(self, centred: bool = True) -> tuple[int, Iterator[tuple[Array, Array]]]:
        """Return the number of scatters, and stacks of rows that are their roots."""
        return len(self.tasks), roots_of_tasks(self, centred)

    def select(self, rows: Any) -> "TaskRows":
        """Return the observations on some rows of X, with the same repetitions."""
        times = np.bincount(np.arange(self.X.shape[0])[rows], minlength=self.X.shape[0])
        row = np.arange(len(self.y)) if self.rows is None else self.rows
        chosen = np.repeat(np.arange(len(self.y)), times[row])
        before = np.concatenate([[0], np.cumsum(times[row])])
        return replace(
            self,
            rows=row[chosen],
            y=self.y[chosen],
            weight=None if self.weight is None else self.weight[chosen],
            offsets=before[self.offsets],
        )

    def keep(self, kept: Array) -> "TaskRows":
        """Return the observations that a mask selects."""
        row = np.arange(len(self.y)) if self.rows is None else self.rows
        before = np.concatenate([[0], np.cumsum(kept)])
        return replace(
            self,
            rows=row[kept],
            y=self.y[kept],
            weight=None if self.weight is None else self.weight[kept],
            offsets=before[self.offsets],
        )

    def of_tasks(self, chosen: Any) -> "TaskRows":
        """Return the observations of some tasks, by position in ascending order."""
        mask = np.zeros(len(self.tasks), dtype=bool)
        mask[chosen] = True
        sizes = np.diff(self.offsets)
        kept = self.keep(np.repeat(mask, sizes))
        weight = None if self.task_weight is None else self.task_weight[chosen]
        offsets = np.concatenate([[0], np.cumsum(sizes[chosen])])
        return replace(
            kept, tasks=self.tasks[chosen], offsets=offsets, task_weight=weight
        )


@dataclass(frozen=True)
class SharedRows(TaskData):
    """Rows on which every task is observed: one design, several outputs.

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
    orders : tuple of tuple, default=()
        Order of the columns.
    width : int or None, default=None
        Number of original features, if `X` holds coordinates in a basis; else None.
    """

    X: Any
    Y: np.ndarray
    weight: np.ndarray | None
    tasks: np.ndarray
    task_weight: np.ndarray | None = None
    layout: str = "outputs"
    orders: tuple = ()
    width: int | None = None
    rooted = False
    groupings = ()

    def moments(self, curvature: bool = True) -> TaskMoments:
        """Return the moments of each task, with one feature scatter for all."""
        moments = moments_of_outputs(self, curvature)
        return replace(moments, orders=self.orders, width=self.width)

    def select(self, rows: Any) -> "SharedRows":
        """Return all outputs on some rows."""
        weight = None if self.weight is None else self.weight[rows]
        return replace(self, X=self.X[rows], Y=self.Y[rows], weight=weight)

    @property
    def shares_moments(self) -> bool:
        """Whether one scatter of the features serves all tasks."""
        return self.task_weight is None or bool((self.task_weight == 1).all())

    @property
    def shares_rows(self) -> bool:
        """Whether every task is observed on every row of X."""
        return True

    def assign_folds(self, n_splits: int) -> Array:
        """Assign the rows to folds in turn; return their folds."""
        return np.arange(len(self.Y)) % n_splits

    def mean_rows(self) -> float:
        """Return the number of rows, which all tasks share."""
        return len(self.Y)

    def roots(self, centred: bool = True) -> tuple[int, Iterator[tuple[Array, Array]]]:
        """Return the number of scatters, and stacks of rows that are their roots."""
        if not self.shares_moments:
            return self.stacked().roots(centred)
        one = replace(self, Y=self.Y[:, :1], tasks=self.tasks[:1])
        return one.stacked().roots(centred)

    def stacked(self) -> TaskRows:
        """Return the same observations, grouped by task."""
        n_rows, n_tasks = self.Y.shape
        return TaskRows(
            self.X,
            np.tile(np.arange(n_rows), n_tasks),
            self.Y.T.ravel(),
            None if self.weight is None else np.tile(self.weight, n_tasks),
            n_rows * np.arange(n_tasks + 1),
            self.tasks,
            self.task_weight,
            self.layout,
            self.orders,
            width=self.width,
        )

    def weighted_groups(self, features: bool = True) -> Iterator[RowStack]:
        """Yield stacks of rows, with weights multiplied by the task weights."""
        return self.stacked().weighted_groups(features)
