"""Losses of any kind, coupled along the edges of a graph."""

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
from ._unseen_model_any_loss import fit_unseen_model

# With more nodes, precondition by the diagonal: eigenvectors of the graph would take
# too long.
_MANY_NODES = 1000


@dataclass(frozen=True)
class GraphLosses(CoupledTasks):
    """Losses of tasks plus a coupling along the edges of a graph.

    ``sum losses + alpha / 2 sum_(s,t) a_st ||w_s - w_t||^2 + alpha_ridge / 2 sum_t
    ||w_t||^2`` with weights ``a_st`` of the edges. Nodes without rows have no ridge.

    The variable holds the nodes, (n_nodes, n_outputs, n_columns). The first are the
    tasks; further nodes have neither rows nor intercepts.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    coupling : Graph
        The graph and its strengths.
    graph : object
        The graph as declared, kept for the solution.
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
        return self.coupling.alpha_ridge * seen[:, None] * self.is_coef

    @cached_property
    def is_coef(self):
        """Whether each entry of a task is a coefficient, outputs by columns."""
        is_coef = np.ones(self.shape[1:], dtype=bool)
        if self.datafit.fit_intercept:
            is_coef[:, -1] = False
        return is_coef.ravel()

    def start(self):
        start = np.zeros(self.shape)
        start[: self.datafit.n_tasks] = self.datafit.start()
        return start

    def coefs(self, variable):
        return variable[: self.datafit.n_tasks]

    def coupling_value(self, variable):
        nodes = flat(variable)[:, self.is_coef]
        ridge = (self._ridge * flat(self.coefs(variable)) ** 2).sum()
        edges, strengths = self.system.edges
        gaps = ((nodes[edges[:, 0]] - nodes[edges[:, 1]]) ** 2).sum(axis=1)
        return float(strengths @ gaps + ridge) / 2

    def slopes(self, variable, gradient):
        is_coef, n_tasks = self.is_coef, self.datafit.n_tasks
        nodes, slopes = flat(variable), np.zeros((self._n_nodes, len(is_coef)))
        slopes[:n_tasks] = flat(gradient)
        slopes[:, is_coef] += self.system.laplacian @ nodes[:, is_coef]
        slopes[:n_tasks] += self._ridge * nodes[:n_tasks]
        return slopes

    def eliminate_in_place(self, hessians):
        is_coef, n_tasks = self.is_coef, len(hessians)
        diagonals(hessians)[...] += self._ridge
        raise_diagonals_in_place(hessians, self.coupling.alpha * is_coef, LIFT)
        down = np.linalg.solve(
            hessians[:, ~is_coef][:, :, ~is_coef], hessians[:, ~is_coef][:, :, is_coef]
        )
        mass = np.zeros((self._n_nodes, is_coef.sum(), is_coef.sum()))
        mass[:n_tasks] = hessians[:, is_coef][:, :, is_coef]
        mass[:n_tasks] -= hessians[:, is_coef][:, :, ~is_coef] @ down
        if not len(self.system.edges[1]):
            raise_diagonals_in_place(mass, np.zeros(mass.shape[-1]), LIFT)
        return GraphFactor(self.system, is_coef, hessians, down, mass)

    def precondition(self, total, first, second):
        """Return the inverse of a Hessian with the mean curvature in all tasks.

        Features are taken as uncorrelated, and are centred. The graph is represented by
        its eigenvectors, or by its diagonal if it has very many nodes.
        """
        shear = NodeShear.of(total, first, self.datafit.fit_intercept)
        found = shear.diagonals(total, first, second)
        n_tasks, n_features = self.datafit.n_tasks, self.datafit.n_features
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
        weight = found[..., n_features:]
        weight = np.where(weight > TINY_SQUARE, weight, 1.0)

        def divide(right):
            right = shear.back(right)
            step = np.tensordot(modes, np.tensordot(modes.T, right, 1) / curved, 1)
            step[:n_tasks, :, n_features:] = right[:n_tasks, :, n_features:] / weight
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
        penalised: a node without rows gets the limit for a vanishing penalty, the mean
        of its neighbours' intercepts. A node without a path to a task with rows gets
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
            nodes = np.where(self.is_coef, nodes, whole)
        else:  # the limit for a vanishing penalty
            nodes = whole
        nodes = nodes.reshape(self.shape)
        roots = [root for root in self.roots if reached[root]]
        given = None
        if roots:
            is_coef = self.is_coef.reshape(self.shape[1:])
            given = np.where(is_coef, nodes[roots].mean(axis=0), np.nan)
        shared = fit_unseen_model(self.datafit, nodes[:n_tasks], given)
        nodes = np.where(reached[:, None, None], nodes, shared)
        return unpack_tasks(nodes, shared, self.datafit)


@dataclass(frozen=True)
class NodeShear:
    """Change of variables that centres the features of each task.

    It decouples intercepts from coefficients: ``b_t`` becomes ``b_t + mean_t . w_t``.

    Parameters
    ----------
    mean : ndarray of shape (n_tasks, n_outputs, n_features)
        Means of the features, weighted by curvature.
    has_intercept : bool
        Whether there are intercepts.
    """

    mean: np.ndarray
    has_intercept: bool

    @classmethod
    def of(cls, total, first, has_intercept):
        """Return the change of variables, given results of `Datafit.diagonals`."""
        return cls(first / np.where(total > TINY_SQUARE, total, 1.0), has_intercept)

    def diagonals(self, total, first, second):
        """Return the diagonals of the Hessians in these coordinates."""
        if not self.has_intercept:
            return second
        found = np.maximum(second - self.mean * first, LOST * second)
        return np.concatenate([found, total], axis=-1)

    def back(self, right):
        """Convert a gradient to these coordinates."""
        if not self.has_intercept:
            return right
        n_tasks, right = len(self.mean), right.copy()
        right[:n_tasks, :, :-1] -= self.mean * right[:n_tasks, :, -1:]
        return right

    def forth(self, step):
        """Convert a step to the coordinates of the variable."""
        if not self.has_intercept:
            return step
        n_tasks, step = len(self.mean), step.copy()
        step[:n_tasks, :, -1] -= (step[:n_tasks, :, :-1] * self.mean).sum(axis=-1)
        return step


@dataclass(frozen=True)
class GraphFactor:
    """Factored Hessian of tasks on a graph, their intercepts eliminated.

    With the intercepts' block ``H_bb`` and ``down = H_bb^-1 H_bw``, the coefficients
    have the Schur complement ``mass = H_ww - H_wb down``.

    Parameters
    ----------
    system : GraphSystem
        Linear system of the coefficients.
    is_coef : ndarray of shape (size,), dtype bool
        Whether each entry of a task is a coefficient.
    curved : ndarray of shape (n_tasks, size, size)
        Hessians.
    down : ndarray of shape (n_tasks, n_free, n_coef)
        Negated derivative of the intercepts in the coefficients.
    mass : ndarray of shape (n_nodes, n_coef, n_coef)
        Hessians of the coefficients, intercepts eliminated.
    """

    system: GraphSystem
    is_coef: np.ndarray
    curved: np.ndarray
    down: np.ndarray
    mass: np.ndarray

    def solve(self, right):
        """Return the solution, a row per node."""
        n_tasks, is_coef = len(self.curved), self.is_coef
        solution, rest = np.zeros_like(right), right[:, is_coef].copy()
        rest[:n_tasks] -= apply(self.down.swapaxes(1, 2), right[:n_tasks, ~is_coef])
        solution[:, is_coef] = self.system.solve(self.mass, rest)[0]
        inner = self.curved[:, ~is_coef][:, :, ~is_coef]
        intercept = np.linalg.solve(inner, right[:n_tasks, ~is_coef, None])[:, :, 0]
        intercept -= apply(self.down, solution[:n_tasks, is_coef])
        solution[:n_tasks, ~is_coef] = intercept
        return solution
