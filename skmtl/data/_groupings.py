"""Groupings of rows by several columns of labels."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import comb

from skmtl._contracts import Array

from ._task_codes import encode_tasks, find_tasks

# Warn of labels that start again if chance explains them in less than 1 of 100 tables.
_LOG_SUBSETS = np.log(100)


@dataclass(frozen=True)
class Grouping:
    """Labels of one grouping, such as the schools of tasks that are school and class.

    Parameters
    ----------
    name : str, int or tuple of them
        The column, or the combination of columns, as declared.
    labels : ndarray of shape (n_labels,)
        Sorted labels.
    codes : ndarray of shape (n_tasks,), dtype intp
        Position of each task's label.
    """

    name: Any
    labels: Array
    codes: Array

    @classmethod
    def of(cls, name: Any, labels: Any, first: Array) -> Self:
        """Read the label of each row; `first` has the first row of each task."""
        distinct, codes = encode_tasks(labels)
        return cls(name, distinct, codes[first])


def group_tasks(declared: Any, rows: Any) -> tuple[Grouping, ...]:
    """Return the groupings of tasks that several columns declare.

    Parameters
    ----------
    declared : DeclaredTasks
        Labels of the rows.
    rows : TaskRows
        The same rows, sorted by task.

    Returns
    -------
    tuple of Grouping
        A grouping per declared column, none if there is only one.
    """
    first = rows.offsets[:-1]
    first = first if rows.rows is None else rows.rows[first]
    return tuple(
        Grouping.of(name, labels, first) for name, labels in declared.groupings()
    )


def find_groups(declared: Any, known: Sequence[Array]) -> list[tuple[Any, Array]]:
    """Find the label of each row in each grouping.

    Parameters
    ----------
    declared : DeclaredTasks
        Labels of the rows.
    known : sequence of ndarray of shape (n_labels,)
        Known labels of each grouping.

    Returns
    -------
    list of (labels, ndarray of shape (n_rows,))
        Labels of the rows and their positions in `known`, -1 for an unseen label.
    """
    pairs = declared.groupings()
    if len(pairs) != len(known):
        raise ValueError(
            f"task must have the {len(known)} columns of fit, got "
            f"{len(pairs) or 1}. Give an array of shape (n_samples, {len(known)})."
        )
    return [
        (labels, find_tasks(labels, tasks))
        for (_, labels), tasks in zip(pairs, known, strict=True)
    ]


def warn_of_restarts(groupings: Sequence[Grouping]) -> None:
    """Warn of labels that are numbered anew within another grouping.

    Parameters
    ----------
    groupings : sequence of Grouping
        Groupings of the same tasks.
    """
    for outer in groupings:
        for inner in groupings:
            if inner is not outer and _restarts(outer, inner):
                name, within = inner.name, outer.name
                warnings.warn(
                    f"The labels of {name!r} start again within each label of "
                    f"{within!r}, and equal labels are taken as one group: "
                    f"{inner.labels.tolist()[0]!r} within "
                    f"{' and '.join(map(repr, outer.labels.tolist()[:2]))}. If they "
                    f"differ, use ({within!r}, {name!r}) in the place of {name!r}.",
                    stacklevel=2,
                )


def _restarts(outer, inner):
    """Return whether each outer label has the first inner labels, and some lack others.

    Labels that cross lack any labels: the chance that they lack only the last ones is
    one divided by the number of subsets of the same sizes.
    """
    n_inner = len(inner.labels)
    pairs = np.unique(outer.codes * n_inner + inner.codes)
    sizes = np.bincount(pairs // n_inner, minlength=len(outer.labels))
    last = np.zeros(len(outer.labels), dtype=np.intp)
    np.maximum.at(last, pairs // n_inner, pairs % n_inner)
    log_subsets = np.log(comb(n_inner, sizes)).sum()
    return log_subsets > _LOG_SUBSETS and bool((last + 1 == sizes).all())
