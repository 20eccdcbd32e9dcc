"""Graphs of tasks as users give them."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.neighbors import kneighbors_graph

_KINDS = (
    "'chain', 'complete', 'knn', an adjacency, a list of edges or labels, or parents"
)


@dataclass(frozen=True)
class TaskGraph:
    """Hold a graph whose first nodes are the tasks.

    Parameters
    ----------
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Weights of the edges, symmetric.
    groups : ndarray of shape (n_groups,)
        Labels of the further nodes, which are groups of tasks.
    roots : ndarray of shape (n_roots,)
        Positions of the nodes that stand above all others; empty without groups.
    """

    adjacency: sparse.csr_array
    groups: np.ndarray
    roots: np.ndarray


def read_graph(graph, tasks, descriptors=None, n_neighbors=5):
    """Check a graph against the tasks that there are; warn of those it leaves alone."""
    found = _read(graph, tasks, descriptors, n_neighbors)
    alone = np.diff(found.adjacency.indptr)[: len(tasks)] == 0
    if alone.any() and len(tasks) > 1:
        warnings.warn(
            f"{alone.sum()} of {len(tasks)} tasks have no neighbour in the graph "
            f"and are learnt apart: {tasks[alone][:5].tolist()}. Join them by an "
            "edge, or leave them out.",
            UserWarning,
            stacklevel=6,
        )
    return found


def _read(graph, tasks, descriptors, n_neighbors):
    if isinstance(graph, str):
        return _plain(_read_named(graph, tasks, descriptors, n_neighbors))
    if isinstance(graph, Mapping):
        return _read_parents(graph, tasks)
    if hasattr(graph, "columns"):
        return _plain(_read_labelled(graph, tasks))
    if sparse.issparse(graph) or isinstance(graph, np.ndarray):
        return _plain(_check_adjacency(graph, len(tasks)))
    if isinstance(graph, (list, tuple)):
        return _plain(_read_list(list(graph), tasks))
    raise TypeError(f"graph must be {_KINDS}, got {type(graph).__name__}.")


def _plain(adjacency):
    none = np.zeros(0, dtype=np.intp)
    return TaskGraph(adjacency, np.zeros(0, dtype=object), none)


def _join(first, second, weight, n_nodes):
    """Return the adjacency of edges, each named once or both ways."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    pairs, place = np.unique(np.stack([low, high], axis=1), axis=0, return_inverse=True)
    strength = np.zeros(len(pairs))
    np.maximum.at(strength, place.reshape(-1), weight)
    upper = sparse.coo_array((strength, pairs.T), shape=(n_nodes, n_nodes))
    return sparse.csr_array(upper + upper.T)


def _read_named(graph, tasks, descriptors, n_neighbors):
    n_tasks = len(tasks)
    if graph == "chain":
        order = np.arange(n_tasks)
        return _join(order[:-1], order[1:], np.ones(n_tasks - 1), n_tasks)
    if graph == "complete":
        return sparse.csr_array(np.ones((n_tasks, n_tasks)) - np.eye(n_tasks))
    if graph == "knn":
        return _join_neighbours(tasks, descriptors, n_neighbors)
    raise ValueError(f"graph must be {_KINDS}, got {graph!r}.")


def _join_neighbours(tasks, descriptors, n_neighbors):
    """Join each task with those whose descriptors are nearest."""
    if descriptors is None:
        raise ValueError(
            "graph='knn' needs descriptors: a mapping from every label to a list of "
            "numbers, or an array with a row per task in the order of tasks_."
        )
    if hasattr(descriptors, "loc"):
        descriptors = dict(zip(descriptors.index, descriptors.to_numpy(), strict=True))
    if isinstance(descriptors, Mapping):
        missing = [task for task in tasks.tolist() if task not in descriptors]
        if missing:
            raise ValueError(f"descriptors must name every task, not {missing[:5]}.")
        descriptors = [descriptors[task] for task in tasks.tolist()]
    points = np.asarray(descriptors, dtype=float)
    if len(points) != len(tasks):
        raise ValueError(
            f"descriptors must have a row for each of the {len(tasks)} tasks, got "
            f"{len(points)}."
        )
    points = points.reshape(len(tasks), -1)
    near = kneighbors_graph(points, min(n_neighbors, len(tasks) - 1)).tocoo()
    return _join(near.row, near.col, near.data, len(tasks))


def _read_labelled(graph, tasks):
    """Read a frame with labels of tasks as index and columns."""
    labels = tasks.tolist()
    missing = [task for task in labels if task not in set(graph.columns)]
    if missing or set(graph.index) != set(graph.columns):
        raise ValueError(
            "graph must have every task as a row and as a column, in vain sought "
            f"{missing[:5]}. Reindex the frame."
        )
    return _check_adjacency(graph.loc[labels, labels].to_numpy(), len(tasks))


def _check_adjacency(graph, n_tasks):
    adjacency = sparse.csr_array(graph).astype(float)
    if adjacency.shape != (n_tasks, n_tasks):
        raise ValueError(
            f"graph must have a row and a column for each of the {n_tasks} tasks, got "
            f"shape {adjacency.shape}."
        )
    adjacency.setdiag(0.0)
    adjacency.eliminate_zeros()
    if not (np.isfinite(adjacency.data) & (adjacency.data >= 0)).all():
        raise ValueError("graph must have finite weights of 0 or more.")
    if abs(adjacency - adjacency.T).max() > 1e-12 * abs(adjacency).max():
        raise ValueError("graph must be symmetric. Use (A + A.T) / 2.")
    return adjacency


def _read_list(graph, tasks):
    """Read labels in the order of a chain, or edges of two labels and a weight."""
    place = {task: t for t, task in enumerate(tasks.tolist())}
    if not any(isinstance(entry, (list, tuple)) for entry in graph):
        order = _find([*graph], place)
        return _join(order[:-1], order[1:], np.ones(max(len(order) - 1, 0)), len(tasks))
    if any(len(edge) not in (2, 3) for edge in graph):
        raise ValueError("graph must list edges as (label, label) or with a weight.")
    first = _find([edge[0] for edge in graph], place)
    second = _find([edge[1] for edge in graph], place)
    weight = np.array([edge[2] if len(edge) > 2 else 1.0 for edge in graph], float)
    if not (np.isfinite(weight) & (weight >= 0)).all() or (first == second).any():
        raise ValueError("graph must join two tasks by each edge, of weight 0 or more.")
    return _join(first, second, weight, len(tasks))


def _find(labels, place):
    unknown = [label for label in labels if label not in place]
    if unknown:
        raise ValueError(
            f"graph names tasks that are not there: {unknown[:5]}. The tasks are "
            f"{list(place)[:5]}..."
        )
    return np.array([place[label] for label in labels], dtype=np.intp)


def _read_parents(graph, tasks):
    """Read the parent of each task, or the path of its groups from the top."""
    labels = tasks.tolist()
    missing = [task for task in labels if task not in graph]
    if missing:
        raise ValueError(f"graph must give every task a parent, not {missing[:5]}.")
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
    return TaskGraph(adjacency, names, roots)


def _ascend(node, parent, graph):
    """Return the edges from a node to the top, each a node and what is above it."""
    edges = {}
    if isinstance(parent, tuple):
        for depth in range(len(parent), 0, -1):
            above = ("group", parent[:depth])
            edges[node], node = above, above
        return edges
    while parent is not None:
        above = ("group", parent)
        if above in edges:
            raise ValueError(f"graph must not lead from {parent!r} back to itself.")
        edges[node], node = above, above
        parent = graph.get(parent)
    return edges
