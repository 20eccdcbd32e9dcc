"""Clusters of tasks, as a penalty of singular values."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Penalty

from ._spectral import singular_values


@dataclass(repr=False, eq=False)
class ClusterNorm(BaseEstimator, Penalty):
    """Believe that tasks fall into few groups, without saying which.

    The least of ``1/2 trace(W' (M / alpha_between + (I - M) / alpha_within)^-1 W)``
    over affinities M between tasks with eigenvalues in [0, 1] and trace `n_clusters`.
    Were M the projection on groups of tasks, the centres of the groups would be
    penalised by ``alpha_between / 2`` and differences from them by
    ``alpha_within / 2``. It depends on the singular values of W alone. With one group
    and an infinite `alpha_within` it is `SquaredTrace`.

    Parameters
    ----------
    alpha_between : float, default=1.0
        Strength along the directions in which groups differ, positive.
    alpha_within : float, default=10.0
        Strength along all others, `alpha_between` or more; may be infinite.
    n_clusters : int, default=2
        Number of groups.
    alpha_mean : float, default=None
        If given, the mean of the tasks is penalised apart, by
        ``alpha_mean / 2 * n_tasks * ||mean||^2``, and groups are those of the
        differences from it.

    References
    ----------
    Jacob, L., Bach, F., Vert, J.-P. (2008). Clustered multi-task learning: a convex
    formulation. Advances in Neural Information Processing Systems, 21.

    McDonald, A. M., Pontil, M., Stamos, D. (2016). New perspectives on k-support and
    cluster norms. Journal of Machine Learning Research, 17(155), 1-38.

    Zhou, J., Chen, J., Ye, J. (2011). Clustered multi-task learning via alternating
    structure optimization. Advances in Neural Information Processing Systems, 24.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import ClusterNorm
    >>> W = np.array([[1.0, 1.0], [1.0, 1.0], [2.0, -2.0]])
    >>> ClusterNorm(n_clusters=2).affinity(W).round(6)
    array([[0.5, 0.5, 0. ],
           [0.5, 0.5, 0. ],
           [0. , 0. , 1. ]])
    """

    alpha_between: float = 1.0
    alpha_within: float = 10.0
    n_clusters: int = 2
    alpha_mean: float | None = None

    @property
    def alpha(self):
        """Strength that the others are in proportion to, `alpha_between`."""
        return self.alpha_between

    def value(self, W):
        mean, rest = self._split(W)
        sizes = singular_values(rest)
        slack = self._slack(sizes, 0.0)
        spread = sizes / np.where(slack > 0, slack, 1.0)
        level = (self.alpha_mean or 0.0) * len(rest) * (mean * mean).sum()
        return float((spread * sizes).sum() + level) / 2

    def prox(self, W, step):
        mean, rest = self._split(W)
        left, sizes, right = np.linalg.svd(rest, full_matrices=False)
        slack = self._slack(sizes, float(step))
        kept = slack / np.where(slack + step > 0, slack + step, 1.0)
        return (
            mean / (1 + step * (self.alpha_mean or 0.0)) + (left * sizes * kept) @ right
        )

    def affinity(self, W):
        """Return the best affinity between tasks.

        Parameters
        ----------
        W : ndarray of shape (n_tasks, n_features)
            Coefficients.

        Returns
        -------
        ndarray of shape (n_tasks, n_tasks)
            Positive semidefinite, with eigenvalues from 0 to 1; near a projection on
            groups of tasks where coefficients fall into groups.
        """
        _, rest = self._split(W)
        left, sizes, _ = np.linalg.svd(rest, full_matrices=False)
        share = np.where(sizes > _NULL * sizes[0], self._shares(sizes), 0.0)
        own = (left * share) @ left.T
        return own if self.alpha_mean is None else own + 1 / len(rest)

    def _split(self, W):
        """Return the mean that is penalised apart, and the rest."""
        W = np.asarray(W, float)
        mean = W.mean(axis=0) if self.alpha_mean is not None else np.zeros(W.shape[1])
        return mean, W - mean

    def _shares(self, sizes):
        low, high = self._limits
        if low == high:  # all affinities are best; this one still is as they part
            return np.arange(len(sizes)) < self._n_free
        return (self._slack(sizes, 0.0) - low) / (high - low)

    @property
    def _n_free(self):
        """Number of directions of groups, apart from the mean's."""
        return self.n_clusters - (self.alpha_mean is not None)

    @property
    def _limits(self):
        """Slacks, one over strength, within the groups and between them."""
        return 1 / float(self.alpha_within), 1 / float(self.alpha_between)

    def _slack(self, sizes, step):
        """Return the s in the box that minimise ``sum sizes^2 / (s + step)``.

        They are ``clip(theta * sizes - step)`` with theta such that they spend the
        budget.
        """
        (low, high), n, n_free = self._limits, len(sizes), self._n_free
        largest = sizes.max(initial=0.0)
        if n_free >= n or largest == 0:
            return np.full(n, high)
        relative = sizes / largest
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            bends = np.concatenate([(low + step) / relative, (high + step) / relative])
        bends = np.sort(bends[np.isfinite(bends)])
        slack = np.clip(bends[:, None] * relative - step, low, high)
        if not len(bends) or slack[-1].sum() <= n * low + n_free * (high - low):
            return np.where(relative > 0, high, low)
        theta = np.interp(n * low + n_free * (high - low), slack.sum(axis=1), bends)
        return np.clip(theta * relative - step, low, high)


# A direction of coefficients smaller than this, relative to the largest, is none.
_NULL = 1e-12
