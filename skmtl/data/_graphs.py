"""Read graphs of tasks from user input."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.neighbors import kneighbors_graph

from skmtl._contracts import Array

from ._known_tasks import KnownTasks
from ._order import order_labels

_KINDS = (
    "'chain', 'complete', 'knn', an adjacency, a list of edges or labels, or parents"
)


@dataclass(frozen=True)
class TaskGraph:
    """Graph of tasks with rows, tasks without rows, and groups, in this order.

    Parameters
    ----------
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Weights of the edges, symmetric.
    tasks : ndarray of shape (n_tasks,)
        Labels of the tasks with rows.
    absent : ndarray of shape (n_absent,)
        Labels of the tasks without rows.
    groups : ndarray of shape (n_groups,)
        Labels of the groups of tasks.
    roots : ndarray of shape (n_roots,)
        Positions of the groups without a parent; empty without groups.
    order : ndarray of shape (n_tasks + n_absent,) or None
        Labels along the chain; None for other graphs.
    is_natural : bool
        Whether the chain follows the numbers in labels, so that a new label has a
        position in it.
    """

    adjacency: sparse.csr_array
    tasks: np.ndarray
    absent: np.ndarray
    groups: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=object))
    roots: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    order: np.ndarray | None = None
    is_natural: bool = False

    def along(self) -> Array:
        """Return the positions of the tasks in the order of the chain."""
        assert self.order is not None
        names = self.tasks.tolist() + self.absent.tolist()
        place = {label: t for t, label in enumerate(names)}
        return np.array([place[label] for label in self.order.tolist()], dtype=np.intp)

    @property
    def nodes(self) -> Array:
        """Labels of all nodes."""
        names = [*self.tasks.tolist(), *self.absent.tolist(), *self.groups]
        nodes = np.empty(len(names), dtype=object)
        nodes[:] = names
        return nodes


def read_graph(
    graph: Any, tasks: KnownTasks, descriptors: Any = None, n_neighbors: int = 5
) -> TaskGraph:
    """Check a graph against the tasks with rows; warn of isolated tasks."""
    found = _read(graph, tasks, descriptors, n_neighbors)
    n_tasks = len(tasks.labels)
    alone = np.diff(found.adjacency.indptr)[:n_tasks] == 0
    if alone.any() and n_tasks > 1:
        warnings.warn(
            f"{alone.sum()} of {n_tasks} tasks have no neighbour in the graph and "
            f"share nothing: {tasks.labels[alone][:5].tolist()}. Add edges, or leave "
            "these tasks out.",
            UserWarning,
            stacklevel=6,
        )
    return found


def _read(graph, tasks, descriptors, n_neighbors):
    if isinstance(graph, str):
        return _read_kind(graph, tasks, descriptors, n_neighbors)
    if isinstance(graph, Mapping):
        return _read_parents(graph, tasks)
    if hasattr(graph, "columns"):
        return _read_labelled(graph, tasks)
    if isinstance(graph, np.ndarray) and graph.ndim == 1:
        return _read_list(graph.tolist(), tasks)
    if sparse.issparse(graph) or isinstance(graph, np.ndarray):
        return _read_array(graph, tasks)
    if isinstance(graph, (list, tuple, range)):
        return _read_list(list(graph), tasks)
    raise TypeError(f"graph must be {_KINDS}, got {type(graph).__name__}.")


def _join(first, second, weight, n_nodes):
    """Return the adjacency of edges, given in one direction or in both."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    pairs, place = np.unique(np.stack([low, high], axis=1), axis=0, return_inverse=True)
    strength = np.zeros(len(pairs))
    np.maximum.at(strength, place.reshape(-1), weight)
    upper = sparse.coo_array((strength, pairs.T), shape=(n_nodes, n_nodes))
    return sparse.csr_array(upper + upper.T)


def _read_kind(graph, tasks, descriptors, n_neighbors):
    labels = tasks.labels
    if graph == "chain":
        order = order_labels(labels, tasks.orders)
        return join_chain(order.tolist(), tasks, is_natural=not tasks.orders)
    if graph == "complete":
        adjacency = np.ones((len(labels), len(labels))) - np.eye(len(labels))
        return TaskGraph(sparse.csr_array(adjacency), labels, labels[:0])
    if graph == "knn":
        return _join_neighbours(tasks, descriptors, n_neighbors)
    raise ValueError(f"graph must be {_KINDS}, got {graph!r}.")


def join_chain(
    order: Sequence[Any],
    tasks: KnownTasks,
    is_natural: bool = False,
    what: str = "graph",
) -> TaskGraph:
    """Join adjacent labels of a list; if the last equals the first, it is a ring."""
    place, absent = tasks.places(order, what)
    along = np.array([place[label] for label in order], dtype=np.intp)
    if (along[:-1] == along[1:]).any():
        raise ValueError(
            f"{what} must not name a task twice in a row. Remove the repeated label."
        )
    ones = np.ones(max(len(along) - 1, 0))
    adjacency = _join(along[:-1], along[1:], ones, len(place))
    is_chain = len(set(order)) == len(order)
    names = np.concatenate([tasks.labels, absent])[along] if is_chain else None
    return TaskGraph(
        adjacency, tasks.labels, absent, order=names, is_natural=is_natural
    )


def _join_neighbours(tasks, descriptors, n_neighbors):
    """Join each task with the tasks of the nearest descriptors."""
    if descriptors is None:
        raise ValueError(
            "graph='knn' needs descriptors, got None. Pass a mapping from every label "
            "to a list of numbers, or an array with a row per task in the order of "
            "tasks_."
        )
    if hasattr(descriptors, "loc"):
        descriptors = dict(zip(descriptors.index, descriptors.to_numpy(), strict=True))
    if not isinstance(descriptors, Mapping):
        rows = list(descriptors)
        names = tasks.by_position(len(rows), "descriptors")
        if names is None:
            raise ValueError(
                f"descriptors must have a row for each of the {len(tasks.labels)} "
                f"tasks, got {len(rows)}. If some tasks have no rows in X, pass "
                "labels, or a mapping from labels to lists of numbers."
            )
        descriptors = dict(zip(names, rows, strict=True))
    missing = [task for task in tasks.labels.tolist() if task not in descriptors]
    if missing:
        raise ValueError(
            f"descriptors must include every task; missing: {missing[:5]}."
        )
    place, absent = tasks.places(list(descriptors), "descriptors")
    points = np.array([descriptors[label] for label in place], dtype=float)
    points = points.reshape(len(place), -1)
    near = kneighbors_graph(points, min(n_neighbors, len(place) - 1)).tocoo()
    adjacency = _join(near.row, near.col, near.data, len(place))
    return TaskGraph(adjacency, tasks.labels, absent)


def _read_labelled(graph, tasks):
    """Read a frame with task labels as index and columns."""
    columns = list(graph.columns)
    missing = [task for task in tasks.labels.tolist() if task not in set(columns)]
    if missing or set(graph.index) != set(columns):
        raise ValueError(
            "graph must have a row and a column for every task; missing: "
            f"{missing[:5]}. Reindex the frame."
        )
    names = list(tasks.places(columns)[0])
    return _reorder(graph.loc[columns, columns].to_numpy(), columns, names, tasks)


def _read_array(graph, tasks):
    """Read an adjacency in the order of the tasks, or of the labels that are given."""
    size, n_tasks = graph.shape[0], len(tasks.labels)
    is_square = graph.ndim == 2 and size == graph.shape[1]
    given = tasks.by_position(size, "graph") if is_square else None
    if given is None and is_square and size > n_tasks:
        weight = _one_weight(graph)
        if weight is not None:
            # Eliminating nodes of a complete graph leaves it complete, with larger
            # weights.
            adjacency = np.ones((n_tasks, n_tasks)) - np.eye(n_tasks)
            adjacency = sparse.csr_array(weight * size / n_tasks * adjacency)
            return TaskGraph(adjacency, tasks.labels, tasks.labels[:0])
    if given is None:
        raise ValueError(
            f"graph must have a row and a column for each of the {n_tasks} tasks, got "
            f"shape {graph.shape}. If some tasks have no rows in X, pass labels, or a "
            "frame with labels as index and columns."
        )
    return _reorder(graph, given, list(tasks.places(given)[0]), tasks)


def _one_weight(graph):
    """Return the edge weight of a complete graph of equal weights, else None."""
    if sparse.issparse(graph) and graph.nnz < graph.shape[0] * (graph.shape[0] - 1):
        return None
    dense = graph.toarray() if sparse.issparse(graph) else np.asarray(graph)
    weights = dense[~np.eye(len(dense), dtype=bool)]
    is_one = (
        np.isfinite(weights[0]) and weights[0] > 0 and (weights == weights[0]).all()
    )
    return float(weights[0]) if is_one else None


def _reorder(weights, given, names, tasks):
    """Return the graph of an adjacency, with the nodes in the order of `names`."""
    adjacency = sparse.csr_array(weights).astype(float)
    adjacency.setdiag(0.0)
    adjacency.eliminate_zeros()
    if not (np.isfinite(adjacency.data) & (adjacency.data >= 0)).all():
        raise ValueError(
            "graph must have finite weights of 0 or more, got a negative, NaN or "
            "infinite one."
        )
    if abs(adjacency - adjacency.T).max() > 1e-12 * abs(adjacency).max():
        raise ValueError(
            "graph must be symmetric, got an asymmetric one A. Use (A + A.T) / 2."
        )
    row = {label: k for k, label in enumerate(given)}
    along = np.array([row[label] for label in names], dtype=np.intp)
    moved = sparse.csr_array(adjacency[along][:, along])
    return TaskGraph(moved, tasks.labels, tasks.absent(given))


def _read_list(graph, tasks):
    """Read the labels of a chain, or edges of two labels and a weight."""
    if not any(isinstance(entry, (list, tuple)) for entry in graph):
        return join_chain(graph, tasks)
    if any(len(edge) not in (2, 3) for edge in graph):
        strange = next(edge for edge in graph if len(edge) not in (2, 3))
        raise ValueError(
            "graph must list edges as (label, label) or (label, label, weight), got "
            f"{strange!r}."
        )
    ends = [edge[:2] for edge in graph]
    weight = np.array([edge[2] if len(edge) > 2 else 1.0 for edge in graph], float)
    if not (np.isfinite(weight) & (weight >= 0)).all() or any(a == b for a, b in ends):
        raise ValueError(
            "graph must join two tasks by each edge, with a finite weight of 0 or "
            "more, got another edge. Remove it."
        )
    return join_edges(ends, weight, tasks)


def join_edges(
    ends: Sequence[Any], weight: Any, tasks: KnownTasks, what: str = "graph"
) -> TaskGraph:
    """Join pairs of labels by edges of these weights."""
    place, absent = tasks.places([label for pair in ends for label in pair], what)
    pairs = np.array([[place[a], place[b]] for a, b in ends], dtype=np.intp)
    pairs = pairs.reshape(-1, 2)
    adjacency = _join(pairs[:, 0], pairs[:, 1], weight, len(place))
    return TaskGraph(adjacency, tasks.labels, absent)


def _read_parents(graph, tasks):
    """Read the parent of each task, or the path of its groups from the top."""
    missing = [task for task in tasks.labels.tolist() if task not in graph]
    if missing:
        raise ValueError(
            f"graph must give every task a parent; missing: {missing[:5]}. Use None "
            "for a task without a parent."
        )
    # Parents are groups; tasks without rows have no children.
    above = {parent for parent in graph.values() if not isinstance(parent, tuple)}
    leaves = [label for label in graph if label not in above and tasks.is_like(label)]
    absent = tasks.absent([*tasks.labels.tolist(), *leaves])
    labels = tasks.labels.tolist() + absent.tolist()
    edges = {}
    for task in labels:
        edges.update(_ascend(("task", task), graph[task], graph))
    groups = sorted(set(edges.values()), key=repr)
    place = {("task", task): t for t, task in enumerate(labels)}
    place |= {group: len(labels) + g for g, group in enumerate(groups)}
    ends = np.array([[place[a], place[b]] for a, b in edges.items()], dtype=np.intp)
    ends = ends.reshape(-1, 2)
    adjacency = _join(ends[:, 0], ends[:, 1], np.ones(len(ends)), len(place))
    roots = np.array([place[g] for g in groups if g not in edges], dtype=np.intp)
    names = np.empty(len(groups), dtype=object)
    names[:] = [group[1] for group in groups]
    return TaskGraph(adjacency, tasks.labels, absent, names, roots)


def _ascend(node, parent, graph):
    """Return the edges from a node to the top, as a mapping from child to parent."""
    edges = {}
    if isinstance(parent, tuple):
        for depth in range(len(parent), 0, -1):
            above = ("group", parent[:depth])
            edges[node], node = above, above
        return edges
    while parent is not None:
        above = ("group", parent)
        if above in edges:
            raise ValueError(
                f"graph must be a tree, but its parents lead from {parent!r} back to "
                "itself. Remove one of them."
            )
        edges[node], node = above, above
        parent = graph.get(parent)
    return edges
