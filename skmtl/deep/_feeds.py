"""Minibatches of an epoch, from rows in memory or from loaders."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy import sparse

from skmtl._contracts import Array
from skmtl.neural_network import Batch, Cells, Head, OwnRows, Parts, Reading

from ._task_net import Minibatch

# Rows of a block of validation rows or predictions.
BLOCK = 1024


class Feed(ABC):
    """Training rows in minibatches."""

    @abstractmethod
    def epoch(self, rng: Any) -> Iterator[Minibatch]:
        """Yield the minibatches of an epoch; their shares sum to one."""


@dataclass(frozen=True)
class Place:
    """Where tensors are, and their dtype.

    Parameters
    ----------
    device : torch.device
        Device.
    dtype : torch.dtype
        Dtype of numbers.
    """

    device: Any
    dtype: Any

    def tensor(self, values: Any) -> Any:
        """Return values as a tensor there."""
        values = values.toarray() if sparse.issparse(values) else values
        if isinstance(values, np.ndarray):  # PyTorch warns of read-only memory
            values = np.require(values, requirements=["C", "W"])
        return torch.as_tensor(values).to(self.device, self.dtype)

    def minibatch(
        self, heads: Sequence[Head], batch: Batch, parts: Parts, share: float = 1.0
    ) -> Minibatch:
        """Return rows with their targets in tables of tasks."""
        ys, weights = [], []
        for head, (y, weight) in zip(heads, parts, strict=True):
            ys.append(self.tensor(batch.tabulate(y, head.tasks)))
            table = batch.tabulate(weight, head.tasks)
            if not head.is_standardised:
                units: Any = head.units
                table = table * units.factors()[:, None]
            weights.append(self.tensor(table))
        return Minibatch(self.tensor(batch.X), ys, weights, share)


@dataclass(frozen=True)
class CellFeed(Feed):
    """Rows in memory.

    Parameters
    ----------
    cells : Cells
        The rows.
    heads : tuple of Head
        Heads of their targets.
    place : Place
        Where tensors are.
    size : int
        Number of rows of a batch.
    batching : callable
        Plans an epoch, one of ``BATCHINGS``.
    """

    cells: Cells
    heads: tuple[Head, ...]
    place: Place
    size: int
    batching: "Plan"

    def epoch(self, rng: Any) -> Iterator[Minibatch]:
        for rows, task, share in self.batching(self.cells, self.size, rng):
            found = self.place.minibatch(self.heads, *self.cells.batch(rows), share)
            yield found if task is None else _keep_task(found, self.heads, task)

    def blocks(self) -> Iterator[Minibatch]:
        """Yield all rows, in order."""
        for start in range(0, len(self.cells), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(self.cells)))
            yield self.place.minibatch(self.heads, *self.cells.batch(rows))


def _keep_task(batch: Minibatch, heads: Sequence[Head], task: int) -> Minibatch:
    """Give targets of other tasks weight zero."""
    weights = []
    for head, weight in zip(heads, batch.weight, strict=True):
        tasks = torch.arange(head.tasks.start, head.tasks.stop, device=weight.device)
        weights.append(weight * (tasks == task)[:, None])
    return replace(batch, weight=weights)


# Rows of a batch, their task (None for all), and the share of the batch in an epoch.
Step = tuple[Array, int | None, float]
Plan = Callable[[Cells, int, Any], Iterator[Step]]


def _joint(cells: Cells, size: int, rng: Any) -> Iterator[Step]:
    """Yield batches of rows of all tasks."""
    order = rng.permutation(len(cells))
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        yield rows, None, len(rows) / len(order)


def _alternating(cells: Cells, size: int, rng: Any) -> Iterator[Step]:
    """Yield batches of one task, evenly interleaved."""
    return _by_task(alternate, cells, size, rng)


def _sequential(cells: Cells, size: int, rng: Any) -> Iterator[Step]:
    """Yield batches of one task, task after task."""
    return _by_task(one_after_another, cells, size, rng)


def _by_task(
    arrange: Callable[[Sequence[int]], list[int]], cells: Cells, size: int, rng: Any
) -> Iterator[Step]:
    orders = [rng.permutation(rows) for rows in cells.rows_of_tasks()]
    batches = [
        [order[i : i + size] for i in range(0, len(order), size)] for order in orders
    ]
    numbers = list(map(len, batches))
    remaining = [iter(each) for each in batches]
    for task in arrange(numbers):
        rows = next(remaining[task])
        share = len(rows) / len(orders[task]) * numbers[task] / sum(numbers)
        yield rows, task, share


def alternate(numbers: Sequence[int]) -> list[int]:
    """Return an order of the batches of tasks in which each task's are evenly spread.

    Parameters
    ----------
    numbers : sequence of int
        Number of batches of each task.

    Returns
    -------
    list of int
        Task of each batch.
    """
    times = [((i + 0.5) / n, t) for t, n in enumerate(numbers) for i in range(n)]
    return [task for _, task in sorted(times)]


def one_after_another(numbers: Sequence[int]) -> list[int]:
    """Return an order of the batches of tasks without alternation.

    Parameters
    ----------
    numbers : sequence of int
        Number of batches of each task.

    Returns
    -------
    list of int
        Task of each batch.
    """
    return [task for task, n in enumerate(numbers) for _ in range(n)]


BATCHINGS: dict[str, Plan] = {
    "joint": _joint,
    "alternating": _alternating,
    "sequential": _sequential,
}


class Coding(ABC):
    """Conversion of the targets of a task in a loader."""

    @abstractmethod
    def read(self, y: Array) -> tuple[Array, Array]:
        """Return targets of the loss, (n_rows, n_targets), and weights."""


@dataclass(frozen=True)
class NumberCoding(Coding):
    """Numbers with the squared loss.

    Parameters
    ----------
    head : Head
        Head of the task.
    place : int
        Position of the task in it.
    weight : float
        Weight of a row.
    """

    head: Head
    place: int
    weight: float

    def read(self, y: Array) -> tuple[Array, Array]:
        y = y.astype(float)
        if self.head.units is not None:
            y = self.head.units.standardise(y, np.full(len(y), self.place))
        return y[:, None], np.full(len(y), self.weight)


@dataclass(frozen=True)
class TableCoding(Coding):
    """Targets among the values of the first pass.

    Parameters
    ----------
    label : object
        Label of the task, for error messages.
    values : ndarray of shape (n_values,)
        Sorted values.
    targets : ndarray of shape (n_values, n_targets)
        Their targets.
    weight : ndarray of shape (n_values,)
        Their weights.
    """

    label: Any
    values: Array
    targets: Array
    weight: Array

    def read(self, y: Array) -> tuple[Array, Array]:
        places = np.searchsorted(self.values, y)
        places = np.minimum(places, len(self.values) - 1)
        new = self.values[places] != y
        if new.any():
            raise ValueError(
                f"The loader of task {self.label!r} must yield the same targets in "
                f"every pass, got {y[new][:5].tolist()}, missing in the first pass."
            )
        return self.targets[places], self.weight[places]


def make_codings(read: Reading, values: dict[Any, Array]) -> list[Coding]:
    """Return the conversion of the targets of each task, in the order of the heads.

    Parameters
    ----------
    read : Reading
        Targets of the first pass.
    values : dict of ndarray of shape (n_rows,)
        The same targets as the loaders yield them, by task.

    Returns
    -------
    list of Coding
        The conversions.
    """
    labels, total = read.rows.tasks.tolist(), read.seen.total()
    codings: list[Coding] = []
    for head in read.heads:
        for place, task in enumerate(read.order[head.tasks]):
            mine = np.flatnonzero(read.seen.tasks == task)
            weight = read.seen.weight[mine] / total
            if head.loss.is_quadratic:
                codings.append(NumberCoding(head, place, weight[0]))
                continue
            found, first = np.unique(values[labels[task]], return_index=True)
            y, tasks = read.seen.y[mine[first]], np.full(len(first), task)
            targets = read.encode(head.loss, y, tasks)
            codings.append(TableCoding(labels[task], found, targets, weight[first]))
    return codings


@dataclass(frozen=True)
class LoaderFeed(Feed):
    """Batches from a loader per task, each of one task.

    Parameters
    ----------
    loaders : list of iterable
        Loader of each task, in the order of the heads.
    codings : list of Coding
        Conversion of its targets.
    n_rows, n_batches : list of int
        Number of its rows and batches.
    heads : tuple of Head
        Heads.
    place : Place
        Where tensors are.
    arrange : callable
        Orders the batches of tasks.
    """

    loaders: list[Any]
    codings: list[Coding]
    n_rows: list[int]
    n_batches: list[int]
    heads: tuple[Head, ...]
    place: Place
    arrange: Callable[[Sequence[int]], list[int]]

    def epoch(self, rng: Any) -> Iterator[Minibatch]:
        remaining = [iter(loader) for loader in self.loaders]
        for task in self.arrange(self.n_batches):
            x, y = next(remaining[task])
            share = len(x) / self.n_rows[task]
            share *= self.n_batches[task] / sum(self.n_batches)
            yield self._convert(x, as_array(y), task, share)

    def _convert(self, x: Any, y: Array, task: int, share: float) -> Minibatch:
        targets, weight = self.codings[task].read(y)
        parts = []
        for head in self.heads:
            inside = head.tasks.start <= task < head.tasks.stop
            n_outputs = head.loss.n_outputs
            shape = 0, n_outputs + (n_outputs > 1)
            none = np.zeros(shape), np.zeros(0)
            parts.append((targets, weight) if inside else none)
        rows = OwnRows(x, np.full(len(y), task))
        return self.place.minibatch(self.heads, rows, parts, share)


def as_array(y: Any) -> Array:
    """Return the targets of a loader's batch as an array.

    Parameters
    ----------
    y : {Tensor, array-like} of shape (n_rows,)
        Targets.

    Returns
    -------
    ndarray of shape (n_rows,)
        The targets.
    """
    if isinstance(y, torch.Tensor):
        y = y.detach().cpu().numpy()
    array: Array = np.asarray(y)
    return array


@dataclass(frozen=True)
class FirstPass:
    """Facts about the loaders of tasks.

    Parameters
    ----------
    values : dict of ndarray of shape (n_rows,)
        Targets of each task, in the order of the loader.
    n_batches : dict of int
        Number of batches of each task.
    shape : tuple of int
        Shape of a row.
    dtype : dtype
        Dtype of the rows, float32 unless they are float64.
    """

    values: dict[Any, Array]
    n_batches: dict[Any, int]
    shape: tuple[int, ...]
    dtype: Any


def read_loaders(loaders: Any) -> FirstPass:
    """Read the targets of all loaders.

    Parameters
    ----------
    loaders : dict of iterable
        A loader per task, which yields pairs of rows and targets.

    Returns
    -------
    FirstPass
        The facts.
    """
    values: dict[Any, Array] = {}
    n_batches: dict[Any, int] = {}
    shapes: dict[tuple[int, ...], Any] = {}
    dtypes: set[str] = set()
    if len({isinstance(label, str) for label in loaders}) != 1:
        raise ValueError(
            "loaders must be a mapping from task labels, all strings or all numbers, "
            f"to loaders, got the labels {list(loaders)[:5]}."
        )
    for label, loader in loaders.items():
        ys = []
        for x, y in _read_pairs(label, loader):
            shapes.setdefault(tuple(x.shape[1:]), label)
            dtypes.add(str(x.dtype))
            ys.append(as_array(y))
        if not ys:
            raise ValueError(f"The loader of task {label!r} must yield rows, got none.")
        values[label], n_batches[label] = np.concatenate(ys), len(ys)
    if len(shapes) != 1:
        found = ", ".join(f"{k} of task {label!r}" for k, label in shapes.items())
        raise ValueError(f"Rows of all loaders must have one shape, got {found}.")
    is_double = any(each.endswith("float64") for each in dtypes)
    dtype = np.float64 if is_double else np.float32
    return FirstPass(values, n_batches, next(iter(shapes)), dtype)


def _read_pairs(label: Any, loader: Any) -> Iterator[tuple[Any, Any]]:
    for batch in loader:
        is_pair = isinstance(batch, tuple | list) and len(batch) == 2
        if not is_pair or not hasattr(batch[0], "shape"):
            raise ValueError(
                f"The loader of task {label!r} must yield pairs of rows and targets, "
                f"got {type(batch).__name__}."
            )
        yield batch[0], batch[1]
