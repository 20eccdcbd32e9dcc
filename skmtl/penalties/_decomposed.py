"""Coefficients that are the sum of two parts, each with its own penalty."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Norm

from ._groups import L1, L21
from ._shrink import threshold_of


@dataclass(repr=False, eq=False)
class Decomposed(BaseEstimator, Norm):
    """Penalty of each part of ``W = P + Q``: ``alpha * (first(P) + second(Q))``.

    The variable holds both parts, shape (2, n_tasks, n_features).

    Parameters
    ----------
    first : Norm, default=L21()
        Penalty of the first part, P.
    second : Norm, default=L1()
        Penalty of the second part, Q.
    alpha : float, default=1.0
        Factor of both penalties.

    References
    ----------
    Jalali, A., Ravikumar, P., Sanghavi, S. (2013). A dirty model for multiple sparse
    regression. IEEE Transactions on Information Theory, 59(12), 7947-7968.
    :doi:`10.1109/TIT.2013.2280272`

    Examples
    --------
    >>> from skmtl.penalties import L1, L21, Decomposed
    >>> dirty = Decomposed(L21(alpha=2.0), L1(alpha=1.0))
    >>> dirty.prox([[[3.0]], [[3.0]]], step=1.0).tolist()
    [[[1.0]], [[2.0]]]
    """

    first: Norm = field(default_factory=L21)
    second: Norm = field(default_factory=L1)
    alpha: float = 1.0

    n_parts = 2

    def value(self, W: Array) -> float:
        return float(self.alpha * (self.first.value(W[0]) + self.second.value(W[1])))

    def prox(self, W: Array, step: float) -> Array:
        step = threshold_of(step, self.alpha)
        return np.stack([self.first.prox(W[0], step), self.second.prox(W[1], step)])

    def dual_norm(self, G: Array) -> float:
        return max(_relative_size(self.first, G[0]), _relative_size(self.second, G[1]))


def _relative_size(norm, G):
    """Return the dual norm of a gradient relative to the strength of the norm."""
    size = norm.dual_norm(G)
    if norm.alpha == 0:
        return np.inf if size > 0 else 0.0
    return size / norm.alpha
