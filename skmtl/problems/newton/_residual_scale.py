"""Huber losses whose scale of the residuals is estimated with the models."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skmtl._contracts import Array, Solution
from skmtl.losses import Huber
from skmtl.solvers import Newton

from ._mean_newton import MeanLosses

# Lower bound on the scale, relative to the spread of the targets around their median:
# residuals of zero have no scale.
_LEAST = 1e-6


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

    def at(self, scale: float) -> MeanLosses:
        """Return the objective at a scale, times the scale."""
        datafit = replace(self.losses.datafit, loss=Huber(self.epsilon * scale))
        return replace(self.losses, datafit=datafit)

    def value(self, variable: Array, scale: float) -> float:
        """Return the objective."""
        total = self.losses.datafit.task_totals.sum()
        return float(self.at(scale).at(variable).value / scale + total * scale / 2)

    def best_scale(self, variable: Array) -> float:
        """Return the scale that minimises the objective at fixed models."""
        return max(self._fit_scale(variable), self.least)

    def _fit_scale(self, variable):
        datafit = self.losses.datafit
        raw = datafit.predict(self.losses.coefs(variable))
        pairs = list(zip(datafit.stacks(), raw, strict=True))
        sizes = [np.abs(stack.y - z).ravel() for stack, z in pairs]
        weight = [stack.weight.ravel() for stack, _ in pairs]
        sizes, weight = np.concatenate(sizes), np.concatenate(weight)
        coupling = 2 * self.losses.coupling_value(variable)
        return fit_scale(sizes, weight, self.epsilon, coupling)


def minimize_scaled(
    objective: ScaledLosses, start: Array, tol: float, max_iter: int
) -> ScaledFit:
    """Alternate majoriser steps of the models and minimisation over the scale.

    Parameters
    ----------
    objective : ScaledLosses
        The objective.
    start : ndarray
        Initial models.
    tol : float
        Stop at this predicted decrease, relative to the objective at zero, and at a
        relative change of the scale of its root.
    max_iter : int
        Largest number of steps.

    Returns
    -------
    ScaledFit
        The solution.
    """
    solver, variable = Newton(tol=tol, max_iter=1), start
    n_iter, converged, scale = 0, False, objective.best_scale(start)
    while n_iter < max_iter and not converged:
        step, before = solver.minimize(objective.at(scale), variable), scale
        variable, scale = step.variable, objective.best_scale(step.variable)
        change = abs(scale - before)
        converged = step.converged and change <= np.sqrt(tol) * before
        n_iter += 1
    value = objective.value(variable, scale)
    solution = Solution(variable, value, step.optimality, n_iter, bool(converged))
    return ScaledFit(objective.at(scale), solution, scale)


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
