"""Linear systems of nodes that are coupled by the edges of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.couplings import Graph
from skmtl.solvers import eliminate, plan_elimination, solve_coupled_blocks


@dataclass(frozen=True)
class GraphSystem:
    """Normal equations of nodes on a graph: ``M_s w_s + sum_u L_su w_u = q_s``.

    ``L`` is the Laplacian, times the strength. Graphs that can be eliminated node by
    node, such as trees, are solved exactly, others by conjugate gradients.

    Parameters
    ----------
    coupling : Graph
        The graph and its strength; the ridge is part of ``M_s``.
    """

    coupling: Graph

    @cached_property
    def edges(self) -> tuple[Array, Array]:
        """Edges (n_edges, 2) and their strengths (n_edges,)."""
        return self.coupling.edges()

    @cached_property
    def laplacian(self) -> Any:
        """Laplacian of the graph times the strength, (n_nodes, n_nodes), sparse."""
        neighbours = Graph(self.coupling.adjacency, self.coupling.alpha)
        return neighbours.precision(self.coupling.adjacency.shape[0])

    @cached_property
    def _rounds(self):
        return plan_elimination(self.edges[0], self.coupling.adjacency.shape[0])

    def solve(self, mass: Array, right: Array) -> tuple[Array, float]:
        """Solve for all nodes.

        Parameters
        ----------
        mass : ndarray of shape (n_nodes, size, size)
            The matrices ``M_s``.
        right : ndarray of shape (n_nodes, size)
            The right sides ``q_s``.

        Returns
        -------
        solution : ndarray of shape (n_nodes, size)
            The solution.
        residual : float
            Its relative residual; 0 if nodes are eliminated.
        """
        edges, strengths = self.edges
        if not len(edges):
            return np.linalg.solve(mass, right[:, :, None])[:, :, 0], 0.0
        if self._rounds is None:
            return solve_coupled_blocks(mass, self.laplacian, right)
        return eliminate(self._rounds, mass, strengths, right), 0.0
