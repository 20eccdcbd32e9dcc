"""Stratified assignment of rows to folds and test sets, by task and class."""

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from skmtl.data import read_class_labels


def read_classes(y: ArrayLike | None) -> NDArray[np.intp]:
    """Return the class of each row as a code."""
    if y is None:
        raise ValueError(
            "y must hold classes if stratify=True. Got None; pass y to split, or use "
            "stratify=False."
        )
    if np.ndim(y) == 2:
        raise ValueError(
            "y must be 1-d if stratify=True. Got "
            f"{np.shape(y)[1]} columns; use stratify=False."
        )
    labels = read_class_labels(y)
    if labels.dtype.kind == "f" and (labels != np.trunc(labels)).any():
        raise ValueError(
            "y must hold classes if stratify=True. Got numbers such as "
            f"{labels[labels != np.trunc(labels)][0]:g}; use stratify=False."
        )
    return np.unique(labels, return_inverse=True)[1]


def assign_strata(
    codes: NDArray[np.intp],
    classes: NDArray[np.intp],
    n_folds: int,
    rng: RandomState | None,
) -> NDArray[np.intp]:
    """Assign the rows of each task to the folds in turn, class after class.

    Within a task the rows of a class are consecutive, so their numbers per fold differ
    by at most 1, for any order of the folds. The order is chosen for two
    reasons. The remainder of a task (its number of rows modulo `n_folds`) goes to the
    folds after those of the previous remainder, so that fold sizes differ by at most 1.
    And the order is rotated from task to task, so that the first class does not always
    go to the first fold; tasks with equal counts modulo `n_folds` are consecutive, each
    rotated by one more.
    """
    counts = _count(codes, classes)
    order = np.arange(len(codes)) if rng is None else rng.permutation(len(codes))
    tasks = np.arange(len(counts)) if rng is None else rng.permutation(len(counts))
    tasks = tasks[np.lexsort((counts % n_folds)[tasks].T)]
    ranks = np.argsort(tasks)[codes]
    rows = order[np.lexsort((classes[order], ranks[order]))]
    ranks = ranks[rows]
    sizes = counts.sum(axis=1)[tasks]
    turn = _number_rows(sizes) % n_folds
    rest = sizes % n_folds
    begin, rest = (np.cumsum(rest) - rest)[ranks], rest[ranks]
    rotated = np.where(
        turn < rest,
        (turn + ranks) % np.maximum(rest, 1),
        rest + (turn - rest + ranks) % (n_folds - rest),
    )
    folds = np.empty(len(codes), dtype=np.intp)
    folds[rows] = (begin + rotated) % n_folds
    return folds


def draw_strata(
    codes: NDArray[np.intp],
    classes: NDArray[np.intp],
    n_test: NDArray[np.intp],
    rng: RandomState,
) -> NDArray[np.bool_]:
    """Draw ``n_test[t]`` rows of each task at random, in proportion to its classes.

    Systematic sampling: with the rows of a task ordered by class, draws rows at equal
    distances from a random start. The number of rows of each class differs from its
    share by less than 1.
    """
    counts = np.bincount(codes)
    rows = rng.permutation(len(codes))
    rows = rows[np.lexsort((classes[rows], codes[rows]))]
    size, wanted = np.repeat(counts, counts), np.repeat(n_test, counts)
    begin = np.repeat(rng.randint(counts), counts)
    steps = _number_rows(counts) * wanted + begin
    held_out = np.empty(len(codes), dtype=bool)
    held_out[rows] = (steps + wanted) // size > steps // size
    return held_out


def _count(codes, classes):
    """Count the rows of each task and class; shape (n_tasks, n_classes)."""
    n_tasks, n_classes = codes.max() + 1, classes.max() + 1
    cells = codes * n_classes + classes
    return np.bincount(cells, minlength=n_tasks * n_classes).reshape(n_tasks, n_classes)


def _number_rows(sizes):
    """Return 0, 1, 2, ... for the rows of each task, concatenated."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
