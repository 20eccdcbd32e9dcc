"""Losses of any kind with a coupling, solved by Newton's method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array, CoupledRelation
from skmtl.couplings import Rotation
from skmtl.problems.newton import (
    TOLERANCE,
    CentredGraphLosses,
    Datafit,
    DatafitPerTask,
    GraphLosses,
    MeanLosses,
    ScaledLosses,
    iterate,
    minimize_scaled,
)
from skmtl.solvers import Newton

from ._fit import TOL, Fit, PerTaskModels, Problem

# Largest number of Newton steps unless the user gives one. Residuals with an unknown
# scale take more, since the scale is updated between steps.
_MAX_STEPS, _MAX_SCALED_STEPS = 100, 300


def pose_newton(rows, loss, relation, fit_intercept, targets):
    """Pose losses of any kind with a coupling."""
    rows = rows.stacked()
    datafit = Datafit(rows, loss, fit_intercept, targets)
    minimize = minimize_with_scale if loss.is_scaled else minimize_by_newton
    rotation = find_rotation(datafit, relation)
    if rotation is None:
        return NewtonProblem(couple(datafit, relation), minimize)
    datafit.refuse_huge()
    strengths = relation.coupling.strengths(datafit.n_tasks, datafit.n_features)
    losses = MeanLosses(datafit.turned(rotation), strengths)
    return TurnedProblem(NewtonProblem(losses, minimize), rotation)


def find_rotation(datafit, relation):
    """Return the coordinates in which strengths of a matrix are independent."""
    if relation.graph is not None:
        return None
    return relation.coupling.strengths(datafit.n_tasks, datafit.n_features).rotation


def pose_newton_per_task(rows, parts, relation):
    """Pose losses that differ between tasks, with a coupling."""
    datafit = DatafitPerTask(rows, parts)
    return PerTaskNewtonProblem(NewtonProblem(couple(datafit, relation)))


def couple(datafit, relation):
    """Return the objective of losses and a coupling."""
    if relation.graph is not None:
        roots = tuple(relation.graph.roots)
        losses = GraphLosses(datafit, relation.coupling, relation.graph, roots)
        return CentredGraphLosses(losses) if relation.coupling.is_centred else losses
    n_features = datafit.shape[2] - datafit.fit_intercept
    strengths = relation.coupling.strengths(datafit.n_tasks, n_features)
    if strengths.rotation is not None:
        raise ValueError(
            "alpha as a matrix needs a factorisation, and its matrices would be far "
            "larger than this sparse X. Pass one alpha, or one per feature, or reduce "
            "the columns."
        )
    return MeanLosses(datafit, strengths)


def minimize_by_newton(objective, start, tol, max_iter):
    """Minimise; a step within `tol` changes the objective by its square."""
    solver = Newton(tol=tol**2, max_iter=max_iter or _MAX_STEPS)
    return objective, solver.minimize(objective, start), None


def minimize_with_scale(objective, start, tol, max_iter):
    """Minimise over the models and the scale of the residuals."""
    scaled = ScaledLosses(objective, objective.datafit.loss.epsilon)
    fit = minimize_scaled(scaled, start, tol**2, max_iter or _MAX_SCALED_STEPS)
    return fit.losses, fit.solution, fit


@dataclass(frozen=True)
class CoupledProblem(Problem):
    """Losses with a coupling, not factored at once.

    Parameters
    ----------
    objective : CoupledTasks
        The objective.
    """

    objective: Any
    moments = None

    def at(self, relation: CoupledRelation) -> Self:
        """Return the same problem with another coupling."""
        return replace(self, objective=couple(self.objective.datafit, relation))


@dataclass(frozen=True)
class NewtonProblem(CoupledProblem):
    """Losses of any kind with a coupling.

    Parameters
    ----------
    objective : CoupledTasks
        The objective.
    minimize : callable, default=minimize_by_newton
        Minimises an objective, given a start, a tolerance and the largest number of
        iterations. Returns the objective, the solution and details.
    """

    minimize: Callable[..., Any] = minimize_by_newton

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        self.objective.datafit.refuse_huge()
        objective = self.objective.about_means()
        begin = objective.start()
        if start is not None and start.shape == objective.shape:
            begin = objective.move(start, 1)
        objective, solution, detail = self.minimize(objective, begin, tol, max_iter)
        return Fit(
            objective.unpack_nodes(solution.variable),
            solution.objective,
            float(np.sqrt(solution.optimality)),
            solution.n_iter,
            solution.converged,
            "step",
            objective.move(solution.variable, -1),
            detail=self.objective if detail is None else detail,
            tol=tol,
        )


@dataclass(frozen=True)
class TurnedProblem(Problem):
    """Losses with a coupling, of features in other coordinates.

    Parameters
    ----------
    problem : NewtonProblem
        The problem in these coordinates.
    rotation : Rotation
        The coordinates.
    """

    problem: NewtonProblem
    rotation: Rotation
    moments = None

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        fit = self.problem.solve(start, tol, max_iter)
        return replace(fit, models=fit.models.turned(self.rotation))


@dataclass(frozen=True)
class IteratedProblem(CoupledProblem):
    """Squared losses with a coupling, too large to factor."""

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        fit = iterate(self.objective)
        return Fit(
            fit.unpack(),
            fit.objective,
            fit.residual,
            fit.n_iter,
            fit.converged,
            tol=TOLERANCE,
            remedy="Raise alpha, alpha_shared or alpha_ridge, or scale the features.",
        )


@dataclass(frozen=True)
class PerTaskNewtonProblem(Problem):
    """Losses that differ between tasks, with a coupling.

    Parameters
    ----------
    problem : NewtonProblem
        The same problem, with models of one output.
    """

    problem: NewtonProblem
    moments = None

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        fit = self.problem.solve(start, tol, max_iter)
        models = fit.models
        tasks = np.concatenate([models.coef, models.intercept[:, :, None]], axis=2)
        return replace(fit, models=PerTaskModels(list(tasks), models.coef_shared[0]))
