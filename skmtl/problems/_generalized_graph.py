"""Losses of any kind, of tasks that are pulled to their neighbours in a graph."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmtl._linalg import apply, diagonals
from skmtl.couplings import Graph
from skmtl.solvers import eliminate, plan_elimination, pull_together

from ._common_losses import find_common
from ._coupled_losses import CoupledLosses
from ._datafit import Datafit
from ._generalized import LIFT, flat, raise_diagonals
from ._output_models import unpack_tasks


@dataclass(frozen=True)
class GraphLosses(CoupledLosses):
    """Pull tasks to their neighbours: ``sum losses + 1/2 pull``.

    The variable holds the nodes, (n_nodes, n_outputs, n_columns), of which the first
    are the tasks; further ones have no rows, and no intercept.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    coupling : Graph
        The graph and its strengths.
    groups : ndarray of shape (n_groups,)
        Labels of the nodes that are no tasks.
    roots : tuple of int, default=()
        Nodes whose mean stands for tasks never seen; empty for what fits all rows.
    """

    datafit: Datafit
    coupling: Graph
    groups: np.ndarray
    roots: tuple = ()

    @property
    def shape(self):
        """Shape of the variable."""
        return self._n_nodes, *self.datafit.shape[1:]

    @property
    def _n_nodes(self):
        return self.coupling.adjacency.shape[0]

    @cached_property
    def _precision(self):
        """How nodes pull on each other, those to zero left out."""
        neighbours = Graph(self.coupling.adjacency, self.coupling.alpha)
        return neighbours.precision(self._n_nodes)

    @cached_property
    def _rounds(self):
        return plan_elimination(self.coupling.edges()[0], self._n_nodes)

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

    def pull(self, variable):
        nodes = flat(variable)[:, self._pulled]
        ridge = self.coupling.alpha_ridge * (self.coefs(nodes) ** 2).sum()
        edges, strengths = self.coupling.edges()
        gaps = ((nodes[edges[:, 0]] - nodes[edges[:, 1]]) ** 2).sum(axis=1)
        return float(strengths @ gaps + ridge) / 2

    def slopes(self, variable, gradient):
        pulled, n_tasks = self._pulled, self.datafit.n_tasks
        nodes, slopes = flat(variable), np.zeros((self._n_nodes, len(pulled)))
        slopes[:n_tasks] = flat(gradient)
        slopes[:, pulled] += self._precision @ nodes[:, pulled]
        slopes[:n_tasks] += self.coupling.alpha_ridge * pulled * nodes[:n_tasks]
        return slopes

    def eliminate(self, curved):
        """Return the system of Hessians, their intercepts eliminated."""
        pulled = self._pulled
        diagonals(curved)[...] += self.coupling.alpha_ridge * pulled
        raise_diagonals(curved, self.coupling.alpha * pulled, LIFT)
        down = np.linalg.solve(
            curved[:, ~pulled][:, :, ~pulled], curved[:, ~pulled][:, :, pulled]
        )
        mass = np.zeros((self._n_nodes, pulled.sum(), pulled.sum()))
        mass[: len(curved)] = curved[:, pulled][:, :, pulled]
        mass[: len(curved)] -= curved[:, pulled][:, :, ~pulled] @ down
        if not len(self.coupling.edges()[1]):
            raise_diagonals(mass, np.zeros(mass.shape[-1]), LIFT)
        return GraphFactor(self, pulled, curved, down, mass)

    def pull_together(self, mass, right):
        """Solve for coefficients of nodes that have a mass and pull on each other."""
        strengths = self.coupling.edges()[1]
        if not len(strengths):
            return np.linalg.solve(mass, right[:, :, None])[:, :, 0]
        if self._rounds is None:
            return pull_together(mass, self._precision, right)[0]
        return eliminate(self._rounds, mass, strengths, right)

    def unpack(self, variable):
        """Return the linear models of the tasks, and the one for tasks never seen.

        It is the mean of the roots, or what fits all rows best. Tasks that no row tells
        of have it.

        Parameters
        ----------
        variable : ndarray of shape (n_nodes, n_outputs, n_columns)
            Where.

        Returns
        -------
        OutputModels
            The models.
        """
        n_tasks, tasks = self.datafit.n_tasks, self.coefs(variable)
        tasks, seen = self.datafit.move(tasks, -1), self.datafit.task_totals > 0
        pulled, known = self._pulled.reshape(self.shape[1:]), None
        if self.roots:
            top = variable[list(self.roots)].mean(axis=0)
            known = np.where(pulled, top, np.nan)
        shared = find_common(self.datafit, tasks, known)
        part = self.coupling.parts()[:n_tasks]
        reached = np.isin(part, part[seen])[:, None, None]
        known = np.where(pulled, reached, seen[:, None, None])
        return unpack_tasks(np.where(known, tasks, shared), shared, self.datafit)


@dataclass(frozen=True)
class GraphFactor:
    """Solve for tasks on a graph, their intercepts eliminated.

    Parameters
    ----------
    losses : GraphLosses
        Which solves for the coefficients.
    pulled : ndarray of shape (size,), dtype bool
        Whether each entry of a task is a coefficient.
    curved : ndarray of shape (n_tasks, size, size)
        Hessians.
    down : ndarray of shape (n_tasks, n_free, n_pulled)
        How intercepts follow from coefficients, negated.
    mass : ndarray of shape (n_nodes, n_pulled, n_pulled)
        Hessians of the coefficients, intercepts eliminated.
    """

    losses: GraphLosses
    pulled: np.ndarray
    curved: np.ndarray
    down: np.ndarray
    mass: np.ndarray

    def solve(self, right):
        """Return the solution, a row per node."""
        n_tasks, pulled = len(self.curved), self.pulled
        solution, rest = np.zeros_like(right), right[:, pulled].copy()
        rest[:n_tasks] -= apply(self.down.swapaxes(1, 2), right[:n_tasks, ~pulled])
        solution[:, pulled] = self.losses.pull_together(self.mass, rest)
        inner = self.curved[:, ~pulled][:, :, ~pulled]
        level = np.linalg.solve(inner, right[:n_tasks, ~pulled, None])[:, :, 0]
        level -= apply(self.down, solution[:n_tasks, pulled])
        solution[:n_tasks, ~pulled] = level
        return solution
