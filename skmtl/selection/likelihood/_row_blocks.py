"""Rows of tasks of similar sizes, padded to stacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array
from skmtl._numbers import CACHE, PADDING


@dataclass(frozen=True)
class RowBlock:
    """Rows of some tasks, multiplied by the roots of their weights.

    Tasks with fewer rows are padded with zeros. The last column is a constant, if
    models have an intercept.

    Parameters
    ----------
    tasks : ndarray of shape (n_some,)
        Positions of the tasks.
    Z : ndarray of shape (n_some, n_rows, n_columns)
        Rows.
    y : ndarray of shape (n_some, n_rows)
        Targets, minus their overall mean if models have an intercept.
    """

    tasks: Array
    Z: Array
    y: Array


def cut_blocks(
    data: Any, some: Array, n_columns: int, y_mean: float
) -> Iterator[RowBlock]:
    """Yield rows of some tasks, in groups of similar numbers of rows.

    Parameters
    ----------
    data : TaskRows
        The rows.
    some : ndarray of int
        Positions of the tasks.
    n_columns : int
        Number of features, and one more for a constant.
    y_mean : float
        Subtracted from the targets.

    Yields
    ------
    RowBlock
        Rows of some of them; tasks without rows are left out.
    """
    sizes = np.diff(data.offsets)
    some = some[np.argsort(sizes[some], kind="stable")]
    some = some[sizes[some] > 0]
    start = 0
    while start < len(some):
        first = sizes[some[start]]
        largest = max(PADDING * first, first + 1)
        stop = int(np.searchsorted(sizes[some], largest, "right"))
        most = max(1, CACHE // (int(sizes[some[stop - 1]]) * n_columns))
        for begin in range(start, stop, most):
            yield _block(data, some[begin : min(begin + most, stop)], n_columns, y_mean)
        start = stop


def _block(data, tasks, n_columns, y_mean):
    starts, sizes = data.offsets[tasks], np.diff(data.offsets)[tasks]
    number, d = np.arange(sizes.max()), data.X.shape[1]
    is_row = number < sizes[:, None]
    place = np.where(is_row, starts[:, None] + number, 0)
    weight = is_row.astype(float)
    if data.weight is not None:
        weight *= data.weight[place]
    if data.task_weight is not None:
        weight *= data.task_weight[tasks, None]
    root = np.sqrt(weight)
    row = place.ravel() if data.rows is None else data.rows[place.ravel()]
    X, Z = data.X[row], np.empty((*place.shape, n_columns))
    dense = X.toarray() if sparse.issparse(X) else X
    Z[:, :, :d] = dense.reshape(*place.shape, d)
    Z[:, :, d:] = 1.0
    Z *= root[:, :, None]
    return RowBlock(tasks, Z, root * (data.y[place] - y_mean))
