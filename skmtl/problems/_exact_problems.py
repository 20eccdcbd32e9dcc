"""Squared losses with a coupling: factored, or iterated if too large."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from scipy import sparse

from skmtl._contracts import Array, CoupledRelation
from skmtl._memory import is_large
from skmtl.data import TaskMoments
from skmtl.problems.exact import (
    CentredGraphFit,
    GraphFit,
    has_few_rows,
    solve_moments,
    solve_rows,
)
from skmtl.problems.newton import Datafit, needs_iteration

from ._fit import TOL, Fit, Problem
from ._newton_problems import IteratedProblem, couple


def pose_exact(rows, loss, relation, fit_intercept, targets):
    """Pose squared losses with a coupling."""
    if _is_too_large(rows, relation):
        rows = rows.stacked()
        datafit = Datafit(rows, loss, fit_intercept)
        return IteratedProblem(couple(datafit, relation))
    if relation.graph is None and has_few_rows(rows):
        strengths = relation.coupling.strengths(len(rows.tasks), rows.X.shape[1])
        if (strengths.pattern > 0).all() and strengths.rotation is None:
            return RowsProblem(rows, relation, fit_intercept)
    moments = replace(rows, task_weight=None).moments()
    return MomentsProblem(moments, rows.task_weight, relation, fit_intercept)


def _is_too_large(rows, relation):
    """Return whether the matrices of a factorisation are far larger than the rows."""
    if relation.graph is None:
        return needs_iteration(rows)
    n_matrices = 1 if rows.shares_moments else len(rows.tasks)
    n_data = rows.X.nnz if sparse.issparse(rows.X) else rows.X.size
    return is_large(n_matrices * rows.X.shape[1] ** 2, n_data)


@dataclass(frozen=True)
class ExactProblem(Problem):
    """Squared losses with a coupling, factored."""

    def at(self, relation: CoupledRelation) -> Self:
        """Return the same problem with another coupling."""
        return replace(self, relation=relation)  # type: ignore[call-arg]

    @property
    @abstractmethod
    def fit(self) -> Any:
        """The solution in its own class, a MeanFit or a GraphFit."""

    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        return as_fit(self.fit)


@dataclass(frozen=True)
class MomentsProblem(ExactProblem):
    """Squared losses with a coupling, from moments.

    Parameters
    ----------
    moments : TaskMoments
        Moments of the rows.
    factor : ndarray of shape (n_tasks,) or None
        Factor of each task's loss.
    relation : CoupledRelation
        The coupling.
    fit_intercept : bool
        Whether tasks have an intercept.
    """

    moments: TaskMoments
    factor: Array | None
    relation: CoupledRelation
    fit_intercept: bool

    @cached_property
    def fit(self) -> Any:
        weighted = self.moments.weighted(self.factor)
        coupling: Any = self.relation.coupling
        if self.relation.graph is None:
            strengths = coupling.strengths(weighted.n_tasks, weighted.n_features)
            return solve_moments(weighted, strengths, self.fit_intercept)
        weighted = weighted if self.fit_intercept else weighted.about_zero()
        roots = tuple(self.relation.graph.roots)
        solve = CentredGraphFit if coupling.is_centred else GraphFit
        return solve(weighted, coupling, self.fit_intercept, roots)


@dataclass(frozen=True)
class RowsProblem(ExactProblem):
    """Squared losses with a coupling, from rows that are fewer than features.

    Parameters
    ----------
    rows : TaskData
        Rows of the tasks.
    relation : CoupledRelation
        The coupling.
    fit_intercept : bool
        Whether tasks have an intercept.
    """

    rows: Any
    relation: CoupledRelation
    fit_intercept: bool
    moments = None

    @cached_property
    def fit(self) -> Any:
        coupling: Any = self.relation.coupling
        strengths = coupling.strengths(len(self.rows.tasks), self.rows.X.shape[1])
        return solve_rows(self.rows, strengths, self.fit_intercept)


def as_fit(exact: Any) -> Fit:
    """Convert an exact solution to a Fit.

    Parameters
    ----------
    exact : MeanFit or GraphFit
        The solution.

    Returns
    -------
    Fit
        The same solution, with models that have an axis of outputs.
    """
    models, optimality = exact.unpack_nodes().add_output_axis(), exact.optimality
    return Fit(models, exact.objective, optimality, measure="residual", detail=exact)
