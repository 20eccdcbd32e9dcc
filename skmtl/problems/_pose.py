"""Pose rows, a loss and a relation as a problem.

There are four kinds of problems, by the loss and by the relation:

================  =============================  ================================
loss              coupling                       penalty
================  =============================  ================================
squared           exact, from moments or rows    proximal, from moments or rows
any other         Newton's method                proximal, intercepts eliminated
================  =============================  ================================
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from skmtl._memory import is_large
from skmtl.data import TaskMoments
from skmtl.problems.exact import (
    GraphFit,
    has_few_rows,
)
from skmtl.problems.exact import (
    pose as pose_rows_exact,
)
from skmtl.problems.exact import (
    pose_moments as pose_moments_exact,
)
from skmtl.problems.newton import (
    TOLERANCE,
    Datafit,
    DatafitPerTask,
    GraphLosses,
    MeanLosses,
    ScaledLosses,
    iterate,
    minimize_scaled,
    needs_iteration,
)
from skmtl.problems.proximal import (
    AnyLoss,
    FreeIntercepts,
    LossPerTask,
    RestrictableLoss,
    minimize,
    reads_rows,
    restrictable_moments,
    restrictable_rows,
    squared_loss,
)
from skmtl.problems.rows import prefers_rows, row_curvature
from skmtl.solvers import Fista, Newton

# Largest number of Newton steps unless the user gives one; residuals with an unknown
# scale take more, since the scale is updated between steps.
_MAX_STEPS, _MAX_SCALED_STEPS, _MAX_VISITS = 100, 300, 10_000
_TOL = 1e-6


@dataclass(frozen=True)
class Fit:
    """A solved problem.

    Parameters
    ----------
    models : TaskModels
        Linear models of all nodes: the tasks, then nodes of a graph without rows.
    objective : float
        Value of the objective.
    optimality : float
        Relative distance from the optimum: a duality gap, a gradient or the root of a
        predicted decrease.
    n_iter : int
        Number of iterations; 0 for exact solutions.
    converged : bool
        Whether `optimality` is within the tolerance.
    measure : str
        Name of the quantity in `optimality`, for warnings.
    variable : ndarray, default=None
        Solution in the solver's coordinates, for warm starts.
    dual_gap : float, default=None
        Duality gap, for penalties that have a dual norm.
    detail : object, default=None
        The solution as its own class has it.
    tol : float, default=0.0
        Tolerance of `optimality`.
    remedy : str
        What to do if the fit has not converged.
    """

    models: object
    objective: float
    optimality: float
    n_iter: int = 0
    converged: bool = True
    measure: str = "gradient"
    variable: np.ndarray | None = None
    dual_gap: float | None = None
    detail: object = None
    tol: float = 0.0
    remedy: str = "Raise max_iter, or scale the features."

    @property
    def is_exact(self):
        """Whether the solution was computed by a factorisation."""
        return self.measure == "residual"

    @property
    def coef(self):
        """Penalised coefficients, (n_tasks * n_outputs, n_features)."""
        return self.detail.coef

    @property
    def parts(self):
        """Parts of the coefficients, (n_parts, n_tasks * n_outputs, n_features)."""
        return self.detail.parts


class Problem(ABC):
    """A problem that is ready to be solved."""

    # Moments of the rows without task weights, if the problem is posed from them.
    moments: TaskMoments | None

    @abstractmethod
    def solve(self, start=None, tol=_TOL, max_iter=None):
        """Return the Fit; `start` is the `variable` of an earlier one."""


def pose(rows, loss, relation, fit_intercept=True, targets=None):
    """Pose the problem of rows.

    Parameters
    ----------
    rows : TaskData
        Rows of the tasks.
    loss : Loss
        Loss of a row.
    relation : Relation
        What the tasks share.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    targets : ClassTargets, default=None
        Converts the targets of rows to those of the loss; None leaves them.

    Returns
    -------
    Problem
        The problem.
    """
    find = _POSE[loss.is_quadratic, relation.is_coupling]
    return find(rows, loss, relation, fit_intercept, targets)


def pose_moments(moments, factor, relation, fit_intercept=True):
    """Pose the squared losses of moments.

    Parameters
    ----------
    moments : TaskMoments
        Moments of the tasks.
    factor : ndarray of shape (n_tasks,) or None
        Factor of each task's loss.
    relation : Relation
        What the tasks share.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.

    Returns
    -------
    Problem
        The problem.
    """
    if relation.is_coupling:
        return MomentsProblem(moments, factor, relation, fit_intercept)
    weighted = moments.weighted(factor)
    make = restrictable_moments if relation.selects_features else _squared_moments
    return PenaltyProblem(make(weighted, fit_intercept), relation, moments).at(relation)


def pose_per_task(rows, parts, relation):
    """Pose losses that differ between tasks.

    Parameters
    ----------
    rows : TaskRows
        Rows of the tasks.
    parts : tuple of TasksOfOneLoss
        Tasks of each loss.
    relation : Relation
        What the tasks share.

    Returns
    -------
    Problem
        The problem.
    """
    return _POSE_PER_TASK[relation.is_coupling](rows, parts, relation)


def _pose_newton_per_task(rows, parts, relation):
    datafit = DatafitPerTask(rows, parts)
    pull = relation.coupling.strengths(len(rows.tasks), rows.X.shape[1])
    return PerTaskNewtonProblem(NewtonProblem(MeanLosses(datafit, pull)))


def _pose_proximal_per_task(rows, parts, relation):
    return PerTaskPenaltyProblem(DatafitPerTask(rows, parts), relation)


def _pose_exact(rows, loss, relation, fit_intercept, targets):
    """Pose squared losses with a coupling."""
    find = _pose_mean if relation.graph is None else _pose_graph
    return find(rows, loss, relation, fit_intercept)


def _pose_mean(rows, loss, relation, fit_intercept):
    pull = relation.coupling.strengths(len(rows.tasks), rows.X.shape[1])
    if needs_iteration(rows):
        datafit = Datafit(_stack(rows), loss, fit_intercept)
        return IteratedProblem(MeanLosses(datafit, pull))
    if has_few_rows(rows) and (pull.pattern > 0).all():
        return RowsProblem(rows, relation, fit_intercept)
    return _pose_from_moments(rows, relation, fit_intercept)


def _pose_graph(rows, loss, relation, fit_intercept):
    n_matrices = 1 if rows.shares_moments else len(rows.tasks)
    n_data = rows.X.nnz if sparse.issparse(rows.X) else rows.X.size
    if is_large(n_matrices * rows.X.shape[1] ** 2, n_data):
        datafit = Datafit(_stack(rows), loss, fit_intercept)
        return IteratedProblem(_graph_losses(datafit, relation))
    return _pose_from_moments(rows, relation, fit_intercept)


def _pose_from_moments(rows, relation, fit_intercept):
    moments = replace(rows, task_weight=None).moments()
    return pose_moments(moments, rows.task_weight, relation, fit_intercept)


def _solve_moments(weighted, relation, fit_intercept):
    if relation.graph is None:
        pull = relation.coupling.strengths(weighted.n_tasks, weighted.n_features)
        return pose_moments_exact(weighted, pull, fit_intercept)
    weighted = weighted if fit_intercept else weighted.about_zero()
    roots = tuple(relation.graph.roots)
    return GraphFit(weighted, relation.coupling, fit_intercept, roots)


def _graph_losses(datafit, relation):
    roots = tuple(relation.graph.roots)
    return GraphLosses(datafit, relation.coupling, relation.graph, roots)


def _pose_newton(rows, loss, relation, fit_intercept, targets):
    """Pose losses of any kind with a coupling."""
    datafit = Datafit(_stack(rows), loss, fit_intercept, targets)
    if relation.graph is not None:
        objective = _graph_losses(datafit, relation)
    else:
        n_features = datafit.data.X.shape[1]
        pull = relation.coupling.strengths(datafit.n_tasks, n_features)
        objective = MeanLosses(datafit, pull)
    return NewtonProblem(objective, _minimize_scaled if loss.is_scaled else _newton)


def _pose_proximal(rows, loss, relation, fit_intercept, targets):
    """Pose squared losses with a penalty."""
    reads, make = _ROW_LOSSES[relation.selects_features]
    if not reads(rows):
        return _pose_from_moments(rows, relation, fit_intercept)
    return PenaltyProblem(make(rows, fit_intercept), relation).at(relation)


def _squared_rows(rows, fit_intercept):
    curvature = row_curvature(rows, fit_intercept)
    moments = rows.moments(curvature=False)
    return squared_loss(moments, fit_intercept, curvature=curvature)


def _squared_moments(moments, fit_intercept):
    return squared_loss(moments, fit_intercept)


def _pose_any_penalty(rows, loss, relation, fit_intercept, targets):
    """Pose losses of any kind with a penalty."""
    datafit = Datafit(_stack(rows), loss, fit_intercept, targets)
    return LossPenaltyProblem(datafit, relation)


def _stack(rows):
    return rows.stacked() if rows.shares_rows else rows


_ROW_LOSSES = {
    False: (prefers_rows, _squared_rows),
    True: (reads_rows, restrictable_rows),
}
# By whether the loss is quadratic, and whether the relation is a coupling.
_POSE = {
    (True, True): _pose_exact,
    (False, True): _pose_newton,
    (True, False): _pose_proximal,
    (False, False): _pose_any_penalty,
}


_POSE_PER_TASK = {True: _pose_newton_per_task, False: _pose_proximal_per_task}


class ExactProblem(Problem):
    """Squared losses with a coupling, factored."""

    @property
    @abstractmethod
    def fit(self):
        """The solution as its own class has it, a MeanFit or a GraphFit."""

    def solve(self, start=None, tol=_TOL, max_iter=None):
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
    factor: np.ndarray | None
    relation: object
    fit_intercept: bool

    def at(self, relation):
        """Return the same problem with another relation of the same kind."""
        return replace(self, relation=relation)

    @cached_property
    def fit(self):
        weighted = self.moments.weighted(self.factor)
        return _solve_moments(weighted, self.relation, self.fit_intercept)


@dataclass(frozen=True)
class RowsProblem(ExactProblem):
    """Squared losses with a coupling, from rows fewer than features.

    Parameters
    ----------
    rows : TaskData
        Rows of the tasks.
    relation : CoupledRelation
        The coupling.
    fit_intercept : bool
        Whether tasks have an intercept.
    """

    rows: object
    relation: object
    fit_intercept: bool
    moments = None

    def at(self, relation):
        """Return the same problem with another relation of the same kind."""
        return replace(self, relation=relation)

    @cached_property
    def fit(self):
        shape = len(self.rows.tasks), self.rows.X.shape[1]
        pull = self.relation.coupling.strengths(*shape)
        return pose_rows_exact(self.rows, pull, self.fit_intercept)


def as_fit(exact):
    """Return an exact solution as a Fit."""
    models, optimality = exact.unpack_nodes().add_output_axis(), exact.optimality
    return Fit(models, exact.objective, optimality, measure="residual", detail=exact)


@dataclass(frozen=True)
class IteratedProblem(Problem):
    """Squared losses with a coupling, too large to factor.

    Parameters
    ----------
    objective : CoupledTasks
        The objective.
    """

    objective: object
    moments = None

    def solve(self, start=None, tol=_TOL, max_iter=None):
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
class NewtonProblem(Problem):
    """Losses of any kind with a coupling.

    Parameters
    ----------
    objective : CoupledTasks
        The objective.
    minimize : callable, default=_newton
        Minimises an objective from a variable, to a tolerance, in so many iterations.
    """

    objective: object
    minimize: object = None
    moments = None

    def solve(self, start=None, tol=_TOL, max_iter=None):
        self.objective.datafit.refuse_huge()
        objective = self.objective.about_means()
        begin = objective.start()
        if start is not None and start.shape == objective.shape:
            begin = objective.move(start, 1)
        minimize_by = self.minimize or _newton
        objective, solution, detail = minimize_by(objective, begin, tol, max_iter)
        return Fit(
            objective.unpack_nodes(solution.variable),
            solution.objective,
            float(np.sqrt(solution.optimality)),
            solution.n_iter,
            solution.converged,
            "step",
            objective.move(solution.variable, -1),
            detail=detail,
            tol=tol,
        )


def _newton(objective, begin, tol, max_iter):
    """Minimise; a step within `tol` changes the objective by its square."""
    solver = Newton(tol=tol**2, max_iter=max_iter or _MAX_STEPS)
    return objective, solver.minimize(objective, begin), None


def _minimize_scaled(objective, begin, tol, max_iter):
    """Minimise over the models and the scale of the residuals."""
    scaled = ScaledLosses(objective, objective.datafit.loss.epsilon)
    fit = minimize_scaled(scaled, begin, tol**2, max_iter or _MAX_SCALED_STEPS)
    return fit.losses, fit.solution, fit


@dataclass(frozen=True)
class PenaltyProblem(Problem):
    """Squared losses with a penalty.

    Parameters
    ----------
    loss : SquaredLoss or RestrictableLoss
        The losses of all tasks.
    relation : PenalizedRelation
        The penalty.
    moments : TaskMoments, default=None
        Moments of the rows.
    """

    loss: object
    relation: object
    moments: TaskMoments | None = None

    def at(self, relation):
        """Return the same problem with another relation of the same kind."""
        loss = self.loss
        if relation.selects_features:
            inner = replace(loss.loss, alpha_ridge=relation.ridge)
            loss = RestrictableLoss(inner)
        else:
            loss = replace(
                loss, alpha_ridge=relation.ridge, precision=relation.precision
            )
        return replace(self, loss=loss, relation=relation)

    def solve(self, start=None, tol=_TOL, max_iter=None):
        from skmtl.losses import Squared

        solver = self.relation.solver(Squared(), tol, max_iter)
        fit = minimize(self.loss, self.relation.penalty, solver, start)
        # A solver that the user chose has a tolerance of its own.
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
    relation: object
    moments = None

    def at(self, relation):
        """Return the same problem with another relation of the same kind."""
        return replace(self, relation=relation)

    def solve(self, start=None, tol=_TOL, max_iter=None):
        self.datafit.refuse_huge()
        relation = self.relation
        loss = AnyLoss(self.datafit.about_means(), relation.ridge)
        solver = relation.solver(self.datafit.loss, tol, max_iter)
        fit = minimize(loss, relation.penalty, solver, start)
        return as_penalized_fit(fit, tol)


@dataclass(frozen=True)
class PerTaskModels:
    """Models of tasks that may have different numbers of outputs.

    Parameters
    ----------
    tasks : list of ndarray of shape (n_outputs, n_features + 1)
        Coefficients and intercept of each task.
    shared : ndarray of shape (n_features,), default=None
        Coefficients of the centre, if there is one.
    """

    tasks: list
    shared: np.ndarray | None = None


@dataclass(frozen=True)
class PerTaskNewtonProblem(Problem):
    """Losses that differ between tasks, with a coupling.

    Parameters
    ----------
    problem : NewtonProblem
        The same for models of one output.
    """

    problem: NewtonProblem
    moments = None

    def solve(self, start=None, tol=_TOL, max_iter=None):
        fit = self.problem.solve(start, tol, max_iter)
        models = fit.models
        tasks = np.concatenate([models.coef, models.intercept[:, :, None]], axis=2)
        found = PerTaskModels(list(tasks), models.coef_shared[0])
        return replace(fit, models=found)


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
    relation: object
    moments = None

    def solve(self, start=None, tol=_TOL, max_iter=None):
        self.datafit.refuse_huge()
        loss = LossPerTask(tuple(part.about_means() for part in self.datafit.parts))
        penalty = FreeIntercepts(self.relation.penalty)
        if start is None or start.shape != loss.shape:
            start = np.zeros(loss.shape)
        solver = Fista(tol, max_iter or _MAX_VISITS)
        solution = solver.minimize(loss, penalty, start)
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
    coef: np.ndarray


def as_penalized_fit(fit, tol=_TOL):
    """Return the Fit of a loss and a penalty."""
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
