"""Losses of tasks on a graph, with a centre and penalised intercepts."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._linalg import apply, diagonals
from skmtl.problems.exact import unpack_tasks
from skmtl.solvers import conjugate_gradients, extend

from ._coupled_losses import CoupledTasks, flat
from ._datafit import Datafit
from ._graph_newton import GraphLosses
from ._unseen_model_any_loss import fit_unseen_model

# Relative residual of Newton steps. The centre changes a system of nodes, which
# preconditions them, by few columns, and so needs few iterations.
_TOL, _MAX_ITER = 1e-10, 500


@dataclass(frozen=True)
class CentredGraphLosses(CoupledTasks):
    """Losses of tasks on a graph, with a ridge to a centre and penalised intercepts.

    ``sum losses + alpha / 2 sum_(s,t) a_st ||w_s - w_t||^2 + alpha_ridge / 2 sum_t
    ||w_t - c||^2 + alpha_shared / 2 ||c||^2 + alpha_intercept / 2 sum_t (b_t -
    b_s)^2``, with the minimising centre ``(c, b_s)``.

    Parameters
    ----------
    base : GraphLosses
        Losses and graph, with the ridge to zero.
    """

    base: GraphLosses

    @property
    def datafit(self) -> Datafit:  # type: ignore[override]
        """Losses of the rows."""
        return self.base.datafit

    @property
    def shape(self):
        """Shape of the variable."""
        return self.base.shape

    def about_means(self) -> Any:
        """Return the same objective with features far from zero centred.

        Centring would change a penalty on differences of intercepts.
        """
        if self._pull == 0:
            return replace(self, base=self.base.about_means())
        self.datafit.refuse_far()
        return self

    @property
    def _coupling(self):
        return self.base.coupling

    @cached_property
    def _seen(self):
        return self.datafit.task_totals > 0

    @property
    def _pull(self):
        """Strength of intercepts; 0 without intercepts."""
        return self._coupling.alpha_intercept if self.datafit.fit_intercept else 0.0

    @property
    def _is_rigid(self):
        """Whether all intercepts are equal, so that steps keep them equal."""
        return np.isinf(self._pull)

    def free_part(self, step):
        """Return a step whose intercepts are equal if they must be."""
        if self._is_rigid:
            step = step.copy()
            tasks = self.coefs(step)
            tasks[..., -1] = tasks[self._seen, :, -1].mean(axis=0)
        return step

    def start(self):
        return self.free_part(self.base.start())

    def coefs(self, variable):
        return self.base.coefs(variable)

    def coupling_value(self, variable):
        tasks = self.coefs(variable)
        along = float(np.vdot(tasks, self._slope_of_centre(tasks))) / 2
        return self.base.coupling_value(variable) + along

    def _slope_of_centre(self, tasks):
        """Return the gradient of what the centre adds, of the tasks with rows."""
        n_features, slope = self.datafit.n_features, np.zeros(tasks.shape)
        seen = self._seen
        coef, intercept = tasks[seen, :, :n_features], tasks[seen, :, n_features:]
        slope[seen, :, :n_features] = (
            -self._coupling.alpha_ridge * self._coupling.centre(coef)
        )
        if not self._is_rigid:
            gap = intercept - intercept.mean(axis=0)
            slope[seen, :, n_features:] = self._pull * gap
        return slope

    def slopes(self, variable, gradient):
        slopes = self.base.slopes(variable, gradient)
        slope = self._slope_of_centre(self.coefs(variable))
        slopes[: self.datafit.n_tasks] += flat(slope)
        return flat(self.free_part(slopes.reshape(self.shape)))

    def eliminate_in_place(self, hessians):
        is_free = ~self.base.is_coef
        pull = min(self._pull, float(self.datafit.task_totals.max()))
        diagonals(hessians)[:, is_free] += pull * self._seen[:, None]
        return self.base.eliminate_in_place(hessians)

    def factor(self, point, tol=_TOL, max_iter=_MAX_ITER):
        """Return a solver with the Hessian at a point, by conjugate gradients.

        The Hessian without centre is the preconditioner.
        """
        if self.datafit.iterates:
            return self.iterate(point, max(tol, 1e-3), max_iter)
        hessians = self.datafit.curve(point.raw)
        if not np.isfinite(hessians).all():
            return lambda gradient: np.full_like(gradient, np.nan)
        shape, base = self.shape, self.eliminate_in_place(hessians.copy())

        def multiply(step):
            step = step.reshape(shape)
            curved = apply(hessians, flat(self.coefs(step)))
            return self.slopes(step, curved.reshape(self.datafit.shape))

        def precondition(gradient):
            return flat(self.free_part(base.solve(gradient).reshape(shape)))

        def solve(gradient):
            if not np.isfinite(gradient).all():
                return np.full_like(gradient, np.nan)
            return conjugate_gradients(multiply, gradient, precondition, tol, max_iter)[
                0
            ]

        return solve

    def precondition(self, total, first, second):
        """Return the preconditioner of the losses without centre."""
        return self.base.precondition(total, first, second)

    def unpack(self, variable):
        """Return the linear models of the tasks, and the one for unseen tasks."""
        return self.unpack_nodes(variable).first(self.datafit.n_tasks)

    def unpack_nodes(self, variable):
        """Return the linear models of all nodes, and the one for unseen tasks.

        The latter is the centre if there is one.
        """
        variable = self.base.move(variable, -1)
        if not self._coupling.has_centre:
            unshifted = replace(self.base, datafit=replace(self.datafit, shift=None))
            return unshifted.unpack_nodes(variable)
        n_tasks, n_features = self.datafit.n_tasks, self.datafit.n_features
        known = np.zeros(len(variable), dtype=bool)
        known[:n_tasks] = self._seen
        adjacency = self._coupling.adjacency
        found, reached = extend(adjacency, known, flat(variable))
        nodes, found = variable.copy(), found.reshape(variable.shape)
        nodes[..., n_features:] = found[..., n_features:]
        if not len(self.base.system.edges[0]):
            nodes = found
        shared = self._unseen(nodes[:n_tasks])
        nodes = np.where(reached[:, None, None], nodes, shared)
        return unpack_tasks(nodes, shared, self.datafit)

    def _unseen(self, tasks):
        """Return the centre; if it is shrunk, its intercept is fitted to all rows."""
        n_features, seen = self.datafit.n_features, tasks[self._seen]
        given = np.full(self.datafit.shape[1:], np.nan)
        given[:, :n_features] = self._coupling.centre(seen[..., :n_features])
        if self._pull and not self._coupling.alpha_shared:
            given[:, -1] = seen[..., -1].mean(axis=0)
            return given
        return fit_unseen_model(self.datafit, tasks, given)
