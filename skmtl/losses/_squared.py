"""Loss for targets with normal noise."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, ElementwiseLoss


@dataclass(repr=False, eq=False)
class Squared(BaseEstimator, ElementwiseLoss):
    """Squared loss, for targets with normal noise: ``(y - z)^2 / 2``.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Squared
    >>> Squared().value(np.array([[1.0]]), np.array([[3.0]]))
    array([2.])
    """

    is_quadratic = True

    def cost(self, y: Array, z: Array) -> Array:
        with np.errstate(over="ignore"):
            return 0.5 * (y - z) ** 2

    def slope(self, y: Array, z: Array) -> Array:
        return z - y

    def curvature(self, y: Array, z: Array) -> Array:
        return np.ones(np.broadcast_shapes(y.shape, z.shape), np.result_type(y, z))

    def dual_cost(self, y: Array, v: Array) -> Array:
        return v * v / 2 + v * y

    def mean(self, z: Array) -> Array:
        return z

    def link(self, mean: Array) -> Array:
        return mean
