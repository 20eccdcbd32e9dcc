"""The loss of more than two classes."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import helmert
from scipy.special import xlogy
from sklearn.base import BaseEstimator

from skmtl._contracts import Loss

# Probabilities this far below zero are zero.
_ROUNDING = 1e-12


def contrasts(n_classes):
    """Return an orthonormal basis of the scores of classes that sum to zero.

    Only differences between scores matter. In this basis there are no others, and
    squared norms are those of the scores.

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
    """Fit the probabilities of classes: ``log sum_k exp(s_k) - sum_k y_k s_k``.

    The scores ``s = V z`` of the classes follow from raw predictions ``z`` in the basis
    ``V`` of :func:`contrasts`. The target ``y`` is 1 for the class of the sample and 0
    for others, or their probabilities, and NaN for a class that cannot occur.

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
    def n_outputs(self):
        return self.n_classes - 1

    def log_probabilities(self, y, z):
        """Return the logarithms of the classes' probabilities, minus infinity if NaN.

        Parameters
        ----------
        y : ndarray of shape (..., n_classes)
            Targets, of which only NaN matters.
        z : ndarray of shape (..., n_classes - 1)
            Raw predictions.

        Returns
        -------
        ndarray of shape (..., n_classes)
            The logarithms.
        """
        scores = z @ contrasts(self.n_classes).T
        return _normalise(np.where(np.isnan(y), -np.inf, scores))

    def value(self, y, z):
        logs = self.log_probabilities(y, z)
        return -(y * logs).sum(axis=-1, where=y > 0)

    def gradient(self, y, z):
        y, found = np.nan_to_num(y), np.exp(self.log_probabilities(y, z))
        others, top = _split(found)
        # The top class takes no difference of numbers near one, where its y is one.
        rest = (1 - y) - others.sum(axis=-1, keepdims=True)
        return np.where(top, rest, found - y) @ contrasts(self.n_classes)

    def hessian(self, y, z):
        basis = contrasts(self.n_classes)
        probabilities = np.exp(self.log_probabilities(y, z))
        gaps = basis - (probabilities @ basis)[..., None, :]
        return (probabilities[..., None] * gaps).swapaxes(-1, -2) @ gaps

    @property
    def basis(self):
        return contrasts(self.n_classes)

    def majorant_product(self, y, z):
        # Without a matrix per row: ``p * s - p (p . s)`` for steps ``s`` of scores.
        probabilities = np.exp(self.log_probabilities(y, z))

        def multiply(step):
            mean = np.einsum("...k,...k->...", probabilities, step)
            step = step - mean[..., None]
            step *= probabilities
            return step

        return multiply

    def majorant_diagonal(self, y, z):
        probabilities = np.exp(self.log_probabilities(y, z))
        return probabilities * (1 - probabilities)

    def conjugate(self, y, v):
        shift = v @ contrasts(self.n_classes).T
        probabilities = np.nan_to_num(y) + shift
        empty = np.isnan(y) & (probabilities > _ROUNDING)
        within = ((probabilities >= -_ROUNDING) & ~empty).all(axis=-1)
        probabilities = np.maximum(probabilities, 0.0)
        return np.where(within, xlogy(probabilities, probabilities).sum(-1), np.inf)

    def mean(self, z):
        return np.exp(_normalise(z @ contrasts(self.n_classes).T))

    def link(self, mean):
        logs = np.log(mean)
        return logs @ contrasts(self.n_classes)


def _normalise(scores):
    """Return logarithms of probabilities, of which the largest keeps its digits."""
    shifted = scores - scores.max(axis=-1, keepdims=True)
    others, _ = _split(np.exp(shifted))
    return shifted - np.log1p(others.sum(axis=-1, keepdims=True))


def _split(sizes):
    """Return the numbers without the largest, and where the largest is."""
    top = sizes.argmax(axis=-1)[..., None] == np.arange(sizes.shape[-1])
    return np.where(top, 0.0, sizes), top
