"""Strengths of a coupling to a shared centre, as arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._rotation import Rotation


@dataclass(frozen=True)
class Strengths:
    """Strengths of the quadratic penalties on each coefficient and intercept.

    The penalty is ``sum_tj alpha_t pattern_j (w_tj - w_sj)^2 + sum_j centre_j w_sj^2 +
    intercept sum_t (b_t - b_s)^2``, with the shared centre ``(w_s, b_s)``.

    Parameters
    ----------
    alpha : ndarray of shape (n_tasks or 1,)
        Strength per task.
    pattern : ndarray of shape (n_features,)
        Factor per feature, finite; positive for features with a penalty.
    centre : ndarray of shape (n_features,)
        Strength of the ridge on the centre; infinite fixes it at zero.
    intercept : float
        Strength on differences between intercepts; infinite makes them equal.
    holds_intercept : bool, default=False
        Whether the shared intercept is fixed at zero.
    rotation : Rotation, default=None
        Coordinates of the coefficients and intercepts; None for the features.
    """

    alpha: Array
    pattern: Array
    centre: Array
    intercept: float
    holds_intercept: bool = False
    rotation: Rotation | None = None

    @property
    def own(self) -> Array:
        """Strengths per task and feature, shape (n_tasks or 1, n_features)."""
        return self.alpha[:, None] * self.pattern

    @property
    def pinned(self) -> bool:
        """Whether the centre is fixed at zero."""
        return bool(np.isinf(self.centre).all()) and len(self.centre) > 0

    def turn(self, X: Array) -> Array:
        """Convert rows of features to the coordinates, (..., n_features)."""
        return X if self.rotation is None else self.rotation.turn(X)

    def restore(self, coef: Array, intercept: Any) -> tuple[Array, Any]:
        """Convert models in the coordinates to models of the features."""
        if self.rotation is None:
            return coef, intercept
        return self.rotation.restore(coef, intercept)
