"""Non-convex penalties of features, which shrink large coefficients less."""

from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Penalty, Smooth

from ._groups import L21
from ._shrink import lengths, threshold_of


class _ConcavePenalty(Penalty):
    """Concave penalty of the lengths of columns, with slope `alpha` at zero."""

    @abstractmethod
    def _shrink_lengths(self, sizes, step):
        """Return the lengths after a proximal step."""

    def prox(self, W: Array, step: float) -> Array:
        W = np.asarray(W, float)
        sizes = lengths(W, axis=0)
        return W * (self._shrink_lengths(sizes, step) / np.where(sizes > 0, sizes, 1.0))

    def dual_norm(self, G: Array) -> float:
        """Return the dual norm of L21, the first-order model of the penalty at zero."""
        return L21().dual_norm(G)

    def alpha_max(self, smooth: Smooth) -> float:
        """Return the smallest `alpha` at which zero is stationary."""
        return self.dual_norm(smooth.zero().gradient)


@dataclass(repr=False, eq=False)
class RowMCP(BaseEstimator, _ConcavePenalty):
    """Minimax concave penalty of features, which does not shrink large ones.

    ``sum_j p(||W[:, j]||_2)`` with ``p(s) = alpha s - s^2 / (2 gamma)`` up to
    ``s = gamma alpha``, and constant beyond.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength.
    gamma : float, default=3.0
        Size from which nothing is shrunk, as a multiple of `alpha`. A large number is
        near L21.

    References
    ----------
    Zhang, C.-H. (2010). Nearly unbiased variable selection under minimax concave
    penalty. The Annals of Statistics, 38(2), 894-942. :doi:`10.1214/09-AOS729`

    Examples
    --------
    >>> from skmtl.penalties import RowMCP
    >>> RowMCP(alpha=1.0, gamma=3.0).prox([[9.0, 2.0, 0.5]], step=1.0)
    array([[9. , 1.5, 0. ]])
    """

    alpha: float = 1.0
    gamma: float = 3.0

    def value(self, W: Array) -> float:
        sizes = np.minimum(lengths(W, axis=0), self.gamma * self.alpha)
        return float((sizes * (self.alpha - sizes / (2 * self.gamma))).sum())

    def _shrink_lengths(self, sizes, step):
        end = self.gamma * self.alpha
        if step >= self.gamma:  # concave up to the end: keep either nothing or all
            return np.where(sizes > np.sqrt(step * self.gamma) * self.alpha, sizes, 0.0)
        soft = np.maximum(sizes - threshold_of(step, self.alpha), 0.0)
        return np.where(sizes < end, soft / (1 - step / self.gamma), sizes)


@dataclass(repr=False, eq=False)
class RowSCAD(BaseEstimator, _ConcavePenalty):
    """Smoothly clipped penalty of features, which does not shrink large ones.

    ``sum_j p(||W[:, j]||_2)``, where the slope of ``p(s)`` is `alpha` up to
    ``s = alpha``, decreases linearly to zero at ``s = gamma alpha``, and is zero
    beyond.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength.
    gamma : float, default=3.7
        Size from which nothing is shrunk, as a multiple of `alpha`; above 2.

    References
    ----------
    Fan, J., Li, R. (2001). Variable selection via nonconcave penalized likelihood and
    its oracle properties. Journal of the American Statistical Association, 96(456),
    1348-1360. :doi:`10.1198/016214501753382273`

    Examples
    --------
    >>> from skmtl.penalties import RowSCAD
    >>> RowSCAD(alpha=1.0).prox([[9.0, 1.5, 0.5]], step=1.0)
    array([[9. , 0.5, 0. ]])
    """

    alpha: float = 1.0
    gamma: float = 3.7

    def value(self, W: Array) -> float:
        alpha, sizes = self.alpha, lengths(W, axis=0)
        excess = np.clip(sizes, alpha, self.gamma * alpha) - alpha
        mean_slope = alpha - excess / (2 * (self.gamma - 1))
        return float((alpha * np.minimum(sizes, alpha) + excess * mean_slope).sum())

    def _shrink_lengths(self, sizes, step):
        alpha, width = self.alpha, self.gamma - 1
        soft = np.maximum(sizes - threshold_of(step, alpha), 0.0)
        if step >= width:  # concave between: the result is at most alpha, or not shrunk
            least = (self.gamma + 1 + step) / 2
            if step >= self.gamma + 1:
                least = np.sqrt(step * (self.gamma + 1))
            return np.where(sizes > least * alpha, sizes, soft)
        middle = (width * sizes - step * self.gamma * alpha) / (width - step)
        large = np.where(sizes < self.gamma * alpha, middle, sizes)
        return np.where(sizes <= (1 + step) * alpha, soft, large)
