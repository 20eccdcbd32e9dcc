"""Norms that sum the sizes of groups of coefficients."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Norm

from ._shrink import highest_mean, lengths, shrink_factors, soft_threshold, threshold_of


@dataclass(repr=False, eq=False)
class L1(BaseEstimator, Norm):
    """Lasso penalty of single coefficients: ``alpha * sum_tj |W[t, j]|``.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength.

    References
    ----------
    Tibshirani, R. (1996). Regression shrinkage and selection via the lasso. Journal of
    the Royal Statistical Society B, 58(1), 267-288.
    :doi:`10.1111/j.2517-6161.1996.tb02080.x`

    Examples
    --------
    >>> from skmtl.penalties import L1
    >>> L1(alpha=2.0).prox([[3.0, -1.0]], step=1.0)
    array([[1., 0.]])
    """

    alpha: float = 1.0

    def value(self, W: Array) -> float:
        return float(self.alpha * np.abs(W).sum())

    def prox(self, W: Array, step: float) -> Array:
        return soft_threshold(np.asarray(W, float), threshold_of(step, self.alpha))

    def dual_norm(self, G: Array) -> float:
        return float(np.abs(G).max(initial=0.0))


@dataclass(repr=False, eq=False)
class L21(BaseEstimator, Norm):
    """Group lasso of features, for all tasks: ``alpha * sum_j ||W[:, j]||_2``.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength.

    References
    ----------
    Obozinski, G., Taskar, B., Jordan, M. I. (2010). Joint covariate selection and joint
    subspace selection for multiple classification problems. Statistics and Computing,
    20(2), 231-252. :doi:`10.1007/s11222-008-9111-x`

    Examples
    --------
    >>> from skmtl.penalties import L21
    >>> L21(alpha=2.5).prox([[3.0, 1.0], [4.0, 0.0]], step=1.0)
    array([[1.5, 0. ],
           [2. , 0. ]])
    """

    alpha: float = 1.0

    def value(self, W: Array) -> float:
        return float(self.alpha * lengths(np.asarray(W, float), axis=0).sum())

    def prox(self, W: Array, step: float) -> Array:
        W = np.asarray(W, float)
        return W * shrink_factors(lengths(W, axis=0), threshold_of(step, self.alpha))

    def dual_norm(self, G: Array) -> float:
        return float(lengths(np.asarray(G, float), axis=0).max(initial=0.0))


@dataclass(repr=False, eq=False)
class L12(BaseEstimator, Norm):
    """Group lasso of tasks, such as outliers: ``alpha * sum_t ||W[t]||_2``.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength.

    References
    ----------
    Gong, P., Ye, J., Zhang, C. (2012). Robust multi-task feature learning. Proceedings
    of the 18th ACM SIGKDD conference, 895-903. :doi:`10.1145/2339530.2339672`

    Examples
    --------
    >>> from skmtl.penalties import L12
    >>> L12(alpha=2.5).prox([[3.0, 4.0], [1.0, 0.0]], step=1.0)
    array([[1.5, 2. ],
           [0. , 0. ]])
    """

    alpha: float = 1.0

    def value(self, W: Array) -> float:
        return float(self.alpha * lengths(np.asarray(W, float), axis=1).sum())

    def prox(self, W: Array, step: float) -> Array:
        W = np.asarray(W, float)
        return W * shrink_factors(lengths(W, axis=1), threshold_of(step, self.alpha))

    def dual_norm(self, G: Array) -> float:
        return float(lengths(np.asarray(G, float), axis=1).max(initial=0.0))


@dataclass(repr=False, eq=False)
class L1Inf(BaseEstimator, Norm):
    """Largest coefficient of each feature: ``alpha * sum_j max_t |W[t, j]|``.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength.

    References
    ----------
    Quattoni, A., Carreras, X., Collins, M., Darrell, T. (2009). An efficient projection
    for l1,infinity regularization. Proceedings of the 26th international conference on
    machine learning, 857-864. :doi:`10.1145/1553374.1553484`

    Examples
    --------
    >>> from skmtl.penalties import L1Inf
    >>> L1Inf(alpha=2.0).prox([[4.0, 1.0], [5.0, 0.5]], step=1.0)
    array([[3.5, 0. ],
           [3.5, 0. ]])
    """

    alpha: float = 1.0

    def value(self, W: Array) -> float:
        return float(self.alpha * np.abs(W).max(axis=0, initial=0.0).sum())

    def prox(self, W: Array, step: float) -> Array:
        W = np.asarray(W, float)
        limit = highest_mean(np.abs(W).T, threshold_of(step, self.alpha)).T
        return np.clip(W, -limit, limit)

    def dual_norm(self, G: Array) -> float:
        return float(np.abs(G).sum(axis=0).max(initial=0.0))
