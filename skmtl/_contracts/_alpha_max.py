"""The least strength beyond which a penalty changes nothing, by bisection."""

import numpy as np
from numpy.linalg import norm

from skmtl._numbers import ALPHA_MAX

# Residual fractions of the proximal step at the least strength: about 0 for penalties
# with a kink, 1/2 for smooth ones. If reaching 0 takes 10,000 times the strength of
# 1/2, the penalty is smooth.
_NOTHING, _HALF, _LATER = 1e-10, 0.5, 1e4
_N_HALVINGS = 50


def least_strength(step, moved, endless):
    """Return the least strength at which a proximal step goes as far as it ever does.

    Where it never does, the strength at which half of the way is left.

    Parameters
    ----------
    step : callable
        Of a strength, returns the step from `moved`.
    moved : ndarray
        Where the step begins.
    endless : float
        A strength that is more than enough.

    Returns
    -------
    float
        The strength.
    """
    settled = step(endless)
    whole = norm(moved - settled)
    if whole <= _NOTHING * norm(moved):
        return 0.0

    def left(alpha):
        return norm(step(alpha) - settled)

    kink = _halve(lambda alpha: left(alpha) <= _NOTHING * whole, endless)
    bend = _halve(lambda alpha: left(alpha) <= _HALF * whole, endless)
    return bend if kink > _LATER * bend else kink


def _halve(holds, highest):
    """Return the least number for which a claim holds, by bisection of its log."""
    low, high = np.log(highest) - 3 * np.log(ALPHA_MAX), np.log(highest)
    for _ in range(_N_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(np.exp(middle)) else (middle, high)
    return float(np.exp(high))
