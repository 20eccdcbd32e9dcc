"""Tasks that have rows, and what labels and positions say of others."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np

from skmtl.data import encode_tasks, order_labels


@dataclass(frozen=True)
class KnownTasks:
    """What a graph is read against: tasks with rows, and what labels say of an order.

    Parameters
    ----------
    labels : ndarray of shape (n_tasks,)
        Labels of the tasks that have rows.
    orders : tuple of tuple, default=()
        Orders that the containers of labels declared.
    named : array-like of shape (n_nodes,), default=None
        Labels of what the user gives by position.
    """

    labels: np.ndarray
    orders: tuple = ()
    named: object = None

    def places(self, labels, what="graph"):
        """Return the position of every label, tasks first, and labels without rows."""
        absent = self.absent(labels, what)
        names = self.labels.tolist() + absent.tolist()
        return {label: t for t, label in enumerate(names)}, absent

    def absent(self, labels, what="graph"):
        """Return the labels that have no rows, in their order."""
        known = set(self.labels.tolist())
        further = list(dict.fromkeys(label for label in labels if label not in known))
        strange = [label for label in further if not self.is_like(label)]
        if strange:
            raise ValueError(
                f"{what} must name tasks by labels of their kind, got {strange[:5]}. "
                f"The tasks are {self.labels[:5].tolist()}..."
            )
        if labels and not any(label in known for label in labels):
            raise ValueError(
                f"{what} must name tasks, and none of {list(labels)[:5]} has rows. The "
                f"tasks are {self.labels[:5].tolist()}..."
            )
        if not further:
            return self.labels[:0]
        found, codes = encode_tasks(np.array(further, dtype=object))
        return order_labels(found[codes])

    def is_like(self, label):
        """Return whether something could be the label of one of these tasks."""
        if self.labels.dtype.kind == "b":
            return isinstance(label, (bool, np.bool_))
        if self.labels.dtype.kind == "i":
            return isinstance(label, (Integral, np.bool_)) or (
                isinstance(label, float) and label.is_integer()
            )
        return isinstance(label, str)

    def by_position(self, n_given, what):
        """Return the labels of what was given by position, None if nothing says them.

        They are those named, or of `tasks_` as it would be with rows of every task: of
        all ordered categories, or of all numbers from 0.
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
                f"{n_given}. Got {len(named)} labels, {len(set(named))} of them "
                f"distinct; missing are {missing[:5]}."
            )
        return named
