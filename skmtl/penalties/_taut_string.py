"""Total variation steps along a chain by a taut string, for many chains at once.

Partial sums of the solution are a string that is pulled tight in a tube around those of
the data, of radius `threshold`. Guess where it touches the tube; between, it is
straight. Where it leaves the tube it must touch it, where it pulls away from the wall
it is let go, everywhere at once: a Newton method, of about ten rounds.

Davies, P. L., Kovac, A. (2001). Local extremes, runs, strings and multiresolution. The
Annals of Statistics, 29(1), 1-65. :doi:`10.1214/aos/996986501`

Hintermueller, M., Ito, K., Kunisch, K. (2002). The primal-dual active set strategy as
a semismooth Newton method. SIAM Journal on Optimization, 13(3), 865-888.
:doi:`10.1137/S1052623401383558`
"""

import numpy as np

from skmtl._linalg import EPS

# No chain is known to need so many.
_MAX_ROUNDS = 50
# Rounding in sums of numbers up to 1, in units of their count.
_ROUNDING = 4 * EPS


def solve_taut_string(V, threshold):
    """Minimise ``1/2 ||w - v||^2 + threshold sum_t |w[t] - w[t + 1]|`` per row v.

    Parameters
    ----------
    V : ndarray of shape (n_chains, n_tasks)
        Numbers between -1 and 1.
    threshold : float
        Radius of the tube.

    Returns
    -------
    W : ndarray of shape (n_chains, n_tasks)
        The best; equal neighbours are exactly so.
    loose : ndarray
        Chains for which the rounds did not end; their rows mean nothing.
    """
    W, sums = np.empty_like(V), np.zeros((len(V), V.shape[1] + 1))
    np.cumsum(V, axis=1, out=sums[:, 1:])
    side = np.zeros_like(sums)  # of the tube that is touched: 1 below, -1 above
    loose = np.arange(len(V))
    for _ in range(_MAX_ROUNDS):
        if not len(loose):
            break
        slope, moved = _pull(sums[loose], side[loose], threshold)
        settled = (moved == side[loose]).all(axis=1)
        W[loose[settled]] = slope[settled]
        side[loose] = moved
        loose = loose[~settled]
    return W, loose


def _pull(sums, side, threshold):
    """Return slopes of strings that touch these sides, and the sides to touch then."""
    string, slope = _straighten(sums - threshold * side, side)
    tolerance = _ROUNDING * sums.shape[1]
    off = sums - string
    out = np.where(np.abs(off) > threshold + tolerance, np.sign(off), 0.0)
    bend = slope[:, :-1] - slope[:, 1:]
    side, moved = side[:, 1:-1], np.zeros_like(side)
    kept = side * bend > tolerance
    moved[:, 1:-1] = np.where(side == 0, out[:, 1:-1], side * kept)
    return slope, moved


def _straighten(touched, side):
    """Join what is touched, and the ends, by straight lines; return slopes too."""
    fixed = side != 0
    fixed[:, [0, -1]] = True
    fixed, height = fixed.ravel(), touched.ravel()
    places = np.flatnonzero(fixed)
    line = np.cumsum(fixed) - 1
    start = places[line]
    rise = np.append(np.diff(height[places]) / np.diff(places), 0.0)[line]
    string = height[start] + rise * (np.arange(len(height)) - start)
    return string.reshape(side.shape), rise.reshape(side.shape)[:, :-1]
