"""Rows of a task and a class, spread evenly over folds and over draws."""

import numpy as np

from skmtl.data import read_class_labels


def read_classes(y):
    """Return the code of each row's class."""
    if y is None:
        raise ValueError(
            "y must be given to stratify by its classes. Got None; pass y to split, or "
            "leave stratify=False."
        )
    if np.ndim(y) == 2:
        raise ValueError(
            "y must be 1-d to stratify by its classes. Got "
            f"{np.shape(y)[1]} columns; leave stratify=False."
        )
    y = read_class_labels(y)
    if y.dtype.kind == "f" and (y != np.trunc(y)).any():
        raise ValueError(
            "y must hold classes to stratify by. Got numbers such as "
            f"{y[y != np.trunc(y)][0]:g}; leave stratify=False for a regression."
        )
    return np.unique(y, return_inverse=True)[1]


def deal_strata(codes, classes, n_folds, rng):
    """Deal the rows of each task, class after class, to the folds in turn.

    Within a task the rows of a class are neighbours, so no order of the folds can give
    two of them more than one row apart. What is left to choose is where a task begins
    (its leftover rows go where those of the last task ended) and how its folds are
    turned against those of others, so that its first class does not always meet the
    first fold. Tasks of alike counts follow each other, each turned one further.
    """
    counts = _count(codes, classes)
    order = np.arange(len(codes)) if rng is None else rng.permutation(len(codes))
    tasks = np.arange(len(counts)) if rng is None else rng.permutation(len(counts))
    tasks = tasks[np.lexsort((counts % n_folds)[tasks].T)]
    ranks = np.argsort(tasks)[codes]
    rows = order[np.lexsort((classes[order], ranks[order]))]
    ranks = ranks[rows]
    sizes = counts.sum(axis=1)[tasks]
    place = _count_from_begin(sizes) % n_folds
    left = sizes % n_folds
    begin, left = (np.cumsum(left) - left)[ranks], left[ranks]
    turned = np.where(
        place < left,
        (place + ranks) % np.maximum(left, 1),
        left + (place - left + ranks) % (n_folds - left),
    )
    folds = np.empty(len(codes), dtype=np.intp)
    folds[rows] = (begin + turned) % n_folds
    return folds


def draw_strata(codes, classes, n_test, rng):
    """Choose ``n_test[t]`` rows of each task, of each class its part, at random.

    The rows of a task, class after class, are chosen at equal distances from a random
    begin, so that of a class less than one row more or less than its part is chosen.
    """
    counts = np.bincount(codes)
    rows = rng.permutation(len(codes))
    rows = rows[np.lexsort((classes[rows], codes[rows]))]
    size, wanted = np.repeat(counts, counts), np.repeat(n_test, counts)
    begin = np.repeat(rng.randint(counts), counts)
    steps = _count_from_begin(counts) * wanted + begin
    held_out = np.empty(len(codes), dtype=bool)
    held_out[rows] = (steps + wanted) // size > steps // size
    return held_out


def _count(codes, classes):
    """Return the number of rows of each task and class: (n_tasks, n_classes)."""
    n_tasks, n_classes = codes.max() + 1, classes.max() + 1
    cells = codes * n_classes + classes
    return np.bincount(cells, minlength=n_tasks * n_classes).reshape(n_tasks, n_classes)


def _count_from_begin(sizes):
    """Return the places 0, 1, 2... of the rows of each task, side by side."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
