"""Penalties of singular values, for coefficients of low rank."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Norm, Penalty

from ._shrink import highest_mean, threshold_of

# Squares of numbers between one over this and this neither underflow nor overflow.
_SQUARABLE = 1e100
# Singular values below this multiple of the largest lose too many digits in squares.
_INACCURATE = 1e-4


@dataclass(repr=False, eq=False)
class Trace(BaseEstimator, Norm):
    """Trace norm, for low rank: ``alpha * ||W||_*``, the sum of singular values.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength.

    References
    ----------
    Cai, J.-F., Candes, E. J., Shen, Z. (2010). A singular value thresholding algorithm
    for matrix completion. SIAM Journal on Optimization, 20(4), 1956-1982.
    :doi:`10.1137/080738970`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import Trace
    >>> Trace(alpha=1.0).prox(np.diag([3.0, 0.5]), step=1.0).round(12)
    array([[2., 0.],
           [0., 0.]])
    """

    alpha: float = 1.0

    def value(self, W: Array) -> float:
        return float(self.alpha * singular_values(W).sum())

    def prox(self, W: Array, step: float) -> Array:
        W = np.asarray(W, float)
        scale = np.abs(W).max(initial=0.0)
        if scale == 0 or scale > _SQUARABLE or scale < 1 / _SQUARABLE:
            return _threshold_by_svd(W, threshold_of(step, self.alpha))
        return _threshold_by_eigh(W, threshold_of(step, self.alpha))

    def dual_norm(self, G: Array) -> float:
        return float(singular_values(G).max(initial=0.0))


@dataclass(repr=False, eq=False)
class SquaredTrace(BaseEstimator, Penalty):
    """Squared trace norm, which learns task covariances: ``alpha / 2 * ||W||_*^2``.

    It is ``alpha / 2`` times the minimum of ``trace(W' C^-1 W)`` over task covariances
    C of trace 1, and equally times the minimum of ``trace(W D^-1 W')`` over feature
    covariances D of trace 1.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength.

    References
    ----------
    Argyriou, A., Evgeniou, T., Pontil, M. (2008). Convex multi-task feature learning.
    Machine Learning, 73(3), 243-272. :doi:`10.1007/s10994-007-5040-8`

    Zhang, Y., Yeung, D.-Y. (2014). A regularization approach to learning task
    relationships in multitask learning. ACM Transactions on Knowledge Discovery from
    Data, 8(3), 1-31. :doi:`10.1145/2538028`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.penalties import SquaredTrace
    >>> SquaredTrace(alpha=1.0).prox(np.diag([4.0, 1.0]), step=1.0).round(12)
    array([[2., 0.],
           [0., 0.]])
    """

    alpha: float = 1.0

    def value(self, W: Array) -> float:
        total = float(singular_values(W).sum())
        return float(self.alpha / 2 * total * total)

    def prox(self, W: Array, step: float) -> Array:
        strength = threshold_of(step, self.alpha)
        if strength == 0:
            return np.array(W, float)
        left, sizes, right = np.linalg.svd(W, full_matrices=False)
        # The threshold is the strength times the sum of the sizes after thresholding.
        threshold = highest_mean(sizes, 0.0, spare=1 / strength)
        return (left * np.maximum(sizes - threshold, 0)) @ right


def _threshold_by_svd(W, threshold):
    """Soft-threshold the singular values."""
    left, sizes, right = np.linalg.svd(W, full_matrices=False)
    return (left * np.maximum(sizes - threshold, 0.0)) @ right


def _threshold_by_eigh(W, threshold):
    """Soft-threshold by eigenvectors of the smaller product, at a third of the cost.

    Squares lose the digits of small singular values, so the threshold must remove them.
    """
    if W.shape[0] > W.shape[1]:
        return _threshold_by_eigh(W.T, threshold).T
    squares, left = np.linalg.eigh(W @ W.T)
    if not threshold > _INACCURATE * np.sqrt(max(squares[-1], 0.0)):
        return _threshold_by_svd(W, threshold)
    kept = squares > threshold * threshold
    left, sizes = left[:, kept], np.sqrt(squares[kept])
    return (left * (1 - threshold / sizes)) @ (left.T @ W)


def singular_values(W):
    """Return the singular values, largest first."""
    return np.linalg.svd(W, compute_uv=False)
