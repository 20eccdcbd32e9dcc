"""Huber losses whose scale of the residuals is estimated with the models."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skmtl._contracts import Array, Solution
from skmtl._linalg import EPS
from skmtl._numbers import TINY
from skmtl.losses import Huber

from ._mean_newton import MeanLosses

# Lower bound on the scale, relative to the spread of the targets around their median:
# residuals of zero have no scale.
_LEAST = 1e-6
# Use the loss's own curvature below this predicted decrease, relative to the objective
# at zero, unless it led to shorter steps than this.
_NEAR, _SHORTEST = 0.05, 0.05
# Curvature of outliers, relative to that of the majorant.
_FLAT = 1e-3
# Armijo constant, relative rounding error of a value, and halvings of a step.
_ARMIJO, _ROUNDING, _N_HALVINGS = 1e-4, 8 * EPS, 30
# Predicted decrease, relative to the objective at zero, that rounding may prevent.
_STALLED = 1e-12
# Smallest curvature along the scale, and largest change of it, relative to it.
_LEAST_BORDER, _LARGEST = 1e-10, 0.7


@dataclass(repr=False, eq=False)
class _OwnCurvature(Huber):
    """Huber's loss with its own curvature, but not quite zero for outliers."""

    def majorant(self, y: Array, z: Array) -> Array:
        found = super().majorant(y, z)
        return np.where(found < 1, _FLAT * found, found)


@dataclass(repr=False, eq=False)
class _Inliers(Huber):
    """Squared loss of the rows that are no outliers."""

    def cost(self, y: Array, z: Array) -> Array:
        return self.slope(y, z) ** 2 / 2

    def slope(self, y: Array, z: Array) -> Array:
        return np.where(np.abs(z - y) <= self.epsilon, z - y, 0.0)


@dataclass(frozen=True)
class ScaledFit:
    """Models and scale that minimise :class:`ScaledLosses`.

    Parameters
    ----------
    losses : MeanLosses
        The objective at the scale, times the scale.
    solution : Solution
        Minimiser and value of :class:`ScaledLosses`.
    scale : float
        The scale.
    """

    losses: MeanLosses
    solution: Solution
    scale: float


@dataclass(frozen=True)
class ScaledLosses:
    """Concomitant Huber losses, ``sum_i s (1/2 + h(r_i / s)) + coupling / (2 s)``.

    ``r_i`` are the residuals, ``s`` is their scale, and ``h`` is Huber's loss with
    `epsilon`. The objective is jointly convex in coefficients and scale. It is
    homogeneous: a factor of the targets is a factor of the coefficients and the scale.

    Parameters
    ----------
    losses : MeanLosses
        Rows and strengths, of any loss.
    epsilon : float
        Largest residual with a quadratic loss, in units of the scale; 1 or more.
    """

    losses: MeanLosses
    epsilon: float

    @cached_property
    def least(self) -> float:
        """Lower bound on the scale, above zero."""
        parts = [(s.y.ravel(), s.weight.ravel()) for s in self.losses.datafit.stacks()]
        y, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.argsort(y)
        total = np.cumsum(weight[order])
        median = y[order[np.searchsorted(total, total[-1] / 2)]]
        sizes = np.abs(y - median) * (weight > 0)
        spread = fit_scale(sizes, weight, self.epsilon) or sizes.max()
        return float(_LEAST * spread) or 1.0

    def at(self, scale: float, kind: type[Huber] = Huber) -> MeanLosses:
        """Return the objective at a scale, times the scale."""
        datafit = replace(self.losses.datafit, loss=kind(self.epsilon * scale))
        return replace(self.losses, datafit=datafit)

    def value(self, variable: Array, scale: float) -> float:
        """Return the objective."""
        total = self.losses.datafit.task_totals.sum()
        return float(self.at(scale).at(variable).value / scale + total * scale / 2)

    def best_scale(self, variable: Array) -> float:
        """Return the scale that minimises the objective at fixed models."""
        return max(self._fit_scale(variable), self.least)

    def _fit_scale(self, variable):
        coupling = 2 * self.losses.coupling_value(variable)
        return fit_scale(*self._residuals(variable), self.epsilon, coupling)

    def free_weight(self, variable: Array, scale: float) -> float:
        """Return the weight of all rows minus ``epsilon**2`` times that of outliers."""
        sizes, weight = self._residuals(variable)
        outside = weight[sizes > self.epsilon * scale].sum()
        return float(weight.sum() - self.epsilon**2 * outside)

    def _residuals(self, variable):
        """Return the absolute residuals of all rows, and their weights."""
        datafit = self.losses.datafit
        raw = datafit.predict(self.losses.coefs(variable))
        pairs = list(zip(datafit.stacks(), raw, strict=True))
        sizes = [np.abs(stack.y - z).ravel() for stack, z in pairs]
        weight = [stack.weight.ravel() for stack, _ in pairs]
        return np.concatenate(sizes), np.concatenate(weight)


def minimize_scaled(
    objective: ScaledLosses, start: Array, tol: float, max_iter: int
) -> ScaledFit:
    """Take Newton steps of the models and the scale together.

    The first steps use the curvature of Huber's majorant, which is safe far from the
    optimum. Near it, that of the loss itself converges in a few steps. After each step,
    the scale is the best one for the models.

    Parameters
    ----------
    objective : ScaledLosses
        The objective.
    start : ndarray
        Initial models.
    tol : float
        Stop at this predicted decrease, relative to the objective at zero.
    max_iter : int
        Largest number of steps.

    Returns
    -------
    ScaledFit
        The solution.
    """
    variable, scale = start, objective.best_scale(start)
    value, zero = objective.value(variable, scale), np.zeros_like(start)
    unit = max(objective.value(zero, objective.best_scale(zero)), TINY)
    n_iter, optimality, converged, loss = 0, np.inf, False, Huber
    while n_iter < max_iter:
        n_iter += 1
        step = _find_step(objective, variable, scale, loss)
        if not np.isfinite(step.slope):
            break
        length, models = _search(objective, step, variable, scale, value)
        optimality = max(-step.slope / 2, 0.0) / unit
        if length:
            variable, scale = models, objective.best_scale(models)
            value = objective.value(variable, scale)
        if optimality <= tol + _ROUNDING * abs(value) / unit:
            converged = True
            break
        if not length and loss is Huber:  # values differ by less than rounding
            converged = bool(optimality <= _STALLED)
            break
        is_near = loss is Huber or length > _SHORTEST
        loss = _OwnCurvature if is_near and optimality < _NEAR else Huber
    solution = Solution(variable, value, optimality, n_iter, converged)
    return ScaledFit(objective.at(scale), solution, scale)


@dataclass(frozen=True)
class _Step:
    """A step of the models, the relative change of the scale, and the slope."""

    models: Array
    ratio: float
    slope: float


def _find_step(objective, variable, scale, loss):
    """Solve Newton's equations, those of the scale as a border of the models'.

    At fixed outliers the objective is ``q / (2 s) + b + c s``, where ``q`` is the sum
    of the squares of the others and of the coupling, and ``b`` is linear in the models.
    """
    losses, inner = (objective.at(scale, kind) for kind in (loss, _Inliers))
    point, squares = losses.at(variable), inner.at(variable)
    with np.errstate(over="ignore", invalid="ignore"):
        gradient, own = losses.gradient(point), inner.gradient(squares)
        solve = losses.factor(point)
        down, along = -solve(gradient), solve(own)
        # Divided twice, as the square of a small scale underflows.
        size = 2 * squares.value / scale / scale
        of_scale = (objective.free_weight(variable, scale) - size) / 2
        border = size - np.vdot(own, along) / scale / scale
        ratio = 0.0  # change of the scale, relative to it
        if size > 0:
            ratio = np.vdot(own, down) / scale / scale - of_scale
            ratio /= max(border, _LEAST_BORDER * size)
            lowest = max(-_LARGEST, objective.least / scale - 1)
            ratio = float(np.clip(ratio, lowest, _LARGEST))
        models = down + along * ratio
        slope = float(np.vdot(gradient, models)) / scale + of_scale * ratio * scale
    return _Step(models.reshape(variable.shape), ratio, slope)


def _search(objective, step, variable, scale, value):
    """Return the first halved length that decreases enough, and its models."""
    length, slack = 1.0, _ROUNDING * abs(value)
    for _ in range(_N_HALVINGS):
        models = variable + length * step.models
        moved = objective.value(models, scale * (1 + length * step.ratio))
        if moved <= value + _ARMIJO * length * step.slope + slack:
            return length, models
        length /= 2
    return 0.0, variable


def fit_scale(
    sizes: Array, weight: Array, epsilon: float, coupling: float = 0.0
) -> float:
    """Return the scale of residuals, the minimiser of :class:`ScaledLosses` over ``s``.

    It solves ``sum_i weight_i (min(r_i / s, epsilon)^2 - 1) + coupling / s^2 = 0``.

    Parameters
    ----------
    sizes : ndarray of shape (n_rows,)
        Absolute residuals ``r_i``.
    weight : ndarray of shape (n_rows,)
        Weights of the rows.
    epsilon : float
        Largest residual with a quadratic loss, in units of the scale; 1 or more.
    coupling : float, default=0.0
        Value of the coupling, a weighted sum of squares.

    Returns
    -------
    float
        The scale, zero if too many residuals are zero.
    """
    unit = max(sizes.max(initial=0.0), np.sqrt(coupling))
    if unit == 0:
        return 0.0
    order = np.argsort(sizes)
    squares = np.cumsum(weight[order] * (sizes[order] / unit) ** 2)
    squares += coupling / unit / unit
    inside = np.cumsum(weight[order])
    # Candidate k has the rows after the k-th as outliers; the true set of outliers has
    # the smallest scale.
    total = inside[-1] - epsilon**2 * (inside[-1] - inside)
    return float(unit * np.sqrt((squares[total > 0] / total[total > 0]).min()))
