"""Squared losses of tasks on a graph, minimised exactly."""

import warnings
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmtl._contracts import Array
from skmtl._linalg import apply, diagonals
from skmtl.couplings import Apart, Graph
from skmtl.data import TaskMoments
from skmtl.solvers import extend

from ._factor import factor_moments
from ._graph_system import GraphSystem
from ._mean_exact import MeanFit
from ._task_models import TaskModels
from ._unseen_model import unseen_model

# Warn above this relative residual.
_ACCURATE = 1e-6


@dataclass(frozen=True)
class GraphFit:
    """Exact solution for tasks on a graph; the first nodes are the tasks.

    It minimises ``sum_t sum_i weight_i (y_i - x_i . w_t - b_t)^2 + sum_e strength_e
    ||w_s - w_u||^2 + alpha_ridge sum_t ||w_t||^2``. Further nodes have no rows. The
    ridge does not apply to nodes without rows.

    Parameters
    ----------
    moments : TaskMoments
        About the means, or about zero without intercepts.
    coupling : Graph
        The graph and its strengths.
    has_intercept : bool, default=True
        False if the moments are about zero and there are no intercepts.
    roots : tuple of int, default=()
        Nodes whose mean predicts unseen tasks; empty for a fit to all rows.
    """

    moments: TaskMoments
    coupling: Graph
    has_intercept: bool = True
    roots: tuple[int, ...] = ()

    @cached_property
    def nodes(self) -> Array:
        """Coefficients of all nodes, (n_nodes, n_features)."""
        if not self._has_edges:
            return self._solve_independent()
        if self._shares_design:
            return self._solve_shared_design()
        equal = self.coupling.as_mean()
        if equal is not None and self._has_rows.all():
            return self._solve_around_mean(equal)
        nodes, residual = self._system.solve(self._mass, self._right)
        _warn_of(residual)
        return nodes

    @property
    def coef(self) -> Array:
        """Coefficients of the tasks, (n_tasks, n_features)."""
        return self.nodes[: self.moments.n_tasks]

    @cached_property
    def _system(self):
        return GraphSystem(self.coupling)

    @property
    def _has_edges(self):
        return len(self._system.edges[0]) > 0

    @property
    def _shares_design(self):
        """Whether all nodes are tasks with the same scatter matrix."""
        return len(self.moments.xx) == 1 and self._n_nodes == self.moments.n_tasks

    @property
    def _n_nodes(self):
        return self.coupling.adjacency.shape[0]

    @property
    def _seen(self):
        """Whether each task has rows with weight."""
        return self.moments.weight > 0

    @property
    def _has_rows(self):
        """Whether each node has rows with weight."""
        return np.append(self._seen, np.zeros(self._n_nodes - len(self._seen), bool))

    @property
    def _mass(self):
        """Scatter matrices and ridges of the nodes."""
        own = self.moments.per_task()
        mass = np.zeros((self._n_nodes, *own.xx.shape[1:]))
        mass[: own.n_tasks] = own.xx
        ridge = self.coupling.alpha_ridge * self._seen[:, None]
        diagonals(mass)[: own.n_tasks] += ridge
        return mass

    @property
    def _right(self):
        """Right sides of the normal equations of the nodes."""
        right = np.zeros((self._n_nodes, self.moments.n_features))
        right[: self.moments.n_tasks] = self.moments.xy
        return right

    def _solve_independent(self):
        moments = self.moments
        coupling = Apart(self.coupling.alpha_ridge)
        strengths = coupling.strengths(moments.n_tasks, moments.n_features)
        nodes = np.zeros((self._n_nodes, moments.n_features))
        blocks = factor_moments(moments, strengths)
        nodes[: moments.n_tasks] = blocks.solve(moments.xy)
        return nodes

    def _solve_around_mean(self, coupling):
        moments = self.moments
        strengths = coupling.strengths(moments.n_tasks, moments.n_features)
        return MeanFit(moments, factor_moments(moments, strengths), strengths).coef

    def _solve_shared_design(self):
        """Solve in the eigenvectors of the graph and of the scatter matrix."""
        values, vectors = np.linalg.eigh(self.moments.xx[0])
        precision = self.coupling.precision(self._n_nodes).toarray()
        strengths, modes = np.linalg.eigh(precision)
        floor = len(values) * np.finfo(float).eps * values.max(initial=0.0)
        values = np.where(values > floor, values, 0.0)
        total = np.maximum(strengths, 0.0)[:, None] + values
        inner = modes.T @ self.moments.xy @ vectors
        is_determined = (values > 0) & (total > 0)
        inner = np.divide(inner, total, out=np.zeros_like(inner), where=is_determined)
        return modes @ inner @ vectors.T

    @cached_property
    def objective(self) -> float:
        """Value of the objective."""
        moments, coef = self.moments, self.coef
        curved = self._curved
        loss = (moments.yy + (coef * (curved - 2 * moments.xy)).sum(axis=1)).sum()
        edges, strengths = self._system.edges
        gap = self.nodes[edges[:, 0]] - self.nodes[edges[:, 1]]
        coupling = (strengths * (gap**2).sum(axis=1)).sum()
        ridge = self.coupling.alpha_ridge * (coef[self._seen] ** 2).sum()
        return float(loss + coupling + ridge)

    @cached_property
    def optimality(self) -> float:
        """Norm of the gradient, relative to that at zero coefficients."""
        moments, size = self.moments, np.linalg.norm(self.moments.xy)
        if size == 0:
            return 0.0
        gradient = self._system.laplacian @ self.nodes
        ridge = self.coupling.alpha_ridge * self._seen[:, None]
        gradient[: moments.n_tasks] += self._curved - moments.xy + ridge * self.coef
        return float(np.linalg.norm(gradient) / size)

    @cached_property
    def _curved(self):
        """Products of scatter matrices and coefficients, (n_tasks, n_features)."""
        return apply(self.moments.xx, self.coef)

    def unpack(self) -> TaskModels:
        """Return the linear models of the tasks, and the model for unseen tasks.

        Returns
        -------
        TaskModels
            Coefficients and intercepts, without an axis of outputs.
        """
        return self.unpack_nodes().first(self.moments.n_tasks)

    def unpack_nodes(self) -> TaskModels:
        """Return the linear models of all nodes, and the model for unseen tasks.

        The latter is the mean of the roots, or a fit to all rows. Intercepts are not
        penalised: a node without rows gets the limit for a vanishing penalty, which is
        its neighbour's intercept or a mean. A node without a path to a task with rows
        gets the model for unseen tasks.

        Returns
        -------
        TaskModels
            Coefficients and intercepts, without an axis of outputs.
        """
        moments, n_tasks = self.moments, self.moments.n_tasks
        adjacency, known, coef = self.coupling.adjacency, self._has_rows, self.nodes
        if not self._has_edges:  # the limit for a vanishing penalty
            coef = extend(adjacency, known, coef)[0]
        intercept = np.zeros((self._n_nodes, 1))
        if self.has_intercept:
            fitted = (moments.x_mean * coef[:n_tasks]).sum(axis=1)
            intercept[:n_tasks, 0] = moments.y_mean - fitted
        intercept, reached = extend(adjacency, known, intercept)
        roots = [root for root in self.roots if reached[root]]
        of_roots = coef[roots].mean(axis=0) if roots else None
        curve, tasks = partial(apply, moments.xx), coef[:n_tasks]
        shared, common = unseen_model(moments, tasks, tasks, curve, known=of_roots)
        common_or_zero = common * self.has_intercept
        intercept = np.where(reached, intercept[:, 0], common_or_zero)
        coef = np.where(reached[:, None], coef, shared)
        return TaskModels(coef, intercept, shared, float(common))


def _warn_of(residual):
    if residual > _ACCURATE:
        warnings.warn(
            f"Conjugate gradients must reach a relative residual of {_ACCURATE:.0e}, "
            f"and stopped at {residual:.1e}. Scale the features, or lower alpha.",
            ConvergenceWarning,
            stacklevel=2,
        )
