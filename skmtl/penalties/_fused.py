"""Coefficients that are equal in most neighbouring tasks."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator

from skmtl._contracts import Penalty

from ._chain import fuse_chain
from ._equal_tasks import minimise_with_equal_tasks
from ._graph_tv import fuse_network
from ._hidden import fill
from ._shrink import lengths, shrink, soften, threshold_of


@dataclass(repr=False, eq=False)
class Fused(BaseEstimator, Penalty):
    """Let coefficients change rarely along a chain or network of tasks.

    ``alpha sum_(s,t) sum_j |W[s, j] - W[t, j]| + alpha_l1 sum_tj |W[t, j]| +
    alpha_joint sum_j ||W[:, j]||_2`` over neighbours s and t.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the pull between neighbours.
    alpha_l1 : float, default=0.0
        Strength that selects coefficients one by one.
    alpha_joint : float, default=0.0
        Strength that selects features for all tasks at once.
    order : array-like of shape (n_ordered,), default=None
        Positions of the tasks along the chain; None for their given order. A task that
        is left out is not penalised.
    edges : array-like of shape (n_edges, 2), default=None
        Pairs of neighbours, instead of a chain. Positions from n_tasks on are nodes
        without rows, which get the coefficients with the fewest jumps.

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
    order: object = None
    edges: object = None

    def value(self, W):
        W = np.asarray(W, float)
        first, last = self.neighbours(len(W))
        whole = self.complete(W)
        jumps = np.abs(whole[first] - whole[last]).sum()
        selected = self.alpha_l1 * np.abs(W).sum()
        joint = self.alpha_joint * lengths(W, axis=0).sum()
        return float(self.alpha * jumps + selected + joint)

    def prox(self, W, step):
        fused = self._fuse(np.asarray(W, float), threshold_of(step, self.alpha))
        # Neither shrinking changes which are equal, so the steps may follow each other.
        few = soften(fused, threshold_of(step, self.alpha_l1))
        joint = threshold_of(step, self.alpha_joint)
        return few * shrink(lengths(few, axis=0), joint)

    def alpha_max(self, smooth):
        """Return the least `alpha` at which no neighbours differ, or all is zero.

        The others grow in proportion. It is exact along a chain.
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
        """Return the number of the connected part that each task is of."""
        ends, n_nodes = tuple(self.neighbours(n_tasks)), self._n_nodes(n_tasks)
        drawn = sparse.coo_array((np.ones(len(ends[0])), ends), (n_nodes, n_nodes))
        part = sparse.csgraph.connected_components(drawn, directed=False)[1]
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

    def complete(self, W):
        """Extend the coefficients of the tasks to all nodes.

        Parameters
        ----------
        W : ndarray of shape (n_tasks, n_features)
            Coefficients of the tasks.

        Returns
        -------
        ndarray of shape (n_nodes, n_features)
            Coefficients of the tasks, and of further nodes with the fewest jumps.
        """
        return fill(W, *self.neighbours(len(W)), self._n_nodes(len(W)))

    def positions(self, n_tasks):
        """Return the tasks along the chain."""
        return np.arange(n_tasks) if self.order is None else np.asarray(self.order)

    def neighbours(self, n_tasks):
        """Return the positions of the first and the last of each pair, once."""
        if self.edges is None:
            order = self.positions(n_tasks)
            return order[:-1], order[1:]
        pairs = np.sort(np.asarray(self.edges, dtype=int).reshape(-1, 2), axis=1)
        return np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0).T
