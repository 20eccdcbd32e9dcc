"""Folds that test on later rows, or on new tasks."""

import numpy as np
from sklearn.model_selection import KFold

from skmtl.model_selection import TaskTimeSeriesSplit

from ._column_kinds import read_kind
from ._command_errors import CommandError, check_column
from ._table_columns import as_date, as_number

_YEARS = 1500, 2500


def read_times(frame, name, source, typed, requested_kinds):
    """Return the time column, as dates or numbers."""
    check_column(name, list(frame.columns), "--cv time", source)
    reading = read_kind(frame[name], typed, *requested_kinds.get(name, (None, None)))
    readers = {"date": as_date, "number": as_number}
    if reading.kind not in readers or frame[name].isna().all():
        raise CommandError(
            f"--cv time {name!r} must hold dates or numbers, got "
            f"{str(frame[name].iloc[0])!r}: name another column, or add --date {name}"
        )
    return readers[reading.kind](frame[name], reading.form, reading.words)


def make_folds(table, n_folds, new_tasks=False, seed=0):
    """Return the folds (a number, or pairs of rows), and whether tasks share times.

    With `new_tasks`, whole tasks are held out. In the order of a time, all tasks are
    split at the same times if each test task then has training rows; otherwise each
    task is split at its own times.
    """
    codes = np.unique(table.labels.to_numpy(), return_inverse=True)[1]
    if new_tasks:
        return _hold_out_tasks(codes, n_folds, seed, table.task_name), None
    if table.times is None:
        return n_folds, None
    together = _split(table, codes, n_folds, same_times=True)
    if together and all(_are_known(codes, *fold) for fold in together):
        return together, True
    separate = _split(table, codes, n_folds, same_times=False)
    if not separate and not together:
        raise CommandError(
            f"--cv time {table.times.name!r} has too few distinct values for {n_folds} "
            "folds: add --cv 2 for fewer folds"
        )
    return (separate, False) if separate else (together, True)


def _hold_out_tasks(codes, n_folds, seed, name):
    n_tasks = codes.max() + 1
    if n_tasks < n_folds:
        raise CommandError(
            f"--cv new-tasks needs at least {n_folds} labels in {name}, one per fold, "
            f"got {n_tasks}: add --cv 2 for fewer folds, or use the default folds"
        )
    folds = KFold(n_folds, shuffle=True, random_state=seed)
    held_out = [np.isin(codes, tasks) for _, tasks in folds.split(np.arange(n_tasks))]
    return [(np.flatnonzero(~each), np.flatnonzero(each)) for each in held_out]


def describe_folds(table, n_folds, same_times, new_tasks=False):
    """Describe the folds, if whole tasks are held out or the table has a time."""
    if new_tasks:
        return {"Folds": f"{n_folds} of whole tasks, each predicted as a new one"}
    if same_times is not None:
        where = (
            "all tasks split at the same times"
            if same_times
            else "each task split at its own times, as some begin after others end"
        )
        name = table.times.name
        return {
            "Folds": f"{n_folds} in the order of {name}, tested on later rows, {where}"
        }
    dates = [name for name, kind in table.kinds.items() if kind == "date"]
    dates += [name for name in table.kinds if _holds_years(table, name)]
    if not dates:
        return {}
    return {
        "Folds": f"{n_folds} random folds, although rows have a time ({dates[0]}): to "
        f"predict later rows, use --cv time {dates[0]}"
    }


def _split(table, codes, n_folds, same_times):
    splitter = TaskTimeSeriesSplit(n_folds, same_times=same_times)
    try:
        return list(splitter.split(table.X, groups=codes, time=table.times.to_numpy()))
    except ValueError:  # too few times
        return None


def _are_known(codes, train, test):
    return bool(np.isin(codes[test], codes[train]).all())


def _holds_years(table, name):
    if table.kinds[name] != "number" or not name.casefold().endswith("year"):
        return False
    return bool(table.X[name].dropna().between(*_YEARS).all())
