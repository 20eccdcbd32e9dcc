"""Losses of any kind with several groupings, for Newton's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from skmtl._contracts import Array, Loss
from skmtl.problems.exact import (
    Columns,
    GroupedDesign,
    GroupedRows,
    GroupedStrengths,
    GroupedSystem,
)
from skmtl.solvers import NewtonObjective

# Strengths of 0 act as this fraction of the curvature of a label: without a penalty, a
# label whose rows are all of one class has an infinite intercept.
LEAST = 1e-3
# Steps of several classes come from conjugate gradients, to this relative residual.
_STEP_TOL = 1e-6
# Least curvature of a row, relative to its weight; it only shortens steps.
_FLAT = 1e-12


@dataclass(frozen=True)
class GroupedPoint:
    """Parameters, their raw predictions and the value of the objective.

    Parameters
    ----------
    variable : ndarray of shape (n_parameters, n_outputs)
        Parameters.
    raw : ndarray of shape (n_samples, n_outputs)
        Raw predictions.
    value : float
        Value of the objective.
    """

    variable: Array
    raw: Array
    value: float


@dataclass(frozen=True)
class GroupedLosses(NewtonObjective):
    """``sum_i weight_i loss(y_i, z_i) + penalty / 2`` of parameters of groupings.

    Parameters
    ----------
    design : GroupedDesign
        Rows and columns.
    loss : Loss
        Loss of a row.
    targets : ndarray of shape (n_samples, n_targets)
        Targets of the loss.
    strengths : GroupedStrengths
        Positive strengths.
    """

    design: GroupedDesign
    loss: Loss
    targets: Array
    strengths: GroupedStrengths

    @classmethod
    def of(
        cls,
        rows: GroupedRows,
        loss: Loss,
        targets: Array,
        strengths: GroupedStrengths,
        fit_intercept: bool,
    ) -> Self:
        """Pose the losses of rows."""
        design = GroupedDesign.of(rows, Columns.of(strengths, fit_intercept))
        return cls(design, loss, targets, strengths.raised(rows, LEAST))

    def at_strengths(self, strengths: GroupedStrengths) -> Self:
        """Return the same losses at other strengths, finite in the same places."""
        raised = strengths.raised(self.design.rows, LEAST)
        return replace(self, strengths=raised)

    @cached_property
    def penalties(self) -> Array:
        """Strengths of the parameters, (n_parameters, 1)."""
        return np.concatenate(self.strengths.per_label(self.design.layout))

    @cached_property
    def _ends(self):
        sizes = [self.design.own_large.shape[1], self.design.own_rest.shape[1]]
        return np.cumsum(sizes)

    def split(self, variable: Array) -> Any:
        """Split parameters: large, rest, shared."""
        return tuple(np.split(variable, self._ends))

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the variable, (n_parameters, n_outputs)."""
        return len(self.penalties), self.loss.n_outputs

    def start(self) -> Array:
        """Return zeros, with the intercept that fits the mean target."""
        variable = np.zeros(self.shape)
        weight = self.design.rows.weight
        if self.design.columns.fit_intercept and weight.sum() > 0:
            mean = np.average(self.targets, axis=0, weights=weight)
            found = self.loss.link(mean[None])[0]
            variable[-1] = np.where(np.isfinite(found), found, 0.0)
        return variable

    @property
    def unit(self) -> float:
        return self.at(np.zeros(self.shape)).value

    def at(self, variable: Array) -> GroupedPoint:
        return self._point(variable, self.design.forward(self.split(variable)))

    def _point(self, variable, raw):
        losses = self.loss.value(self.targets, raw)
        loss = float(self.design.rows.weight @ losses)
        penalty = float((self.penalties * variable**2).sum()) / 2
        return GroupedPoint(variable, raw, loss + penalty)

    def gradient(self, point: GroupedPoint) -> Array:
        slopes = self.loss.gradient(self.targets, point.raw)
        weighted = self.design.rows.weight[:, None] * slopes
        sums = np.concatenate(self.design.adjoint(weighted))
        return sums + self.penalties * point.variable

    def line(self, point: GroupedPoint, step: Array) -> Callable[[float], GroupedPoint]:
        change = self.design.forward(self.split(step))

        def move(length: float) -> GroupedPoint:
            variable = point.variable + length * step
            return self._point(variable, point.raw + length * change)

        return move

    def system(self, point: GroupedPoint) -> GroupedSystem:
        """Return the equations with the mean curvature of the outputs at a point."""
        curvature = self._curvature(point)
        mean = np.einsum("ikk->i", curvature) / curvature.shape[1]
        mean = np.maximum(mean, _FLAT * self.design.rows.weight)
        return GroupedSystem(self.design.products(mean), self.strengths)

    def _curvature(self, point):
        weight = self.design.rows.weight[:, None, None]
        return weight * self.loss.hessian(self.targets, point.raw)

    def factor(self, point: GroupedPoint) -> Callable[[Array], Array]:
        system = self.system(point)

        def solve(right: Array) -> Array:
            return np.concatenate(system.solve(self.split(right)))

        if self.loss.n_outputs == 1:
            return solve
        return self._iterate(self._curvature(point), solve)

    def _iterate(self, curvature, precondition):
        """Return a function that solves with the curvature between outputs."""
        shape = self.shape
        size = shape[0] * shape[1]

        def multiply(flat):
            step = flat.reshape(shape)
            raw = self.design.forward(self.split(step))
            bent = np.einsum("ikl,il->ik", curvature, raw)
            sums = np.concatenate(self.design.adjoint(bent))
            return (sums + self.penalties * step).ravel()

        def approximate(flat):
            return precondition(flat.reshape(shape)).ravel()

        square = size, size
        matrix = LinearOperator(square, multiply, dtype=float)
        inverse = LinearOperator(square, approximate, dtype=float)

        def solve(right: Array) -> Array:
            found, _ = cg(matrix, right.ravel(), rtol=_STEP_TOL, M=inverse)
            return found.reshape(shape)

        return solve
