"""Losses of any kind, of tasks that are pulled to their neighbours in a graph."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from skmtl._linalg import apply, diagonals
from skmtl._numbers import TINY_SQUARE
from skmtl.couplings import Graph
from skmtl.problems.exact import GraphSystem, unpack_tasks
from skmtl.solvers import extend

from ._coupled_losses import CoupledTasks, flat
from ._datafit import Datafit
from ._mean_newton import LIFT, LOST, raise_diagonals_in_place
from ._unseen_tasks_any_loss import fit_unseen_model

# Eigenvectors of larger graphs take too long.
_MANY_NODES = 1000


@dataclass(frozen=True)
class GraphLosses(CoupledTasks):
    """Pull tasks to their neighbours: ``sum losses + 1/2 pull``.

    The variable holds the nodes, (n_nodes, n_outputs, n_columns), of which the first
    are the tasks; further ones have no rows, and no intercept. The ridge does not apply
    to nodes without rows.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    coupling : Graph
        The graph and its strengths.
    graph : object
        The graph, passed on with the solution.
    roots : tuple of int, default=()
        Nodes whose mean predicts unseen tasks; empty for a fit to all rows.
    """

    datafit: Datafit
    coupling: Graph
    graph: object
    roots: tuple = ()

    @property
    def shape(self):
        """Shape of the variable."""
        return self._n_nodes, *self.datafit.shape[1:]

    @property
    def _n_nodes(self):
        return self.coupling.adjacency.shape[0]

    @cached_property
    def system(self):
        """Linear system of the coefficients of the nodes."""
        return GraphSystem(self.coupling)

    @cached_property
    def _ridge(self):
        """Strength of the ridge on each entry of each task, (n_tasks, size)."""
        seen = self.datafit.task_totals > 0
        return self.coupling.alpha_ridge * seen[:, None] * self._pulled

    @cached_property
    def _pulled(self):
        """Whether each entry of a task is a coefficient, outputs by columns."""
        pulled = np.ones(self.shape[1:], dtype=bool)
        if self.datafit.fit_intercept:
            pulled[:, -1] = False
        return pulled.ravel()

    def start(self):
        """Return where to begin: every task at its mean."""
        begin = np.zeros(self.shape)
        begin[: self.datafit.n_tasks] = self.datafit.start()
        return begin

    def coefs(self, variable):
        return variable[: self.datafit.n_tasks]

    def coupling_value(self, variable):
        nodes = flat(variable)[:, self._pulled]
        ridge = (self._ridge * flat(self.coefs(variable)) ** 2).sum()
        edges, strengths = self.system.edges
        gaps = ((nodes[edges[:, 0]] - nodes[edges[:, 1]]) ** 2).sum(axis=1)
        return float(strengths @ gaps + ridge) / 2

    def slopes(self, variable, gradient):
        pulled, n_tasks = self._pulled, self.datafit.n_tasks
        nodes, slopes = flat(variable), np.zeros((self._n_nodes, len(pulled)))
        slopes[:n_tasks] = flat(gradient)
        slopes[:, pulled] += self.system.laplacian @ nodes[:, pulled]
        slopes[:n_tasks] += self._ridge * nodes[:n_tasks]
        return slopes

    def eliminate_in_place(self, hessians):
        pulled, n_tasks = self._pulled, len(hessians)
        diagonals(hessians)[...] += self._ridge
        raise_diagonals_in_place(hessians, self.coupling.alpha * pulled, LIFT)
        down = np.linalg.solve(
            hessians[:, ~pulled][:, :, ~pulled], hessians[:, ~pulled][:, :, pulled]
        )
        mass = np.zeros((self._n_nodes, pulled.sum(), pulled.sum()))
        mass[:n_tasks] = hessians[:, pulled][:, :, pulled]
        mass[:n_tasks] -= hessians[:, pulled][:, :, ~pulled] @ down
        if not len(self.system.edges[1]):
            raise_diagonals_in_place(mass, np.zeros(mass.shape[-1]), LIFT)
        return GraphFactor(self.system, pulled, hessians, down, mass)

    def precondition(self, total, first, second):
        """Return the inverse Hessian for features of equal curvature in all tasks.

        The graph is exact by its eigenvectors, or approximated by its diagonal if it
        has very many nodes. Intercepts are those at the means of the features.
        """
        shear = NodeShear.of(total, first, self.datafit.fit_intercept)
        found = shear.diagonals(total, first, second)
        n_tasks, n_features = self.datafit.n_tasks, self.datafit.data.X.shape[1]
        ridge = np.where(np.arange(self._n_nodes) < n_tasks, 1.0, 0.0)
        ridge *= self.coupling.alpha_ridge
        precision = self.system.laplacian + sparse.diags_array(ridge)
        if self._n_nodes > _MANY_NODES:
            own = np.zeros((self._n_nodes, *found.shape[1:]))
            own[:n_tasks] = found
            own[..., :n_features] += precision.diagonal()[:, None, None]
            own = np.where(own > TINY_SQUARE, own, 1.0)
            return lambda right: shear.forth(shear.back(right) / own)
        values, modes = np.linalg.eigh(precision.toarray())
        curved = np.maximum(values, 0.0)[:, None, None] + found.mean(axis=0)
        curved = np.where(curved > TINY_SQUARE, curved, 1.0)
        level = found[..., n_features:]
        level = np.where(level > TINY_SQUARE, level, 1.0)

        def divide(right):
            right = shear.back(right)
            step = np.tensordot(modes, np.tensordot(modes.T, right, 1) / curved, 1)
            step[:n_tasks, :, n_features:] = right[:n_tasks, :, n_features:] / level
            step[n_tasks:, :, n_features:] = 0.0
            return shear.forth(step)

        return divide

    def unpack(self, variable):
        """Return the linear models of the tasks, and the one for unseen tasks.

        Parameters
        ----------
        variable : ndarray of shape (n_nodes, n_outputs, n_columns)
            The variable.

        Returns
        -------
        TaskModels
            The models.
        """
        return self.unpack_nodes(variable).first(self.datafit.n_tasks)

    def unpack_nodes(self, variable):
        """Return the linear models of all nodes, and the one for unseen tasks.

        The latter is the mean of the roots, or a fit to all rows. Intercepts are not
        penalised: a node without rows gets the limit for a vanishing penalty, its
        neighbour's intercept or a mean. A node without a path to a task with rows gets
        the model for unseen tasks.

        Parameters
        ----------
        variable : ndarray of shape (n_nodes, n_outputs, n_columns)
            The variable.

        Returns
        -------
        TaskModels
            The models.
        """
        variable, n_tasks = self.move(variable, -1), self.datafit.n_tasks
        known = self.datafit.task_totals > 0
        known = np.append(known, np.zeros(self._n_nodes - n_tasks, dtype=bool))
        whole, reached = extend(self.coupling.adjacency, known, flat(variable))
        nodes = flat(variable)
        if len(self.system.edges[0]):
            nodes = np.where(self._pulled, nodes, whole)
        else:  # the limit of a vanishing penalty
            nodes = whole
        nodes = nodes.reshape(self.shape)
        roots = [root for root in self.roots if reached[root]]
        given = None
        if roots:
            pulled = self._pulled.reshape(self.shape[1:])
            given = np.where(pulled, nodes[roots].mean(axis=0), np.nan)
        shared = fit_unseen_model(self.datafit, nodes[:n_tasks], given)
        nodes = np.where(reached[:, None, None], nodes, shared)
        return unpack_tasks(nodes, shared, self.datafit)


@dataclass(frozen=True)
class NodeShear:
    """Move the intercept of each task to the mean of its features.

    Parameters
    ----------
    mean : ndarray of shape (n_tasks, n_outputs, n_features)
        The means.
    has_intercept : bool
        Whether there are intercepts.
    """

    mean: np.ndarray
    has_intercept: bool

    @classmethod
    def of(cls, total, first, has_intercept):
        """Shear the curvature's sums over the rows of each task."""
        return cls(first / np.where(total > TINY_SQUARE, total, 1.0), has_intercept)

    def diagonals(self, total, first, second):
        """Return the diagonals of the Hessians in these coordinates."""
        if not self.has_intercept:
            return second
        found = np.maximum(second - self.mean * first, LOST * second)
        return np.concatenate([found, total], axis=-1)

    def back(self, right):
        """Convert a gradient to these coordinates, in place."""
        if not self.has_intercept:
            return right
        n_tasks = len(self.mean)
        right[:n_tasks, :, :-1] -= self.mean * right[:n_tasks, :, -1:]
        return right

    def forth(self, step):
        """Convert a step in place to the coordinates of the variable."""
        if self.has_intercept:
            n_tasks = len(self.mean)
            moved = (step[:n_tasks, :, :-1] * self.mean).sum(axis=-1)
            step[:n_tasks, :, -1] -= moved
        return step


@dataclass(frozen=True)
class GraphFactor:
    """Solve for tasks on a graph, their intercepts eliminated.

    Parameters
    ----------
    system : GraphSystem
        Linear system of the coefficients.
    pulled : ndarray of shape (size,), dtype bool
        Whether each entry of a task is a coefficient.
    curved : ndarray of shape (n_tasks, size, size)
        Hessians.
    down : ndarray of shape (n_tasks, n_free, n_pulled)
        How intercepts follow from coefficients, negated.
    mass : ndarray of shape (n_nodes, n_pulled, n_pulled)
        Hessians of the coefficients, intercepts eliminated.
    """

    system: GraphSystem
    pulled: np.ndarray
    curved: np.ndarray
    down: np.ndarray
    mass: np.ndarray

    def solve(self, right):
        """Return the solution, a row per node."""
        n_tasks, pulled = len(self.curved), self.pulled
        solution, rest = np.zeros_like(right), right[:, pulled].copy()
        rest[:n_tasks] -= apply(self.down.swapaxes(1, 2), right[:n_tasks, ~pulled])
        solution[:, pulled] = self.system.solve(self.mass, rest)[0]
        inner = self.curved[:, ~pulled][:, :, ~pulled]
        level = np.linalg.solve(inner, right[:n_tasks, ~pulled, None])[:, :, 0]
        level -= apply(self.down, solution[:n_tasks, pulled])
        solution[:n_tasks, ~pulled] = level
        return solution
