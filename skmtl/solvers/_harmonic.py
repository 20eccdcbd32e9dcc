"""Values of nodes that nothing but their neighbours says anything about."""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu


def extend(adjacency, known, values):
    """Give each further node the weighted mean of its neighbours, all at once.

    It minimises ``sum_(s,t) A_st ||v_s - v_t||^2`` over the nodes that are not known.

    Parameters
    ----------
    adjacency : CSR matrix of shape (n_nodes, n_nodes)
        Weights of the edges, symmetric, zero on the diagonal.
    known : ndarray of shape (n_nodes,), dtype bool
        Whether the value of a node is given.
    values : ndarray of shape (n_nodes, n_values)
        Values; those of nodes that are not known are not read.

    Returns
    -------
    values : ndarray of shape (n_nodes, n_values)
        All values; zero where `reached` is False.
    reached : ndarray of shape (n_nodes,), dtype bool
        Whether a path leads from the node to one that is known.

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
