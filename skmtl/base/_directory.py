"""Directories of models: which model predicts a row."""

from dataclasses import dataclass

import numpy as np

from skmtl.data import TaskGraph, place_labels, read_queries


class TaskDirectory:
    """The models of tasks, then the shared part for unseen tasks."""

    def read(self, estimator, X, task):
        """Return checked rows, and the position of the model of each."""
        return read_queries(estimator, X, task)

    def models(self, fitted, codes):
        """Return coefficients and intercepts by position; -1 is the shared part."""
        coef = np.concatenate([fitted.coef_, fitted.coef_shared_[None]])
        return coef, np.append(fitted.intercept_, [fitted.intercept_shared_], axis=0)


class NodeDirectory:
    """The models of a graph's nodes and of gaps in a chain, then the shared part.

    Parameters
    ----------
    graph : TaskGraph
        The graph.
    """

    def __init__(self, graph):
        self.labels = NodeLabels.of(graph)

    def read(self, estimator, X, task):
        """Return checked rows, and the position of the model of each."""
        labels = self.labels
        place = labels.place if labels.graph.is_natural else None
        X, codes = read_queries(estimator, X, task, labels.known, place)
        return X, None if codes is None else labels.rows(codes)

    def models(self, fitted, codes):
        """Return coefficients and intercepts by position; -1 is the shared part."""
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
