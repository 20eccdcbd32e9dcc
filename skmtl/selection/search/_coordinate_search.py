"""Minimise a criterion over strengths, starting from a grid point."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from skmtl._contracts import Array

# Logs of the factor of the first step: from the minimum of a grid, and from a minimum
# of a similar criterion.
_STEP, NEARBY = np.log(3.0), np.log(2.0)
# Log of the largest factor beyond the ends of the grid.
_REACH = np.log(1e8)
# Stop after a sweep over all axes with a smaller relative decrease, or after so many.
_MIN_DECREASE = 1e-5
N_SWEEPS = 6
# Log of the factor at which an increase of the criterion is measured, and the largest
# multiple of it by which strengths are raised.
_TRIAL, _MAX_TRIALS = 0.2, 5.0
# Try infinity beyond this factor times the grid's middle, and 0 below its inverse.
_FAR = 30.0
# Quadratic models of a function: their largest number, the length of a step, relative
# to that of the model, after which none follows, the farthest step to a minimum, and
# the smallest curvature, relative to the largest.
_N_MODELS, _INSIDE, _FARTHEST, _LEAST_CURVE = 4, 1.2, 3.0, 1e-3

Strengths = tuple[float, ...]
Value = Callable[[Strengths], float]


@dataclass(frozen=True)
class Axis:
    """Allowed values of one strength.

    Parameters
    ----------
    values : ndarray of shape (n_values,)
        Increasing grid values; the first may be 0 and the last infinite.
    free : bool
        Whether values between and beyond those of the grid are allowed too; infinity
        only if it is in the grid.
    zero : bool, default=False
        Whether 0 is allowed if values are free.
    reach : float
        Log of the largest factor below the grid.
    """

    values: Array
    free: bool
    zero: bool = False
    reach: float = _REACH

    @property
    def finite(self) -> Array:
        """Positive finite values."""
        return self.values[(self.values > 0) & np.isfinite(self.values)]

    @property
    def bounds(self) -> tuple[float, float]:
        """Logs of the smallest and largest finite strengths."""
        low, high = np.log(self.finite[[0, -1]])
        return low - self.reach, high + _REACH


def descend(
    value: Value,
    start: Strengths,
    axes: Sequence[Axis],
    step: float = _STEP,
    n_sweeps: int = N_SWEEPS,
) -> Strengths:
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
    n_sweeps : int
        Largest number of sweeps over all axes.

    Returns
    -------
    tuple of float
        Strengths at a local minimum.
    """
    at = tuple(start)
    for _ in range(n_sweeps):
        before = value(at)
        for k, axis in enumerate(axes):
            at = _minimize_axis(value, at, k, axis, step)
        if before - value(at) <= _MIN_DECREASE * abs(before):
            break
        step = step / 3
    return at


def strengthen(
    value: Value, at: Strengths, axes: Sequence[Axis], share: float
) -> Strengths:
    """Raise all strengths as far as the function increases by at most a share.

    On new rows, too small strengths cost more than too large ones.

    Parameters
    ----------
    value : callable
        Function of a tuple of strengths.
    at : tuple of float
        Strengths at its minimum.
    axes : list of Axis
        Allowed strengths.
    share : float
        Largest increase relative to the minimum.

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
    increase = value(raised(_TRIAL)) - value(at)
    if not np.isfinite(increase):
        return at
    step = _TRIAL
    if increase > 0:  # quadratic in the log of the factor
        step = _TRIAL * min(np.sqrt(allowed / increase), _MAX_TRIALS)
    larger = raised(step)
    return larger if value(larger) <= value(at) + allowed else at


def _minimize_axis(value, at, k, axis, step):
    """Return the best strengths on a line along one axis."""

    def put(strength):
        return (*at[:k], float(strength), *at[k + 1 :])

    if not axis.free:
        return _move_on_grid(value, at, put, at[k], axis.values)
    at = _leave_end(value, at, put, at[k], axis)
    if not 0 < at[k] < np.inf:
        return at
    at = _interpolate(value, at, put, k, axis, step)
    return _move_to_end(value, at, put, k, axis)


def _move_on_grid(value, at, put, strength, values):
    """Move to better neighbours on a grid until there are none."""
    place = int(np.searchsorted(values, strength))
    while True:
        near = [j for j in (place - 1, place + 1) if 0 <= j < len(values)]
        better = min(near, key=lambda j: value(put(values[j])), default=place)
        if value(put(values[better])) >= value(at):
            return at
        place, at = better, put(values[better])


def _leave_end(value, at, put, strength, axis):
    """Move from an end to the next finite strength if that is better."""
    if 0 < strength < np.inf or not len(axis.finite):
        return at
    inner = put(axis.finite[0] if strength == 0 else axis.finite[-1])
    return inner if value(inner) < value(at) else at


def _interpolate(value, at, put, k, axis, step):
    """Bracket a minimum, and interpolate it with a parabola."""
    low, high = axis.bounds
    middle = start = np.log(at[k])

    def place(x):
        return at if x == start else put(np.exp(x))

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
    """Return the minimum of a parabola through three points, None if outside."""
    if len(points) < 3 or not np.isfinite(heights).all():
        return None
    a, b, c = points
    fa, fb, fc = heights
    first, second = (b - a) * (fb - fc), (b - c) * (fb - fa)
    if first == second:
        return None
    vertex = b - ((b - a) * first - (b - c) * second) / (2 * (first - second))
    return float(vertex) if a < vertex < c else None


def _move_to_end(value, at, put, k, axis):
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


def refine(
    value: Value, start: Strengths, axes: Sequence[Axis], step: float = NEARBY
) -> Strengths:
    """Minimise a function near a start by quadratic models of the logs of strengths.

    It takes fewer evaluations than :func:`descend` where the function is smooth. Axes
    that are not free stay as they are.

    Parameters
    ----------
    value : callable
        Function of a tuple of strengths.
    start : tuple of float
        Strengths near a minimum.
    axes : list of Axis
        Allowed strengths.
    step : float
        Log of the factor at which the function is compared.

    Returns
    -------
    tuple of float
        Strengths near a local minimum.
    """
    at = _leave_ends(value, tuple(map(float, start)), axes)
    for _ in range(_N_MODELS):
        place = _Place(at, _moving(at, axes), axes, step)
        at = _model_minimum(value, place)
        if _is_inside(at, place):
            break
    for k in _moving(at, axes):
        at = _move_to_end(value, at, _putter(at, k), k, axes[k])
    return at


def _leave_ends(value, at, axes):
    """Move strengths at an end of their axis to the grid where that is better."""
    for k, axis in enumerate(axes):
        if axis.free and not 0 < at[k] < np.inf and len(axis.finite):
            line = [_putter(at, k)(each) for each in axis.finite[[0, -1]]]
            at = min([at, *line], key=value)
    return at


def _moving(at, axes):
    """Return the axes along which strengths may move a little."""
    return [k for k, axis in enumerate(axes) if axis.free and 0 < at[k] < np.inf]


def _putter(at, k):
    return lambda strength: (*at[:k], float(strength), *at[k + 1 :])


def polish(
    value: Value,
    similar: Value,
    start: Strengths,
    axes: Sequence[Axis],
    step: float = NEARBY,
) -> Strengths:
    """Minimise a function by one step, with the curvature of a similar function.

    Parameters
    ----------
    value : callable
        Function of a tuple of strengths.
    similar : callable
        A function with about the same curvature that takes less time.
    start : tuple of float
        Strengths near a minimum.
    axes : list of Axis
        Allowed strengths.
    step : float
        Log of the factor at which the functions are compared.

    Returns
    -------
    tuple of float
        Strengths near a local minimum.
    """
    at = _leave_ends(value, tuple(map(float, start)), axes)
    place = _Place(at, _moving(at, axes), axes, step)
    _, curve = _slope_and_curve(similar, place)
    if not place.moving or not np.isfinite(curve).all():
        return refine(value, at, axes, step)
    points = [place.shifted(unit) for unit in place.units]
    slope = np.array([value(each) - value(at) for each in points]) - np.diag(curve) / 2
    if np.isfinite(slope).all():
        points.append(place.shifted(_newton_step(slope, curve)))
    best = min([at, *points], key=value)
    return best if _is_inside(best, place) else refine(value, best, axes, step)


@dataclass(frozen=True)
class _Place:
    """Strengths, and those of them that may move a little."""

    at: Strengths
    moving: list[int]
    axes: Sequence[Axis]
    step: float

    @property
    def units(self):
        """One step along each of them."""
        return np.eye(len(self.moving))

    def shifted(self, steps):
        """Return strengths some steps away, within their bounds."""
        point = list(self.at)
        for k, each in zip(self.moving, steps, strict=True):
            log = np.clip(np.log(point[k]) + self.step * each, *self.axes[k].bounds)
            point[k] = float(np.exp(log))
        return tuple(point)


def _is_inside(best, place):
    """Return whether a point is so near that a model holds there."""
    factors = [best[k] / place.at[k] for k in place.moving]
    return np.abs(np.log(factors)).max(initial=0.0) <= _INSIDE * place.step


def _slope_and_curve(value, place):
    """Return the gradient and the Hessian of a quadratic model, in steps."""
    middle, units = value(place.at), place.units
    high = np.array([value(place.shifted(unit)) for unit in units])
    low = np.array([value(place.shifted(-unit)) for unit in units])
    slope, curve = (high - low) / 2, np.diag(high + low - 2 * middle)
    if len(units) > 1:  # the first and the last strength interact most
        signs = -np.sign(slope[[0, -1]])
        first, last = units[[0, -1]] * signs[:, None]
        corner = value(place.shifted(first + last))
        nearest = value(place.shifted(first)) + value(place.shifted(last))
        curve[0, -1] = curve[-1, 0] = (corner - nearest + middle) * signs.prod()
    return slope, curve


def _model_minimum(value, place):
    """Return the best of the points of a quadratic model and its minimum."""
    if not place.moving:
        return place.at
    slope, curve = _slope_and_curve(value, place)
    points = [place.shifted(sign * unit) for sign in (1, -1) for unit in place.units]
    if np.isfinite(curve).all():
        points.append(place.shifted(_newton_step(slope, curve)))
    return min([place.at, *points], key=value)


def _newton_step(slope, curve):
    """Return a bounded step to the minimum of a model, downhill if it has none."""
    values, vectors = np.linalg.eigh(curve)
    least = np.abs(values).max() * _LEAST_CURVE + np.finfo(float).tiny
    inner = (vectors.T @ slope) / np.maximum(np.abs(values), least)
    return np.clip(-vectors @ inner, -_FARTHEST, _FARTHEST)
