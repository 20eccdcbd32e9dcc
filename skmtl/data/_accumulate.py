"""Compute moments of rows in blocks that fit in cache."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import blas

from skmtl._contracts import Array
from skmtl._memory import refuse_large

from ._block_rows import BlockRows
from ._moments import TaskMoments, rounding, without_rounding


@np.errstate(over="ignore", invalid="ignore")
def moments_of_tasks(data: Any, curvature: bool = True) -> TaskMoments:
    """Compute the moments of a TaskRows, without `xx` if not `curvature`."""
    n_tasks, n_features = len(data.tasks), data.X.shape[1]
    if sparse.issparse(data.X) and not curvature:
        return moments_of_sparse(data)
    if curvature:
        refuse_matrices(n_tasks, n_features)
    sums = _Sums(data.tasks, n_features, curvature)
    for stack in data.groups():
        sums.add(stack)
    return without_rounding(sums.moments()).weighted(data.task_weight)


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
    for stack in data.whole_groups():
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


class _Sums:
    """Moments of tasks, filled in by stacks of whole tasks and by pieces of others."""

    def __init__(self, tasks, n_features, curvature):
        square = (n_features, n_features) if curvature else (0, 0)
        shapes = (), (n_features,), (), square, (n_features,), ()
        self.tasks, self.curvature = tasks, curvature
        self.arrays = [np.zeros((len(tasks), *shape)) for shape in shapes]
        self.last = _OneTask(0, n_features, curvature)

    def add(self, stack):
        """Add a stack of whole tasks, or a piece of one task after its other pieces."""
        first, last = stack.tasks[0], stack.tasks[-1]
        if first == last:
            self._add_piece(first, stack)
            return
        n, x_mean, y_mean, X, y = centre(stack)
        adjacent = last - first + 1 == len(stack.tasks)
        where = slice(first, last + 1) if adjacent else stack.tasks
        ns, x_means, y_means, xx, xy, yy = self.arrays
        ns[where], x_means[where], y_means[where] = n, x_mean, y_mean
        xy[where] = np.matmul(y[:, None], X)[:, 0]
        yy[where] = np.einsum("ti,ti->t", y, y)
        if self.curvature and adjacent:
            np.matmul(X.transpose(0, 2, 1), X, out=xx[where])
        elif self.curvature:
            xx[where] = np.matmul(X.transpose(0, 2, 1), X)

    def _add_piece(self, task, stack):
        if task != self.last.task:
            self._store()
            self.last = _OneTask(task, stack.X.shape[2], self.curvature)
        weight = None if stack.weight is None else stack.weight[0]
        self.last.add(stack.X[0], stack.y[0], weight)

    def _store(self):
        """Store the moments of the last task that had pieces."""
        if self.last.weight > 0:
            for values, value in zip(self.arrays, self.last.moments(), strict=True):
                values[self.last.task] = value

    def moments(self):
        """Return the moments; tasks without rows have weight 0."""
        self._store()
        n, x_mean, y_mean, xx, xy, yy = self.arrays
        xx = xx if self.curvature else None
        return TaskMoments(self.tasks, n, x_mean, y_mean, xx, xy, yy)


class _OneTask:
    """Moments of one task, from pieces of its rows.

    `products` holds, below its diagonal, those of the columns x, y and 1, around the
    mean of the earlier pieces; without curvature, only its last two rows. The last row
    then tells how far the mean moves. The first piece is around its own mean; moving
    the products of a later one to the new mean cancels at most half of them.
    """

    def __init__(self, task, n_features, curvature):
        self.task, self.weight, self.mean = task, 0.0, np.zeros(n_features + 1)
        n_columns = n_features + 2
        self.products = np.zeros((n_columns if curvature else 2, n_columns))

    def add(self, X, y, weight):
        """Add a piece; `weight` may be None."""
        if self.weight == 0:
            self.mean = np.append(*_means(X, y, weight))
        rows, products = np.empty((len(y), X.shape[1] + 2)), self.products
        np.subtract(X, self.mean[:-1], out=rows[:, :-2])
        np.subtract(y, self.mean[-1], out=rows[:, -2])
        rows[:, -1] = 1.0
        if weight is not None:
            rows *= np.sqrt(weight)[:, None]
        products[-1] = 0.0
        if len(products) > 2:
            blas.dsyrk(1.0, rows.T, beta=1.0, c=products.T, overwrite_c=True)
        else:
            products += rows[:, -2:].T @ rows
        self._move(products[-1, -1])

    def _move(self, added):
        """Make the mean that of all rows, and the products those around it.

        `added` is the weight of the rows that were added last.
        """
        products, total = self.products, self.weight + added
        if added == 0:
            return
        step = products[-1] / added
        step[-1] = 0.0
        self.mean += added / total * step[:-1]
        lost = added * (added / total)
        if len(products) > 2:
            blas.dsyr(-lost, step, a=products.T, overwrite_a=True)
        else:
            products[-2] -= lost * step[-2] * step
        self.weight = total

    def moments(self):
        """Return weight, means and scatters."""
        *xy, yy = self.products[-2, :-1]
        half = np.tril(self.products[:-2, :-2])
        xx = half + np.tril(half, -1).T if half.size else 0.0
        return self.weight, self.mean[:-1], self.mean[-1], xx, xy, max(yy, 0.0)


def _means(X, y, weight):
    """Return the means of a piece, zero if it has no weight."""
    weight = np.ones(len(y)) if weight is None else weight
    total = weight.sum()
    share = weight / (total if total > 0 else 1.0)
    return share @ X, share @ y
