"""Loss for two classes."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, xlog1py, xlogy
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, ElementwiseLoss

# Probabilities outside 0 to 1 by at most this are rounding errors of 0 and 1.
_ROUNDING = 1e-12


@dataclass(repr=False, eq=False)
class Logistic(BaseEstimator, ElementwiseLoss):
    """Logistic loss, for two classes: ``log(1 + exp(z)) - y z``.

    The target ``y`` is 1 for one class and 0 for the other, or a probability.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Logistic
    >>> Logistic().value(np.array([[1.0]]), np.array([[0.0]])).round(4)
    array([0.6931])
    """

    largest_curvature = 0.25

    def cost(self, y: Array, z: Array) -> Array:
        # If y is 0 or 1, the factor of z is exact and no digits are lost.
        return np.log1p(np.exp(-np.abs(z))) + np.where(z > 0, (1 - y) * z, -y * z)

    def slope(self, y: Array, z: Array) -> Array:
        # If y is 0 or 1, neither form subtracts numbers close to each other.
        return np.where(z > 0, (1 - y) - expit(-z), expit(z) - y)

    def curvature(self, y: Array, z: Array) -> Array:
        return expit(z) * expit(-z)

    def dual_cost(self, y: Array, v: Array) -> Array:
        probability = np.clip(y + v, 0.0, 1.0)
        cost = xlogy(probability, probability) + xlog1py(1 - probability, -probability)
        return np.where(np.abs(probability - y - v) <= _ROUNDING, cost, np.inf)

    def mean(self, z: Array) -> Array:
        return expit(z)

    def link(self, mean: Array) -> Array:
        return logit(mean)
