"""Prepare a table for a fit: features, task, target."""

from collections import defaultdict
from dataclasses import dataclass, field, replace

import numpy as np

from skmtl.data import join_tasks, list_task_columns

from ._codes import FEW, name_codes
from ._column_kinds import find_kind, read_kind
from ._command_errors import CommandError, check_column
from ._copies import warn_of_copies
from ._encoder import find_clash
from ._folds import read_times
from ._table_columns import TableColumns, as_text, as_whole
from ._target import read_target
from ._task_labels import describe_labels, find_label_kind

_LABELS = {"text": as_text, "whole": as_whole}


@dataclass(frozen=True)
class Table:
    """Rows to fit models to.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features + n_task_columns)
        Features cast to their kinds, and the task columns last.
    y : ndarray of shape (n_rows,)
        Target: floats, or classes that are booleans, integers or text.
    kind : {"numbers", "classes", "counts"}
        Kind of target.
    kinds : dict of str to str
        Kind of each feature.
    task_column : str or list of str
        Name of the task column, or of several.
    task_kinds : dict of str to str
        Kind of the labels of each task column.
    target, source : str
        Name of the column to predict, and source of the table.
    unused_rows : dict of str to int
        Number of rows left out, by the column with missing values.
    unused_columns : dict of str to str
        Why columns were left out, by name.
    formats : dict of str to str, default={}
        Formats of dates that are not ISO 8601, by column.
    words : dict of str to list of str, default={}
        Text that means a missing number or date, by column.
    notes : dict of str to list of str, default={}
        What was detected, by topic.
    times : Series of shape (n_rows,) or None, default=None
        Dates or numbers that order the rows.
    """

    X: object
    y: np.ndarray
    kind: str
    kinds: dict
    task_column: object
    task_kinds: dict
    target: str
    source: str
    unused_rows: dict
    unused_columns: dict
    formats: dict = field(default_factory=dict)
    words: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)
    times: object = None

    @property
    def labels(self):
        """Task of each row; labels of several columns are joined."""
        return join_labels(self.X, self.task_column)

    @property
    def task_name(self):
        """Name of the task column, or of several, for messages."""
        return name_tasks(self.task_column)

    def columns(self):
        """Make the transformer that selects these columns from a new table."""
        kinds = {**self.kinds, **self.task_kinds}
        return TableColumns(kinds, self.formats or None, self.words or None)


def prepare_table(
    frame,
    source,
    task,
    target,
    drop=(),
    kind="auto",
    *,
    typed=True,
    requested_kinds=None,
    time=None,
):
    """Choose and check the rows and columns for the fit.

    The columns of a frame that is not `typed` hold text. `requested_kinds` has the kind
    and date format that the user gave, by column. `task` is a column or a list of them.
    """
    import pandas as pd

    tasks = list_task_columns(task)
    requested_kinds = requested_kinds or {}
    for each in tasks:
        _check_columns(list(frame.columns), source, each, target, drop)
        _check_roles(each, target, drop, requested_kinds)
    kind, y, notes = read_target(frame[target], source, kind, typed)
    known = {**{each: frame[each].notna() for each in tasks}, target: y.notna()}
    if time is not None:
        times = read_times(frame, time, source, typed, requested_kinds)
        known[time] = times.notna()
    rows = _choose_rows(known, source, task, target)
    task_kinds, columns_of_tasks = {}, {}
    for each in tasks:
        cells = frame[each][rows]
        task_kinds[each], columns_of_tasks[each] = _read_task(cells, source, typed)
        notes = [*notes, *describe_labels(columns_of_tasks[each], cells)]
    labels = join_labels(pd.DataFrame(columns_of_tasks), task)
    features = frame.drop(columns=[*tasks, target, *drop])
    readings, X, unused = _read_features(features, rows, labels, typed, requested_kinds)
    unused = dict.fromkeys(drop, "--drop") | unused
    if not readings:
        raise CommandError(_explain_no_features(source, task, target, unused))
    columns = make_columns(readings)
    X = pd.DataFrame(X | columns_of_tasks)
    y = np.array(y[rows].tolist())
    for each in tasks:
        _check_rows(y, X[each], each, target)
    _check_names(X, columns.kinds, source)
    warn_of_copies(X, y, columns.kinds)
    return Table(
        X,
        y,
        kind,
        columns.kinds,
        task,
        task_kinds,
        target,
        source,
        {name: int((~there).sum()) for name, there in known.items()},
        unused,
        columns.formats,
        columns.words,
        _sort_notes(notes, readings, X),
        None if time is None else times[rows],
    )


def name_tasks(task):
    """Return the name of the task column, or of several, for messages."""
    return " and ".join(list_task_columns(task))


def join_labels(X, task):
    """Return the task of each row; labels of several columns are joined."""
    import pandas as pd

    columns = [X[name] for name in list_task_columns(task)]
    if len(columns) == 1:
        return columns[0]
    return pd.Series(join_tasks(columns), X.index, name=name_tasks(task))


def _choose_rows(known, source, task, target):
    """Return which rows have all required values."""
    rows = np.logical_and.reduce([*known.values()])
    if not rows.any():
        raise CommandError(
            f"{source} has no row in which both {name_tasks(task)!r} and {target!r} "
            "are filled in: "
            "name other columns"
        )
    return rows


def make_columns(readings):
    """Make the transformer that reads these columns from a frame."""
    return TableColumns(
        {name: each.kind for name, each in readings.items()},
        {name: each.form for name, each in readings.items() if each.form},
        {name: list(each.words) for name, each in readings.items() if each.words},
    )


def _check_columns(names, source, task, target, drop):
    for name, option in [(task, "--task"), (target, "--target")]:
        check_column(name, names, option, source)
    for name in drop:
        check_column(name, names, "--drop", source)


def _check_roles(task, target, drop, requested_kinds):
    if task == target:
        raise CommandError(
            f"--task and --target must be two columns, both are {task!r}: the task is "
            "the group of a row, the target is what to predict"
        )
    for name, option in [(task, "--task"), (target, "--target")]:
        if name in drop:
            raise CommandError(f"--drop {name!r} is the {option} column: keep it")
        if name in requested_kinds:
            is_target = option == "--target"
            what = "use --kind" if is_target else "labels are text, leave this out"
            raise CommandError(
                f"--{requested_kinds[name][0]} {name!r} is the {option} column: {what}"
            )


def _explain_no_features(source, task, target, unused):
    reasons = [f"{name} ({why})" for name, why in unused.items()]
    why = f"; not used: {', '.join(reasons[:3])}" if reasons else ""
    return (
        f"{source} has no column to predict {target!r} from, besides "
        f"{name_tasks(task)!r}: "
        f"add some that vary{why}"
    )


def _read_task(labels, source, typed):
    """Return the kind of the labels, and the labels."""
    if find_kind(labels, typed) is None:
        raise CommandError(
            f"task column {labels.name!r} of {source} must hold integers or text, got "
            f"{type(labels.iloc[0]).__name__}: name a column of groups"
        )
    labels = as_text(labels)
    kind = find_label_kind(labels)
    return kind, _LABELS[kind](labels)


def _check_rows(y, labels, task, target):
    counts = labels.value_counts()
    if len(counts) == 1:
        raise CommandError(
            f"--task {task!r} must have at least two tasks, all {len(y)} rows "
            f"are of {counts.index[0]!r}: name a column of groups"
        )
    if counts.max() == 1:
        raise CommandError(
            f"--task {task!r} is different in each of {len(y)} rows: name a column of "
            "groups that have several rows"
        )
    if (y == y[0]).all():
        value = f"{y[0]:g}" if y.dtype.kind == "f" else str(y[0])
        raise CommandError(
            f"--target {target!r} is {value} in every row: there is nothing to predict"
        )


def _check_names(X, kinds, source):
    clash = find_clash(X, kinds)
    if clash is not None:
        raise CommandError(
            f"{source} has two columns that give features of the same name, "
            f"{clash!r}: rename or --drop one of them"
        )


def _read_features(frame, rows, labels, typed, requested_kinds):
    """Return the readings and values of usable columns, and why others are not."""
    readings, features, unused = {}, {}, {}
    for name in frame.columns:
        requested, form = requested_kinds.get(name, (None, None))
        reading = read_kind(frame[name], typed, requested, form)
        if reading.kind is None:
            unused[name] = f"holds {type(frame[name].dropna().iloc[0]).__name__}"
            continue
        column = _cast(frame[[name]], reading)[rows]
        reading, why_not = _recognise(column, reading, labels, requested)
        if why_not is not None:
            unused[name] = why_not
            continue
        recast = reading.kind == "category" and column.dtype.kind == "f"
        readings[name] = reading
        features[name] = _cast(frame[[name]], reading)[rows] if recast else column
    return readings, features, unused


def _cast(frame, reading):
    name = frame.columns[0]
    return make_columns({name: reading}).transform(frame)[name]


def _recognise(column, reading, labels, requested):
    """Return the reading of a column, changed for codes, and a reason to drop it."""
    why_not = _find_fault(column)
    if why_not is not None or requested is not None:
        return reading, why_not
    found, text = name_codes(column, reading.kind, labels) or (None, None)
    if found == "drop":
        return reading, text
    if found is None:
        return reading, None
    topic = "Codes" if found == "category" else "Maybe ids"
    return replace(reading, kind=found, notes=(*reading.notes, (topic, text))), None


def _find_fault(column):
    """Return why a column cannot be used, or None."""
    n_values, n_known = column.nunique(), column.notna().sum()
    if n_known == 0:
        return "empty"
    if n_values == 1 and n_known == len(column):
        return "the same in every row"
    if str(column.name).startswith("Unnamed: ") and n_values == n_known:
        return "numbers the rows"
    return None


def _sort_notes(notes, readings, X):
    """Group notes by topic."""
    topics = defaultdict(list)
    for topic, text in [*notes, *(each for r in readings.values() for each in r.notes)]:
        topics[topic].append(text)
    for name, reading in readings.items():
        if reading.kind == "category" and X[name].nunique() > FEW:
            topics["Many"].append(f"{name} ({X[name].nunique():,} values)")
    return dict(topics)
