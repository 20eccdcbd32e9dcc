"""Stacks of tasks with about equally many rows, for batched array operations."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._memory import refuse_large
from skmtl._numbers import CACHE

# Pieces of tasks may have this many rows, so that adding their scatter matrices takes
# little time compared with computing them.
_TALL = 512
# Tasks share a stack if padding adds at most this fraction of their rows,
_PADDING = 0.125
# or this many numbers, which take about as long as one more stack.
_PADDED = 2**13


@dataclass(frozen=True)
class RowStack:
    """Rows of tasks, stacked along a first axis, or a piece of one large task.

    Tasks with fewer rows repeat their last one, with weight 0.

    Parameters
    ----------
    tasks : ndarray of shape (n_pieces,)
        Index of each task, in ascending order.
    rows : ndarray of shape (n_pieces, n_rows)
        Position of each row in the TaskRows.
    X : ndarray of shape (n_pieces, n_rows, n_features) or None
        Features in float64; None if not requested.
    y : ndarray of shape (n_pieces, n_rows)
        Targets.
    weight : ndarray of shape (n_pieces, n_rows) or None
        Weights; None means ones.
    """

    tasks: np.ndarray
    rows: np.ndarray
    X: np.ndarray | None
    y: np.ndarray
    weight: np.ndarray | None


def _cut(offsets, n_features):
    """Cut large tasks into pieces; return tasks, starts and sizes of all pieces."""
    sizes = np.diff(offsets)
    limit = max(CACHE // max(n_features, 1), _TALL)
    n_pieces = np.maximum(1, -(-sizes // limit))
    tasks = np.repeat(np.arange(len(sizes)), n_pieces)
    first = np.cumsum(n_pieces) - n_pieces
    number = np.arange(len(tasks)) - first[tasks]
    starts = number * sizes[tasks] // n_pieces[tasks]
    stops = (number + 1) * sizes[tasks] // n_pieces[tasks]
    return tasks, offsets[tasks] + starts, stops - starts


def stack_rows(data: Any, features: bool = True) -> Iterator[RowStack]:
    """Yield the tasks of a TaskRows as stacks that fit in cache.

    Pieces of tasks that are too large come one by one, in order. Without `features`,
    the stacks hold only targets and weights, and a sparse X stays sparse.
    """
    n_features = data.X.shape[1] if features else 1
    tasks, starts, sizes = _cut(data.offsets, n_features)
    if features:
        _refuse_dense(data, sizes.max(initial=0))
    is_piece = np.bincount(tasks)[tasks] > 1
    for k in np.flatnonzero(is_piece):
        one = slice(k, k + 1)
        yield _stack(data, tasks[one], starts[one], sizes[one], features)
    whole = np.flatnonzero(~is_piece & (sizes > 0))
    whole = whole[np.argsort(sizes[whole], kind="stable")]
    for begin, end in pairwise(_find_stacks(sizes[whole], n_features)):
        some = np.sort(whole[begin:end])
        yield _stack(data, tasks[some], starts[some], sizes[some], features)


def stack_whole_tasks(data: Any) -> Iterator[RowStack]:
    """Yield the tasks of a TaskRows as stacks of equally many rows, without padding."""
    starts, sizes = data.offsets[:-1], np.diff(data.offsets)
    _refuse_dense(data, len(data.y))
    order = np.argsort(sizes, kind="stable")
    for same in np.split(order, np.flatnonzero(np.diff(sizes[order])) + 1):
        size = sizes[same[0]] if len(same) else 0
        step = max(1, CACHE // max(size * data.X.shape[1], 1))
        for begin in range(0, len(same) if size else 0, step):
            some = same[begin : begin + step]
            yield _stack(data, some, starts[some], sizes[some], True)


def _refuse_dense(data, n_rows):
    """Raise an error if rows of a sparse X would not fit in memory when dense."""
    if sparse.issparse(data.X):
        n_bytes = 8 * int(n_rows) * data.X.shape[1]
        refuse_large(n_bytes, "dense rows of a sparse X")


def _find_stacks(sizes, n_features):
    """Return the borders of stacks of tasks in ascending order of their sizes."""
    borders, total = [0], np.concatenate([[0], np.cumsum(sizes)])
    while borders[-1] < len(sizes):
        start = borders[-1]
        most = max(1, CACHE // max(sizes[start] * n_features, 1))
        stops = np.arange(start + 1, min(start + most, len(sizes)) + 1)
        padded = (stops - start) * sizes[stops - 1]
        added = padded - (total[stops] - total[start])
        allowed = np.maximum(_PADDED / max(n_features, 1), _PADDING * padded)
        fits = (added <= allowed) & (padded * n_features <= CACHE)
        borders.append(start + max(1, int(np.flatnonzero(np.append(~fits, True))[0])))
    return borders


def _stack(data, tasks, starts, sizes, features):
    """Stack tasks or pieces, without a copy if they are adjacent in a dense X."""
    n_pieces, size, n_features = len(tasks), sizes.max(), data.X.shape[1]
    ends = starts + sizes
    has_padding = bool((sizes < size).any())
    adjacent = not has_padding and np.array_equal(starts[1:], ends[:-1])
    rows, weight = starts[:, None] + np.arange(size), None
    if has_padding:
        weight = (rows < ends[:, None]).astype(float)
        rows = np.minimum(rows, ends[:, None] - 1)
    span = slice(starts[0], ends[-1]) if adjacent else rows.ravel()
    shape, X = (n_pieces, size), None
    if features:
        X = _pick(data.X, span if data.rows is None else data.rows[span])
        X = np.asarray(X, dtype=float).reshape(*shape, n_features)
    if data.weight is not None:
        own = data.weight[span].reshape(shape)
        weight = own if weight is None else weight * own
    y = np.asarray(data.y[span], dtype=float).reshape(shape)
    return RowStack(tasks, rows, X, y, weight)


def _pick(X, where):
    """Return rows of X as a dense array; ``take`` is fastest in C order."""
    if sparse.issparse(X):
        return X[where].toarray()
    if isinstance(where, slice) or not X.flags.c_contiguous:
        return X[where]
    return X.take(where, axis=0)
