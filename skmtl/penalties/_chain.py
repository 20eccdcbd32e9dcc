"""Exact total variation steps along a chain, for many columns at once.

The derivative of what the first tasks cost, as a function of the next coefficient, is
piecewise linear and increasing. Going along the chain it is clipped to ``+-threshold``
and a line of slope 1 is added. Each knot is dropped at most once, so the cost is linear
in the tasks.

Johnson, N. A. (2013). A dynamic programming algorithm for the fused lasso and
L0-segmentation. Journal of Computational and Graphical Statistics, 22(2), 246-260.
:doi:`10.1080/10618600.2012.681238`
"""

from dataclasses import dataclass

import numpy as np

from ._taut_string import solve_taut_string


def fuse_chain(V, threshold):
    """Minimise ``1/2 ||W - V||^2 + threshold sum_t |W[t] - W[t + 1]|`` per column."""
    n_tasks = len(V)
    centre = V.mean(axis=0)
    scale = np.abs(V - centre).max(initial=0.0)
    if n_tasks < 2 or scale == 0:
        return V
    # From half this threshold on, all are equal.
    threshold = min(threshold / float(scale), 2.0 * n_tasks)
    deviations = (V - centre) / scale
    fused, loose = solve_taut_string(np.ascontiguousarray(deviations.T), threshold)
    if len(loose):
        fused[loose] = walk_chain(deviations[:, loose], threshold).T
    return centre + scale * fused.T


def walk_chain(V, threshold):
    """Do the same whatever the chain, at ten times the cost of a taut string."""
    n_tasks, n_columns = V.shape
    knots = _Knots.around(V[0], threshold, n_tasks)
    limits = [(V[0] - threshold, V[0] + threshold)]
    limits += [knots.clip(V[t], t) for t in range(1, n_tasks - 1)]
    W = np.empty((n_tasks, n_columns))
    W[-1] = knots.walk(V[-1] + threshold, 1, n_tasks - 1).place
    for t in range(n_tasks - 2, -1, -1):
        W[t] = np.clip(W[t + 1], *limits[t])
    return W


@dataclass
class _Walk:
    """Where functions cross a level, the knot before, and whether there is none."""

    place: np.ndarray
    knot: np.ndarray
    outside: np.ndarray


@dataclass
class _Knots:
    """Knots of an increasing piecewise linear function per column.

    A column has its knots at `first` to `last` of a row. The slope after a knot, kept
    less the number of the task, grows by 1 with each task; outside the knots it is 1.
    """

    place: np.ndarray
    slope: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def around(cls, centre, threshold, n_tasks):
        """Start with the line of slope 1 through zero at `centre`, clipped."""
        n = len(centre)
        place, slope = np.zeros((2, n, 2 * n_tasks + 2))
        place[:, n_tasks] = centre - threshold
        place[:, n_tasks + 1] = centre + threshold
        slope[:, n_tasks] = 1.0
        return cls(place, slope, np.full(n, n_tasks), np.full(n, n_tasks + 1))

    def clip(self, centre, t):
        """Add a line through zero at `centre`, clip, and return where that begins."""
        low, high = self.walk(centre, 1, t), self.walk(centre, -1, t)
        (left,), (right,) = low.outside.nonzero(), high.outside.nonzero()
        self.slope[left, self.first[left] - 1] = 1.0 - t
        self.slope[right, self.last[right]] = 1.0 - t
        self.first, self.last = low.knot - low.outside, high.knot + high.outside
        rows = np.arange(len(centre))
        self.place[rows, self.first], self.place[rows, self.last] = (
            low.place,
            high.place,
        )
        return low.place, high.place

    def walk(self, level, direction, t):
        """Cross the level that the tail, where the walk comes from, has at `level`."""
        knot, end = self.first.copy(), self.last
        if direction < 0:
            knot, end = end.copy(), self.first
        height = direction * (self.place[np.arange(len(level)), knot] - level)
        walk = _Walk(level.copy(), knot, height >= 0)
        (rows,) = np.nonzero(height < 0)
        while len(rows):
            rows = self._stride(walk, rows, end, height, direction, t)
        return walk

    def _stride(self, walk, rows, end, height, direction, t):
        """Go on to the next knot, and return the rows where the level is above it."""
        here = walk.knot[rows]
        ahead = here + direction
        inside = here != end[rows]
        start = self.place[rows, here]
        slope = np.where(inside, self.slope[rows, np.minimum(here, ahead)] + t, 1.0)
        way = np.where(inside, direction * (self.place[rows, ahead] - start), np.inf)
        after = height[rows] + slope * way
        found, on = after >= 0, after < 0
        crossing = start - direction * height[rows] / slope
        walk.place[rows[found]] = crossing[found]
        height[rows[on]], walk.knot[rows[on]] = after[on], ahead[on]
        return rows[on]
