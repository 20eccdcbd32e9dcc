"""Working sets: solve for a subset of features, then check all of them."""

from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from skmtl._contracts import Array, Penalty, Solution, Solver

from ._fista import Fista
from ._sweeps import Sweeps
from ._variance_newton import VarianceNewton

# Size of the first working set.
_FIRST_SIZE = 100
# Size of the next working set, relative to the support: the larger one if this fraction
# of the last working set was used, as the support may still grow.
_GROWTH, _FAST_GROWTH = 2, 4
_NEARLY_ALL = 0.9
# Tolerance of a restricted problem, relative to the optimality of the whole problem.
# Once it holds every feature that violates optimality: relative to the tolerance.
_INNER_TOL, _LAST_INNER_TOL = 0.3, 0.5


class RestrictedSolver(Solver):
    """Solver that works on a subset of features, then checks optimality on all."""

    tol: float
    max_iter: int

    @abstractmethod
    def _solve(self, part, penalty, start, tol, max_iter):
        """Minimise a restricted problem; return the variable and the iterations."""

    def minimize(self, smooth: Any, penalty: Penalty, start: Array) -> Solution:
        """Minimise ``smooth + penalty``.

        Parameters
        ----------
        smooth : Restrictable
            Term that can be restricted to some features.
        penalty : Penalty
            Term that sets features to zero for all tasks.
        start : ndarray of shape (n_tasks, n_features)
            First iterate.

        Returns
        -------
        Solution
            The last iterate.
        """
        point, n_iter, size = smooth.at(start), 0, _FIRST_SIZE
        optimality = penalty.optimality(smooth, point)
        while not optimality <= self.tol and n_iter < self.max_iter:
            violations = _violations(point, penalty)
            n_violations = int(np.count_nonzero(violations))
            size = min(size, n_violations)
            features, part = _restrict(smooth, violations, size)
            tol = max(_INNER_TOL * optimality, self.tol / 4)
            if size == n_violations:
                tol = _LAST_INNER_TOL * self.tol
            W, V = np.zeros(smooth.shape), point.variable[:, features]
            W[:, features], n_more = self._solve(
                part, penalty, V, tol, self.max_iter - n_iter
            )
            n_iter += n_more
            point = smooth.at_near(W, point)
            optimality = penalty.optimality(smooth, point)
            n_used = int(np.count_nonzero(W.any(axis=0)))
            growth = _FAST_GROWTH if n_used > _NEARLY_ALL * size else _GROWTH
            size = max(size, growth * n_used)
        objective = float(point.value + penalty.value(point.variable))
        return Solution(
            point.variable, objective, optimality, n_iter, bool(optimality <= self.tol)
        )


@dataclass(repr=False, eq=False)
class WorkingSet(BaseEstimator, RestrictedSolver):
    """Solver that works on a subset of features, then checks optimality on all.

    For penalties that set whole features to zero, and losses that can be restricted to
    some features. Restricted problems are solved by accelerated proximal gradient. With
    `newton`, for squared losses, they are solved by block coordinate descent with
    Anderson extrapolation, and by Newton steps where features are fewer than rows.

    Parameters
    ----------
    tol : float, default=1e-6
        Optimality at which to stop.
    max_iter : int, default=10000
        Maximum number of steps, or of sweeps over the features of a working set.
    newton : VarianceNewton, default=None
        Newton steps for the penalty; None for none.

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
    newton: VarianceNewton | None = None

    def _solve(self, part, penalty, start, tol, max_iter):
        if self.newton is None:
            found = Fista(tol, max_iter).minimize(part, penalty, start)
            return found.variable, max(found.n_iter, 1)
        measure = partial(penalty.optimality, part)
        sweeps = Sweeps(part, penalty, start, self.newton, measure)
        n_iter = sweeps.run(tol, max_iter)
        return sweeps.W, n_iter


def _violations(point, penalty):
    """Return how much each feature violates optimality at zero; inf if it is not zero.

    The violation is the length of a proximal step from zero.
    """
    moved = penalty.prox(-point.gradient, 1.0)
    violations = np.sqrt((moved * moved).sum(axis=0))
    violations[point.variable.any(axis=0)] = np.inf
    return violations


def _restrict(smooth, violations, size):
    """Return the features with the largest violations, and the term of these.

    If curvatures differ much, features are sorted by them, so that curvatures are
    similar within a block.
    """
    features = np.sort(np.argpartition(-violations, size - 1)[:size])
    part = smooth.restrict(features)
    if part.is_ordered:
        return features, part
    order = np.argsort(part.scales, kind="stable")
    return features[order], part.restrict(order)
