"""Total variation: coefficients that are equal in most neighbouring tasks."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Penalty, Smooth

from ._chain import fuse_chain
from ._equal_tasks import minimise_with_equal_tasks
from ._graph_tv import fuse_network
from ._hidden import fill
from ._shrink import lengths, shrink_factors, soft_threshold, threshold_of


@dataclass(repr=False, eq=False)
class Fused(BaseEstimator, Penalty):
    """Total variation of coefficients along a chain or network of tasks.

    ``alpha sum_(s,t) sum_j |W[s, j] - W[t, j]| + alpha_l1 sum_tj |W[t, j]| +
    alpha_joint sum_j ||W[:, j]||_2`` over neighbours s and t.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty on differences between neighbours.
    alpha_l1 : float, default=0.0
        Strength of the lasso on single coefficients.
    alpha_joint : float, default=0.0
        Strength of the group lasso on features, for all tasks.
    order : array-like of shape (n_ordered,), default=None
        Positions of the tasks along the chain; None for their given order. A task
        that is not listed is not penalised.
    edges : array-like of shape (n_edges, 2), default=None
        Pairs of neighbours, instead of a chain. Positions from n_tasks on are nodes
        without rows; their coefficients minimise the total variation.

    References
    ----------
    Tibshirani, R., Saunders, M., Rosset, S., Zhu, J., Knight, K. (2005). Sparsity and
    smoothness via the fused lasso. Journal of the Royal Statistical Society B, 67(1),
    91-108. :doi:`10.1111/j.1467-9868.2005.00490.x`

    Zhou, J., Liu, J., Narayan, V. A., Ye, J. (2012). Modeling disease progression via
    fused sparse group lasso. Proceedings of the 18th ACM SIGKDD conference, 1095-1103.
    :doi:`10.1145/2339530.2339702`

    Examples
    --------
    >>> from skmtl.penalties import Fused
    >>> Fused(alpha=1.0).prox([[1.0], [2.0], [9.0]], step=1.0).ravel()
    array([2., 2., 8.])
    """

    alpha: float = 1.0
    alpha_l1: float = 0.0
    alpha_joint: float = 0.0
    order: ArrayLike | None = None
    edges: ArrayLike | None = None

    def value(self, W: Array) -> float:
        W = np.asarray(W, float)
        first, last = self.neighbours(len(W))
        whole = self.complete(W)
        jumps = np.abs(whole[first] - whole[last]).sum()
        selected = self.alpha_l1 * np.abs(W).sum()
        joint = self.alpha_joint * lengths(W, axis=0).sum()
        return float(self.alpha * jumps + selected + joint)

    def prox(self, W: Array, step: float) -> Array:
        fused = self._fuse(np.asarray(W, float), threshold_of(step, self.alpha))
        # Shrinking keeps equal coefficients equal, so the steps can be composed.
        selected = soft_threshold(fused, threshold_of(step, self.alpha_l1))
        joint = threshold_of(step, self.alpha_joint)
        return selected * shrink_factors(lengths(selected, axis=0), joint)

    def alpha_max(self, smooth: Smooth) -> float:
        """Return the smallest `alpha` at which all neighbours are equal, or all zero.

        The other strengths grow in proportion. It is exact along a chain.
        """
        if self.alpha_l1 or self.alpha_joint:
            return super().alpha_max(smooth)
        parts = self._connected(smooth.shape[0])
        point = minimise_with_equal_tasks(smooth, parts)
        if self.edges is not None:
            return self._saturate(smooth, point)
        flow = np.cumsum(point.gradient[self.positions(len(parts))], axis=0)[:-1]
        return float(np.abs(flow).max(initial=0.0))

    def _connected(self, n_tasks):
        """Return the number of each task's connected component."""
        ends, n_nodes = tuple(self.neighbours(n_tasks)), self._n_nodes(n_tasks)
        graph = sparse.coo_array((np.ones(len(ends[0])), ends), (n_nodes, n_nodes))
        part = sparse.csgraph.connected_components(graph, directed=False)[1]
        return np.unique(part[:n_tasks], return_inverse=True)[1]

    def _fuse(self, W, threshold):
        if threshold == 0:
            return W
        if self.edges is not None:
            first, last = self.neighbours(len(W))
            n_hidden = self._n_nodes(len(W)) - len(W)
            if not len(first):
                return W
            return fuse_network(W, first, last, threshold, n_hidden)
        order = self.positions(len(W))
        fused = W.copy()
        fused[order] = fuse_chain(W[order], threshold)
        return fused

    def _n_nodes(self, n_tasks):
        first, last = self.neighbours(n_tasks)
        return max(n_tasks, int(np.r_[first, last].max(initial=-1)) + 1)

    def complete(self, W: Array) -> Array:
        """Extend the coefficients of the tasks to all nodes.

        Parameters
        ----------
        W : ndarray of shape (n_tasks, n_features)
            Coefficients of the tasks.

        Returns
        -------
        ndarray of shape (n_nodes, n_features)
            Coefficients of the tasks, and of further nodes, which minimise the total
            variation.
        """
        first, last = self.neighbours(len(W))
        return fill(W, first, last, self._n_nodes(len(W)))

    def positions(self, n_tasks: int) -> Array:
        """Return the tasks in the order of the chain."""
        return np.arange(n_tasks) if self.order is None else np.asarray(self.order)

    def neighbours(self, n_tasks: int) -> Any:
        """Return the first and the last task of each distinct pair of neighbours."""
        if self.edges is None:
            order = self.positions(n_tasks)
            return order[:-1], order[1:]
        pairs = np.sort(np.asarray(self.edges, dtype=int).reshape(-1, 2), axis=1)
        return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0).T
