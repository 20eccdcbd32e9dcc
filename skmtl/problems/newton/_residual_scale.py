"""Losses of residuals in units of their scale, which is found beside the models."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skmtl._contracts import Solution
from skmtl.losses import Huber
from skmtl.solvers import Newton

from ._mean_newton import MeanLosses

# The scale is at least this share of the spread of the targets around their median:
# residuals of zero have none.
_LEAST = 1e-6


@dataclass(frozen=True)
class ScaledFit:
    """Hold what was found at a scale.

    Parameters
    ----------
    losses : MeanLosses
        The objective at the scale, times the scale.
    solution : Solution
        Where it is lowest; its objective is that of all scales.
    scale : float
        The best scale.
    """

    losses: MeanLosses
    solution: Solution
    scale: float


@dataclass(frozen=True)
class ScaledLosses:
    """Divide residuals by a scale: ``sum_i (s / 2 + s h(r_i / s)) + pull / (2 s)``.

    ``h`` is the loss of Huber with `epsilon`. The objective is jointly convex in
    coefficients and scale, and homogeneous: multiplying the targets by a factor
    multiplies the coefficients and the scale by it.

    Parameters
    ----------
    losses : MeanLosses
        Rows and strengths, of any loss.
    epsilon : float
        Where squares end, in units of the scale; 1 or more.
    """

    losses: MeanLosses
    epsilon: float

    @cached_property
    def least(self):
        """The least scale, above zero."""
        parts = [(s.y.ravel(), s.weight.ravel()) for s in self.losses.datafit.stacks()]
        y, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
        order = np.argsort(y)
        total = np.cumsum(weight[order])
        median = y[order[np.searchsorted(total, total[-1] / 2)]]
        sizes = np.abs(y - median) * (weight > 0)
        spread = fit_scale(sizes, weight, self.epsilon) or sizes.max()
        return float(_LEAST * spread) or 1.0

    def at(self, scale):
        """Return the objective at a scale, times the scale."""
        datafit = replace(self.losses.datafit, loss=Huber(self.epsilon * scale))
        return replace(self.losses, datafit=datafit)

    def value(self, variable, scale):
        """Return the objective."""
        total = self.losses.datafit.task_totals.sum()
        return float(self.at(scale).at(variable).value / scale + total * scale / 2)

    def best_scale(self, variable):
        """Return the scale at which the objective is least."""
        return max(self._fit_scale(variable), self.least)

    def _fit_scale(self, variable):
        datafit = self.losses.datafit
        raw = datafit.predict(self.losses.coefs(variable))
        pairs = list(zip(datafit.stacks(), raw, strict=True))
        sizes = [np.abs(stack.y - z).ravel() for stack, z in pairs]
        weight = [stack.weight.ravel() for stack, _ in pairs]
        sizes, weight = np.concatenate(sizes), np.concatenate(weight)
        pull = 2 * self.losses.coupling_value(variable)
        return fit_scale(sizes, weight, self.epsilon, pull)


def minimize_scaled(objective, start, tol, max_iter):
    """Step by the parabolas above the losses, and to the best scale, in turn.

    Parameters
    ----------
    objective : ScaledLosses
        What is minimised.
    start : ndarray
        Where to begin.
    tol : float
        Fall that the next step promises at which to stop, in units of the objective at
        zero; its root is the relative change of the scale.
    max_iter : int
        Largest number of steps.

    Returns
    -------
    ScaledFit
        What was found.
    """
    solver, variable = Newton(tol=tol, max_iter=1), start
    n_iter, settled, scale = 0, False, objective.best_scale(start)
    while n_iter < max_iter and not settled:
        step, before = solver.minimize(objective.at(scale), variable), scale
        variable, scale = step.variable, objective.best_scale(step.variable)
        settled = step.converged and abs(scale - before) <= np.sqrt(tol) * before
        n_iter += 1
    value = objective.value(variable, scale)
    solution = Solution(variable, value, step.optimality, n_iter, bool(settled))
    return ScaledFit(objective.at(scale), solution, scale)


def fit_scale(sizes, weight, epsilon, pull=0.0):
    """Return the ``s`` where ``min(r / s, epsilon)^2 + pull / s^2`` is 1 in the mean.

    Parameters
    ----------
    sizes : ndarray of shape (n_rows,)
        Sizes of the residuals.
    weight : ndarray of shape (n_rows,)
        Weights of the rows.
    epsilon : float
        Where squares end, in units of the scale; 1 or more.
    pull : float, default=0.0
        Value of the penalty, a weighted sum of squares.

    Returns
    -------
    float
        The scale, zero if too many residuals are.
    """
    unit = max(sizes.max(initial=0.0), np.sqrt(pull))
    if unit == 0:
        return 0.0
    order = np.argsort(sizes)
    squares = np.cumsum(weight[order] * (sizes[order] / unit) ** 2)
    squares += pull / unit / unit
    inside = np.cumsum(weight[order])
    # With outliers beyond any row the mean is too high, with the right ones it is 1.
    left = inside[-1] - epsilon**2 * (inside[-1] - inside)
    return float(unit * np.sqrt((squares[left > 0] / left[left > 0]).min()))
