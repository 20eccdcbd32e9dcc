"""Values for network nodes without rows that minimise total variation."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog


def fill(W, first, last, n_nodes):
    """Append values of further nodes that minimise ``sum |W[first] - W[last]|``.

    If all neighbours of a node are given, it gets their median closest to their mean.

    Parameters
    ----------
    W : ndarray of shape (n_tasks, n_features)
        Values of the first nodes.
    first, last : ndarray of shape (n_edges,)
        Ends of the edges.
    n_nodes : int
        Number of nodes.

    Returns
    -------
    ndarray of shape (n_nodes, n_features)
        Values of all nodes.
    """
    n_tasks = len(W)
    if n_nodes == n_tasks:
        return W
    whole = np.vstack([W, np.zeros((n_nodes - n_tasks, W.shape[1]))])
    touching = np.maximum(first, last) >= n_tasks
    first, last = first[touching], last[touching]
    if (np.minimum(first, last) >= n_tasks).any():
        whole[n_tasks:] = _solve_linear_programs(W, first, last, n_nodes)
        return whole
    for node in range(n_tasks, n_nodes):
        near = np.sort(W[np.r_[last[first == node], first[last == node]]], axis=0)
        if len(near):
            low, high = near[(len(near) - 1) // 2], near[len(near) // 2]
            whole[node] = np.clip(near.mean(axis=0), low, high)
    return whole


def _solve_linear_programs(W, first, last, n_nodes):
    """Return the values of adjacent further nodes by a linear program per column.

    Its variables are the nodes, and an upper bound on the jump along each edge.
    """
    n_tasks, n_edges = len(W), len(first)
    edge = np.arange(n_edges)
    signs = np.ones(n_edges)
    shape = (n_edges, n_nodes)
    differences = sparse.csr_array((signs, (edge, first)), shape)
    differences -= sparse.csr_array((signs, (edge, last)), shape)
    given, free = differences[:, :n_tasks] @ W, differences[:, n_tasks:]
    jump = sparse.eye_array(n_edges)
    limits = sparse.vstack(
        [sparse.hstack([free, -jump]), sparse.hstack([-free, -jump])]
    )
    cost = np.r_[np.zeros(n_nodes - n_tasks), np.ones(n_edges)]
    bounds = [(None, None)] * (n_nodes - n_tasks) + [(0, None)] * n_edges
    columns = [
        linprog(cost, limits, np.r_[-column, column], bounds=bounds).x
        for column in given.T
    ]
    return np.stack(columns, axis=1)[: n_nodes - n_tasks]
