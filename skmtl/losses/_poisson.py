"""Loss for counts."""

from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, ElementwiseLoss


@dataclass(repr=False, eq=False)
class Poisson(BaseEstimator, ElementwiseLoss):
    """Poisson loss, for counts: ``exp(z) - y z``, where ``z`` is the log of the mean.

    For counts over an exposure, the target is the rate, ``count / exposure``, and the
    weight is the exposure.

    Parameters
    ----------
    mean_exposure : float, default=1.0
        Mean exposure in the weights. Penalised models divide it out of the total
        weight, so that the unit of exposure does not matter.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Poisson
    >>> Poisson().value(np.array([[2.0]]), np.array([[0.0]]))
    array([1.])
    """

    mean_exposure: float = 1.0
    largest_curvature = np.inf
    has_log_link = True

    def cost(self, y: Array, z: Array) -> Array:
        mean = self.mean(z)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.where(np.isinf(mean), mean, mean - y * z)

    def slope(self, y: Array, z: Array) -> Array:
        return self.mean(z) - y

    def curvature(self, y: Array, z: Array) -> Array:
        return self.mean(z)

    def dual_cost(self, y: Array, v: Array) -> Array:
        mean = y + v
        cost = xlogy(np.maximum(mean, 0.0), np.maximum(mean, 0.0)) - mean
        return np.where(mean >= 0, cost, np.inf)

    def mean(self, z: Array) -> Array:
        with np.errstate(over="ignore"):
            return np.exp(z)

    def link(self, mean: Array) -> Array:
        return np.log(mean)
