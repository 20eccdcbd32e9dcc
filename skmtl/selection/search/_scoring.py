"""Minimise a smooth criterion whose curvature is roughly known."""

from collections.abc import Callable

import numpy as np

from skmtl._contracts import Array

# Largest number of steps, and largest step of a variable.
_N_STEPS, _FARTHEST = 60, 3.0
# Step along an exponential tail.
_OF_TAIL = 6.0
# Shares of a step that are tried, and the least share of the promised decrease.
_SHARES, _ARMIJO = (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3), 1e-4
# Ridge on the information, relative to its largest diagonal element.
_RIDGE = 1e-9


def minimize_by_scoring(
    value: Callable[[Array], tuple[float, Array]],
    start: Array,
    information: Array,
    bounds: tuple[Array, Array],
    decrease: float,
    tail: Array | float = np.inf,
) -> Array:
    """Minimise a function by a quasi-Newton method that starts from its information.

    It is the method of Broyden, Fletcher, Goldfarb and Shanno.

    Parameters
    ----------
    value : callable
        Function of the variables that returns its value and gradient.
    start : ndarray of shape (n_variables,)
        Where to start.
    information : ndarray of shape (n_variables, n_variables)
        Approximate Hessian at the start, positive semidefinite.
    bounds : pair of ndarray of shape (n_variables,)
        Lowest and highest values.
    decrease : float
        Stop where a step promises a smaller decrease.
    tail : ndarray of shape (n_variables,), default=inf
        Beyond this, the function falls as exponentials of the variables do, if it
        falls. A method with second derivatives would take steps of one there.

    Returns
    -------
    ndarray of shape (n_variables,)
        The last iterate.
    """
    x = np.clip(start, *bounds)
    height, slope = value(x)
    if not len(x):
        return x
    inverse = _invert(information)
    for _ in range(_N_STEPS):
        step = _downhill(inverse, slope, x, bounds)
        is_falling = (x >= tail) & (slope < 0)
        step = np.where(is_falling, np.minimum(_OF_TAIL, bounds[1] - x), step)
        if -slope @ step / 2 < decrease:
            break
        for share in _SHARES:
            found, gradient = value(x + share * step)
            if found <= height + _ARMIJO * share * (slope @ step):
                break
        else:
            break
        inverse = _update(inverse, share * step, gradient - slope)
        x, height, slope = x + share * step, found, gradient
    return x


def _invert(information):
    """Return the inverse; variables without information take the longest steps."""
    ridge = _RIDGE * np.diag(information).max() + np.finfo(float).tiny
    return np.linalg.inv(information + ridge * np.eye(len(information)))


def _downhill(inverse, slope, x, bounds):
    """Return a bounded step, along the gradient if the other is not downhill."""
    step = np.clip(-inverse @ slope, -_FARTHEST, _FARTHEST)
    step = np.clip(x + step, *bounds) - x
    if slope @ step < 0:
        return step
    step = np.clip(-np.diag(inverse) * slope, -_FARTHEST, _FARTHEST)
    return np.clip(x + step, *bounds) - x


def _update(inverse, step, change):
    """Return the inverse Hessian that explains a change of the gradient."""
    curvature = step @ change
    if curvature <= 1e-12 * np.linalg.norm(step) * np.linalg.norm(change):
        return inverse
    left = np.eye(len(step)) - np.outer(step, change) / curvature
    return left @ inverse @ left.T + np.outer(step, step) / curvature
