"""Losses with a penalty, solved by proximal methods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array, PenalizedRelation
from skmtl.data import TaskMoments
from skmtl.losses import Squared
from skmtl.problems.newton import Datafit, DatafitPerTask
from skmtl.problems.proximal import (
    AnyLoss,
    CentredLosses,
    CentredSquares,
    FreeIntercepts,
    LossPerTask,
    PenalizedFit,
    RestrictableLoss,
    minimize,
    reads_rows,
    restrictable_moments,
    restrictable_rows,
    squared_loss,
)
from skmtl.problems.rows import prefers_rows, row_curvature
from skmtl.solvers import Fista

from ._fit import TOL, Fit, PerTaskModels, Problem

# Largest number of proximal steps for losses per task, unless the user gives one.
_MAX_STEPS = 10_000


def pose_squares(rows, loss, relation, fit_intercept, targets):
    """Pose squared losses with a penalty."""
    if relation.selects_features:
        use_rows, read = reads_rows, restrictable_rows
    else:
        use_rows, read = prefers_rows, _read_rows
    if use_rows(rows):
        return PenaltyProblem(read(rows, fit_intercept), relation)
    moments = replace(rows, task_weight=None).moments()
    return pose_squares_of_moments(moments, rows.task_weight, relation, fit_intercept)


def pose_squares_of_moments(moments, factor, relation, fit_intercept):
    """Pose squared losses with a penalty, from moments."""
    read = restrictable_moments if relation.selects_features else squared_loss
    losses = read(moments.weighted(factor), fit_intercept)
    return PenaltyProblem(losses, relation, moments)


def _read_rows(rows, fit_intercept):
    curvature = row_curvature(rows, fit_intercept)
    moments = rows.moments(curvature=False)
    return squared_loss(moments, fit_intercept, curvature=curvature)


def pose_any_loss(rows, loss, relation, fit_intercept, targets):
    """Pose losses of any kind with a penalty."""
    rows = rows.stacked()
    return LossPenaltyProblem(Datafit(rows, loss, fit_intercept, targets), relation)


def pose_penalty_per_task(rows, parts, relation):
    """Pose losses that differ between tasks, with a penalty."""
    return PerTaskPenaltyProblem(DatafitPerTask(rows, parts), relation)


@dataclass(frozen=True)
class PenaltyProblem(Problem):
    """Squared losses with a penalty.

    Parameters
    ----------
    losses : SquaredLoss or RestrictableLoss
        The losses of all tasks, without strengths of the relation.
    relation : PenalizedRelation
        The penalty.
    moments : TaskMoments, default=None
        Moments of the rows.
    """

    losses: Any
    relation: PenalizedRelation
    moments: TaskMoments | None = None

    def at(self, relation: PenalizedRelation) -> PenaltyProblem:
        """Return the same problem with another relation of the same kind."""
        return replace(self, relation=relation)

    @property
    def scale(self) -> float | None:
        """Factor of the sum of the losses; None if there are no scatter matrices."""
        return None if self.moments is None else float(self.losses.scale)

    @cached_property
    def loss(self) -> Any:
        """The losses with the quadratic strengths of the relation."""
        relation, ridge = self.relation, self.relation.ridge
        if relation.selects_features:
            return RestrictableLoss(replace(self.losses.loss, alpha_ridge=ridge))
        quadratic = {"alpha_ridge": ridge, "precision": relation.precision}
        if relation.centre is None:
            return replace(self.losses, **quadratic)
        return CentredSquares(self.losses, relation.centre, **quadratic)

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        solver = self.relation.solver(Squared(), tol, max_iter)
        fit = minimize(self.loss, self.relation.penalty, solver, start)
        # A solver that the user chose has its own tolerance.
        return as_penalized_fit(fit, getattr(solver, "tol", tol))


@dataclass(frozen=True)
class LossPenaltyProblem(Problem):
    """Losses of any kind with a penalty.

    Parameters
    ----------
    datafit : Datafit
        The losses of all rows.
    relation : PenalizedRelation
        The penalty.
    """

    datafit: Datafit
    relation: PenalizedRelation
    moments = None

    def at(self, relation: PenalizedRelation) -> LossPenaltyProblem:
        """Return the same problem with another relation of the same kind."""
        return replace(self, relation=relation)

    @property
    def scale(self) -> float | None:
        """Factor of the sum of the losses; None if matrices would be too large."""
        return None if self.datafit.iterates else float(self.loss.scale)

    @cached_property
    def loss(self) -> Any:
        """The losses of all tasks, with the quadratic strengths of the relation."""
        self.datafit.refuse_huge()
        centre, ridge = self.relation.centre, self.relation.ridge
        if centre is None:
            return AnyLoss(self.datafit.about_means(), ridge)
        if not centre.alpha_intercept:
            return CentredLosses(AnyLoss(self.datafit.about_means()), centre, ridge)
        # Centring would change the penalty on differences of intercepts.
        self.datafit.refuse_far()
        return CentredLosses(AnyLoss(self.datafit), centre, ridge)

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        loss, relation = self.loss, self.relation
        solver = relation.solver(self.datafit.loss, tol, max_iter)
        return as_penalized_fit(minimize(loss, relation.penalty, solver, start), tol)


@dataclass(frozen=True)
class PerTaskPenaltyProblem(Problem):
    """Losses that differ between tasks, with a penalty.

    Parameters
    ----------
    datafit : DatafitPerTask
        The losses of all tasks.
    relation : PenalizedRelation
        The penalty.
    """

    datafit: DatafitPerTask
    relation: PenalizedRelation
    moments = None

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        self.datafit.refuse_huge()
        loss = LossPerTask(tuple(part.about_means() for part in self.datafit.parts))
        penalty = FreeIntercepts(self.relation.penalty)
        if start is None or start.shape != loss.shape:
            start = np.zeros(loss.shape)
        solution = Fista(tol, max_iter or _MAX_STEPS).minimize(loss, penalty, start)
        return Fit(
            PerTaskModels(loss.unpack(solution.variable)),
            solution.objective,
            solution.optimality,
            solution.n_iter,
            solution.converged,
            "gradient",
            solution.variable,
            detail=_Coefficients(solution.variable[:, :-1]),
            tol=tol,
        )


@dataclass(frozen=True)
class _Coefficients:
    coef: Array


def as_penalized_fit(fit: PenalizedFit, tol: float = TOL) -> Fit:
    """Convert the solution of a loss and a penalty to a Fit.

    Parameters
    ----------
    fit : PenalizedFit
        The solution.
    tol : float, default=1e-6
        Tolerance of the solver.

    Returns
    -------
    Fit
        The same solution.
    """
    solution = fit.solution
    name, value = fit.certificate
    has_gap = name == "dual_gap"
    return Fit(
        fit.unpack(),
        solution.objective,
        solution.optimality,
        solution.n_iter,
        solution.converged,
        "duality gap" if has_gap else "gradient",
        solution.variable,
        value if has_gap else None,
        fit,
        tol,
    )
