"""Exact proximal step of total variation along a chain, for many columns at once.

The derivative of the cost of the first tasks, as a function of the next coefficient, is
piecewise linear and increasing. For each task, it is clipped to ``+-threshold`` and a
line of slope 1 is added. Each knot is removed at most once, so the cost is linear in
the number of tasks.

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
    # Deviations are at most 1 below, so from n_tasks on all tasks are equal.
    threshold = min(threshold / float(scale), 2.0 * n_tasks)
    deviations = (V - centre) / scale
    fused, unsolved = solve_taut_string(np.ascontiguousarray(deviations.T), threshold)
    if len(unsolved):
        fused[unsolved] = solve_dynamic_program(deviations[:, unsolved], threshold).T
    return centre + scale * fused.T


def solve_dynamic_program(V, threshold):
    """Minimise the same for any chain, at ten times the cost of the taut string."""
    n_tasks, n_columns = V.shape
    knots = _Knots.around(V[0], threshold, n_tasks)
    limits = [(V[0] - threshold, V[0] + threshold)]
    limits += [knots.clip(V[t], t) for t in range(1, n_tasks - 1)]
    W = np.empty((n_tasks, n_columns))
    W[-1] = knots.find_crossing(V[-1] + threshold, 1, n_tasks - 1).place
    for t in range(n_tasks - 2, -1, -1):
        W[t] = np.clip(W[t + 1], *limits[t])
    return W


@dataclass
class _Crossing:
    """Places where functions cross a value.

    `knot` is the knot before each crossing; `outside` is true if there is none.
    """

    place: np.ndarray
    knot: np.ndarray
    outside: np.ndarray


@dataclass
class _Knots:
    """Knots of an increasing piecewise linear function per column.

    Each column of coefficients has a row of knots, in use from `first` to `last`. The
    slope after a knot grows by 1 with each task, so the number of the task is
    subtracted in storage. Outside the knots the slope is 1.
    """

    place: np.ndarray
    slope: np.ndarray
    first: np.ndarray
    last: np.ndarray

    @classmethod
    def around(cls, centre, threshold, n_tasks):
        """Start with a clipped line of slope 1 that is zero at `centre`."""
        n = len(centre)
        place, slope = np.zeros((2, n, 2 * n_tasks + 2))
        place[:, n_tasks] = centre - threshold
        place[:, n_tasks + 1] = centre + threshold
        slope[:, n_tasks] = 1.0
        return cls(place, slope, np.full(n, n_tasks), np.full(n, n_tasks + 1))

    def clip(self, centre, t):
        """Add a line that is zero at `centre`, clip, and return the places of both."""
        low, high = self.find_crossing(centre, 1, t), self.find_crossing(centre, -1, t)
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

    def find_crossing(self, place, direction, t):
        """Return where functions reach the value of their tail, extended to `place`.

        The tail has slope 1: before the first knot if `direction` is 1, after the last
        if it is -1.
        """
        knot, end = self.first.copy(), self.last
        if direction < 0:
            knot, end = end.copy(), self.first
        height = direction * (self.place[np.arange(len(place)), knot] - place)
        crossing = _Crossing(place.copy(), knot, height >= 0)
        (rows,) = np.nonzero(height < 0)
        while len(rows):
            rows = self._pass_knot(crossing, rows, end, height, direction, t)
        return crossing

    def _pass_knot(self, crossing, rows, end, height, direction, t):
        """Search up to the next knot; return the rows whose crossing is beyond it."""
        knot = crossing.knot[rows]
        following = knot + direction
        inside = knot != end[rows]
        start = self.place[rows, knot]
        slope = np.where(inside, self.slope[rows, np.minimum(knot, following)] + t, 1.0)
        gap = direction * (self.place[rows, following] - start)
        after = height[rows] + slope * np.where(inside, gap, np.inf)
        found, beyond = after >= 0, after < 0
        place = start - direction * height[rows] / slope
        crossing.place[rows[found]] = place[found]
        height[rows[beyond]] = after[beyond]
        crossing.knot[rows[beyond]] = following[beyond]
        return rows[beyond]
