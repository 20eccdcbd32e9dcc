"""Clusters of tasks, as a penalty of singular values."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Penalty

from ._spectral import singular_values

# Singular values below this multiple of the largest count as zero.
_NULL = 1e-12


@dataclass(repr=False, eq=False)
class ClusterNorm(BaseEstimator, Penalty):
    """Penalty for tasks that form few unknown groups.

    The minimum of ``1/2 trace(W' (M / alpha_between + (I - M) / alpha_within)^-1 W)``
    over affinities M between tasks with eigenvalues in [0, 1] and trace `n_clusters`.
    If M is the projection on groups of tasks, the penalty is ``alpha_between / 2`` on
    the centres of the groups and ``alpha_within / 2`` on differences from them. It
    depends only on the singular values of W. With one group and an infinite
    `alpha_within` it is `SquaredTrace`.

    Parameters
    ----------
    alpha_between : float, default=1.0
        Strength along the directions between groups, positive.
    alpha_within : float, default=10.0
        Strength along all other directions, `alpha_between` or more; may be infinite.
    n_clusters : int, default=2
        Number of groups.
    alpha_mean : float, default=None
        If given, the mean of the tasks has its own penalty,
        ``alpha_mean / 2 * n_tasks * ||mean||^2``, and the groups are those of the
        differences from the mean.

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
    def alpha(self) -> float:  # type: ignore[override]
        """Strength to which the others are proportional, `alpha_between`."""
        return self.alpha_between

    def value(self, W: Array) -> float:
        mean, rest = self._split(W)
        sizes = singular_values(rest)
        slack = self._slack(sizes, 0.0)
        quotients = sizes / np.where(slack > 0, slack, 1.0)
        mean_term = (self.alpha_mean or 0.0) * len(rest) * (mean * mean).sum()
        return float((quotients * sizes).sum() + mean_term) / 2

    def prox(self, W: Array, step: float) -> Array:
        mean, rest = self._split(W)
        left, sizes, right = np.linalg.svd(rest, full_matrices=False)
        slack = self._slack(sizes, float(step))
        kept = slack / np.where(slack + step > 0, slack + step, 1.0)
        return (
            mean / (1 + step * (self.alpha_mean or 0.0)) + (left * sizes * kept) @ right
        )

    def affinity(self, W: Array) -> Array:
        """Return the minimising affinity between tasks.

        Parameters
        ----------
        W : ndarray of shape (n_tasks, n_features)
            Coefficients.

        Returns
        -------
        ndarray of shape (n_tasks, n_tasks)
            Positive semidefinite, with eigenvalues from 0 to 1. If the coefficients
            form groups, it is near the projection on them.
        """
        _, rest = self._split(W)
        left, sizes, _ = np.linalg.svd(rest, full_matrices=False)
        values = np.where(sizes > _NULL * sizes[0], self._eigenvalues(sizes), 0.0)
        affinity = (left * values) @ left.T
        return affinity if self.alpha_mean is None else affinity + 1 / len(rest)

    def _split(self, W):
        """Return the mean, zero if it has no penalty of its own, and the rest."""
        W = np.asarray(W, float)
        mean = W.mean(axis=0) if self.alpha_mean is not None else np.zeros(W.shape[1])
        return mean, W - mean

    def _eigenvalues(self, sizes):
        """Return the eigenvalues of the minimising affinity."""
        low, high = self._limits
        if low == high:  # every affinity is minimal; return the limit
            return np.arange(len(sizes)) < self._n_directions
        return (self._slack(sizes, 0.0) - low) / (high - low)

    @property
    def _n_directions(self):
        """Number of directions between groups, without that of the mean."""
        return self.n_clusters - (self.alpha_mean is not None)

    @property
    def _limits(self):
        """Bounds of a slack, one over the strengths within and between groups."""
        return 1 / float(self.alpha_within), 1 / float(self.alpha_between)

    def _slack(self, sizes, step):
        """Return the slacks s that minimise ``sum sizes^2 / (s + step)``.

        Bounds and the sum of s are given. The minimisers are
        ``clip(theta * sizes - step)``, where theta gives the required sum.
        """
        (low, high), n, n_directions = self._limits, len(sizes), self._n_directions
        largest = sizes.max(initial=0.0)
        if n_directions >= n or largest == 0:
            return np.full(n, high)
        relative = sizes / largest
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            kinks = np.concatenate([(low + step) / relative, (high + step) / relative])
        kinks = np.sort(kinks[np.isfinite(kinks)])
        slack = np.clip(kinks[:, None] * relative - step, low, high)
        total = n * low + n_directions * (high - low)
        if not len(kinks) or slack[-1].sum() <= total:
            return np.where(relative > 0, high, low)
        theta = np.interp(total, slack.sum(axis=1), kinks)
        return np.clip(theta * relative - step, low, high)
