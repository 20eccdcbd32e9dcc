"""Rows of tasks as targets of a network's heads."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from skmtl._contracts import Array, Loss

from ._cells import Cells, OwnCells, SharedCells, take_rows
from ._heads import Head, Units, group_tasks, make_heads

# Returns the targets of the loss, (n_rows, n_targets), of values of given tasks.
Encode = Callable[[Loss, Array, Array], Array]


@dataclass(frozen=True)
class Observations:
    """Targets of single rows and tasks, sorted by task.

    Parameters
    ----------
    rows : ndarray of shape (n_observations,), dtype intp
        Row of X of each.
    tasks : ndarray of shape (n_observations,), dtype intp
        Position of the task of each.
    y : ndarray of shape (n_observations,)
        Numbers, or codes of classes.
    weight : ndarray of shape (n_observations,)
        Weights, with the factors of the tasks.
    """

    rows: Array
    tasks: Array
    y: Array
    weight: Array

    @classmethod
    def of(cls, rows: Any, places: Array) -> "Observations":
        """Read rows of tasks; `places` has the position of each of their tasks."""
        data = rows.stacked()
        sizes = np.diff(data.offsets)
        number = np.repeat(np.arange(len(sizes)), sizes)
        weight = np.ones(len(data.y)) if data.weight is None else data.weight
        if data.task_weight is not None:
            weight = weight * data.task_weight[number]
        row = np.arange(len(data.y)) if data.rows is None else data.rows
        return cls(row, places[number], data.y, weight)

    def take(self, order: Array) -> "Observations":
        """Return the targets in another order."""
        parts = self.rows, self.tasks, self.y, self.weight
        return Observations(*(part[order] for part in parts))

    def total(self) -> float:
        """Return the sum of the weights."""
        return float(self.weight.sum())


def encode(targets: Any, loss: Loss, y: Array, tasks: Array) -> Array:
    """Return the targets of the loss, (n_rows, n_targets)."""
    if targets is not None:
        found: Array = targets.rows(y[:, None], tasks)[:, 0]
        return found
    if loss.n_outputs == 1:
        return y[:, None]
    return np.eye(loss.n_outputs + 1)[y.astype(np.intp)]


def design_heads(
    seen: Observations, losses: Sequence[Loss], has_units: bool
) -> tuple[Array, tuple[Head, ...]]:
    """Return an order of the tasks and their heads, with units if needed.

    Parameters
    ----------
    seen : Observations
        Training targets.
    losses : sequence of Loss
        Loss of each task.
    has_units : bool
        Whether every task has units of its own.

    Returns
    -------
    order : ndarray of shape (n_tasks,), dtype intp
        The tasks in the order of the heads.
    heads : tuple of Head
        Heads of groups of tasks with the same loss.
    """
    order, groups = group_tasks(losses)
    units: list[Any] = [None] * len(groups)
    if has_units:
        ends = np.searchsorted(seen.tasks, np.arange(len(losses) + 1))
        parts = [slice(*pair) for pair in pairwise(ends)]
        units = [
            Units.of(
                loss,
                [seen.y[parts[task]] for task in order[tasks]],
                [seen.weight[parts[task]] for task in order[tasks]],
            )
            for loss, tasks in groups
        ]
    if has_units and len(groups) == 1 and groups[0][0].is_quadratic:
        mean = np.average(seen.y, weights=seen.weight)
        total = float(np.average((seen.y - mean) ** 2, weights=seen.weight))
        units = [units[0].moderated([seen.weight[part] for part in parts], total)]
    return order, make_heads(groups, units)


def arrange_cells(
    X: Any,
    seen: Observations,
    order: Array,
    heads: Sequence[Head],
    encode: Encode,
    is_shared: bool,
) -> Cells:
    """Arrange targets by head, with weights that sum to one.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Features.
    seen : Observations
        Targets.
    order : ndarray of shape (n_tasks,), dtype intp
        The tasks in the order of the heads.
    heads : sequence of Head
        Heads.
    encode : callable
        Returns the targets of the loss.
    is_shared : bool
        Whether a row may have targets of several tasks.

    Returns
    -------
    Cells
        The targets.
    """
    places = np.argsort(order)[seen.tasks]
    if (np.diff(places) < 0).any():
        sorting = np.argsort(places, kind="stable")
        seen, places = seen.take(sorting), places[sorting]
    total, targets, weights = seen.total(), [], []
    for head in heads:
        some = slice(*np.searchsorted(places, [head.tasks.start, head.tasks.stop]))
        y = seen.y[some]
        if head.units is not None and head.loss.is_quadratic:
            y = head.units.standardise(y, places[some] - head.tasks.start)
        target = encode(head.loss, y, seen.tasks[some]).astype(X.dtype)
        weight = (seen.weight[some] / total).astype(X.dtype)
        if is_shared:
            cell = seen.rows[some], places[some] - head.tasks.start
            n_tasks = head.tasks.stop - head.tasks.start
            target = _scatter(target, cell, X.shape[0], n_tasks)
            weight = _scatter(weight, cell, X.shape[0], n_tasks)
        targets.append(target)
        weights.append(weight)
    if is_shared:
        return SharedCells(X, targets, weights)
    return OwnCells(take_rows(X, seen.rows), targets, weights, places)


def _scatter(values: Array, cell: Any, n_rows: int, n_tasks: int) -> Array:
    """Return values as an array (n_rows, n_tasks, ...), zero without a value."""
    found = np.zeros((n_rows, n_tasks, *values.shape[1:]), values.dtype)
    found[cell] = values
    return found
