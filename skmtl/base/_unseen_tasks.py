"""Find the model of each row: of its task, or the shared part if it is unseen."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array
from skmtl.data import (
    TaskGraph,
    multiply_rows,
    place_labels,
    read_grouped_queries,
    read_queries,
)


def multiply_models(X: Any, coef: Array, codes: Array) -> Array:
    """Multiply rows by the coefficients of their models, of one or more classes."""
    if coef.ndim == 2:
        found: Array = multiply_rows(X, coef, codes)
        return found
    columns = [multiply_rows(X, part, codes) for part in coef.swapaxes(0, 1)]
    return np.stack(columns, axis=1)


class Lookup(ABC):
    """Finds the models of rows."""

    @abstractmethod
    def read(self, estimator: Any, X: Any, task: Any) -> tuple[Any, Array | None]:
        """Return checked rows, and the position of each row's model."""

    @abstractmethod
    def raw(self, fitted: Any, X: Any, codes: Array) -> Array:
        """Return raw predictions, (n_rows,) or (n_rows, n_classes)."""


class OneModelPerRow(Lookup):
    """Rows that have one model each."""

    @abstractmethod
    def models(self, fitted: Any, codes: Array) -> tuple[Array, Array]:
        """Return coefficients and intercepts by position; -1 is the shared part."""

    def raw(self, fitted: Any, X: Any, codes: Array) -> Array:
        coef, intercept = self.models(fitted, codes)
        found: Array = multiply_models(X, coef, codes) + intercept[codes]
        return found


class ModelsOfTasks(OneModelPerRow):
    """The models of tasks, then the shared part for unseen tasks."""

    def raw(self, fitted: Any, X: Any, codes: Array) -> Array:
        if len(codes) >= len(fitted.coef_):
            return super().raw(fitted, X, codes)
        # Copy the models of these rows only, so that one row takes the same time
        # however many tasks there are.
        used, codes = np.unique(codes, return_inverse=True)
        coef, intercept = fitted.coef_[used], fitted.intercept_[used]
        unseen = used < 0
        coef[unseen], intercept[unseen] = fitted.coef_shared_, fitted.intercept_shared_
        found: Array = multiply_models(X, coef, codes) + intercept[codes]
        return found

    def read(self, estimator: Any, X: Any, task: Any) -> tuple[Any, Array | None]:
        X, codes = read_queries(estimator, X, task)
        return X, codes

    def models(self, fitted: Any, codes: Array) -> tuple[Array, Array]:
        coef = np.concatenate([fitted.coef_, fitted.coef_shared_[None]])
        return coef, np.append(fitted.intercept_, [fitted.intercept_shared_], axis=0)


class ModelsOfGroupings(Lookup):
    """The shared part and the own part of each grouping; unseen labels add nothing."""

    def read(self, estimator: Any, X: Any, task: Any) -> tuple[Any, Array | None]:
        known = list(estimator.groupings_.values())
        X, codes = read_grouped_queries(estimator, X, task, known)
        return X, codes

    def raw(self, fitted: Any, X: Any, codes: Array) -> Array:
        shared = fitted.coef_shared_[None]
        first = np.zeros(len(codes), dtype=np.intp)
        found: Array = multiply_models(X, shared, first) + fitted.intercept_shared_
        for name, place in zip(fitted.groupings_, codes.T, strict=True):
            coef = fitted.coef_groupings_[name]
            intercept = fitted.intercept_groupings_[name]
            coef = np.concatenate([coef, np.zeros_like(shared)])
            intercept = np.concatenate([intercept, np.zeros_like(intercept[:1])])
            found = found + multiply_models(X, coef, place) + intercept[place]
        return found


class ModelsOfNodes(OneModelPerRow):
    """The models of a graph's nodes, of the gaps in a chain, then the shared part.

    Parameters
    ----------
    graph : TaskGraph
        The graph.
    """

    def __init__(self, graph: TaskGraph) -> None:
        self.labels = NodeLabels.of(graph)

    def read(self, estimator: Any, X: Any, task: Any) -> tuple[Any, Array | None]:
        labels = self.labels
        place = labels.place if labels.graph.is_natural else None
        X, codes = read_queries(estimator, X, task, labels.known, place)
        return X, None if codes is None else labels.positions(codes)

    def models(self, fitted: Any, codes: Array) -> tuple[Array, Array]:
        parts = [(fitted.coef_nodes_, fitted.intercept_nodes_)]
        if (codes >= len(fitted.nodes_)).any():
            first, second = self.labels.gaps()
            parts += [tuple((m[first] + m[second]) / 2 for m in parts[0])]
        shared = np.asarray(fitted.intercept_shared_)
        parts += [(fitted.coef_shared_[None], shared[None])]
        coefs, intercepts = zip(*parts, strict=True)
        return np.concatenate(coefs), np.concatenate(intercepts)


@dataclass(frozen=True)
class NodeLabels:
    """Map from labels to nodes of a graph, or gaps in a chain.

    Models are in the order of the nodes, then of the gaps: before the first task of the
    chain, between two tasks, and after the last. A task in a gap gets the mean of its
    neighbours, which minimises the penalty.

    Parameters
    ----------
    graph : TaskGraph
        The graph.
    known : ndarray of shape (n_known,)
        Labels of tasks, then of groups unless a task has the same label.
    nodes : ndarray of shape (n_known,), dtype intp
        Node of each label.
    """

    graph: TaskGraph
    known: Array
    nodes: Array

    @classmethod
    def of(cls, graph: TaskGraph) -> Self:
        """Read the labels of a graph."""
        tasks = np.concatenate([graph.tasks, graph.absent])
        taken = set(tasks.tolist())
        kind = {"b": bool, "i": int}.get(tasks.dtype.kind, str)
        groups = [
            (g, label)
            for g, label in enumerate(graph.groups.tolist(), len(tasks))
            if isinstance(label, kind) and label not in taken
        ]
        dtype = object if kind is str else tasks.dtype
        names = np.array([label for _, label in groups], dtype=dtype)
        places = np.array([g for g, _ in groups], dtype=np.intp)
        known = np.concatenate([tasks, names])
        return cls(graph, known, np.concatenate([np.arange(len(tasks)), places]))

    def place(self, labels: Array) -> Array:
        """Return the codes of labels in gaps of the chain, -1 for others.

        The codes of gaps follow those of the known labels.
        """
        order: Any = self.graph.order
        place = place_labels(order, labels)
        return np.where(place < 0, -1, len(self.known) + place)

    def positions(self, codes: Array) -> Array:
        """Return the position of each code's model, -1 for the shared part."""
        order: Any = self.graph.order
        n_gaps = len(order) + 1 if self.graph.is_natural else 0
        gaps = len(self.graph.nodes) + np.arange(n_gaps)
        positions: Array = np.concatenate([self.nodes, gaps, [-1]])
        return positions[codes]

    def gaps(self) -> tuple[Array, Array]:
        """Return the two nodes beside each gap; at the ends they are the same."""
        along = self.graph.along()
        return along[np.r_[0, : len(along)]], along[np.r_[: len(along), -1]]
