"""Loss for targets with outliers."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, ElementwiseLoss


@dataclass(repr=False, eq=False)
class Huber(BaseEstimator, ElementwiseLoss):
    """Huber loss, for targets with a few outliers.

    ``r^2 / 2`` for residuals ``r = y - z`` of at most `epsilon`, and
    ``epsilon |r| - epsilon^2 / 2`` beyond.

    Parameters
    ----------
    epsilon : float, default=1.35
        Residual at which the loss turns from quadratic to linear, in units of the
        target.

    References
    ----------
    Huber, P. J. (1964). Robust estimation of a location parameter. Annals of
    Mathematical Statistics, 35(1), 73-101. :doi:`10.1214/aoms/1177703732`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Huber
    >>> Huber(epsilon=1.0).value(np.zeros((2, 1)), np.array([[1.0], [3.0]]))
    array([0.5, 2.5])
    """

    epsilon: float = 1.35
    is_scaled = True

    def cost(self, y: Array, z: Array) -> Array:
        clipped = self.slope(y, z)
        return clipped * (z - y) - clipped**2 / 2

    def slope(self, y: Array, z: Array) -> Array:
        return np.clip(z - y, -self.epsilon, self.epsilon)

    def curvature(self, y: Array, z: Array) -> Array:
        return (np.abs(z - y) <= self.epsilon).astype(np.result_type(y, z))

    def majorant(self, y: Array, z: Array) -> Array:
        # Curvature of the tangent parabola above the loss, as the Hessian may be zero.
        distance = np.maximum(np.abs(z - y), self.epsilon)
        return (self.epsilon / distance)[..., None]

    def dual_cost(self, y: Array, v: Array) -> Array:
        return np.where(np.abs(v) <= self.epsilon, v * v / 2 + v * y, np.inf)

    def mean(self, z: Array) -> Array:
        return z

    def link(self, mean: Array) -> Array:
        return mean
