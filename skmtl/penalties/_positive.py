"""Penalties with coefficients of zero or more."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Norm, Penalty, Point, Smooth

from ._groups import L21


@dataclass(repr=False, eq=False)
class Positive(BaseEstimator, Norm):
    """Penalty with the constraint that coefficients are zero or more.

    ``penalty(W)`` if no coefficient is negative, infinite otherwise. Its proximal step
    clips first, then shrinks.

    Parameters
    ----------
    penalty : Penalty, default=L21()
        Penalty of absolute values only: L1, L21, L12, L1Inf, RowMCP or RowSCAD. The
        last two are not norms, so there is no duality gap.

    Examples
    --------
    >>> from skmtl.penalties import L21, Positive
    >>> Positive(L21(alpha=2.5)).prox([[3.0, -9.0], [4.0, 1.0]], step=1.0)
    array([[1.5, 0. ],
           [2. , 0. ]])
    """

    penalty: Penalty = field(default_factory=L21)

    @property
    def alpha(self) -> float:  # type: ignore[override]
        """Strength of the penalty."""
        return self.penalty.alpha

    @property
    def certificate(self) -> str:  # type: ignore[override]
        """Kind of optimality that the penalty measures."""
        return self.penalty.certificate

    @property
    def n_parts(self) -> int:  # type: ignore[override]
        """Number of parts that sum to the coefficients."""
        return self.penalty.n_parts

    def value(self, W: Array) -> float:
        return self.penalty.value(W) if np.min(W, initial=0.0) >= 0 else np.inf

    def prox(self, W: Array, step: float) -> Array:
        return self.penalty.prox(np.maximum(W, 0.0), step)

    def dual_norm(self, G: Array) -> float:
        """Return the largest ``<-G, W>`` among the W with ``value(W) <= alpha``."""
        penalty: Any = self.penalty
        return penalty.dual_norm(np.maximum(-np.asarray(G), 0.0))

    def optimality(self, smooth: Smooth, point: Point) -> float:
        """Return the optimality by the penalty's rule, under the constraint."""
        return type(self.penalty).optimality(self, smooth, point)
