"""The loss of targets with outliers."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import ElementwiseLoss


@dataclass(repr=False, eq=False)
class Huber(BaseEstimator, ElementwiseLoss):
    """Fit targets of which a few are far off, and count these by their distance only.

    ``r^2 / 2`` for residuals ``r = y - z`` within `epsilon`, ``epsilon |r| - epsilon^2
    / 2`` beyond.

    Parameters
    ----------
    epsilon : float, default=1.35
        Where squares end, in units of the target.

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

    def cost(self, y, z):
        within = self.slope(y, z)
        return within * (z - y) - within**2 / 2

    def slope(self, y, z):
        return np.clip(z - y, -self.epsilon, self.epsilon)

    def curvature(self, y, z):
        return (np.abs(z - y) <= self.epsilon).astype(np.result_type(y, z))

    def majorant(self, y, z):
        # The parabola above the loss that touches it here, as the loss may be straight.
        beyond = np.maximum(np.abs(z - y), self.epsilon)
        return (self.epsilon / beyond)[..., None]

    def dual_cost(self, y, v):
        return np.where(np.abs(v) <= self.epsilon, v * v / 2 + v * y, np.inf)

    def mean(self, z):
        return z

    def link(self, mean):
        return mean
