"""The loss of two classes."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, xlog1py, xlogy
from sklearn.base import BaseEstimator

from skmtl._contracts import ElementwiseLoss

# Probabilities this far outside 0 to 1 are at its ends.
_ROUNDING = 1e-12


@dataclass(repr=False, eq=False)
class Logistic(BaseEstimator, ElementwiseLoss):
    """Fit the probability of one class of two: ``log(1 + exp(z)) - y z``.

    The target ``y`` is 1 for that class and 0 for the other, or a probability.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Logistic
    >>> Logistic().value(np.array([[1.0]]), np.array([[0.0]])).round(4)
    array([0.6931])
    """

    largest_curvature = 0.25

    def cost(self, y, z):
        # The terms in z cancel where y is 0 or 1, so that no digits are lost there.
        return np.log1p(np.exp(-np.abs(z))) + np.where(z > 0, (1 - y) * z, -y * z)

    def slope(self, y, z):
        # Where y is 1 or 0, neither form takes a difference of numbers near one.
        return np.where(z > 0, (1 - y) - expit(-z), expit(z) - y)

    def curvature(self, y, z):
        return expit(z) * expit(-z)

    def dual_cost(self, y, v):
        probability = np.clip(y + v, 0.0, 1.0)
        cost = xlogy(probability, probability) + xlog1py(1 - probability, -probability)
        return np.where(np.abs(probability - y - v) <= _ROUNDING, cost, np.inf)

    def mean(self, z):
        return expit(z)

    def link(self, mean):
        return logit(mean)
