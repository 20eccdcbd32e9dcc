"""Minimisation with equal coefficients within groups of tasks."""

import numpy as np
from numpy.linalg import norm
from scipy.optimize import minimize

from skmtl._numbers import TINY

# Gradient at which to stop, relative to the one at zero; rounding stops it before.
_ACCURACY = 1e-12
_MAX_ITER = 10_000


def minimise_with_equal_tasks(smooth, groups):
    """Minimise a smooth term if tasks of a group are equal.

    Parameters
    ----------
    smooth : Smooth
        Term of the coefficients, (n_tasks, n_features).
    groups : ndarray of shape (n_tasks,)
        Number of each task's group, from 0.

    Returns
    -------
    Point
        The minimum.
    """
    zero, sizes = smooth.zero(), np.sqrt(np.bincount(groups))
    slope = max(norm(zero.gradient), TINY)
    # In these units the value and the norm of the gradient at zero are 1.
    unit = max(zero.value, TINY) / slope

    def to_tasks(v):
        return unit * (v.reshape(len(sizes), -1) / sizes[:, None])[groups]

    def cost(v):
        point = smooth.at(to_tasks(v))
        total = np.zeros((len(sizes), smooth.shape[1]))
        np.add.at(total, groups, point.gradient / slope)
        return point.value / (unit * slope), (total / sizes[:, None]).ravel()

    start = np.zeros(len(sizes) * smooth.shape[1])
    options = {"maxiter": _MAX_ITER, "maxfun": _MAX_ITER, "gtol": _ACCURACY, "ftol": 0}
    found = minimize(cost, start, jac=True, method="L-BFGS-B", options=options)
    return smooth.at(to_tasks(found.x))
