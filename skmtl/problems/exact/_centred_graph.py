"""Squared losses of tasks on a graph, with a centre and penalised intercepts."""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.linalg import norm

from skmtl._contracts import Array
from skmtl._linalg import apply, diagonals
from skmtl.couplings import Graph
from skmtl.data import TaskMoments
from skmtl.solvers import conjugate_gradients, extend

from ._graph_system import GraphSystem
from ._task_models import TaskModels
from ._unseen_model import mean_residual, unseen_model

# Conjugate gradients stop at this relative residual. The centre changes a system of
# nodes, which preconditions them, by one column per feature, and so needs few steps.
_TOL, _MAX_ITER = 1e-13, 500


@dataclass(frozen=True)
class CentredGraphFit:
    """Solution for tasks on a graph, with a ridge to a centre and penalised intercepts.

    It minimises ``sum_t sum_i weight_i (y_i - x_i . w_t - b_t)^2 + sum_e strength_e
    ||w_s - w_u||^2 + alpha_ridge sum_t ||w_t - c||^2 + alpha_shared ||c||^2 +
    alpha_intercept sum_t (b_t - b_s)^2``. The centre and the intercepts are eliminated:
    they add a row per task at its means, as in MeanFit, and subtract a matrix of low
    rank. The ridge does not apply to nodes without rows.

    Parameters
    ----------
    moments : TaskMoments
        About the means, or about zero without intercepts.
    coupling : Graph
        The graph and its strengths.
    has_intercept : bool, default=True
        False if the moments are about zero and there are no intercepts.
    roots : tuple of int, default=()
        Nodes whose mean predicts unseen tasks if there is no centre.
    """

    moments: TaskMoments
    coupling: Graph
    has_intercept: bool = True
    roots: tuple[int, ...] = ()

    @cached_property
    def _own(self):
        return self.moments.per_task()

    @cached_property
    def _seen(self):
        """Whether each task has rows with weight."""
        return self.moments.weight > 0

    @cached_property
    def _system(self):
        return GraphSystem(self.coupling)

    @cached_property
    def _mean_weight(self):
        """Weights of the rows at the means of the tasks."""
        n, a = self.moments.weight, self.coupling.alpha_intercept
        if not self.has_intercept or np.isinf(a):
            return n * self.has_intercept
        return n * (a / np.where(n + a > 0, n + a, 1.0))

    @cached_property
    def _mean_share(self):
        weight = self._mean_weight
        return weight / (weight.sum() if weight.any() else 1.0)

    @cached_property
    def _mass(self):
        """Matrices of the nodes, without those of low rank."""
        own = self._own
        mass = np.zeros((self.coupling.adjacency.shape[0], *own.xx.shape[1:]))
        rows = np.sqrt(self._mean_weight)[:, None] * own.x_mean
        mass[: own.n_tasks] = own.xx + rows[:, :, None] * rows[:, None]
        diagonals(mass)[: own.n_tasks] += (
            self.coupling.alpha_ridge * self._seen[:, None]
        )
        return mass

    @cached_property
    def _right(self):
        own, weight = self._own, self._mean_weight
        residual = weight * (own.y_mean - self._mean_share @ own.y_mean)
        right = np.zeros((len(self._mass), own.n_features))
        right[: own.n_tasks] = own.xy + residual[:, None] * own.x_mean
        return right

    def _multiply(self, nodes):
        """Return the product of nodes with the matrix of their normal equations."""
        own, n_tasks = self._own, self.moments.n_tasks
        product = apply(self._mass, nodes) + self._system.laplacian @ nodes
        tasks = nodes[:n_tasks]
        fitted = self._mean_share @ (own.x_mean * tasks).sum(axis=1)
        product[:n_tasks] -= (self._mean_weight * fitted)[:, None] * own.x_mean
        pull = self.coupling.alpha_ridge * self._centre(tasks)
        product[:n_tasks] -= pull * self._seen[:, None]
        return product

    def _centre(self, tasks):
        return self.coupling.centre(tasks[self._seen])

    @cached_property
    def nodes(self) -> Array:
        """Coefficients of all nodes, (n_nodes, n_features)."""
        system, mass = self._system, self._mass

        def precondition(right):
            return system.solve(mass, right)[0]

        return conjugate_gradients(
            self._multiply, self._right, precondition, _TOL, _MAX_ITER
        )[0]

    @property
    def coef(self) -> Array:
        """Coefficients of the tasks, (n_tasks, n_features)."""
        return self.nodes[: self.moments.n_tasks]

    @cached_property
    def _intercepts(self):
        """Intercepts of the tasks, and the common one."""
        own, n = self._own, self.moments.weight
        free = own.y_mean - (own.x_mean * self.coef).sum(axis=1)
        if not self._mean_weight.any():
            return free * self.has_intercept, None
        common = float(self._mean_share @ free)
        return common + n / (n + self.coupling.alpha_intercept) * (
            free - common
        ), common

    @cached_property
    def objective(self) -> float:
        """Value of the objective."""
        moments, own, coef, coupling = self.moments, self._own, self.coef, self.coupling
        intercept, common = self._intercepts
        bias = own.y_mean - (own.x_mean * coef).sum(axis=1) - intercept
        curved = apply(own.xx, coef)
        loss = moments.yy.sum() + (coef * (curved - 2 * moments.xy)).sum()
        total = loss + moments.weight @ bias**2
        edges, strengths = self._system.edges
        gap = self.nodes[edges[:, 0]] - self.nodes[edges[:, 1]]
        total += (strengths * (gap**2).sum(axis=1)).sum()
        c = self._centre(coef)
        total += coupling.alpha_ridge * ((coef[self._seen] - c) ** 2).sum()
        if coupling.has_centre:
            total += coupling.alpha_shared * (c @ c)
        if common is not None and coupling.alpha_intercept < np.inf:
            gap = (intercept - common)[self._seen]
            total += coupling.alpha_intercept * (gap @ gap)
        return float(total)

    @cached_property
    def optimality(self) -> float:
        """Norm of the gradient, relative to that at zero coefficients."""
        size = norm(self._right)
        if size == 0:
            return 0.0
        return float(norm(self._multiply(self.nodes) - self._right) / size)

    def unpack_nodes(self) -> TaskModels:
        """Return the linear models of all nodes, and the model for unseen tasks.

        The latter is the centre if there is one. A node without rows gets its
        neighbours' mean intercept; without a path to a task with rows it gets the model
        for unseen tasks.

        Returns
        -------
        TaskModels
            Coefficients and intercepts, without an axis of outputs.
        """
        n_tasks, nodes = self.moments.n_tasks, self.nodes
        known = np.zeros(len(nodes), dtype=bool)
        known[:n_tasks] = self._seen
        values = np.zeros((len(nodes), nodes.shape[1] + 1))
        values[:, :-1], values[:n_tasks, -1] = nodes, self._intercepts[0]
        found, reached = extend(self.coupling.adjacency, known, values)
        coef = nodes if len(self._system.edges[0]) else found[:, :-1]
        shared, common = self._unseen(coef, reached)
        coef = np.where(reached[:, None], coef, shared)
        intercept = np.where(reached, found[:, -1], common * self.has_intercept)
        return TaskModels(coef, intercept, shared, float(common))

    def _unseen(self, coef, reached):
        moments, tasks = self.moments, coef[: self.moments.n_tasks]
        if self.coupling.has_centre:
            c, common = self._centre(tasks), self._intercepts[1]
            if common is not None and not self.coupling.alpha_shared:
                return c, common
            pull = self.coupling.alpha_intercept if self.has_intercept else 0.0
            return c, mean_residual(self._own, c, pull)
        roots = [root for root in self.roots if reached[root]]
        of_roots = coef[roots].mean(axis=0) if roots else None
        curve = partial(apply, moments.xx)
        return unseen_model(moments, tasks, tasks, curve, known=of_roots)
