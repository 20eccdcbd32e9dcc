"""What linear models with a penalty do alike: pose, minimise, certify, warn."""

import warnings
from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmtl._compat import Interval
from skmtl.base import (
    COMMON_CONSTRAINTS,
    MomentRegressor,
    cast,
    float_type,
    refuse_infinite,
)
from skmtl.data import read_task_weight
from skmtl.problems.proximal import into_parts, minimize, squared_loss
from skmtl.problems.rows import prefers_rows, row_curvature
from skmtl.selection import fall, loosen, saturate, warn_of_path
from skmtl.solvers import Fista

PENALIZED_CONSTRAINTS = {
    "tol": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "warm_start": ["boolean"],
    **COMMON_CONSTRAINTS,
}
POSITIVE = [Interval(Real, 0, None, closed="neither")]
# Parameters that say how exactly the objective is minimised.
_TOLERANCES = "tol", "solver__tol"
# What certifies a fit, for a penalty that has a dual norm and for one that has none.
_CERTIFICATES = {
    "dual_gap": "the duality gap is {reached:.1e} times the objective at zero",
    "kkt": "the gradient that is left is {reached:.1e} times the one at zero",
}


class Penalized:
    """Begin where the last fit ended, and forget what that one alone had to say."""

    def _start(self, tasks):
        """Return the solution of the last fit, if that was of the same tasks."""
        known = self.warm_start and "_variable" in vars(self)
        return self._variable if known and np.array_equal(self.tasks_, tasks) else None

    def _keep(self, data, learnt):
        refuse_infinite(learnt, data)
        for name in vars(self).get("_about", ()):
            delattr(self, name)
        return super()._keep(data, learnt)


class PenalizedRegressor(Penalized, MomentRegressor):
    """Minimise a squared loss and a penalty, from moments or from rows."""

    @abstractmethod
    def _penalty(self, moments):
        """Return the penalty of the coefficients of tasks, or of their parts."""

    def _solver(self):
        """Return how the objective is minimised."""
        return Fista(tol=self.tol, max_iter=self.max_iter)

    def _pose(self, moments, curvature=None):
        """Return the loss; without `curvature`, that of the moments."""
        return squared_loss(moments, self.fit_intercept, curvature=curvature)

    def _describe(self, fit):
        """Return what there is to say of a fit beyond coefficients, by name."""
        return describe(fit)

    def _parts(self, fit):
        """Return parts of the coefficients that are told apart, by name."""
        return {}

    def _strengths(self):
        # As stored, which is the order of the constructor: the first is the main one.
        given = [name for name, value in vars(self).items() if value is not None]
        return [name for name in given if name[:5] == "alpha"]

    def _suggest(self, posed, scaled, n_alphas, eps):
        return fall(self._alpha_max(posed, scaled), n_alphas, eps)

    def _alpha_max(self, loss, scaled):
        """Return the strength beyond which the coefficients stay as they are."""

        def penalty_at(alpha):
            return scaled.at(alpha)._penalty(loss.moments)

        if scaled.names != self._strengths():
            return saturate(loss, penalty_at, self._solver())
        penalty = penalty_at(1.0)
        return penalty.alpha_max(into_parts(loss, penalty.n_parts)) / penalty.alpha

    def _reads_rows(self, data):
        return prefers_rows(data)

    def _pose_rows(self, data):
        curvature = row_curvature(data, self.fit_intercept)
        return self._pose(data.moments(curvature=False), curvature)

    def _pose_moments(self, moments):
        return self._pose(moments)

    def _repose(self, loss):
        """Return a loss as it is at the strengths of this model."""
        return loss

    def _roughened(self):
        known = self.get_params()
        tols = {name: known[name] for name in _TOLERANCES if name in known}
        return self.set_params(**{name: loosen(tol) for name, tol in tols.items()})

    def _solve(self, posed, fits=()):
        penalty, start = self._penalty(posed.moments), self._ahead(fits)
        return minimize(self._repose(posed), penalty, self._solver(), start)

    def _ahead(self, fits):
        """Return where the last two fits of a path lead to."""
        if len(fits) < 2:
            return fits[-1].solution.variable if fits else None
        before, last = (fit.solution.variable for fit in fits[-2:])
        return 2 * last - before

    def _warn_of(self, fits):
        warn_of_path([fit.solution for fit in fits], getattr(self._solver(), "tol", 0))

    def _learn(self, data, splits):
        if not self._reads_rows(data):
            return super()._learn(data, splits)
        fit = self._minimize(self._pose_rows(data))
        return self._learnt(fit, data.layout, float_type(data.X))

    def _fit_moments(self, moments):
        factor = read_task_weight(self.task_weight, moments.tasks, moments.weight)
        return self._minimize(self._pose(moments.weighted(factor)))

    def _from_moments(self, moments, layout, dtype):
        learnt = self._learnt(self._fit_moments(moments), layout, dtype)
        return {**learnt, "moments_": moments}

    def _minimize(self, loss):
        penalty, start = self._penalty(loss.moments), self._start(loss.moments.tasks)
        fit = minimize(loss, penalty, self._solver(), start)
        warn_of_fit(fit, getattr(self._solver(), "tol", 0))
        return fit

    def _learnt(self, fit, layout, dtype):
        """Return everything that a fit teaches, in the shapes of a layout."""
        tasks = fit.loss.moments.tasks
        learnt = self._linear(tasks, fit.unpack(), layout, dtype)
        parts = {
            name: cast(values[0] if layout == "single" else values, dtype)
            for name, values in self._parts(fit).items()
        }
        about = {**parts, **self._describe(fit)}
        begin = {"_variable": fit.solution.variable, "_about": tuple(about)}
        return {**learnt, **about, **begin}


def describe(fit):
    """Return what there is to say of any fit with a penalty, by name."""
    name, value = fit.certificate
    return {
        "objective_": fit.solution.objective,
        "n_iter_": fit.solution.n_iter,
        f"{name}_": value,
    }


def warn_of_fit(fit, tol):
    """Warn if a fit has not converged."""
    solution = fit.solution
    if solution.converged:
        return
    reached = _CERTIFICATES[fit.penalty.certificate].format(reached=solution.optimality)
    warnings.warn(
        f"After {solution.n_iter} iterations {reached}, and tol asks for {tol:.1e}. "
        "Raise max_iter, or scale the features.",
        ConvergenceWarning,
        stacklevel=2,
    )
