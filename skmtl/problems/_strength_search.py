"""Minimise a criterion in strengths, from a point of a grid on."""

from dataclasses import dataclass

import numpy as np

# Steps begin with this factor, and reach this far from the grid.
_STEP, NEARBY = np.log(3.0), np.log(2.0)
_REACH = np.log(1e8)
# The last sweep along all axes is one that lowers the criterion by this share at most.
_SMALLEST_FALL = 1e-5
_N_SWEEPS = 6
# How far strengths are raised to measure the rise, and how many times that at most.
_TRIAL, _LONGEST = 0.2, 5.0
# Beyond this factor of the grid's middle a strength may as well be endless.
_FAR = 30.0


@dataclass(frozen=True)
class Axis:
    """Hold the strengths along one axis.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Those of a grid, increasing; the first may be 0 and the last infinite.
    free : bool
        Whether all between and beyond are allowed too, and infinity if the grid has it.
    zero : bool, default=False
        Whether 0 is allowed then.
    """

    values: np.ndarray
    free: bool
    zero: bool = False

    @property
    def finite(self):
        """Values but 0 and infinity."""
        return self.values[(self.values > 0) & np.isfinite(self.values)]

    @property
    def bounds(self):
        """Least and largest finite strengths, in logs."""
        return np.log(self.finite[0]) - _REACH, np.log(self.finite[-1]) + _REACH


def descend(value, start, axes, step=_STEP):
    """Minimise a function of strengths one by one, by parabolas of their logs.

    Parameters
    ----------
    value : callable
        Function of a tuple of strengths.
    start : tuple of float
        Strengths, best of a grid.
    axes : list of Axis
        What strengths are allowed.
    step : float
        Logarithm of the factor that strengths are changed by at first.

    Returns
    -------
    tuple of float
        Strengths at which the function is as small as at all their neighbours.
    """
    at = tuple(start)
    for _ in range(_N_SWEEPS):
        before = value(at)
        for k, axis in enumerate(axes):
            at = _along(value, at, k, axis, step)
        if before - value(at) <= _SMALLEST_FALL * abs(before):
            break
        step = step / 3
    return at


def strengthen(value, at, axes, share):
    """Raise strengths together as far as the function rises by no more than a share.

    Too weak strengths cost more on new rows than too strong ones, and rows do not tell
    strengths apart whose values differ by less than a share of one row's.

    Parameters
    ----------
    value : callable
        Function of a tuple of strengths.
    at : tuple of float
        Strengths at its minimum.
    axes : list of Axis
        What strengths are allowed.
    share : float
        Rise that is allowed, relative to the minimum.

    Returns
    -------
    tuple of float
        Strengths.
    """

    def raised(step):
        return tuple(
            float(each * np.exp(step)) if axis.free else each
            for each, axis in zip(at, axes, strict=True)
        )

    if raised(1.0) == at:
        return at
    allowed = share * value(at)
    rise = value(raised(_TRIAL)) - value(at)
    if not np.isfinite(rise):
        return at
    step = _TRIAL * min(np.sqrt(allowed / rise), _LONGEST) if rise > 0 else _TRIAL
    firmer = raised(step)
    return firmer if value(firmer) <= value(at) + allowed else at


def _along(value, at, k, axis, step):
    """Return the point of smallest value on a line along one axis."""

    def put(strength):
        return (*at[:k], float(strength), *at[k + 1 :])

    if not axis.free:
        return _hop(value, at, put, at[k], axis.values)
    at = _enter(value, at, put, at[k], axis)
    if not 0 < at[k] < np.inf:
        return at
    return _leave(value, _slide(value, at, put, k, axis, step), put, k, axis)


def _hop(value, at, put, strength, values):
    """Go to neighbours on a grid, as long as one is better."""
    place = int(np.searchsorted(values, strength))
    while True:
        near = [j for j in (place - 1, place + 1) if 0 <= j < len(values)]
        better = min(near, key=lambda j: value(put(values[j])), default=place)
        if value(put(values[better])) >= value(at):
            return at
        place, at = better, put(values[better])


def _enter(value, at, put, strength, axis):
    """Leave an end for the next finite strength, if that is better."""
    if 0 < strength < np.inf or not len(axis.finite):
        return at
    inner = put(axis.finite[0] if strength == 0 else axis.finite[-1])
    return inner if value(inner) < value(at) else at


def _slide(value, at, put, k, axis, step):
    """Bracket a minimum, and go to that of a parabola."""
    low, high = axis.bounds
    middle = begin = np.log(at[k])

    def place(x):
        return at if x == begin else put(np.exp(x))

    def height(x):
        return value(place(x))

    left, right = max(middle - step, low), min(middle + step, high)
    while height(left) < height(middle) and left > low:
        step *= 2
        left, middle, right = max(left - step, low), left, middle
    while height(right) < height(middle) and right < high:
        step *= 2
        left, middle, right = middle, right, min(right + step, high)
    points = sorted({left, middle, right})
    best = min(points, key=height)
    vertex = _vertex(points, [height(x) for x in points])
    if vertex is not None and height(vertex) < height(best):
        best = vertex
    return place(best)


def _vertex(points, heights):
    """Return where a parabola through three points is lowest, if that is among them."""
    if len(points) < 3 or not np.isfinite(heights).all():
        return None
    a, b, c = points
    fa, fb, fc = heights
    one, two = (b - a) * (fb - fc), (b - c) * (fb - fa)
    if one == two:
        return None
    vertex = b - ((b - a) * one - (b - c) * two) / (2 * (one - two))
    return float(vertex) if a < vertex < c else None


def _leave(value, at, put, k, axis):
    """Go to an end of the axis where that is no worse."""
    middle = np.exp(np.log(axis.finite).mean())
    ends = []
    if np.isinf(axis.values[-1]) and at[k] > _FAR * middle:
        ends.append(np.inf)
    if axis.zero and at[k] < middle / _FAR:
        ends.append(0.0)
    for end in ends:
        if value(put(end)) <= value(at) * (1 + 1e-9):
            return put(end)
    return at
