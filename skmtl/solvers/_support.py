"""Working sets: solve for few features, then look at all."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Solution, Solver

from ._fista import Fista
from ._support_newton import SupportNewton
from ._sweeps import Sweeps

# So many features are looked at first.
_FIRST = 100
# A working set is so many times the support; more if nearly all of it was used.
_ROOM, _MORE_ROOM = 2, 4
_NEARLY_ALL = 0.9
# A restricted problem is solved to this part of the optimality of the whole one, and
# to that of the tolerance once every feature that is wanted is in it.
_PART, _END = 0.3, 0.5


class RestrictedSolver(Solver):
    """Minimise over few features that all others let be zero, and check these."""

    tol: float
    max_iter: int

    @abstractmethod
    def _solve(self, part, penalty, start, goal, max_iter):
        """Return where a restricted problem is solved to a goal, and in how many."""

    def minimize(self, smooth, penalty, start):
        """Return the Solution found from a variable.

        Parameters
        ----------
        smooth : Restrictable
            Term that can be restricted to some features.
        penalty : Penalty
            Term under which features are zero for all tasks.
        start : ndarray of shape (n_tasks, n_features)
            Where to start.

        Returns
        -------
        Solution
            What was found.
        """
        point, n_iter, size = smooth.at(start), 0, _FIRST
        optimality = penalty.optimality(smooth, point)
        while not optimality <= self.tol and n_iter < self.max_iter:
            wanted = _pressure(point, penalty)
            size = min(size, np.count_nonzero(wanted))
            features, part = _restrict(smooth, wanted, size)
            is_all = size == np.count_nonzero(wanted)
            goal = _END * self.tol if is_all else max(_PART * optimality, self.tol / 4)
            W, V = np.zeros(smooth.shape), point.variable[:, features]
            W[:, features], n_more = self._solve(
                part, penalty, V, goal, self.max_iter - n_iter
            )
            n_iter += n_more
            point = smooth.at_near(W, point)
            optimality = penalty.optimality(smooth, point)
            n_used = np.count_nonzero(W.any(axis=0))
            room = _MORE_ROOM if n_used > _NEARLY_ALL * size else _ROOM
            size = max(size, room * n_used)
        objective = float(point.value + penalty.value(point.variable))
        return Solution(
            point.variable, objective, optimality, n_iter, bool(optimality <= self.tol)
        )


@dataclass(repr=False, eq=False)
class WorkingSet(BaseEstimator, RestrictedSolver):
    """Minimise over few features that all others let be zero, and check these.

    For penalties under which whole features are zero, and losses that can be restricted
    to some features. Restricted problems are solved by accelerated proximal steps; with
    `newton`, for squared losses, by visits to blocks of features in turn, iterates
    extrapolated, and by Newton steps where features are fewer than rows.

    Parameters
    ----------
    tol : float, default=1e-6
        Optimality to be reached.
    max_iter : int, default=10000
        Largest number of steps, or visits to all features of a working set.
    newton : SupportNewton, default=None
        Newton steps that suit the penalty; None for none.

    References
    ----------
    Massias, M., Gramfort, A., Salmon, J. (2018). Celer: a fast solver for the lasso
    with dual extrapolation. ICML, PMLR 80, 3315-3324.

    Bertrand, Q., Klopfenstein, Q., Bannier, P.-A., Gidel, G., Massias, M. (2022).
    Beyond L1: faster and better sparse models with skglm. NeurIPS 35.
    :doi:`10.48550/arXiv.2204.07826`

    Examples
    --------
    >>> from skmtl.solvers import WorkingSet
    >>> WorkingSet(tol=1e-8)
    WorkingSet(tol=1e-08)
    """

    tol: float = 1e-6
    max_iter: int = 10000
    newton: SupportNewton | None = None

    def _solve(self, part, penalty, start, goal, max_iter):
        if self.newton is None:
            found = Fista(goal, max_iter).minimize(part, penalty, start)
            return found.variable, max(found.n_iter, 1)
        measure = partial(penalty.optimality, part)
        sweeps = Sweeps(part, penalty, start, self.newton, measure)
        n_iter = sweeps.run(goal, max_iter)
        return sweeps.W, n_iter


def _pressure(point, penalty):
    """Return how far each feature is driven from zero, infinitely if it is not zero."""
    moved = penalty.prox(-point.gradient, 1.0)
    pressure = np.sqrt((moved * moved).sum(axis=0))
    pressure[point.variable.any(axis=0)] = np.inf
    return pressure


def _restrict(smooth, pressure, size):
    """Return the features under the highest pressure, and the term of these.

    If their curvatures are unlike, they come in this order, so that features of a block
    have about the same.
    """
    features = np.sort(np.argpartition(-pressure, size - 1)[:size])
    part = smooth.restrict(features)
    if part.is_ordered:
        return features, part
    order = np.argsort(part.scales, kind="stable")
    return features[order], part.restrict(order)
