"""A table made ready to learn from: features, task, target."""

from dataclasses import dataclass

import numpy as np

from ._columns import TableColumns, as_integer, as_text
from ._encoder import find_clash
from ._errors import CommandError, check_column
from ._kinds import find_kind
from ._target import read_target

_FEW = 20  # text with more values, all different, is a name and no category


@dataclass(frozen=True)
class Table:
    """Hold the rows that models are fitted to.

    Parameters
    ----------
    X : DataFrame of shape (n_rows, n_features + 1)
        Features cast to their kinds, and the task column last.
    y : ndarray of shape (n_rows,)
        Target: floats, or classes that are truths, integers or text.
    kind : {"numbers", "classes", "counts"}
        What the target is.
    kinds : dict of str to str
        Kind of each feature.
    task_column, task_kind, target, source : str
        Names of the columns, kind of the labels, and where the table is from.
    unused_rows : dict of str to int
        Number of rows left out, by the column that was empty.
    unused_columns : dict of str to str
        Why columns were left out, by name.
    """

    X: object
    y: np.ndarray
    kind: str
    kinds: dict
    task_column: str
    task_kind: str
    target: str
    source: str
    unused_rows: dict
    unused_columns: dict

    @property
    def labels(self):
        """Task of each row."""
        return self.X[self.task_column]


def prepare_table(frame, source, task, target, drop=(), kind="auto"):
    """Choose the rows and columns to learn from, and check them."""
    names = list(frame.columns)
    for name, option in [(task, "--task"), (target, "--target")]:
        check_column(name, names, option, source)
    for name in drop:
        check_column(name, names, "--drop", source)
    _check_roles(task, target, drop)
    kind, y = read_target(frame[target], source, kind)
    known = {task: frame[task].notna(), target: y.notna()}
    rows = known[task] & known[target]
    if not rows.any():
        raise CommandError(
            f"{source} has no row in which both {task!r} and {target!r} are filled in: "
            "name other columns"
        )
    task_kind, labels = _read_task(frame[task][rows], source)
    kinds, unused = _choose_features(frame.drop(columns=[task, target]), rows, drop)
    if not kinds:
        raise CommandError(
            f"{source} has no column to predict {target!r} from, besides {task!r}: "
            "add some that vary"
        )
    X = TableColumns(kinds).transform(frame)[rows].assign(**{task: labels})
    y = np.array(y[rows].tolist())
    _check_rows(y, labels, task, target)
    _check_names(X, kinds, source)
    unused_rows = {name: int((~there).sum()) for name, there in known.items()}
    about = task, task_kind, target, source
    return Table(X, y, kind, kinds, *about, unused_rows, unused)


def _check_roles(task, target, drop):
    if task == target:
        raise CommandError(
            f"--task and --target must be two columns, both are {task!r}: the task is "
            "the group of a row, the target is what to predict"
        )
    for name, option in [(task, "--task"), (target, "--target")]:
        if name in drop:
            raise CommandError(f"--drop {name!r} is the {option} column: keep it")


def _read_task(labels, source):
    """Return the kind of the labels, and the labels."""
    kind = find_kind(labels)
    if kind is None:
        raise CommandError(
            f"task column {labels.name!r} of {source} must hold integers or text, got "
            f"{type(labels.iloc[0]).__name__}: name a column of groups"
        )
    if kind == "number":
        return "integer", as_integer(labels)
    return "text", as_text(labels)


def _check_rows(y, labels, task, target):
    counts = labels.value_counts()
    if len(counts) == 1:
        raise CommandError(
            f"--task {task!r} must tell at least two tasks apart, all {len(y)} rows "
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
            f"{source} has a column named as a number made of another would be, "
            f"{clash!r}: rename or --drop one of the two"
        )


def _choose_features(frame, rows, drop):
    """Return the kinds of the columns to use, and why others are not used."""
    kinds, unused = {}, dict.fromkeys(drop, "--drop")
    for name in frame.columns.difference(drop, sort=False):
        kind = find_kind(frame[name])
        why_not = _find_fault(frame[name][rows], kind)
        if why_not:
            unused[name] = why_not
        else:
            kinds[name] = kind
    return kinds, unused


def _find_fault(column, kind):
    """Say why a column cannot be used, if so."""
    if column.isna().all():
        return "empty"
    if kind is None:
        return f"holds {type(column.dropna().iloc[0]).__name__}"
    n_values, n_known = column.nunique(), column.notna().sum()
    if n_values == 1 and n_known == len(column):
        return "the same in every row"
    different = n_values == n_known
    if kind == "category" and different and n_values > _FEW:
        return "text, different in every row"
    if str(column.name).startswith("Unnamed: ") and different:
        return "numbers the rows"
    return None
