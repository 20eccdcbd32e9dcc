"""Tasks with rows, and labels of tasks without rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._order import order_labels
from ._task_codes import encode_tasks


@dataclass(frozen=True)
class KnownTasks:
    """Tasks that a graph may refer to, by label or by position.

    Parameters
    ----------
    labels : ndarray of shape (n_tasks,)
        Labels of the tasks with rows.
    orders : tuple of tuple, default=()
        Orders that the containers of the labels declare.
    named : array-like of shape (n_nodes,), default=None
        Labels of the nodes that the user refers to by position.
    """

    labels: np.ndarray
    orders: tuple = ()
    named: Any = None

    def places(
        self, labels: Sequence[Any], what: str = "graph"
    ) -> tuple[dict[Any, int], Array]:
        """Return positions by label, tasks with rows first, and labels without rows."""
        absent = self.absent(labels, what)
        names = self.labels.tolist() + absent.tolist()
        return {label: t for t, label in enumerate(names)}, absent

    def absent(self, labels: Sequence[Any], what: str = "graph") -> Array:
        """Return the labels of tasks without rows, in order."""
        known = set(self.labels.tolist())
        further = list(dict.fromkeys([label for label in labels if label not in known]))
        strange = [label for label in further if not self.is_like(label)]
        if strange:
            raise ValueError(
                f"{what} must use labels of the same kind as the tasks, got "
                f"{strange[:5]}. The tasks are {self.labels[:5].tolist()}..."
            )
        if labels and known.isdisjoint(labels):
            raise ValueError(
                f"{what} must name at least one task with rows, got "
                f"{list(labels)[:5]}. The tasks are {self.labels[:5].tolist()}..."
            )
        if not further:
            return self.labels[:0]
        found, codes = encode_tasks(np.array(further, dtype=object))
        return order_labels(found[codes])

    def is_like(self, label: Any) -> bool:
        """Return whether a value is of the kind of the labels."""
        if self.labels.dtype.kind == "b":
            return isinstance(label, (bool, np.bool_))
        if self.labels.dtype.kind == "i":
            return isinstance(label, (Integral, np.bool_)) or (
                isinstance(label, float) and label.is_integer()
            )
        return isinstance(label, str)

    def by_position(self, n_given: int, what: str) -> list[Any] | None:
        """Return the labels of nodes given by position, or None if unknown.

        They are `named`, or the tasks with rows, or what these would be if every task
        had rows: all ordered categories, or 0, 1, 2, ...
        """
        if self.named is not None:
            return self._read_named(n_given, what)
        if n_given == len(self.labels):
            return self.labels.tolist()
        for order in self.orders:
            if n_given == len(order):
                return sorted(order)
        if self.labels.dtype.kind == "i" and n_given > len(self.labels):
            low, high = self.labels.min(), self.labels.max()
            if low >= 0 and high < n_given:
                return list(range(n_given))
        return None

    def _read_named(self, n_given, what):
        named = np.asarray(self.named, dtype=object).tolist()
        missing = [task for task in self.labels.tolist() if task not in set(named)]
        if missing or len(named) != n_given or len(set(named)) < len(named):
            raise ValueError(
                f"labels must name every task once, in the order of {what}, which has "
                f"{n_given}, got {len(named)} labels, {len(set(named))} of them "
                f"distinct; missing: {missing[:5]}."
            )
        return named
