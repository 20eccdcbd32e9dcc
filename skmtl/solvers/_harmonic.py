"""Harmonic extension: values of graph nodes from those of their neighbours."""

from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from skmtl._contracts import Array


def extend(adjacency: Any, known: Array, values: Array) -> tuple[Array, Array]:
    """Set every unknown node to the weighted mean of its neighbours.

    The result minimises ``sum_(s,t) A_st ||v_s - v_t||^2`` over the unknown nodes.

    Parameters
    ----------
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Weights of the edges, symmetric, zero on the diagonal.
    known : ndarray of shape (n_nodes,), dtype bool
        Whether the value of a node is given.
    values : ndarray of shape (n_nodes, n_values)
        Values; those of unknown nodes are ignored.

    Returns
    -------
    values : ndarray of shape (n_nodes, n_values)
        All values; zero where `reached` is False.
    reached : ndarray of shape (n_nodes,), dtype bool
        Whether a path connects the node to a known one.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy import sparse
    >>> from skmtl.solvers import extend
    >>> chain = sparse.csr_array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
    >>> extend(chain, np.array([True, False, True]), np.array([[1.0], [0], [5]]))[0]
    array([[1.],
           [3.],
           [5.]])
    """
    part = sparse.csgraph.connected_components(adjacency, directed=False)[1]
    reached = np.isin(part, part[known])
    inner = np.flatnonzero(reached & ~known)
    found = np.where(known[:, None], values, 0.0)
    if len(inner):
        rows = sparse.csr_array(adjacency)[inner]
        degree = rows.sum(axis=1)
        laplacian = sparse.diags_array(degree) - rows[:, inner]
        found[inner] = splu(sparse.csc_array(laplacian)).solve(rows @ found)
    return found, reached
