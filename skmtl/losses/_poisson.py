"""The loss of counts."""

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy
from sklearn.base import BaseEstimator

from skmtl._contracts import ElementwiseLoss


@dataclass(repr=False, eq=False)
class Poisson(BaseEstimator, ElementwiseLoss):
    """Fit the logarithm of the mean of counts: ``exp(z) - y z``.

    Counts over an exposure are rates, ``count / exposure``, weighted by the exposure.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Poisson
    >>> Poisson().value(np.array([[2.0]]), np.array([[0.0]]))
    array([1.])
    """

    largest_curvature = np.inf

    has_log_link = True

    def cost(self, y, z):
        mean = self.mean(z)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(np.isinf(mean), mean, mean - y * z)

    def slope(self, y, z):
        return self.mean(z) - y

    def curvature(self, y, z):
        return self.mean(z)

    def dual_cost(self, y, v):
        mean = y + v
        cost = xlogy(np.maximum(mean, 0.0), np.maximum(mean, 0.0)) - mean
        return np.where(mean >= 0, cost, np.inf)

    def mean(self, z):
        with np.errstate(over="ignore"):
            return np.exp(z)

    def link(self, mean):
        return np.log(mean)
