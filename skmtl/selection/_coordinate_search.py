"""Minimise a criterion over strengths, starting from a grid point."""

from dataclasses import dataclass

import numpy as np

# Factor of the first step, and largest factor beyond the grid.
_STEP, NEARBY = np.log(3.0), np.log(2.0)
_REACH = np.log(1e8)
# Stop after a sweep over all axes with a smaller relative decrease.
_SMALLEST_FALL = 1e-5
_N_SWEEPS = 6
# Factor by which strengths are raised per step, and the largest number of steps.
_TRIAL, _LONGEST = 0.2, 5.0
# Beyond this factor times the grid's middle, a strength acts as infinite.
_FAR = 30.0


@dataclass(frozen=True)
class Axis:
    """The allowed strengths along one axis.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Increasing grid values; the first may be 0 and the last infinite.
    free : bool
        Whether values between and beyond are allowed too, and infinity if in the grid.
    zero : bool, default=False
        Whether 0 is then allowed.
    """

    values: np.ndarray
    free: bool
    zero: bool = False

    @property
    def finite(self):
        """Positive finite values."""
        return self.values[(self.values > 0) & np.isfinite(self.values)]

    @property
    def bounds(self):
        """Logs of the smallest and largest finite strengths."""
        return np.log(self.finite[0]) - _REACH, np.log(self.finite[-1]) + _REACH


def descend(value, start, axes, step=_STEP):
    """Minimise a function over strengths by coordinate descent on their logs.

    Parameters
    ----------
    value : callable
        Function of a tuple of strengths.
    start : tuple of float
        Best strengths of a grid.
    axes : list of Axis
        Allowed strengths.
    step : float
        Log of the first step's factor.

    Returns
    -------
    tuple of float
        Strengths at a local minimum.
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
    """Raise all strengths while the function's relative rise stays below a limit.

    Too small strengths cost more on new rows than too large ones, and rows cannot
    distinguish strengths with nearly equal values.

    Parameters
    ----------
    value : callable
        Function of a tuple of strengths.
    at : tuple of float
        Strengths at its minimum.
    axes : list of Axis
        Allowed strengths.
    share : float
        Largest rise relative to the minimum.

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
    """Return the best point on a line along one axis."""

    def put(strength):
        return (*at[:k], float(strength), *at[k + 1 :])

    if not axis.free:
        return _hop(value, at, put, at[k], axis.values)
    at = _enter(value, at, put, at[k], axis)
    if not 0 < at[k] < np.inf:
        return at
    return _leave(value, _slide(value, at, put, k, axis, step), put, k, axis)


def _hop(value, at, put, strength, values):
    """Move to better neighbours on a grid until there are none."""
    place = int(np.searchsorted(values, strength))
    while True:
        near = [j for j in (place - 1, place + 1) if 0 <= j < len(values)]
        better = min(near, key=lambda j: value(put(values[j])), default=place)
        if value(put(values[better])) >= value(at):
            return at
        place, at = better, put(values[better])


def _enter(value, at, put, strength, axis):
    """Move from an end to the next finite strength if that is better."""
    if 0 < strength < np.inf or not len(axis.finite):
        return at
    inner = put(axis.finite[0] if strength == 0 else axis.finite[-1])
    return inner if value(inner) < value(at) else at


def _slide(value, at, put, k, axis, step):
    """Bracket a minimum, and interpolate it by a parabola."""
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
    """Return the minimum of a parabola through three points, if it is between them."""
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
    """Move to an end of the axis if that is no worse."""
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
