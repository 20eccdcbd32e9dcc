"""Splitter that trains on earlier rows of the tasks and tests on later rows."""

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_consistent_length

from skmtl.data import take_task_column

from ._splitters import Split, _check_n_splits, _read_tasks

_RULE = "times must be numbers or dates"
_ISO = re.compile(r"\d{4}-\d{2}(-\d{2}([T ].*)?)?")


class TaskTimeSeriesSplit(BaseCrossValidator):
    """Train on earlier rows of every task and test on later rows.

    The distinct times of each task are divided into ``n_splits + 1`` periods of about
    equal size. Split ``k``, counted from 1, tests on period ``k + 1`` and trains on all
    earlier periods. So every training row of a task is earlier than all its test rows,
    and rows of the same time stay together. The first period is never tested. A task
    with fewer times than periods has test rows in only some of the splits.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits, at least 1.
    task_column : str or int, default=None
        Column of X with the task of each row, or a level of its index. If None,
        ``groups`` gives the tasks.
    time_column : str or int, default=None
        Column of X with the time of each row, or a level of its index. If None, `split`
        uses ``time``, or else the order of the rows.
    same_times : bool, default=False
        Split all tasks at the same times, so that no training row of any task is later
        than a test row. A task that begins late is then first tested as an unseen task.
        If False, each task is split at its own times.

    See Also
    --------
    TaskKFold : Holds out every row once, and ignores time.
    sklearn.model_selection.TimeSeriesSplit : Splits rows without tasks.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.model_selection import TaskTimeSeriesSplit
    >>> shops = np.repeat(["east", "west"], [6, 3])
    >>> year = np.array([2019, 2020, 2021, 2022, 2023, 2024, 2024, 2023, 2022])
    >>> splitter = TaskTimeSeriesSplit(2)
    >>> for train, test in splitter.split(np.zeros((9, 2)), groups=shops, time=year):
    ...     print(year[train], year[test])
    [2019 2020 2022] [2021 2022 2023]
    [2019 2020 2021 2022 2023 2022] [2023 2024 2024]
    """

    __metadata_request__split = {"groups": True, "time": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        task_column: str | int | None = None,
        time_column: str | int | None = None,
        same_times: bool = False,
    ) -> None:
        self.n_splits = n_splits
        self.task_column = task_column
        self.time_column = time_column
        self.same_times = same_times

    def get_n_splits(
        self, X: object = None, y: object = None, groups: object = None
    ) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored.

        Returns
        -------
        n_splits : int
            Number of splits.
        """
        return self.n_splits

    def split(
        self,
        X: object,
        y: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        time: ArrayLike | None = None,
    ) -> Iterator[Split]:
        """Yield the training and test rows of each split.

        Parameters
        ----------
        X : {array-like, DataFrame} of shape (n_rows, n_columns)
            Rows, with the task and time columns if there are any.
        y : array-like of shape (n_rows,), default=None
            Only its length is used.
        groups : array-like of shape (n_rows,), default=None
            Task of each row, used when ``task_column`` is None.
        time : array-like of shape (n_rows,), default=None
            Time of each row, numbers or dates; used when ``time_column`` is None.

        Yields
        ------
        train : ndarray of shape (n_train,)
            Training rows, in ascending order.
        test : ndarray of shape (n_test,)
            Test rows, in ascending order.
        """
        _check_n_splits(self.n_splits, at_least=1)
        tasks, codes = _read_tasks(self, X, y, groups)
        ranks = self._rank_times(X, time, len(codes))
        if self.same_times:
            codes, tasks = np.zeros_like(codes), tasks[:1]
        periods = _cut(codes, ranks, len(tasks), self.n_splits + 1)
        self._check_periods(periods)
        for period in range(1, self.n_splits + 1):
            yield np.flatnonzero(periods < period), np.flatnonzero(periods == period)

    def _rank_times(self, X, time, n_rows):
        """Return the rank of each row's time among the distinct times."""
        if time is not None and self.time_column is not None:
            raise ValueError(
                "The time of each row must be given once. Got both time= and "
                f"time_column={self.time_column!r}; remove one of them."
            )
        if self.time_column is not None:
            time = _take_time(X, self.time_column)
        if time is None:
            return np.arange(n_rows)
        check_consistent_length(X, time)
        return np.unique(_read_times(time), return_inverse=True)[1]

    def _check_periods(self, periods):
        if np.bincount(periods, minlength=self.n_splits + 1).min() == 0:
            raise ValueError(
                "Every split must have later rows to test on. Got "
                f"n_splits={self.n_splits}, which needs more distinct times than the "
                "tasks have; use fewer splits."
            )


def _take_time(X, column):
    try:
        return take_task_column(X, column)[1]
    except (TypeError, ValueError) as error:
        message = str(error).replace("task_column", "time_column")
        raise type(error)(message.replace("task column", "time column")) from None


def _read_times(time):
    """Return times as numbers or NumPy dates; raise if some are missing."""
    times = _as_dates(time) if _is_zoned(time) else np.asarray(time)
    if times.dtype.kind not in "biufM":
        times = _as_dates(time)
    if times.ndim != 1:
        raise ValueError(f"time must be 1-d, got shape {times.shape}.")
    unknown = np.isnat(times) if times.dtype.kind == "M" else np.isnan(times)
    if unknown.any():
        raise ValueError(
            f"{_RULE}, without missing values. Got a missing value in row "
            f"{np.argmax(unknown)}; leave out the rows without a time."
        )
    return times


def _is_zoned(time):
    return getattr(getattr(time, "dtype", None), "tz", None) is not None


def _as_dates(time):
    """Convert dates of Python or pandas, or text such as 2024-01-31, to NumPy dates.

    Dates with a time zone become seconds since 1970.
    """
    values = list(time)
    for value in values:
        if isinstance(value, str) and not _ISO.fullmatch(value):
            raise ValueError(
                f"{_RULE}. Got the text {str(value)!r}; convert it, as with "
                "pandas.to_datetime."
            )
    try:
        if _is_zoned(time):
            known = (v.timestamp() if v == v else np.nan for v in values)
            return np.fromiter(known, dtype=float)
        return np.array([_as_plain_text(v) for v in values], dtype="datetime64[us]")
    except (TypeError, ValueError):
        raise ValueError(f"{_RULE}. Got {values[0]!r}; convert them.") from None


def _as_plain_text(value):
    """Convert subclasses of str, such as np.str_, to str."""
    return str(value) if isinstance(value, str) else value


def _cut(codes, ranks, n_tasks, n_periods):
    """Divide the distinct times of each task evenly; return the period of each row."""
    order = np.lexsort((ranks, codes))
    codes, ranks = codes[order], ranks[order]
    new_task = np.diff(codes, prepend=-1) != 0
    new_time = (np.diff(ranks, prepend=-1) != 0) & ~new_task
    steps = np.cumsum(new_time)
    position = steps - steps[new_task][codes]  # of the time within its task
    n_times = np.zeros(n_tasks, dtype=np.intp)
    np.maximum.at(n_times, codes, position + 1)
    periods = np.empty(len(codes), dtype=np.intp)
    periods[order] = position * n_periods // n_times[codes]
    return periods
