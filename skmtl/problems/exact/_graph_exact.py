"""Squared losses of tasks that are pulled to their neighbours, minimised exactly."""

import warnings
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmtl._linalg import apply, diagonals
from skmtl.couplings import Apart, Graph, ToMean
from skmtl.data import TaskMoments
from skmtl.solvers import eliminate, extend, plan_elimination, pull_together

from ._factor import factor_moments
from ._mean_exact import MeanFit
from ._task_models import TaskModels
from ._unseen_tasks import unseen_model

# Warn above this relative residual.
_ACCURATE = 1e-6


@dataclass(frozen=True)
class GraphFit:
    """Solve for tasks on a graph, whose first nodes are the tasks.

    Minimises ``sum_t sum_i weight_i (y_i - x_i . w_t - b_t)^2 + sum_e strength_e ||w_s
    - w_u||^2 + alpha_ridge sum_t ||w_t||^2``. Further nodes have no rows; the
    ridge does not apply to nodes without rows.

    Parameters
    ----------
    moments : TaskMoments
        About the means, or about zero without intercept.
    coupling : Graph
        The graph and its strengths.
    has_intercept : bool, default=True
        False if the moments are about zero and there is none.
    roots : tuple of int, default=()
        Nodes whose mean predicts unseen tasks; empty for a fit to all rows.
    """

    moments: TaskMoments
    coupling: Graph
    has_intercept: bool = True
    roots: tuple = ()

    @cached_property
    def nodes(self):
        """Coefficients of all nodes, (n_nodes, n_features)."""
        edges, strengths = self.coupling.edges()
        if not len(edges):
            return self._solve_apart()
        if self._is_shared:
            return self._solve_shared()
        if self._is_complete(strengths):
            return self._solve_complete(strengths[0])
        rounds = plan_elimination(edges, self._n_nodes)
        if rounds is None:
            neighbours = Graph(self.coupling.adjacency, self.coupling.alpha)
            precision = neighbours.precision(self._n_nodes)
            nodes, residual = pull_together(self._mass, precision, self._right)
            _warn_of(residual)
            return nodes
        return eliminate(rounds, self._mass, strengths, self._right)

    @property
    def coef(self):
        """Coefficients of the tasks, (n_tasks, n_features)."""
        return self.nodes[: self.moments.n_tasks]

    @property
    def _n_nodes(self):
        return self.coupling.adjacency.shape[0]

    @property
    def _seen(self):
        """Whether each task has rows with weight."""
        return self.moments.weight > 0

    def _is_complete(self, strengths):
        """Return whether the graph is complete and all nodes have rows."""
        n_tasks = self.moments.n_tasks
        whole = n_tasks == self._n_nodes and self._seen.all()
        every = len(strengths) == n_tasks * (n_tasks - 1) // 2
        return whole and every and bool((strengths == strengths[0]).all())

    @property
    def _is_shared(self):
        return len(self.moments.xx) == 1 and self._n_nodes == self.moments.n_tasks

    @cached_property
    def _mass(self):
        own = self.moments.apart()
        mass = np.zeros((self._n_nodes, *own.xx.shape[1:]))
        mass[: own.n_tasks] = own.xx
        ridge = self.coupling.alpha_ridge * self._seen[:, None]
        diagonals(mass)[: own.n_tasks] += ridge
        return mass

    @cached_property
    def _right(self):
        right = np.zeros((self._n_nodes, self.moments.n_features))
        right[: self.moments.n_tasks] = self.moments.xy
        return right

    def _solve_apart(self):
        moments = self.moments
        pull = Apart(self.coupling.alpha_ridge).strengths(
            moments.n_tasks, moments.n_features
        )
        nodes = np.zeros((self._n_nodes, moments.n_features))
        nodes[: moments.n_tasks] = factor_moments(moments, pull).solve(moments.xy)
        return nodes

    def _solve_complete(self, strength):
        """Solve around the mean of all tasks, to which a complete graph pulls."""
        moments, ridge = self.moments, self.coupling.alpha_ridge
        alpha = strength * moments.n_tasks + ridge
        coupling = ToMean(alpha, alpha * ridge / strength)
        pull = coupling.strengths(moments.n_tasks, moments.n_features)
        return MeanFit(moments, factor_moments(moments, pull), pull).coef

    def _solve_shared(self):
        """Solve in the eigenvectors of the graph and of the scatter of the features."""
        values, vectors = np.linalg.eigh(self.moments.xx[0])
        precision = self.coupling.precision(self._n_nodes).toarray()
        pulls, modes = np.linalg.eigh(precision)
        floor = len(values) * np.finfo(float).eps * values.max(initial=0.0)
        values = np.where(values > floor, values, 0.0)
        total = np.maximum(pulls, 0.0)[:, None] + values
        inner = modes.T @ self.moments.xy @ vectors
        kept = (values > 0) & (total > 0)
        inner = np.divide(inner, total, out=np.zeros_like(inner), where=kept)
        return modes @ inner @ vectors.T

    @cached_property
    def objective(self):
        """Smallest value of loss and pull."""
        moments, coef = self.moments, self.coef
        loss = (moments.yy + (coef * (self._curved - 2 * moments.xy)).sum(axis=1)).sum()
        edges, strengths = self.coupling.edges()
        gap = self.nodes[edges[:, 0]] - self.nodes[edges[:, 1]]
        pull = (strengths * (gap**2).sum(axis=1)).sum()
        ridge = self.coupling.alpha_ridge * (coef[self._seen] ** 2).sum()
        return float(loss + pull + ridge)

    @cached_property
    def optimality(self):
        """Norm of the gradient, relative to the one at zero coefficients."""
        moments, size = self.moments, np.linalg.norm(self.moments.xy)
        if size == 0:
            return 0.0
        neighbours = Graph(self.coupling.adjacency, self.coupling.alpha)
        slope = neighbours.precision(self._n_nodes) @ self.nodes
        ridge = self.coupling.alpha_ridge * self._seen[:, None]
        slope[: moments.n_tasks] += self._curved - moments.xy + ridge * self.coef
        return float(np.linalg.norm(slope) / size)

    @cached_property
    def _curved(self):
        """Products of the scatters with the coefficients, (n_tasks, n_features)."""
        return apply(self.moments.xx, self.coef)

    def unpack(self):
        """Return the linear models of the tasks, and the one fitted to all rows.

        Returns
        -------
        TaskModels
            Coefficients and intercepts.
        """
        return self.unpack_nodes().first(self.moments.n_tasks)

    def unpack_nodes(self):
        """Return the linear models of all nodes, and the one for unseen tasks.

        The latter is the mean of the roots, or a fit to all rows. Intercepts are not
        penalised: a node without rows gets the limit for a vanishing penalty, its
        neighbour's intercept or a mean. A node without a path to a task with rows gets
        the model for unseen tasks.

        Returns
        -------
        TaskModels
            Coefficients and intercepts.
        """
        moments, n_tasks = self.moments, self.moments.n_tasks
        known = np.append(self._seen, np.zeros(self._n_nodes - n_tasks, dtype=bool))
        adjacency = self.coupling.adjacency
        coef = self.nodes
        if not len(self.coupling.edges()[0]):  # the limit of a vanishing penalty
            coef = extend(adjacency, known, coef)[0]
        level = np.zeros((self._n_nodes, 1))
        if self.has_intercept:
            fitted = (moments.x_mean * coef[:n_tasks]).sum(axis=1)
            level[:n_tasks, 0] = moments.y_mean - fitted
        level, reached = extend(adjacency, known, level)
        roots = [root for root in self.roots if reached[root]]
        given = coef[roots].mean(axis=0) if roots else None
        curve = partial(apply, moments.xx)
        tasks = coef[:n_tasks]
        shared, common = unseen_model(moments, tasks, tasks, curve, known=given)
        level = np.where(reached, level[:, 0], common * self.has_intercept)
        coef = np.where(reached[:, None], coef, shared)
        return TaskModels(coef, level, shared, float(common))


def _warn_of(residual):
    if residual > _ACCURATE:
        warnings.warn(
            f"Conjugate gradients reached a relative residual of {residual:.1e}, and "
            f"{_ACCURATE:.0e} was wanted. Scale the features, or lower alpha.",
            ConvergenceWarning,
            stacklevel=2,
        )
