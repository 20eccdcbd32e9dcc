"""Tasks coupled to their neighbours in a graph."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from skmtl._contracts import Array

from ._mean import ToMean
from ._sum import Summand


@dataclass(repr=False, eq=False)
class Graph(BaseEstimator, Summand):
    """Laplacian penalty that keeps tasks near their neighbours in a graph.

    ``alpha sum_(s,t) A_st ||w_s - w_t||^2 + alpha_ridge sum_t ||w_t||^2`` over the
    edges ``(s, t)``, each counted once. With a finite `alpha_shared` the ridge is
    ``alpha_ridge sum_t ||w_t - c||^2 + alpha_shared ||c||^2`` with a centre ``c``; it
    has no effect without a ridge.

    Parameters
    ----------
    adjacency : {ndarray, sparse matrix} of shape (n_nodes, n_nodes)
        Weights ``A`` of the edges, symmetric, 0 or more, zero on the diagonal.
    alpha : float, default=1.0
        Strength of the penalty on differences between neighbours.
    alpha_ridge : float, default=0.0
        Strength of the ridge.
    alpha_shared : float, default=inf
        Strength of the ridge on the centre; infinite for no centre.
    alpha_intercept : float, default=0.0
        Strength of the penalty ``sum_t (b_t - b_s)^2`` on differences between
        intercepts: 0 for none, infinite for one intercept.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.couplings import Graph
    >>> Graph(np.array([[0.0, 1.0], [1.0, 0.0]]), alpha=2.0).precision(2).toarray()
    array([[ 2., -2.],
           [-2.,  2.]])
    """

    adjacency: Any
    alpha: float = 1.0
    alpha_ridge: float = 0.0
    alpha_shared: float = np.inf
    alpha_intercept: float = 0.0

    @property
    def has_centre(self) -> bool:
        """Whether the ridge is to a centre."""
        return self.alpha_shared < np.inf and self.alpha_ridge > 0

    @property
    def is_centred(self) -> bool:
        """Whether there is a centre, or intercepts are penalised."""
        return self.has_centre or self.penalizes_intercepts()

    def penalizes_intercepts(self) -> bool:
        """Return whether intercepts are penalised, which `precision` does not show."""
        return self.alpha_intercept > 0

    def centre(self, tasks: Array) -> Array:
        """Return the best centre of tasks.

        Parameters
        ----------
        tasks : ndarray of shape (n_tasks, ...)
            Coefficients of the tasks that have the ridge.

        Returns
        -------
        ndarray of shape (...)
            The centre, zero if there is none.
        """
        if not self.has_centre:
            return np.zeros(tasks.shape[1:])
        total = len(tasks) * self.alpha_ridge + self.alpha_shared
        return self.alpha_ridge / total * tasks.sum(axis=0)

    def edges(self) -> tuple[Array, Array]:
        """Return the edges and their strengths.

        Returns
        -------
        edges : ndarray of shape (n_edges, 2)
            Ends of the edges, the smaller first.
        strengths : ndarray of shape (n_edges,)
            Positive strengths, ``alpha A_st``.
        """
        upper = sparse.triu(sparse.coo_array(self.adjacency), k=1).tocoo()
        strength = self.alpha * upper.data
        positive = strength > 0
        edges = np.stack([upper.coords[0], upper.coords[1]], axis=1)[positive]
        return edges.astype(np.intp), strength[positive]

    def parts(self) -> Array:
        """Return the connected components of the graph.

        Returns
        -------
        ndarray of shape (n_nodes,)
            Number of each node's component.
        """
        graph = sparse.csr_array(self.adjacency)
        return sparse.csgraph.connected_components(graph, directed=False)[1]

    def as_mean(self) -> ToMean | None:
        """Return the equal coupling to a mean; None if there is none.

        A complete graph with one weight keeps every node near the mean of all nodes.

        Returns
        -------
        ToMean or None
            The coupling, with the ridge of every node.
        """
        n_nodes, (_, strengths) = self.adjacency.shape[0], self.edges()
        is_complete = len(strengths) == n_nodes * (n_nodes - 1) // 2
        if not len(strengths) or not is_complete or (strengths != strengths[0]).any():
            return None
        alpha = strengths[0] * n_nodes + self.alpha_ridge
        return ToMean(alpha, alpha * self.alpha_ridge / strengths[0])

    def precision(self, n_tasks: int) -> Any:
        """Return the precision matrix over tasks of one feature.

        Parameters
        ----------
        n_tasks : int
            Number of nodes.

        Returns
        -------
        CSR matrix of shape (n_tasks, n_tasks), or ndarray with a centre
            ``alpha L + alpha_ridge I`` with the Laplacian ``L`` of the graph, minus
            ``alpha_ridge^2 / (n_tasks alpha_ridge + alpha_shared) 1 1'`` with a centre.
        """
        (ends, strength), shape = self.edges(), (n_tasks, n_tasks)
        upper = sparse.coo_array((strength, (ends[:, 0], ends[:, 1])), shape=shape)
        weights = (upper + upper.T).tocsr()
        degree = weights.sum(axis=1) + self.alpha_ridge
        precision = sparse.csr_array(sparse.diags_array(degree) - weights)
        if not self.has_centre:
            return precision
        total = n_tasks * self.alpha_ridge + self.alpha_shared
        return precision.toarray() - self.alpha_ridge**2 / total
