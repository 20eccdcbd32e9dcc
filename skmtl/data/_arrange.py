"""Sort observations by task."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array

from ._order import declared_orders
from ._targets import find_observed
from ._task_codes import number_rows
from ._task_rows import SharedRows, TaskRows
from ._weights import read_task_weight, weigh_cells


def group_rows(
    X: Any,
    y: Array,
    weight: Array | None,
    labels: Any,
    task_weight: str | Mapping[Any, float] | None,
    layout: str,
) -> TaskRows:
    """Sort the rows by task; without labels, all rows are one task."""
    tasks, codes = number_rows(labels, len(y))
    totals = np.bincount(codes, weights=weight, minlength=len(tasks))
    factors = read_task_weight(task_weight, tasks, totals)
    order = order_by_task(codes)
    if order is not None:
        X, y = _in_c_order(X), y[order]
        weight = None if weight is None else weight[order]
    offsets = _offsets(np.bincount(codes, minlength=len(tasks)))
    orders = () if labels is None else declared_orders(labels, tasks)
    return TaskRows(X, order, y, weight, offsets, tasks, factors, layout, orders)


def arrange_outputs(
    X: Any,
    Y: Array,
    weight: Array | None,
    tasks: Array,
    task_weight: str | Mapping[Any, float] | None,
) -> SharedRows | TaskRows:
    """Return shared rows if `Y` is complete, else the observed cells by task.

    A weight of each cell, of the shape of `Y`, also needs the cells by task.
    """
    observed = find_observed(Y)
    counts = observed.sum(axis=0)
    totals = _sum_columns(weight, observed)
    factors = read_task_weight(task_weight, tasks, totals)
    orders = (tuple(tasks.tolist()),)
    if observed.all() and (weight is None or weight.ndim == 1):
        return SharedRows(X, Y, weight, tasks, factors, orders=orders)
    codes, rows = np.nonzero(observed.T)
    weight = weigh_cells(weight, rows, codes)
    offsets, X = _offsets(counts), _in_c_order(X)
    y = Y[rows, codes]
    declared = "outputs", orders
    return TaskRows(X, rows, y, weight, offsets, tasks, factors, *declared)


def _sum_columns(weight, observed):
    """Return the total weight of the observed cells of each column."""
    if weight is None:
        return observed.sum(axis=0)
    return weight @ observed if weight.ndim == 1 else (weight * observed).sum(axis=0)


def order_by_task(codes: Array) -> Array | None:
    """Return a stable order of the rows by code, or None if they are sorted."""
    if np.all(codes[1:] >= codes[:-1]):
        return None
    low, high = (codes & 0xFFFF).astype(np.uint16), codes >> 16
    order = np.argsort(low, kind="stable")  # NumPy uses a radix sort for 16 bits
    if high.any():
        order = order[np.argsort(high[order].astype(np.uint16), kind="stable")]
    return order


def _in_c_order(X):
    """Copy X to C order if needed; faster indexing saves more than the copy costs."""
    return X if sparse.issparse(X) else np.ascontiguousarray(X)


def _offsets(counts):
    return np.concatenate(([0], np.cumsum(counts))).astype(np.intp)
