"""Neighbours for the fused penalty, including tasks without rows."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from skmtl._linalg import number_by_first
from skmtl.data import TaskGraph
from skmtl.penalties import Fused
from skmtl.solvers import extend


@dataclass(frozen=True)
class Neighbours:
    """Neighbours of tasks, and the coefficients of tasks without rows.

    Parameters
    ----------
    graph : TaskGraph
        The chain or graph.
    known : ndarray of shape (n_nodes,), dtype bool
        Whether a task has rows with weight.
    """

    graph: TaskGraph
    known: np.ndarray

    def penalty(self, alpha, alpha_l1, alpha_joint):
        """Return the penalty of the coefficients of the tasks."""
        strengths = alpha, alpha_l1, alpha_joint
        if self.graph.order is None:
            return Fused(*strengths, edges=self._reduced[0])
        along = self.graph.along()
        return Fused(*strengths, order=along[self.known[along]])

    @cached_property
    def _reduced(self):
        """Edges between tasks with rows, and the remaining nodes without rows.

        A node without rows is contracted if it has one or two neighbours. Remaining
        ones are numbered after all tasks.
        """
        near = self._connected()
        for node in np.flatnonzero(~self.known).tolist():
            _contract(near, node, self.known)
        edges = [(a, b) for a in near for b in near[a] if a < b]
        hidden = sorted({v for edge in edges for v in edge if not self.known[v]})
        number = {node: len(self.graph.tasks) + k for k, node in enumerate(hidden)}
        pairs = [[number.get(v, v) for v in edge] for edge in edges]
        return np.array(pairs, dtype=np.intp).reshape(-1, 2), hidden

    def _connected(self):
        """Return the neighbours of each node that is connected to rows."""
        adjacency = self.graph.adjacency
        part = sparse.csgraph.connected_components(adjacency, directed=False)[1]
        reached = np.isin(part, part[self.known])
        near = {v: set() for v in np.flatnonzero(reached).tolist()}
        for a, b in np.stack(adjacency.nonzero(), axis=1).tolist():
            if reached[a]:
                near[a].add(b)
        return near

    def extend(self, models, penalty):
        """Extend the models of the tasks with rows to all nodes."""
        n_tasks = len(self.graph.tasks)
        values = np.zeros((len(self.known), models.coef.shape[1] + 1))
        values[:n_tasks] = np.column_stack([models.coef, models.intercept])
        known = self.known.copy()
        if self.graph.order is None and self._reduced[1]:
            hidden = self._reduced[1]
            values[hidden] = penalty.complete(values[:n_tasks])[n_tasks:]
            known[hidden] = True
        values, reached = extend(self.graph.adjacency, known, values)
        shared = np.append(models.coef_shared, models.intercept_shared)
        values = np.where(reached[:, None], values, shared)
        return replace(models, coef=values[:, :-1], intercept=values[:, -1])

    def segment(self, coef, penalty):
        """Return the number of the segment of each coefficient, by column."""
        n_tasks = len(self.graph.tasks)
        ends = [
            _equal_pairs(penalty.complete(coef[:n_tasks]), *penalty.neighbours(n_tasks))
        ]
        # Tasks without rows already have their neighbours' values.
        edges = self.graph.adjacency[:n_tasks, :n_tasks].nonzero()
        ends = np.concatenate([*ends, _equal_pairs(coef[:n_tasks], *edges)], axis=1)
        n_cells = max(coef[:n_tasks].size, int(ends.max(initial=0)) + 1)
        graph = sparse.coo_array((np.ones(ends.shape[1]), ends), (n_cells, n_cells))
        found = sparse.csgraph.connected_components(graph, directed=False)[1]
        found = found[: coef[:n_tasks].size].reshape(n_tasks, -1)
        along = np.arange(n_tasks)
        if self.graph.order is not None:
            along = self.graph.along()
            along = along[along < n_tasks]
        segments = np.empty(found.shape, dtype=np.intp)
        segments[along] = np.stack(
            [number_by_first(each) for each in found[along].T], axis=1
        )
        return segments


def _contract(near, start, known):
    """Contract nodes without rows and with at most two neighbours, recursively."""
    waiting = [start]
    while waiting:
        node = waiting.pop()
        others = sorted(near.get(node, ()))
        is_double = len(others) == 2 and others[1] in near[others[0]]
        if known[node] or node not in near or len(others) > 2 or is_double:
            continue
        del near[node]
        for other in others:
            near[other].discard(node)
            near[other].update(set(others) - {other})
        waiting += others


def _equal_pairs(W, first, last):
    """Return the pairs of equal neighbouring cells, (2, n_pairs)."""
    edge, column = np.nonzero(W[first] == W[last])
    return np.stack([end[edge] * W.shape[1] + column for end in (first, last)])
