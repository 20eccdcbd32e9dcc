"""Penalties of coefficients that must not be negative."""

from dataclasses import dataclass, field

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Norm, Penalty

from ._groups import L21


@dataclass(repr=False, eq=False)
class Positive(BaseEstimator, Norm):
    """Keep coefficients at zero or above, and penalise them.

    ``penalty(W)`` where no coefficient is negative, infinite elsewhere. Its step clips
    first and shrinks then.

    Parameters
    ----------
    penalty : Penalty, default=L21()
        A penalty of the sizes of coefficients alone: L1, L21, L12, L1Inf, RowMCP or
        RowSCAD. The last two are no norms, and bound no optimum.

    Examples
    --------
    >>> from skmtl.penalties import L21, Positive
    >>> Positive(L21(alpha=2.5)).prox([[3.0, -9.0], [4.0, 1.0]], step=1.0)
    array([[1.5, 0. ],
           [2. , 0. ]])
    """

    penalty: Penalty = field(default_factory=L21)

    @property
    def alpha(self):
        """Strength of the penalty."""
        return self.penalty.alpha

    @property
    def certificate(self):
        """What the optimality of the penalty is."""
        return self.penalty.certificate

    @property
    def n_parts(self):
        """Number of parts that the coefficients are the sum of."""
        return self.penalty.n_parts

    def value(self, W):
        return self.penalty.value(W) if np.min(W, initial=0.0) >= 0 else np.inf

    def prox(self, W, step):
        return self.penalty.prox(np.maximum(W, 0.0), step)

    def dual_norm(self, G):
        """Return the largest ``<-G, W>`` among the W with ``value(W) <= alpha``."""
        return self.penalty.dual_norm(np.maximum(-np.asarray(G), 0.0))

    def optimality(self, smooth, point):
        """Return what the penalty would, of the steps that are allowed."""
        return type(self.penalty).optimality(self, smooth, point)
