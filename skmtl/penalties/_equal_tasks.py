"""Where equal tasks are best."""

import numpy as np
from numpy.linalg import norm
from scipy.optimize import minimize

from skmtl._numbers import TINY

# Gradient to be left, in units of the one at zero; the search stops at rounding.
_ACCURACY = 1e-12
_MAX_ITER = 10_000


def minimise_with_equal_tasks(smooth, groups):
    """Return the Point where a smooth term is least if tasks of a group are equal.

    Parameters
    ----------
    smooth : Smooth
        Term of the coefficients, (n_tasks, n_features).
    groups : ndarray of shape (n_tasks,)
        Number of each task's group, from 0.

    Returns
    -------
    Point
        The best.
    """
    zero, sizes = smooth.zero(), np.sqrt(np.bincount(groups))
    slope = max(norm(zero.gradient), TINY)
    unit = max(zero.value, TINY) / slope  # in these the value and slope at zero are 1

    def spread(v):
        return unit * (v.reshape(len(sizes), -1) / sizes[:, None])[groups]

    def cost(v):
        point = smooth.at(spread(v))
        total = np.zeros((len(sizes), smooth.shape[1]))
        np.add.at(total, groups, point.gradient / slope)
        return point.value / (unit * slope), (total / sizes[:, None]).ravel()

    start = np.zeros(len(sizes) * smooth.shape[1])
    options = {"maxiter": _MAX_ITER, "maxfun": _MAX_ITER, "gtol": _ACCURACY, "ftol": 0}
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options=options)
    return smooth.at(spread(found.x))
