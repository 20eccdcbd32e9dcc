"""Loss for more than two classes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import helmert
from scipy.special import xlogy
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Loss

# Probabilities below zero by at most this are rounding errors of zero.
_ROUNDING = 1e-12


def contrasts(n_classes: int) -> Array:
    """Return an orthonormal basis of class scores that sum to zero.

    Probabilities depend only on differences between scores, which have unique
    coordinates in this basis. Squared norms of coordinates and of scores are equal.

    Parameters
    ----------
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of shape (n_classes, n_classes - 1)
        The basis, in columns.

    Examples
    --------
    >>> from skmtl.losses import contrasts
    >>> contrasts(2).round(3)
    array([[ 0.707],
           [-0.707]])
    """
    return helmert(n_classes).T


@dataclass(repr=False, eq=False)
class Multinomial(BaseEstimator, Loss):
    """Multinomial loss, for classes: ``log sum_k exp(s_k) - sum_k y_k s_k``.

    The class scores are ``s = V z``, with raw predictions ``z`` and the basis ``V`` of
    :func:`contrasts`. The target ``y`` is 1 for the class of the row and 0 for the
    others, or a probability, and NaN for a class that cannot occur.

    Parameters
    ----------
    n_classes : int, default=3
        Number of classes.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Multinomial
    >>> loss = Multinomial(n_classes=3)
    >>> loss.value(np.array([[1.0, 0.0, 0.0]]), np.zeros((1, 2))).round(4)
    array([1.0986])
    """

    n_classes: int = 3
    largest_curvature = 0.5

    @property
    def n_outputs(self) -> int:  # type: ignore[override]
        return self.n_classes - 1

    def log_probabilities(self, y: Array, z: Array) -> Array:
        """Return the log-probabilities of the classes, minus infinity if y is NaN.

        Parameters
        ----------
        y : ndarray of shape (..., n_classes)
            Targets; only their NaNs are used.
        z : ndarray of shape (..., n_classes - 1)
            Raw predictions.

        Returns
        -------
        ndarray of shape (..., n_classes)
            The log-probabilities.
        """
        scores = z @ contrasts(self.n_classes).T
        return _normalise(np.where(np.isnan(y), -np.inf, scores))

    def value(self, y: Array, z: Array) -> Array:
        logs = self.log_probabilities(y, z)
        return -(y * logs).sum(axis=-1, where=y > 0)

    def gradient(self, y: Array, z: Array) -> Array:
        y, probabilities = np.nan_to_num(y), np.exp(self.log_probabilities(y, z))
        others, is_top = _split_top(probabilities)
        # If y is one for the top class, this form subtracts no numbers close to one.
        top = (1 - y) - others.sum(axis=-1, keepdims=True)
        return np.where(is_top, top, probabilities - y) @ contrasts(self.n_classes)

    def hessian(self, y: Array, z: Array) -> Array:
        basis = contrasts(self.n_classes)
        probabilities = np.exp(self.log_probabilities(y, z))
        deviations = basis - (probabilities @ basis)[..., None, :]
        return (probabilities[..., None] * deviations).swapaxes(-1, -2) @ deviations

    @property
    def basis(self) -> Array:
        return contrasts(self.n_classes)

    def majorant_product(self, y: Array, z: Array) -> Callable[[Array], Array]:
        # ``p * s - p (p . s)`` for steps ``s`` of scores, without a matrix per row.
        probabilities = np.exp(self.log_probabilities(y, z))

        def multiply(step: Array) -> Array:
            mean = np.einsum("...k,...k->...", probabilities, step)
            step = step - mean[..., None]
            step *= probabilities
            return step

        return multiply

    def majorant_diagonal(self, y: Array, z: Array) -> Array:
        probabilities = np.exp(self.log_probabilities(y, z))
        return probabilities * (1 - probabilities)

    def conjugate(self, y: Array, v: Array) -> Array:
        shift = v @ contrasts(self.n_classes).T
        probabilities = np.nan_to_num(y) + shift
        impossible = np.isnan(y) & (probabilities > _ROUNDING)
        is_finite = ((probabilities >= -_ROUNDING) & ~impossible).all(axis=-1)
        probabilities = np.maximum(probabilities, 0.0)
        return np.where(is_finite, xlogy(probabilities, probabilities).sum(-1), np.inf)

    def mean(self, z: Array) -> Array:
        return np.exp(_normalise(z @ contrasts(self.n_classes).T))

    def link(self, mean: Array) -> Array:
        logs = np.log(mean)
        return logs @ contrasts(self.n_classes)


def _normalise(scores):
    """Return log-probabilities; the largest is exact near zero."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    others, _ = _split_top(np.exp(shifted))
    return shifted - np.log1p(others.sum(axis=-1, keepdims=True))


def _split_top(sizes):
    """Return the numbers with zero for the largest, and where the largest is."""
    is_top = sizes.argmax(axis=-1)[..., None] == np.arange(sizes.shape[-1])
    return np.where(is_top, 0.0, sizes), is_top
