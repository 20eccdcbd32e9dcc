"""Proximal step of total variation by a taut string, for many chains at once.

The partial sums of the solution are the shortest path, the string, within a tube of
radius `threshold` around the partial sums of the data. The active set is the set of
tasks where the string touches the tube; between them it is straight. Each round adds
all tasks where the string leaves the tube, and removes all where it bends away from
the wall. It is a semismooth Newton method and takes about ten rounds.

Davies, P. L., Kovac, A. (2001). Local extremes, runs, strings and multiresolution. The
Annals of Statistics, 29(1), 1-65. :doi:`10.1214/aos/996986501`

Hintermueller, M., Ito, K., Kunisch, K. (2002). The primal-dual active set strategy as
a semismooth Newton method. SIAM Journal on Optimization, 13(3), 865-888.
:doi:`10.1137/S1052623401383558`
"""

import numpy as np

from skmtl._linalg import EPS

# More rounds than any chain in tests needed.
_MAX_ROUNDS = 50
# Rounding in sums of numbers up to 1, relative to their count.
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
        The minimiser; neighbours that are equal are exactly equal.
    unsolved : ndarray
        Chains that did not converge; their rows of W are not set.
    """
    W, sums = np.empty_like(V), np.zeros((len(V), V.shape[1] + 1))
    np.cumsum(V, axis=1, out=sums[:, 1:])
    # Wall that the string touches: 1 for the lower, -1 for the upper, 0 for none.
    side = np.zeros_like(sums)
    unsolved = np.arange(len(V))
    for _ in range(_MAX_ROUNDS):
        if not len(unsolved):
            break
        slope, new_side = _update(sums[unsolved], side[unsolved], threshold)
        converged = (new_side == side[unsolved]).all(axis=1)
        W[unsolved[converged]] = slope[converged]
        side[unsolved] = new_side
        unsolved = unsolved[~converged]
    return W, unsolved


def _update(sums, side, threshold):
    """Return the slopes of strings that touch given walls, and the next walls."""
    string, slope = _interpolate(sums - threshold * side, side)
    tolerance = _ROUNDING * sums.shape[1]
    distance = sums - string
    outside = np.abs(distance) > threshold + tolerance
    added = np.where(outside, np.sign(distance), 0.0)
    slope_change = slope[:, :-1] - slope[:, 1:]
    side, new_side = side[:, 1:-1], np.zeros_like(side)
    kept = side * slope_change > tolerance
    new_side[:, 1:-1] = np.where(side == 0, added[:, 1:-1], side * kept)
    return slope, new_side


def _interpolate(touched, side):
    """Join touched points and the ends by straight lines; return these and slopes."""
    fixed = side != 0
    fixed[:, [0, -1]] = True
    fixed, height = fixed.ravel(), touched.ravel()
    places = np.flatnonzero(fixed)
    line = np.cumsum(fixed) - 1
    start = places[line]
    rise = np.append(np.diff(height[places]) / np.diff(places), 0.0)[line]
    string = height[start] + rise * (np.arange(len(height)) - start)
    return string.reshape(side.shape), rise.reshape(side.shape)[:, :-1]
