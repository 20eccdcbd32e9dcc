"""Find the strength beyond which the solution does not change, by bisection."""

from collections.abc import Callable

import numpy as np
from numpy.linalg import norm

from skmtl._numbers import ALPHA_MAX

from ._arrays import Array

# Residual fractions of the proximal step at the strength found: about 0 for penalties
# with a kink, 1/2 for smooth ones. If reaching 0 takes 10,000 times the strength of
# 1/2, the penalty is smooth.
_ZERO, _HALF, _SMOOTH_RATIO = 1e-10, 0.5, 1e4
# Each bisection halves the logarithmic range; 50 reach the precision of a float.
_N_BISECTIONS = 50


def least_strength(
    step: Callable[[float], Array], start: Array, infinite: float
) -> float:
    """Return the smallest strength at which a proximal step reaches its limit.

    Smooth penalties reach it only at infinity; for them it is the strength of half the
    step.

    Parameters
    ----------
    step : callable
        Maps a strength to the result of the proximal step from `start`.
    start : ndarray
        Start of the step.
    infinite : float
        A strength that acts as infinite.

    Returns
    -------
    float
        The strength.
    """
    limit = step(infinite)
    length = float(norm(start - limit))
    if length <= _ZERO * float(norm(start)):
        return 0.0

    def is_within(fraction: float) -> Callable[[float], bool]:
        return lambda alpha: float(norm(step(alpha) - limit)) <= fraction * length

    kink = _bisect(is_within(_ZERO), infinite)
    half = _bisect(is_within(_HALF), infinite)
    return half if kink > _SMOOTH_RATIO * half else kink


def _bisect(holds: Callable[[float], bool], highest: float) -> float:
    """Return the smallest number that meets a condition, by bisection of its log."""
    low, high = np.log(highest) - 3 * np.log(ALPHA_MAX), np.log(highest)
    for _ in range(_N_BISECTIONS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(np.exp(middle)) else (middle, high)
    return float(np.exp(high))
