"""Coordinates of features in which tasks differ independently."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import EPS

# Rounding of a precision matrix, relative to its smallest strength.
_SEEN = 1e-2
# Strengths of intercepts that act as infinite, in rows.
_RIGID = 1e6


@dataclass(frozen=True)
class Rotation:
    """Features about an origin, turned so that a precision matrix is diagonal.

    Parameters
    ----------
    basis : ndarray of shape (n_features, n_features)
        Orthonormal directions, one per column.
    origin : ndarray of shape (n_features,)
        Features at which the tasks' predictions are independent of their coefficients.
    """

    basis: Array
    origin: Array

    @classmethod
    def of_precision(
        cls, precision: Array, n_features: int
    ) -> tuple[Self, Array, float]:
        """Split a precision matrix into independent strengths.

        The penalty ``(v, c)' P (v, c)`` on differences of coefficients and intercepts
        is ``a (c + m'v)^2 + v'Q v``, where ``c + m'v`` is the difference between
        predictions at the origin ``m``.

        Parameters
        ----------
        precision : ndarray of shape (n_features + 1, n_features + 1)
            Positive definite matrix over coefficients and intercept; of shape
            (n_features, n_features) without an intercept.
        n_features : int
            Number of features.

        Returns
        -------
        rotation : Rotation
            The coordinates.
        pattern : ndarray of shape (n_features,)
            Strength along each direction.
        strength : float
            Strength on differences between predictions at the origin.
        """
        own, origin, strength = precision, np.zeros(n_features), 0.0
        if len(precision) > n_features:
            strength = float(precision[-1, -1])
            origin = precision[-1, :-1] / strength
            own = precision[:-1, :-1] - strength * np.outer(origin, origin)
        # Square roots of strengths span half as many orders of magnitude.
        root = np.linalg.cholesky(own)
        basis, sizes, _ = np.linalg.svd(root)
        return cls(basis, origin), sizes**2, strength

    def precision(self, pattern: Array, strength: float, intercept: bool) -> Array:
        """Return the precision matrix of strengths, the inverse of `of_precision`.

        Parameters
        ----------
        pattern : ndarray of shape (n_features,)
            Strength along each direction.
        strength : float
            Strength on differences between predictions at the origin.
        intercept : bool
            Whether the matrix has a row for the intercept.

        Returns
        -------
        ndarray of shape (n_features + 1, n_features + 1)
            The matrix; of shape (n_features, n_features) without an intercept.
        """
        own = (self.basis * pattern) @ self.basis.T
        precision = own
        if intercept:
            # A strength that acts as infinite would hide `own` in its rounding, far
            # from the origin.
            far = 1.0 + self.origin @ self.origin
            most = _SEEN * pattern.min(initial=np.inf) / far / EPS
            strength = min(strength, max(most, _RIGID))
            line = np.append(self.origin, 1.0)
            precision = strength * np.outer(line, line)
            precision[:-1, :-1] += own
        return _make_definite(precision)

    def turn(self, X: Array) -> Array:
        """Convert rows of features, (..., n_features)."""
        return (X - self.origin) @ self.basis

    def restore(self, coef: Array, intercept: Any) -> tuple[Array, Any]:
        """Convert models in these coordinates to models of the features."""
        coef = coef @ self.basis.T
        return coef, intercept - coef @ self.origin

    def enter(self, models: Array, has_intercept: bool) -> Array:
        """Convert models of the features to these coordinates.

        Parameters
        ----------
        models : ndarray of shape (..., n_columns)
            Coefficients and, if there is one, the intercept.
        has_intercept : bool
            Whether there is an intercept.

        Returns
        -------
        ndarray of the same shape
            The converted models.
        """
        coef = models[..., : len(self.origin)]
        turned = coef @ self.basis
        if not has_intercept:
            return turned
        level = models[..., -1] + coef @ self.origin
        return np.concatenate([turned, level[..., None]], axis=-1)

    def leave(self, models: Array, has_intercept: bool) -> Array:
        """Convert models from these coordinates, the inverse of `enter`."""
        if not has_intercept:
            return models @ self.basis.T
        coef, level = self.restore(models[..., :-1], models[..., -1])
        return np.concatenate([coef, level[..., None]], axis=-1)


def _make_definite(precision):
    """Raise the diagonal of a precision matrix that is indefinite by rounding.

    It is where strengths differ by many orders of magnitude, or the origin is far away.
    """
    roots, least = np.sqrt(np.diag(precision)), len(precision) * EPS
    lowest = np.linalg.eigvalsh(precision / roots / roots[:, None])[0]
    if lowest <= least:
        precision[np.diag_indices_from(precision)] *= 1 + 2 * least - lowest
    return precision
