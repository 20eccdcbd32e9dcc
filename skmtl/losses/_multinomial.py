"""The loss of more than two classes."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import helmert
from scipy.special import log_softmax, xlogy
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
        return log_softmax(np.where(np.isnan(y), -np.inf, scores), axis=-1)

    def value(self, y, z):
        logs = self.log_probabilities(y, z)
        return -(y * logs).sum(axis=-1, where=y > 0)

    def gradient(self, y, z):
        left = np.exp(self.log_probabilities(y, z)) - np.nan_to_num(y)
        return left @ contrasts(self.n_classes)

    def hessian(self, y, z):
        basis = contrasts(self.n_classes)
        probabilities = np.exp(self.log_probabilities(y, z))
        along = probabilities @ basis
        spread = (probabilities[..., None] * basis).swapaxes(-1, -2) @ basis
        return spread - along[..., None] * along[..., None, :]

    def conjugate(self, y, v):
        shift = v @ contrasts(self.n_classes).T
        probabilities = np.nan_to_num(y) + shift
        within = (probabilities >= -_ROUNDING).all(axis=-1)
        probabilities = np.maximum(probabilities, 0.0)
        return np.where(within, xlogy(probabilities, probabilities).sum(-1), np.inf)

    def mean(self, z):
        scores = z @ contrasts(self.n_classes).T
        return np.exp(log_softmax(scores, axis=-1))

    def link(self, mean):
        logs = np.log(mean)
        return logs @ contrasts(self.n_classes)
