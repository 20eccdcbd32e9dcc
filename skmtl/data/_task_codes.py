"""Task labels, and their positions among the distinct labels (codes)."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._containers import is_instance, refuse_lazy
from ._labels import (
    RULE,
    MissingLabelError,
    as_integers,
    as_labels,
    check_kinds,
    explain_kind,
    explain_large,
    join_parts,
    kind_of_tasks,
)

# A lookup table of up to this many times the number of rows is faster than sorting.
_TABLE_FACTOR = 4
# Bisect labels if there are this many times as many tasks.
_FEW = 16


def encode_tasks(labels: Any) -> tuple[Array, Array]:
    """Find the distinct tasks, and the position of each row's task among them.

    Labels are hashed, not sorted; the codes of a categorical column are used unchanged.

    Parameters
    ----------
    labels : array-like of shape (n_rows,)
        Label of each row: all strings, all integers or all booleans. Floats without
        fractions count as integers if all labels are floats, and none is too large to
        be exact. Mixed kinds raise an error, since 1, 1.0 and True are equal.

    Returns
    -------
    tasks : ndarray of shape (n_tasks,)
        Sorted distinct labels, bool, int64 or str.
    codes : ndarray of shape (n_rows,), dtype intp
        Position of each row's label, so that ``tasks[codes]`` are the labels.

    Examples
    --------
    >>> from skmtl.data import encode_tasks
    >>> tasks, codes = encode_tasks(["b", "a", "b"])
    >>> tasks.tolist(), codes.tolist()
    (['a', 'b'], [1, 0, 1])
    """
    refuse_lazy("task", labels)
    if is_instance(labels, "pandas", "Series", "Index", "Categorical"):
        return _encode_pandas(labels)
    if is_instance(labels, "polars", "Series"):
        return _encode_polars(labels)
    return _encode_array(_as_vector(labels))


def find_tasks(labels: Any, tasks: Array) -> Array:
    """Find the position of each row's task among known tasks.

    Parameters
    ----------
    labels : array-like of shape (n_rows,)
        Label of each row.
    tasks : ndarray of shape (n_tasks,)
        Known labels, bool, int64 or str, without duplicates.

    Returns
    -------
    codes : ndarray of shape (n_rows,), dtype intp
        Position of each row's label in `tasks`, -1 where it is not among them.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import find_tasks
    >>> find_tasks([7, 3, 8], np.array([3, 7]))
    array([ 1,  0, -1])
    """
    found, codes = encode_tasks(labels)
    if found.size and tasks.size and kind_of_tasks(found) != kind_of_tasks(tasks):
        raise ValueError(
            f"{RULE}, the same in fit and predict; the model has "
            f"{tasks[:5].tolist()}, got {found[:5].tolist()}. Convert them to one kind."
        )
    return _look_up(found, tasks)[codes]


def _look_up(found: Array, tasks: Array) -> Array:
    """Return the position of each distinct label, -1 where it is unknown.

    A few labels among many are bisected, in time that hardly grows with the tasks.
    """
    is_few = len(found) * _FEW < len(tasks) and found.dtype.kind == tasks.dtype.kind
    if is_few:
        # Longer labels match none; a wider type would copy all tasks.
        place = np.searchsorted(tasks, found.astype(tasks.dtype))
        place = np.minimum(place, len(tasks) - 1)
        is_known = tasks[place] == found
        if is_known.all() or (tasks[:-1] < tasks[1:]).all():
            return np.where(is_known, place, -1)
    position = {label: code for code, label in enumerate(tasks.tolist())}
    lookup = [position.get(label, -1) for label in found.tolist()]
    return np.array(lookup, dtype=np.intp)


def number_rows(labels: Any, n_rows: int) -> tuple[Array, Array]:
    """Return the tasks and the code of each row; without labels, one task 0."""
    if labels is None:
        return np.zeros(1, dtype=np.int64), np.zeros(n_rows, dtype=np.intp)
    return encode_tasks(labels)


def spread_label(task: Any, n_rows: int) -> Any:
    """Repeat a single label for all rows; return several labels unchanged.

    Parameters
    ----------
    task : array-like of shape (n_rows,), int, str or None
        Label of each row, or one label for all rows.
    n_rows : int
        Number of rows.

    Returns
    -------
    array-like of shape (n_rows,) or None
        The labels.

    Examples
    --------
    >>> from skmtl.data import spread_label
    >>> spread_label("a", 3).tolist()
    ['a', 'a', 'a']
    """
    return np.full(n_rows, task) if isinstance(task, str | Integral) else task


def join_tasks(columns: Sequence[Any], names: Sequence[Any] | None = None) -> Any:
    """Join the labels of several columns, row by row.

    Parameters
    ----------
    columns : list of array-like of shape (n_rows,)
        Labels; each column of one kind.
    names : list of str or int, default=None
        Names of the columns for the error of a missing label; None means positions.

    Returns
    -------
    labels : ndarray of shape (n_rows,), dtype object
        Labels as text, joined by slashes; slashes within a label are escaped. A single
        column is returned unchanged.

    Examples
    --------
    >>> from skmtl.data import join_tasks
    >>> join_tasks([["Ash", "Ash", "Elm"], [1, 2, 1]]).tolist()
    ['Ash/1', 'Ash/2', 'Elm/1']
    """
    if len(columns) == 1:
        return columns[0]
    names = range(len(columns)) if names is None else names
    found = [_encode_named(*each) for each in zip(columns, names, strict=True)]
    parts = [tasks.tolist() for tasks, _ in found]
    numbers = np.zeros(len(found[0][1]), dtype=np.int64)
    chains = [()]
    for part, (_, codes) in zip(parts, found, strict=True):
        pairs, numbers = _encode_integers(numbers * len(part) + codes)
        chains = [
            (*chains[k // len(part)], part[k % len(part)]) for k in pairs.tolist()
        ]
    labels = np.empty(len(chains), dtype=object)
    labels[:] = [join_parts(chain) for chain in chains]
    return labels[numbers]


def _encode_named(column, name):
    """Encode the labels of one of several columns."""
    try:
        return encode_tasks(column)
    except MissingLabelError:
        values = np.ma.asarray(column).astype(object).filled(None).tolist()
        # NaN and NaT differ from themselves; comparing pandas' NA gives no boolean.
        gaps = (v is None or type(v).__name__ == "NAType" or v != v for v in values)
        row = next(row for row, gap in enumerate(gaps) if gap)
        raise MissingLabelError.at(f" in column {name!r}, at position {row}") from None


def _as_vector(labels):
    """Return the labels as a 1-d array, of objects if their kinds differ."""
    if np.ma.is_masked(labels):
        raise MissingLabelError.at()
    if isinstance(labels, (list, tuple)):
        types = set(map(type, labels))
        # asarray would convert 1 beside "a" to "1", and True beside 1.5 to 1.0
        mixed = len(types) > 1 or str in types
        array = np.array(labels, dtype=object) if mixed else np.asarray(labels)
    else:
        array = np.asarray(labels)
    if array.ndim != 1:
        raise ValueError(
            f"task must be 1-d, one label per row, got shape {array.shape}. Pass one "
            f"column."
        )
    return array


def _encode_pandas(labels):
    import pandas as pd

    dtype = labels.dtype
    if getattr(dtype, "kind", "O") in "biuf":
        stored = getattr(dtype, "numpy_dtype", dtype)
        if labels.isna().any():
            raise MissingLabelError.at()
        return _encode_array(labels.to_numpy(dtype=stored))
    if isinstance(dtype, pd.CategoricalDtype):
        categorical = labels.array if isinstance(labels, pd.Series) else labels
        codes, distinct = np.asarray(categorical.codes), dtype.categories
        used = np.bincount(codes[codes >= 0], minlength=len(distinct)) > 0
        distinct, renumber = distinct[used], np.cumsum(used) - 1
        if distinct.dtype.kind == "f":
            return _sort_tasks(distinct.to_numpy(), _complete(codes), renumber)
    else:
        codes, distinct = pd.factorize(labels)
        renumber = np.arange(len(distinct))
        if getattr(dtype, "kind", "") == "O" and _complete(codes).size:
            check_kinds(labels.tolist())  # factorize treats 1, 1.0 and True as equal
    return _sort_tasks(list(distinct), _complete(codes), renumber)


def _complete(codes):
    """Return the codes; raise an error if a row has no label."""
    if codes.size and codes.min() < 0:
        raise MissingLabelError.at()
    return codes


def _encode_polars(labels):
    import polars as pl

    if labels.null_count():
        raise MissingLabelError.at()
    if labels.dtype not in (pl.String, pl.Categorical, pl.Enum):
        return _encode_array(labels.to_numpy())
    distinct = labels.unique().cast(pl.String)
    codes = labels.cast(pl.Enum(distinct)).to_physical().to_numpy()
    return _sort_tasks(distinct.to_list(), codes)


def _encode_array(labels):
    if labels.dtype.kind == "b":
        tasks, codes = np.unique(labels, return_inverse=True)
        return tasks, codes.astype(np.intp, copy=False)
    if labels.dtype.kind in "iu":
        return _encode_integers(labels)
    if labels.dtype.kind == "f":
        return _encode_integers(as_integers(labels))
    if labels.dtype.kind in "mM":  # tolist would convert them to integers
        raise ValueError(explain_kind(labels.dtype))
    values = labels.tolist()
    if values:
        check_kinds(values)  # a dict treats 1, 1.0 and True as equal
    first_seen = _FirstSeen()
    codes = map(first_seen.__getitem__, values)
    codes = np.fromiter(codes, dtype=np.intp, count=labels.size)
    return _sort_tasks(list(first_seen), codes)


class _FirstSeen(dict):
    """Numbers of keys, in the order of their first look-up."""

    def __missing__(self, key):
        """Store the next number for a new key."""
        self[key] = number = len(self)
        return number


def _encode_integers(labels):
    if labels.dtype.kind == "u" and labels.size and labels.max() >= 2**63:
        raise ValueError(explain_large(int(labels.max())))
    labels = labels.astype(np.int64, copy=False)
    if not labels.size:
        return labels, np.empty(0, dtype=np.intp)
    low, high = int(labels.min()), int(labels.max())
    if high - low > _TABLE_FACTOR * labels.size + 1000:
        tasks, codes = np.unique(labels, return_inverse=True)
        return tasks, codes.astype(np.intp, copy=False)
    seen = np.zeros(high - low + 1, dtype=bool)
    seen[labels - low] = True
    return np.flatnonzero(seen) + low, (np.cumsum(seen) - 1)[labels - low]


def _sort_tasks(distinct, codes, renumber=None):
    """Sort the distinct labels, and return them with the new codes."""
    tasks, ranks = np.unique(as_labels(distinct), return_inverse=True)
    if renumber is not None:
        ranks = ranks[renumber] if ranks.size else renumber
    if not ranks.size:
        return tasks, np.asarray(codes, dtype=np.intp)
    return tasks, ranks.astype(np.intp, copy=False)[codes]
