"""Problems of several groupings: exact for squared losses, Newton's for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array, CoupledRelation, Loss
from skmtl.problems.exact import (
    Columns,
    GroupedDesign,
    GroupedPosterior,
    GroupedRows,
    GroupedSystem,
    TaskModels,
)
from skmtl.problems.newton import GroupedLosses
from skmtl.solvers import Newton

from ._fit import TOL, Fit, Problem

_MAX_STEPS = 100


def pose_grouped(rows, loss, relation, fit_intercept, targets):
    """Pose squared losses of several groupings."""
    return GroupedProblem(GroupedRows.of(rows), relation, fit_intercept)


def pose_grouped_losses(rows, loss, relation, fit_intercept, targets):
    """Pose losses of any kind of several groupings."""
    goals = read_goals(rows, targets)
    grouped = GroupedRows.of(rows)
    return GroupedLossProblem(grouped, loss, goals, relation, fit_intercept)


def read_goals(rows: Any, targets: Any) -> Array:
    """Return the targets of the loss, in the order of tasks.

    Parameters
    ----------
    rows : TaskRows
        Rows of the tasks.
    targets : ClassTargets or None
        Converts the targets of rows to those of the loss.

    Returns
    -------
    ndarray of shape (n_samples, n_targets)
        The targets.
    """
    if targets is None:
        return np.asarray(rows.y, dtype=float)[:, None]
    tasks = np.repeat(np.arange(len(rows.tasks)), np.diff(rows.offsets))
    found: Array = targets.rows(rows.y[:, None], tasks)[:, 0]
    return found.astype(float)


@dataclass(frozen=True)
class GroupedSolution:
    """Own parts of the labels of each grouping.

    Parameters
    ----------
    own : sequence of TaskModels
        Own coefficients and intercepts of the labels, with an axis of outputs.
    posterior : GroupedPosterior, default=None
        Uncertainty of predictions, for squared losses.
    """

    own: Sequence[TaskModels]
    posterior: GroupedPosterior | None = None


def unpack_groupings(
    layout: Any, parts: Any, groupings: Sequence[Any]
) -> tuple[TaskModels, list[TaskModels]]:
    """Return the models of all tasks, and the own parts of each grouping.

    Parameters
    ----------
    layout : Layout
        Parameters and their places.
    parts : tuple of ndarray
        Parameters: large, rest, shared; each of shape (n_parameters, n_outputs).
    groupings : sequence of Grouping
        Groupings of the tasks.

    Returns
    -------
    models : TaskModels
        Sums of the shared part and the own parts of each task.
    own : list of TaskModels
        Own parts of the labels of each grouping, with the same shared part.
    """
    shared, intercept_shared = layout.unpack_shared(parts[2])
    own = []
    for g in range(len(groupings)):
        coef, intercept = layout.unpack_own(parts, g)
        own.append(TaskModels(coef, intercept, shared, intercept_shared))
    coef, intercept = shared, intercept_shared
    for models, grouping in zip(own, groupings, strict=True):
        coef = coef + models.coef[grouping.codes]
        intercept = intercept + models.intercept[grouping.codes]
    return TaskModels(coef, intercept, shared, intercept_shared), own


@dataclass(frozen=True)
class GroupedProblem(Problem):
    """Squared losses of several groupings, factored.

    Parameters
    ----------
    rows : GroupedRows
        Observations.
    relation : CoupledRelation
        Groupings and their strengths.
    fit_intercept : bool
        Whether there are intercepts.
    """

    rows: GroupedRows
    relation: CoupledRelation
    fit_intercept: bool
    moments = None

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        self.rows.refuse_huge()
        strengths: Any = self.relation.coupling
        design = GroupedDesign.of(self.rows, Columns.of(strengths, self.fit_intercept))
        products = design.products(self.rows.weight)
        system = GroupedSystem(products, strengths.raised(self.rows))
        solved = solve_squares(design, system)
        models, own = unpack_groupings(
            system.layout, solved.parts, self.relation.groupings
        )
        kept = GroupedSystem(products, system.strengths)
        posterior = GroupedPosterior(kept, strengths, solved.loss)
        objective = solved.loss + system.penalty(solved.parts)
        detail = GroupedSolution(own, posterior)
        return Fit(models, objective, solved.optimality, detail=detail)


@dataclass(frozen=True)
class SolvedSquares:
    """Parameters with the least squares, penalised.

    Parameters
    ----------
    parts : tuple of ndarray
        Parameters: large, rest, shared.
    loss : float
        Weighted sum of squared residuals.
    optimality : float
        Norm of the gradient, relative to the one at zero.
    """

    parts: Any
    loss: float
    optimality: float


def solve_squares(design: GroupedDesign, system: GroupedSystem) -> SolvedSquares:
    """Solve for the targets of the rows, with one step of refinement.

    Parameters
    ----------
    design : GroupedDesign
        Rows and columns.
    system : GroupedSystem
        Their factored equations.

    Returns
    -------
    SolvedSquares
        The solution.
    """
    weight, y = design.rows.weight[:, None], design.rows.y[:, None]
    mean = 0.0
    if design.columns.fit_intercept and weight.any():
        mean = float(np.average(y[:, 0], weights=weight[:, 0]))
    centred = y - mean
    parts = system.solve(design.adjoint(weight * centred))
    change = system.solve(_gradient(design, system, centred, parts)[1])
    parts = parts[0] + change[0], parts[1] + change[1], parts[2] + change[2]
    residual, gradient = _gradient(design, system, centred, parts)
    if design.columns.fit_intercept:
        parts[2][-1] += mean
    loss = float((weight * residual**2).sum())
    size = np.linalg.norm(np.concatenate(design.adjoint(weight * y)))
    norm = np.linalg.norm(np.concatenate(gradient))
    return SolvedSquares(parts, loss, float(norm / size) if size > 0 else 0.0)


def _gradient(design, system, y, parts):
    """Return residuals, and half the negative gradient of the objective."""
    residual = y - design.forward(parts)
    sums = design.adjoint(design.rows.weight[:, None] * residual)
    pulls = system.penalize(parts)
    return residual, tuple(a - b for a, b in zip(sums, pulls, strict=True))


@dataclass(frozen=True)
class GroupedLossProblem(Problem):
    """Losses of any kind of several groupings, solved by Newton's method.

    Parameters
    ----------
    rows : GroupedRows
        Observations.
    loss : Loss
        Loss of a row.
    goals : ndarray of shape (n_samples, n_targets)
        Targets of the loss.
    relation : CoupledRelation
        Groupings and their strengths.
    fit_intercept : bool
        Whether there are intercepts.
    """

    rows: GroupedRows
    loss: Loss
    goals: Array
    relation: CoupledRelation
    fit_intercept: bool
    moments = None

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        replace(self.rows, y=self.goals.sum(axis=1)).refuse_huge()
        strengths: Any = self.relation.coupling
        losses = GroupedLosses.of(
            self.rows, self.loss, self.goals, strengths, self.fit_intercept
        )
        known = start is not None and start.shape == losses.shape
        begin: Any = start if known else losses.start()
        solver = Newton(tol=tol**2, max_iter=max_iter or _MAX_STEPS)
        solution = solver.minimize(losses, begin)
        models, own = unpack_groupings(
            losses.design.layout,
            losses.split(solution.variable),
            self.relation.groupings,
        )
        return Fit(
            models,
            solution.objective,
            float(np.sqrt(solution.optimality)),
            solution.n_iter,
            solution.converged,
            "step",
            solution.variable,
            detail=GroupedSolution(own),
            tol=tol,
        )
