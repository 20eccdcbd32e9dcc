"""Rows of a batch, and linear layers per task on them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy import sparse

from skmtl._contracts import Array

# Multiply task by task if copying a weight matrix per row would copy at least this many
# numbers per task on average; below, the copies are faster than many small products.
_MANY_NUMBERS = 1024


class Batch(ABC):
    """Rows, and which tasks are computed on them.

    Features are an array of shape (n_rows, n_features) if tasks share them. Otherwise
    their shape depends on the batch, as does that of outputs.
    """

    X: Any

    @abstractmethod
    def apply(self, weight: Array, features: Any) -> Array:
        """Multiply features by each task's matrix, (n_tasks, n_outputs, n_features)."""

    @abstractmethod
    def weight_gradient(self, outputs: Array, features: Any, n_tasks: int) -> Array:
        """Return the gradient in the weight of `apply`, given that in its outputs."""

    @abstractmethod
    def feature_gradient(self, weight: Array, outputs: Array, shared: bool) -> Array:
        """Return the gradient in the features of `apply`, given that in its outputs."""

    @abstractmethod
    def spread(self, values: Array) -> Array:
        """Return the values of each task, (n_tasks, ...), in the shape of outputs."""

    @abstractmethod
    def sums(self, outputs: Array, n_tasks: int) -> Array:
        """Sum outputs over the rows of each task: the adjoint of `spread`."""

    @abstractmethod
    def choose(self, stacked: Array) -> Array:
        """Return features of tasks from a stack, (n_tasks, n_rows, n_features)."""

    @abstractmethod
    def stack(self, features: Array, n_tasks: int) -> Array:
        """Return a stack from features of tasks: the adjoint of `choose`."""

    @abstractmethod
    def mix(self, shares: Array, stacked: Array) -> Array:
        """Mix stacked features, (n_parts, n_rows, n_features), by shares of outputs."""

    @abstractmethod
    def mix_gradient(
        self, shares: Array, stacked: Array, features: Array
    ) -> tuple[Array, Array]:
        """Return the gradients in shares and stack, given that in mixed features."""

    @abstractmethod
    def encoded(self, encoding: Array) -> Array:
        """Return the encoding of each row's task, (..., n_rows or 1, n_features)."""

    @abstractmethod
    def of_tasks(self, tasks: slice) -> Self:
        """Return the batch of a range of tasks."""

    @abstractmethod
    def take(self, features: Any, tasks: slice) -> Any:
        """Return the features of a range of tasks."""

    @abstractmethod
    def tabulate(self, values: Array, tasks: slice) -> Array:
        """Return values of a range of tasks as a table, (n_tasks, n_rows, ...).

        Values of other tasks' rows are zero.
        """

    @abstractmethod
    def join(self, parts: list[Array]) -> Array:
        """Return the gradient in all features, given those of `take`, in order."""


@dataclass(frozen=True)
class OwnRows(Batch):
    """Rows of one task each, sorted by task.

    Features of tasks have the shape (n_rows, n_features).

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Inputs.
    codes : ndarray of shape (n_rows,), dtype intp
        Task of each row, in ascending order.
    """

    X: Any
    codes: Array

    @cached_property
    def _starts(self) -> Array:
        """First row of each task that occurs."""
        return np.flatnonzero(np.diff(self.codes, prepend=-1))

    @cached_property
    def _segments(self) -> list[tuple[int, slice]]:
        """Tasks that occur, with their rows."""
        starts = self._starts
        stops = [*starts[1:].tolist(), len(self.codes)]
        rows = map(slice, starts.tolist(), stops)
        return list(zip(self.codes[starts].tolist(), rows, strict=True))

    def _by_task(self, n_outputs: int, features: Any) -> bool:
        n_copied = len(self.codes) * n_outputs * features.shape[1]
        many = n_copied >= _MANY_NUMBERS * len(self._starts)
        return many or sparse.issparse(features)

    def apply(self, weight: Array, features: Any) -> Array:
        if not self._by_task(weight.shape[1], features):
            return np.matmul(weight[self.codes], features[:, :, None])[:, :, 0]
        dtype = np.result_type(weight, features)
        outputs = np.empty((len(self.codes), weight.shape[1]), dtype)
        for task, rows in self._segments:
            outputs[rows] = features[rows] @ weight[task].T
        return outputs

    def weight_gradient(self, outputs: Array, features: Any, n_tasks: int) -> Array:
        shape = n_tasks, outputs.shape[1], features.shape[1]
        gradient = np.zeros(shape, outputs.dtype)
        if not self._by_task(outputs.shape[1], features):
            products = outputs[:, :, None] * features[:, None, :]
            gradient[self.codes[self._starts]] = np.add.reduceat(products, self._starts)
            return gradient
        for task, rows in self._segments:
            gradient[task] = outputs[rows].T @ features[rows]
        return gradient

    def feature_gradient(self, weight: Array, outputs: Array, shared: bool) -> Array:
        return self.apply(weight.swapaxes(1, 2), outputs)

    def spread(self, values: Array) -> Array:
        return values[self.codes]

    def sums(self, outputs: Array, n_tasks: int) -> Array:
        found = np.zeros((n_tasks, *outputs.shape[1:]), outputs.dtype)
        if len(self.codes):
            found[self.codes[self._starts]] = np.add.reduceat(outputs, self._starts)
        return found

    def choose(self, stacked: Array) -> Array:
        return stacked[self.codes, np.arange(len(self.codes))]

    def stack(self, features: Array, n_tasks: int) -> Array:
        stacked = np.zeros((n_tasks, *features.shape), features.dtype)
        stacked[self.codes, np.arange(len(self.codes))] = features
        return stacked

    def mix(self, shares: Array, stacked: Array) -> Array:
        return np.einsum("ne,enh->nh", shares, stacked)

    def mix_gradient(
        self, shares: Array, stacked: Array, features: Array
    ) -> tuple[Array, Array]:
        of_shares = np.einsum("nh,enh->ne", features, stacked)
        return of_shares, shares.T[:, :, None] * features

    def encoded(self, encoding: Array) -> Array:
        return encoding[..., self.codes, :]

    def of_tasks(self, tasks: slice) -> "OwnRows":
        rows = self._rows_of(tasks)
        return OwnRows(self.X[rows], self.codes[rows] - tasks.start)

    def take(self, features: Any, tasks: slice) -> Any:
        return features[self._rows_of(tasks)]

    def tabulate(self, values: Array, tasks: slice) -> Array:
        rows, n_tasks = self._rows_of(tasks), tasks.stop - tasks.start
        shape = n_tasks, len(self.codes), *values.shape[1:]
        found = np.zeros(shape, values.dtype)
        places = np.arange(len(self.codes))[rows]
        found[self.codes[rows] - tasks.start, places] = values
        return found

    def join(self, parts: list[Array]) -> Array:
        return np.concatenate(parts)

    def _rows_of(self, tasks: slice) -> slice:
        return slice(*np.searchsorted(self.codes, [tasks.start, tasks.stop]))


@dataclass(frozen=True)
class AllTasks(Batch):
    """Rows on which every task is computed.

    Features of tasks have the shape (n_tasks, n_rows, n_features), unless tasks share
    them.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Inputs.
    """

    X: Any

    def apply(self, weight: Array, features: Any) -> Array:
        if features.ndim == 3:
            return np.matmul(features, weight.swapaxes(1, 2))
        n_tasks, n_outputs, n_features = weight.shape
        fused = features @ weight.reshape(-1, n_features).T
        return fused.reshape(-1, n_tasks, n_outputs).swapaxes(0, 1)

    def weight_gradient(self, outputs: Array, features: Any, n_tasks: int) -> Array:
        if features.ndim == 3:
            return np.matmul(outputs.swapaxes(1, 2), features)
        shape = *outputs.shape[::2], features.shape[1]
        return (_fuse(outputs).T @ features).reshape(shape)

    def feature_gradient(self, weight: Array, outputs: Array, shared: bool) -> Array:
        if not shared:
            return np.matmul(outputs, weight)
        return _fuse(outputs) @ weight.reshape(-1, weight.shape[2])

    def spread(self, values: Array) -> Array:
        return values[:, None]

    def sums(self, outputs: Array, n_tasks: int) -> Array:
        # Faster than `sum`.
        found: Array = np.ones(outputs.shape[1], outputs.dtype) @ outputs
        return found

    def choose(self, stacked: Array) -> Array:
        return stacked

    def stack(self, features: Array, n_tasks: int) -> Array:
        return features

    def mix(self, shares: Array, stacked: Array) -> Array:
        mixed = np.matmul(shares.swapaxes(0, 1), stacked.swapaxes(0, 1))
        return mixed.swapaxes(0, 1)

    def mix_gradient(
        self, shares: Array, stacked: Array, features: Array
    ) -> tuple[Array, Array]:
        rows = features.swapaxes(0, 1)
        of_shares = np.matmul(rows, stacked.transpose(1, 2, 0))
        of_stack = np.matmul(shares.transpose(1, 2, 0), rows)
        return of_shares.swapaxes(0, 1), of_stack.swapaxes(0, 1)

    def encoded(self, encoding: Array) -> Array:
        # No row has a task of its own: the mean, which unseen tasks get.
        return encoding.mean(axis=-2, keepdims=True)

    def of_tasks(self, tasks: slice) -> "AllTasks":
        return self

    def take(self, features: Any, tasks: slice) -> Any:
        return features if features.ndim == 2 else features[tasks]

    def tabulate(self, values: Array, tasks: slice) -> Array:
        return values

    def join(self, parts: list[Array]) -> Array:
        if parts[0].ndim == 3:
            return np.concatenate(parts)
        return sum(parts[1:], start=parts[0])


def _fuse(outputs: Array) -> Array:
    """Return outputs (n_tasks, n_rows, n_outputs) as a matrix with a row per row."""
    return outputs.swapaxes(0, 1).reshape(outputs.shape[1], -1)
