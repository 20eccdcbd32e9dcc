"""Training targets of a network, by row and task."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy import sparse

from skmtl._contracts import Array

from ._batches import AllTasks, Batch, OwnRows

# Targets and weights of the tasks of each head, in the shape of the batch's outputs.
Parts = list[tuple[Array, Array]]


class Cells(ABC):
    """Rows of X with the targets and weights of tasks; weights sum to one.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Inputs.
    targets : list of ndarray
        Targets of the tasks of each head.
    weights : list of ndarray
        Weights of these targets.
    """

    X: Any
    targets: list[Array]
    weights: list[Array]

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of rows."""

    @abstractmethod
    def batch(self, rows: Array | None) -> tuple[Batch, Parts]:
        """Return some rows, None for all, with their targets and weights."""

    @abstractmethod
    def rows_of_tasks(self) -> list[Array]:
        """Return the rows with a target of each task."""

    @abstractmethod
    def split(self, fraction: float, rng: Any) -> tuple[Self, Self]:
        """Split the rows into two parts, the second with a fraction of each task."""


@dataclass(frozen=True)
class OwnCells(Cells):
    """Rows of one task each, sorted by task.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Inputs.
    targets : list of ndarray of shape (n_some, n_targets)
        Targets of the rows of each head.
    weights : list of ndarray of shape (n_some,)
        Weights of these rows.
    codes : ndarray of shape (n_rows,), dtype intp
        Task of each row.
    """

    X: Any
    targets: list[Array]
    weights: list[Array]
    codes: Array

    def __len__(self) -> int:
        return len(self.codes)

    def batch(self, rows: Array | None) -> tuple[Batch, Parts]:
        if rows is None:
            parts = list(zip(self.targets, self.weights, strict=True))
            return OwnRows(self.X, self.codes), parts
        rows = np.sort(rows)
        return OwnRows(take_rows(self.X, rows), self.codes[rows]), self._take(rows)

    def _take(self, rows: Array) -> Parts:
        if len(self.targets) == 1:
            return [(self.targets[0][rows], self.weights[0][rows])]
        ends = np.cumsum([0, *map(len, self.weights)])
        some = np.split(rows, np.searchsorted(rows, ends[1:-1]))
        parts = zip(self.targets, self.weights, some, ends, strict=False)
        return [(y[rows - end], w[rows - end]) for y, w, rows, end in parts]

    def rows_of_tasks(self) -> list[Array]:
        n_tasks = self.codes[-1] + 1
        ends = np.searchsorted(self.codes, np.arange(1, n_tasks))
        return np.split(np.arange(len(self.codes)), ends)

    def split(self, fraction: float, rng: Any) -> tuple[Self, Self]:
        counts = np.concatenate(self.weights) > 0
        draw = rng.random_sample(len(counts))
        order = np.lexsort((draw, ~counts, self.codes))  # rows with weight first
        sizes = np.bincount(self.codes)
        number = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        held = np.zeros(len(order), dtype=bool)
        n_held = _count(fraction, np.bincount(self.codes, counts))
        held[order] = number < n_held[self.codes]
        _refuse_none(held)
        return self._keep(~held), self._keep(held)

    def _keep(self, mask: Array) -> Self:
        parts = self._take(np.flatnonzero(mask))
        targets, weights = map(list, zip(*parts, strict=True))
        total = sum(each.sum() for each in weights)
        weights = [each / total for each in weights]
        return replace(
            self,
            X=take_rows(self.X, np.flatnonzero(mask)),
            targets=targets,
            weights=weights,
            codes=self.codes[mask],
        )


@dataclass(frozen=True)
class SharedCells(Cells):
    """Rows with a target for each task; targets that are not observed have weight zero.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Inputs.
    targets : list of ndarray of shape (n_rows, n_some, n_targets)
        Targets of the tasks of each head.
    weights : list of ndarray of shape (n_rows, n_some)
        Weights of these targets.
    """

    X: Any
    targets: list[Array]
    weights: list[Array]

    def __len__(self) -> int:
        return int(self.X.shape[0])

    def batch(self, rows: Array | None) -> tuple[Batch, Parts]:
        X, targets, weights = self.X, self.targets, self.weights
        if rows is not None:
            X = take_rows(X, rows)
            targets = [take_rows(each, rows) for each in targets]
            weights = [take_rows(each, rows) for each in weights]
        parts = [(y.swapaxes(0, 1), w.T) for y, w in zip(targets, weights, strict=True)]
        return AllTasks(X), parts

    def rows_of_tasks(self) -> list[Array]:
        columns = [column for weight in self.weights for column in weight.T]
        return [np.flatnonzero(column) for column in columns]

    def split(self, fraction: float, rng: Any) -> tuple[Self, Self]:
        observed = np.concatenate(self.weights, axis=1) > 0
        left, held = observed.sum(axis=0), np.zeros(len(self), dtype=bool)
        candidates = np.flatnonzero(observed.any(axis=1))
        n_held = int(_count(fraction, np.array([len(candidates)]))[0])
        for row in rng.permutation(candidates):
            if not n_held:
                break
            tasks = observed[row]
            if (left[tasks] > 1).all():  # each task keeps a target
                held[row], n_held, left = True, n_held - 1, left - tasks
        _refuse_none(held)
        return self._keep(np.flatnonzero(~held)), self._keep(np.flatnonzero(held))

    def _keep(self, rows: Array) -> Self:
        weights = [take_rows(each, rows) for each in self.weights]
        total = sum(each.sum() for each in weights)
        return replace(
            self,
            X=take_rows(self.X, rows),
            targets=[take_rows(each, rows) for each in self.targets],
            weights=[each / total for each in weights],
        )


def _refuse_none(held: Array) -> None:
    """Raise an error if no row can be held out."""
    if not held.any():
        raise ValueError(
            "early_stopping=True holds out rows of tasks with two or more targets with "
            f"weight, got none, with n_samples={len(held)}. Use early_stopping=False."
        )


def take_rows(X: Any, rows: Array) -> Any:
    """Return rows of an array or a sparse matrix; `take` is the fastest for arrays."""
    return X[rows] if sparse.issparse(X) else X.take(rows, axis=0)


def _count(fraction: float, sizes: Array) -> Array:
    """Return a fraction of each size, at least 1 and fewer than all; 0 for one row."""
    held = np.maximum(np.rint(fraction * sizes), 1)
    return np.where(sizes > 1, np.minimum(held, sizes - 1), 0).astype(int)
