"""Stacks of tasks with equally many rows, for batched array operations."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array
from skmtl._memory import refuse_large
from skmtl._numbers import CACHE

# Pieces of tasks may have this many rows per feature, so that their scatter matrices
# are small compared with their rows.
_TALL = 4


@dataclass(frozen=True)
class RowStack:
    """Pieces of tasks with equally many rows, stacked along a first axis.

    Parameters
    ----------
    tasks : ndarray of shape (n_pieces,)
        Index of the task of each piece.
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


def cut(offsets: Array, n_features: int, whole: bool) -> tuple[Array, Array, Array]:
    """Cut tasks into pieces of bounded size; return their tasks, starts and sizes.

    With `whole`, every task is one piece.
    """
    sizes = np.diff(offsets)
    limit = max(CACHE // max(n_features, 1), _TALL * n_features, 1)
    n_pieces = np.ones_like(sizes) if whole else np.maximum(1, -(-sizes // limit))
    tasks = np.repeat(np.arange(len(sizes)), n_pieces)
    first = np.cumsum(n_pieces) - n_pieces
    number = np.arange(len(tasks)) - first[tasks]
    starts = number * sizes[tasks] // n_pieces[tasks]
    stops = (number + 1) * sizes[tasks] // n_pieces[tasks]
    return tasks, offsets[tasks] + starts, stops - starts


def stack_rows(
    data: Any, whole: bool = False, features: bool = True
) -> Iterator[RowStack]:
    """Yield the tasks of a TaskRows as stacks that fit in cache.

    Without `features`, the stacks hold only targets and weights, and a sparse X stays
    sparse.
    """
    n_features = data.X.shape[1] if features else 1
    tasks, starts, sizes = cut(data.offsets, n_features, whole)
    if features and sparse.issparse(data.X):
        n_rows = len(data.y) if whole else sizes.max(initial=0)
        refuse_large(8 * int(n_rows) * n_features, "dense rows of a sparse X")
    order = np.argsort(sizes, kind="stable")
    borders = np.flatnonzero(np.diff(sizes[order])) + 1
    for same in np.split(order, borders):
        size = sizes[same[0]] if len(same) else 0
        if size == 0:
            continue
        step = max(1, CACHE // max(size * n_features, 1))
        for begin in range(0, len(same), step):
            some = same[begin : begin + step]
            yield _stack(data, tasks[some], starts[some], size, features)


def _stack(data, tasks, starts, size, features):
    """Stack pieces of one size, without a copy if they are adjacent in a dense X."""
    n_pieces, n_features = len(tasks), data.X.shape[1]
    adjacent = np.array_equal(starts, starts[0] + size * np.arange(n_pieces))
    rows = starts[:, None] + np.arange(size)
    span = slice(starts[0], starts[0] + size * n_pieces) if adjacent else rows.ravel()
    shape, X = (n_pieces, size), None
    if features:
        X = _pick(data.X, span if data.rows is None else data.rows[span])
        X = np.asarray(X, dtype=float).reshape(*shape, n_features)
    return RowStack(
        tasks,
        rows,
        X,
        np.asarray(data.y[span], dtype=float).reshape(shape),
        None if data.weight is None else data.weight[span].reshape(shape),
    )


def _pick(X, where):
    """Return rows of X as a dense array; ``take`` is fastest in C order."""
    if sparse.issparse(X):
        return X[where].toarray()
    if isinstance(where, slice) or not X.flags.c_contiguous:
        return X[where]
    return X.take(where, axis=0)
