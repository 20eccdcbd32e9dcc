"""Predict for tasks without rows: graph nodes and gaps in a chain."""

from dataclasses import dataclass

import numpy as np

from skmtl.base import TaskModel
from skmtl.data import TaskGraph, place_labels, read_queries


class NodeModel(TaskModel):
    """Select the model of a row from those of all graph nodes."""

    def _about_nodes(self, graph, coef, intercept):
        """Return the fitted attributes of a graph and its nodes."""
        return {
            "nodes_": graph.nodes,
            "order_": graph.order,
            "coef_nodes_": coef,
            "intercept_nodes_": intercept,
            "_graph": graph,
        }

    def _read_queries(self, X, task):
        labels = NodeLabels.of(self._graph)
        place = labels.place if self._graph.is_natural else None
        X, codes = read_queries(self, X, task, labels.known, place)
        return X, None if codes is None else labels.rows(codes)

    def _models_at(self, codes):
        parts = [(self.coef_nodes_, self.intercept_nodes_)]
        if (codes >= len(self.nodes_)).any():
            first, second = NodeLabels.of(self._graph).gaps()
            parts += [tuple((m[first] + m[second]) / 2 for m in parts[0])]
        parts += [(self.coef_shared_[None], np.array([self.intercept_shared_]))]
        coefs, intercepts = zip(*parts, strict=True)
        return np.concatenate(coefs), np.concatenate(intercepts)


@dataclass(frozen=True)
class NodeLabels:
    """Map labels to nodes of a graph, or gaps in a chain.

    Models are in the order of the nodes, then of the gaps: before the first task of the
    chain, between two, and after the last. A task in a gap gets its neighbours' mean,
    which minimises the penalty.

    Parameters
    ----------
    graph : TaskGraph
        The graph.
    known : ndarray of shape (n_known,)
        Labels of nodes: of tasks, and of groups unless a task has the same label.
    nodes : ndarray of shape (n_known,), dtype intp
        Those nodes.
    """

    graph: TaskGraph
    known: np.ndarray
    nodes: np.ndarray

    @classmethod
    def of(cls, graph):
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

    def place(self, labels):
        """Return codes for labels in gaps of the chain, -1 for others.

        The codes follow those of the known labels.
        """
        place = place_labels(self.graph.order, labels)
        return np.where(place < 0, -1, len(self.known) + place)

    def rows(self, codes):
        """Return the position of each code's model, -1 for none."""
        n_gaps = len(self.graph.order) + 1 if self.graph.is_natural else 0
        n_nodes = len(self.graph.nodes)
        return np.concatenate([self.nodes, n_nodes + np.arange(n_gaps), [-1]])[codes]

    def gaps(self):
        """Return the nodes on both sides of each gap; at the ends both are the same."""
        along = self.graph.along()
        return along[np.r_[0, : len(along)]], along[np.r_[: len(along), -1]]
