"""Compute moments of rows in blocks that fit in cache."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array
from skmtl._memory import refuse_large

from ._block_rows import BlockRows
from ._moments import TaskMoments, rounding, without_rounding
from ._row_stacks import cut


@np.errstate(over="ignore", invalid="ignore")
def moments_of_tasks(data: Any, curvature: bool = True) -> TaskMoments:
    """Compute the moments of a TaskRows, without `xx` if not `curvature`."""
    n_tasks, n_features = len(data.tasks), data.X.shape[1]
    if sparse.issparse(data.X) and not curvature:
        return moments_of_sparse(data)
    if curvature:
        refuse_matrices(n_tasks, n_features)
    n_pieces = len(cut(data.offsets, n_features, whole=False)[0])
    pieces = _Pieces(n_pieces, n_features, curvature)
    for stack in data.groups():
        pieces.add(stack)
    moments = _collect(data.tasks, pieces.by_task(), n_tasks)
    return without_rounding(moments).weighted(data.task_weight)


def refuse_matrices(n_tasks: int, n_features: int) -> None:
    """Raise an error if one scatter matrix per task would not fit in memory."""
    size = f"{n_features:,} x {n_features:,} numbers"
    what = f"{n_tasks:,} matrices of {size}" if n_tasks > 1 else f"a matrix of {size}"
    refuse_large(16 * n_tasks * n_features**2, what)


def moments_of_sparse(data: Any) -> TaskMoments:
    """Compute the moments of sparse rows per task, without `xx`."""
    block, n_tasks = BlockRows.of(data), len(data.tasks)
    codes = np.repeat(np.arange(n_tasks), np.diff(data.offsets))
    y = np.asarray(data.y, dtype=float)
    weight = np.ones(len(y)) if data.weight is None else data.weight

    def total(values):
        return np.bincount(codes, values, minlength=n_tasks)

    n = total(weight)
    unit = np.where(n > 0, n, 1.0)
    x_mean = block.pull_back(weight[:, None])[:, 0] / unit[:, None]
    y_mean = total(weight * y) / unit
    weighted = weight * (y - y_mean[codes])
    xy = block.pull_back(weighted[:, None])[:, 0] - total(weighted)[:, None] * x_mean
    yy = total(weighted * (y - y_mean[codes]))
    moments = TaskMoments(data.tasks, n, x_mean, y_mean, None, xy, yy)
    return without_rounding(moments).weighted(data.task_weight)


@np.errstate(over="ignore", invalid="ignore")
def moments_of_outputs(data: Any, curvature: bool = True) -> TaskMoments:
    """Compute the moments of a SharedRows, with one feature scatter for all tasks."""
    n_rows, n_features = data.X.shape
    n_tasks = len(data.tasks)
    if curvature:
        refuse_matrices(1, n_features)
    total: Any = None
    step = max(1, 2**20 // max(n_features + n_tasks, 1))
    for start in range(0, n_rows, step):
        part = data.select(slice(start, start + step))
        moments = _moments_of_block(part, curvature)
        total = moments if total is None else total + moments
    return without_rounding(total).weighted(data.task_weight)


def _moments_of_block(data, curvature):
    X, Y = dense(data.X), np.asarray(data.Y, dtype=float)
    weight = np.ones(len(Y)) if data.weight is None else data.weight
    n = weight.sum()
    share = weight / n if n > 0 else weight
    x_mean, y_mean = share @ X, share @ Y
    root = np.sqrt(weight)[:, None]
    X, Y = (X - x_mean) * root, (Y - y_mean) * root
    return TaskMoments(
        data.tasks,
        np.full(len(data.tasks), n),
        x_mean[None],
        y_mean,
        (X.T @ X)[None] if curvature else None,
        Y.T @ X,
        np.einsum("it,it->t", Y, Y),
    )


def roots_of_tasks(data: Any, centred: bool) -> Iterator[tuple[Array, Array]]:
    """Yield task indices and rows scaled by the roots of their weights."""
    for stack in data.groups(whole=True):
        X = _centred_rows(stack) if centred else stack.X
        if not centred and stack.weight is not None:
            X = X * np.sqrt(stack.weight)[:, :, None]
        if data.task_weight is not None:
            X = X * np.sqrt(data.task_weight[stack.tasks])[:, None, None]
        yield stack.tasks, X


def _centred_rows(stack):
    """Return centred rows, with zeros in columns that vary only by rounding."""
    n, x_mean, _, X, _ = centre(stack)
    scatter = np.einsum("tij,tij->tj", X, X)
    return X * (scatter > rounding(n[:, None], x_mean))[:, None]


def dense(X: Any) -> Array:
    """Return X as a dense float64 array, without a copy if it is one."""
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)


def centre(stack: Any) -> tuple[Array, ...]:
    """Return total weights, means, and centred rows scaled by root weights."""
    weight = stack.weight
    if weight is None:
        weight = np.ones((1, stack.X.shape[1]))
    n = weight.sum(axis=1)
    total = np.where(n > 0, n, 1.0)
    # A matrix product is two to five times faster than a mean along this axis.
    x_mean = np.matmul(weight[:, None], stack.X)[:, 0] / total[:, None]
    y_mean = (weight * stack.y).sum(axis=1) / total
    X, y = stack.X - x_mean[:, None], stack.y - y_mean[:, None]
    if stack.weight is not None:
        root = np.sqrt(weight)
        X *= root[:, :, None]
        y *= root
    return n, x_mean, y_mean, X, y


class _Pieces:
    """Moments of pieces, in the order of arrival."""

    def __init__(self, n_pieces, n_features, curvature):
        square = (n_features, n_features) if curvature else (0, 0)
        shapes = (), (), (n_features,), (), square, (n_features,), ()
        self.arrays = [np.empty((n_pieces, *shape)) for shape in shapes]
        self.n_pieces = 0

    def add(self, stack):
        """Add the moments of a stack of pieces."""
        part = slice(self.n_pieces, self.n_pieces + len(stack.tasks))
        self.n_pieces = part.stop
        tasks, n, x_means, y_means, xx, xy, yy = (
            values[part] for values in self.arrays
        )
        tasks[:] = stack.tasks
        n[:], x_means[:], y_means[:], X, y = centre(stack)
        if xx.shape[1]:
            np.matmul(X.transpose(0, 2, 1), X, out=xx)
        xy[:] = np.matmul(y[:, None], X)[:, 0]
        np.einsum("ti,ti->t", y, y, out=yy)

    def by_task(self):
        """Return the tasks and moments of all pieces, sorted by task."""
        tasks, *moments = (values[: self.n_pieces] for values in self.arrays)
        tasks = tasks.astype(np.intp)
        if (np.diff(tasks) >= 0).all():
            return tasks, *moments
        order = np.argsort(tasks, kind="stable")
        return tasks[order], *(values[order] for values in moments)


def _collect(labels, pieces, n_tasks):
    """Merge the pieces of each task; tasks without rows get weight 0."""
    tasks, n, x_mean, y_mean, xx, xy, yy = pieces
    if not np.array_equal(tasks, np.arange(n_tasks)):
        present, first = np.unique(tasks, return_index=True)
        n, x_mean, y_mean, xx, xy, yy = _reduce(tasks, first, *pieces[1:])
        placed = []
        for values in (n, x_mean, y_mean, xx, xy, yy):
            whole = np.zeros((n_tasks, *values.shape[1:]))
            whole[present] = values
            placed.append(whole)
        n, x_mean, y_mean, xx, xy, yy = placed
    has_matrices = xx.shape[1] == x_mean.shape[1]
    return TaskMoments(labels, n, x_mean, y_mean, xx if has_matrices else None, xy, yy)


def _reduce(tasks, first, n, x_mean, y_mean, xx, xy, yy):
    """Sum adjacent pieces of the same task."""
    if len(first) == len(tasks):
        return n, x_mean, y_mean, xx, xy, yy
    number = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(tasks))))

    def total(values):
        return np.add.reduceat(values, first, axis=0)

    weight = total(n)
    share = n / np.where(weight > 0, weight, 1.0)[number]
    # Means are summed as differences from the first piece, so that a large offset of
    # the features costs no precision.
    x_step = x_mean - x_mean[first][number]
    y_step = y_mean - y_mean[first][number]
    x_shift, y_shift = total(share[:, None] * x_step), total(share * y_step)
    x_gap, y_gap = x_step - x_shift[number], y_step - y_shift[number]
    if xx.shape[1]:
        xx = xx + n[:, None, None] * x_gap[:, :, None] * x_gap[:, None, :]
    return (
        weight,
        x_mean[first] + x_shift,
        y_mean[first] + y_shift,
        total(xx),
        total(xy + (n * y_gap)[:, None] * x_gap),
        total(yy + n * y_gap**2),
    )
