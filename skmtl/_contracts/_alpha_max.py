"""The least strength beyond which a penalty changes nothing, by bisection."""

from collections.abc import Callable

import numpy as np
from numpy.linalg import norm

from skmtl._numbers import ALPHA_MAX

from ._arrays import Array

# Residual fractions of the proximal step at the least strength: about 0 for penalties
# with a kink, 1/2 for smooth ones. If reaching 0 takes 10,000 times the strength of
# 1/2, the penalty is smooth.
_NOTHING, _HALF, _LATER = 1e-10, 0.5, 1e4
_N_HALVINGS = 50


def least_strength(
    step: Callable[[float], Array], moved: Array, infinite: float
) -> float:
    """Return the least strength at which a proximal step is as long as at any higher.

    For smooth penalties, whose step grows without end, it is the strength at which half
    of the longest step remains.

    Parameters
    ----------
    step : callable
        Maps a strength to the result of the proximal step from `moved`.
    moved : ndarray
        Where the step begins.
    infinite : float
        A strength that acts as infinite.

    Returns
    -------
    float
        The strength.
    """
    limit = step(infinite)
    whole = float(norm(moved - limit))
    if whole <= _NOTHING * float(norm(moved)):
        return 0.0

    def remains_within(share: float) -> Callable[[float], bool]:
        return lambda alpha: float(norm(step(alpha) - limit)) <= share * whole

    kink = _bisect(remains_within(_NOTHING), infinite)
    half = _bisect(remains_within(_HALF), infinite)
    return half if kink > _LATER * half else kink


def _bisect(holds: Callable[[float], bool], highest: float) -> float:
    """Return the least number at which a condition holds, by bisection of its log."""
    low, high = np.log(highest) - 3 * np.log(ALPHA_MAX), np.log(highest)
    for _ in range(_N_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(np.exp(middle)) else (middle, high)
    return float(np.exp(high))
