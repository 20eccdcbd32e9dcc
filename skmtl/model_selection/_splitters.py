"""Splitters of rows within tasks, and of whole tasks."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from numbers import Integral, Real

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length, check_random_state

from skmtl.data import encode_tasks, take_task_column

from ._strata import assign_strata, draw_strata, read_classes

Column = str | int | Sequence[str | int] | None
Split = tuple[NDArray[np.intp], NDArray[np.intp]]


class _TaskSplitter(BaseCrossValidator):
    """Base class of splitters: reads the tasks, yields training and held-out rows."""

    __metadata_request__split = {"groups": True}

    @abstractmethod
    def get_n_splits(
        self,
        X: object = None,
        y: object = None,
        groups: ArrayLike | None = None,
    ) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_rows, n_columns), default=None
            Rows; only LeaveOneTaskOut uses them, to count the tasks.
        y : object, default=None
            Ignored.
        groups : array-like of shape (n_rows,), default=None
            Task of each row; only LeaveOneTaskOut uses it.

        Returns
        -------
        n_splits : int
            Number of splits.
        """

    def split(
        self, X: object, y: ArrayLike | None = None, groups: ArrayLike | None = None
    ) -> Iterator[Split]:
        """Yield the training rows and the held-out rows of each split.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_rows, n_columns)
            Rows, with the task column if there is one.
        y : array-like of shape (n_rows,), default=None
            Classes, if the splitter stratifies; otherwise only its length is used.
        groups : array-like of shape (n_rows,), default=None
            Task of each row, used when ``task_column`` is None.

        Yields
        ------
        train : ndarray of shape (n_train,)
            Training rows, in ascending order.
        test : ndarray of shape (n_test,)
            Held-out rows, in ascending order.
        """
        tasks, codes = _read_tasks(self, X, y, groups)
        for held_out in self._hold_out(codes, len(tasks), y):
            yield np.flatnonzero(~held_out), np.flatnonzero(held_out)

    @abstractmethod
    def _hold_out(
        self, codes: NDArray[np.intp], n_tasks: int, y: ArrayLike | None
    ) -> Iterator[NDArray[np.bool_]]:
        """Yield masks of the held-out rows, of shape (n_rows,)."""


class TaskKFold(_TaskSplitter):
    """Split every task into folds, so that each row is held out once.

    The rows are assigned to the folds in turn, task after task. So for each task the
    numbers of rows in two folds differ by at most 1, and so do the fold sizes. A task
    with fewer rows than folds has held-out rows in only some of the splits.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, or a level of its index. None means that
        ``groups`` gives the tasks.
    stratify : bool, default=False
        For classification: balance also the classes of each task, so that the numbers
        of rows of a class in two folds differ by at most 1.
    shuffle : bool, default=False
        Assign the tasks, and the rows of each task, in random order.
    random_state : int, RandomState instance or None, default=None
        Seed of the order, used only if ``shuffle=True``.

    See Also
    --------
    TaskShuffleSplit : Holds out random rows of every task, any number of times.
    LeaveOneTaskOut : Holds out whole tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import TaskKFold
    >>> X = np.array([[0.1, 7], [0.2, 7], [0.3, 7], [0.4, 7], [0.5, 9], [0.6, 9]])
    >>> for train, test in TaskKFold(2, task_column=-1).split(X):
    ...     print(train, test)
    [1 3 5] [0 2 4]
    [0 2 4] [1 3 5]
    >>> y = np.array(["no", "yes", "no", "yes", "yes", "yes"])
    >>> splitter = TaskKFold(2, task_column=-1, stratify=True)
    >>> for train, test in splitter.split(X, y):
    ...     print(y[test])
    ['no' 'yes' 'yes']
    ['no' 'yes' 'yes']
    """

    def __init__(
        self,
        n_splits: int = 5,
        *,
        task_column: Column = None,
        stratify: bool = False,
        shuffle: bool = False,
        random_state: int | RandomState | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.task_column = task_column
        self.stratify = stratify
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(
        self,
        X: object = None,
        y: object = None,
        groups: ArrayLike | None = None,
    ) -> int:
        return self.n_splits

    def _hold_out(self, codes, n_tasks, y):
        self._check(len(codes))
        rng = self._make_generator()
        if self.stratify:
            folds = assign_strata(codes, read_classes(y), self.n_splits, rng)
        else:
            folds = _assign_folds(codes, self.n_splits, rng)
        for fold in range(self.n_splits):
            yield folds == fold

    def _check(self, n_rows):
        _check_n_splits(self.n_splits, at_least=2)
        if self.n_splits > n_rows:
            raise ValueError(
                f"n_splits must not exceed the number of rows. Got "
                f"n_splits={self.n_splits} for {n_rows} rows; use fewer folds."
            )
        if not self.shuffle and self.random_state is not None:
            raise ValueError(
                "random_state must be None unless shuffle=True. "
                f"Got random_state={self.random_state!r}; set shuffle=True, or leave "
                "random_state out."
            )

    def _make_generator(self):
        return check_random_state(self.random_state) if self.shuffle else None


class TaskShuffleSplit(_TaskSplitter):
    """Hold out random rows of every task, any number of times.

    A split holds out ``test_size * n_t`` of the ``n_t`` rows of task ``t``, rounded to
    an integer from 1 to ``n_t - 1``. A task with one row is only in the training set.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.
    test_size : float, default=0.25
        Share of the rows of each task to hold out, between 0 and 1.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, or a level of its index. None means that
        ``groups`` gives the tasks.
    stratify : bool, default=False
        For classification: hold out the same share of each class of a task, rounded up
        or down.
    random_state : int, RandomState instance or None, default=None
        Seed of the random draws; an int gives the same splits in each call.

    See Also
    --------
    TaskKFold : Holds out every row exactly once.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import TaskShuffleSplit
    >>> schools = np.repeat(["east", "north", "west"], [8, 4, 1])
    >>> splitter = TaskShuffleSplit(1, random_state=0)
    >>> for train, test in splitter.split(np.zeros((13, 2)), groups=schools):
    ...     print(schools[test])
    ['east' 'east' 'north']
    """

    def __init__(
        self,
        n_splits: int = 10,
        *,
        test_size: float = 0.25,
        task_column: Column = None,
        stratify: bool = False,
        random_state: int | RandomState | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.test_size = test_size
        self.task_column = task_column
        self.stratify = stratify
        self.random_state = random_state

    def get_n_splits(
        self,
        X: object = None,
        y: object = None,
        groups: ArrayLike | None = None,
    ) -> int:
        return self.n_splits

    def _hold_out(self, codes, n_tasks, y):
        _check_n_splits(self.n_splits, at_least=1)
        counts = np.bincount(codes)
        n_test = self._count_test_rows(counts)
        rng = check_random_state(self.random_state)
        classes = read_classes(y) if self.stratify else None
        for _ in range(self.n_splits):
            if self.stratify:
                yield draw_strata(codes, classes, n_test, rng)
            else:
                yield _draw(codes, counts, n_test, rng)

    def _count_test_rows(self, counts):
        if not isinstance(self.test_size, Real) or not 0 < self.test_size < 1:
            raise ValueError(
                "test_size must be a share of each task, above 0 and below 1. "
                f"Got {self.test_size!r}; use for example 0.25."
            )
        if (counts <= 1).all():
            raise ValueError(
                "At least one task must have two rows: one for training, one to hold "
                f"out. Got {len(counts)} tasks of one row; check task_column."
            )
        n_test = np.maximum(np.rint(self.test_size * counts), 1).astype(np.intp)
        return np.minimum(n_test, counts - 1)


class LeaveOneTaskOut(_TaskSplitter):
    """Hold out one task at a time, to measure predictions for unseen tasks.

    Parameters
    ----------
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, or a level of its index. None means that
        ``groups`` gives the tasks.

    See Also
    --------
    TaskKFold : Splits every task into folds.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import LeaveOneTaskOut
    >>> X = np.array([[0.1, 7], [0.2, 9], [0.3, 7], [0.4, 8]])
    >>> splitter = LeaveOneTaskOut(task_column=-1)
    >>> splitter.get_n_splits(X)
    3
    >>> [test.tolist() for train, test in splitter.split(X)]
    [[0, 2], [3], [1]]
    """

    def __init__(self, *, task_column: Column = None) -> None:
        self.task_column = task_column

    def get_n_splits(
        self,
        X: object = None,
        y: object = None,
        groups: ArrayLike | None = None,
    ) -> int:
        tasks, _ = _read_tasks(self, X, y, groups)
        return len(tasks)

    def _hold_out(self, codes, n_tasks, y):
        if n_tasks <= 1:
            raise ValueError(
                f"LeaveOneTaskOut needs at least 2 tasks. Got {n_tasks}; check "
                "task_column."
            )
        for task in range(n_tasks):
            yield codes == task


def _read_tasks(splitter, X, y, groups):
    """Return the task labels, and the position of each row's task among them."""
    check_consistent_length(X, y, groups)
    if splitter.task_column is not None:
        _, labels = take_task_column(X, splitter.task_column)
    elif groups is not None:
        labels = groups
    else:
        raise ValueError(_explain_missing_tasks(splitter, y))
    return encode_tasks(labels)


def _explain_missing_tasks(splitter, y):
    name = type(splitter).__name__
    if np.ndim(y) > 1:
        return (
            f"{name} needs the task of each row. Got neither task_column nor groups, "
            "but a 2-d y, in which all tasks share the rows; split these with KFold or "
            "ShuffleSplit."
        )
    return (
        f"{name} needs the task of each row. Got neither task_column nor groups; "
        f"use {name}(task_column=...), or pass groups=labels."
    )


def _check_n_splits(n_splits, at_least):
    if not isinstance(n_splits, Integral) or n_splits < at_least:
        raise ValueError(
            f"n_splits must be an integer of at least {at_least}. Got {n_splits!r}."
        )


def _assign_folds(codes, n_folds, rng):
    """Assign the rows to the folds in turn, task after task."""
    rows = np.argsort(codes, kind="stable") if rng is None else _shuffle(codes, rng)
    folds = np.empty(len(codes), dtype=np.intp)
    folds[rows] = np.arange(len(codes)) % n_folds
    return folds


def _shuffle(codes, rng):
    """Return the rows task by task, tasks and rows in random order."""
    rows = rng.permutation(len(codes))
    ranks = rng.permutation(codes.max() + 1)
    return rows[np.argsort(ranks[codes[rows]], kind="stable")]


def _draw(codes, counts, n_test, rng):
    """Draw ``n_test[t]`` rows of each task ``t`` at random, as a mask."""
    rows = rng.permutation(len(codes))
    rows = rows[np.argsort(codes[rows], kind="stable")]
    begins = np.cumsum(counts) - counts
    rank = np.arange(len(codes)) - np.repeat(begins, counts)
    held_out = np.empty(len(codes), dtype=bool)
    held_out[rows] = rank < np.repeat(n_test, counts)
    return held_out
