"""Search of the strengths with the largest restricted likelihood."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from scipy.optimize import minimize

from skmtl._contracts import Array
from skmtl.couplings import ToMean
from skmtl.problems.exact import (
    MeanFit,
    Posterior,
    bound,
    factor_moments,
    factor_path,
)

from ..search import minimize_by_scoring
from ._few_columns import FewColumns
from ._reml import RestrictedLikelihood

# Bounds and starts of log strengths, relative to the log curvature of a mean task. The
# starts are for weak, medium and strong sharing.
_LOWEST, _HIGHEST = -18.0, 23.0
_STARTS = -3.0, 0.0, 3.0
# Try infinity for a strength above this factor of the curvature.
LARGE = 1e3
# A finite strength must increase twice the log likelihood by this factor times the log
# of the number of rows. It is twice Schwarz's criterion, as too many finite strengths
# do more harm than too few.
EVIDENCE = 2.0
# Beyond this share of the rows' degrees of freedom, the error of a fit is uncertain.
FLEXIBLE = 1 / 3
# With more tasks and few columns, all tasks are factored at once.
_FEW_TASKS = 64
# Stop there where a step promises a smaller decrease of the criterion.
_ENOUGH = 1e-7
# Strengths act as infinite there beyond this multiple of the curvature, times the root
# of the number of tasks: the criterion then differs by less than 1e-6.
_TAIL = 1e3
# Skip an infinite strength if the criterion, before the others are adapted, increases
# by this many times the evidence.
HOPELESS = 20.0


def typical_curvatures(moments: Any, has_intercept: bool) -> Array:
    """Return the mean curvature of a task along each feature, 1 where there is none.

    Parameters
    ----------
    moments : TaskMoments
        Moments of the rows.
    has_intercept : bool
        Whether tasks have an intercept; constant features then have no curvature.
    """
    mean = moments.curvatures.mean(axis=0)
    least = moments.rounding if has_intercept else 0.0
    return np.where(mean > least, mean, 1.0)


def is_flexible(fit: MeanFit) -> bool:
    """Return whether a fit leaves too few degrees of freedom to estimate its error.

    Parameters
    ----------
    fit : MeanFit
        A solved problem.

    Returns
    -------
    bool
        Whether it uses more than a third of those of the rows.
    """
    freedom = Posterior(fit).degrees_of_freedom
    return bool(freedom > FLEXIBLE * fit.moments.weight.sum())


@dataclass(frozen=True)
class StrengthSearch:
    """Maximise the restricted likelihood over the strengths.

    Parameters
    ----------
    moments : TaskMoments
        Moments, about zero without intercept.
    alpha_shared : float or None
        Strength of the ridge on the centre; None searches for it. Likelihoods at 0,
        where the centre is a fixed effect, are not comparable with others, where it is
        a normal draw.
    fit_intercept : bool
        Whether tasks have an intercept.
    per_feature : bool
        Whether each feature has its own strength.
    simplify : bool, default=False
        Whether to make strengths of flexible fits infinite unless there is evidence
        against it; at least one strength of coefficients stays finite.
    tol : float, default=1e-14
        Relative decrease of the criterion at which a search stops.
    noise_variance : float, default=None
        The noise variance, if it is known.
    share : float, default=1.0
        Share of all rows that these are, for the evidence that all would be.
    """

    moments: Any
    alpha_shared: float | None
    fit_intercept: bool
    per_feature: bool
    simplify: bool = False
    tol: float = 1e-14
    noise_variance: float | None = None
    share: float = 1.0

    @property
    def _curvature(self):
        return typical_curvatures(self.moments, self.fit_intercept)

    @property
    def _n_alphas(self):
        """Number of values of alpha to search; none for a single task."""
        if (self.moments.weight > 0).sum() == 1:
            return 0
        return self.moments.n_features if self.per_feature else 1

    @property
    def _n_shared(self):
        return int(self.alpha_shared is None)

    @property
    def _n_intercept(self):
        return int(self.fit_intercept and self._n_alphas > 0)

    @property
    def _units(self):
        """Logs of the units of the strengths: alpha, centre, intercepts."""
        moments, weight = self.moments, self.moments.weight
        mean = self._curvature.sum() / (moments.width or moments.n_features)
        alphas = self._curvature if self.per_feature else np.array([mean])
        shared = np.full(self._n_shared, mean)
        intercept = np.full(self._n_intercept, weight[weight > 0].mean())
        return np.log(np.concatenate([alphas[: self._n_alphas], shared, intercept]))

    def search(self) -> list[tuple[Any, float, float, float]]:
        """Return all evaluated strengths and their criteria, the best ones last."""
        tried: list[tuple[Any, float, float, float]] = []
        at = self._evaluator(tried)
        x = self.likeliest
        if x is None:
            units = self._units
            starts = [units + step for step in _STARTS] if len(units) else [units]
            x = self._minimize(at, starts)
        if self.simplify and is_flexible(at(*self._strengths(x)).fit):
            x = self._simplify(at, x)
        else:
            x = self._make_infinite(at, x)
        at(*self._strengths(x))
        return tried

    @cached_property
    def likeliest(self) -> Any:
        """The likeliest log strengths of many tasks with few columns, else None."""
        is_few = (self.moments.weight > 0).sum() <= _FEW_TASKS or not self._n_alphas
        if is_few or self.alpha_shared == np.inf:
            return None
        columns = FewColumns.of(self.moments, self.fit_intercept)
        if columns is None:
            return None
        groups, place = self._groups, self._n_alphas
        has_shared = bool(self._n_shared)

        @lru_cache(1)
        def solve(*x):
            root = np.diag(np.exp(-groups @ x / 2))
            shared = float(np.exp(x[place])) if has_shared else self.alpha_shared
            return columns.at(root, shared, self.noise_variance)

        def value(x):
            found = solve(*x)
            slope = -groups.T @ np.diag(found.gradient)
            if has_shared:
                slope[place] = found.shared_gradient
            return found.criterion, slope

        units = self._units
        first = solve(*units)
        information = groups.T @ first.information @ groups
        n_tasks = np.full(len(units), float(self.moments.n_tasks))
        tail = units + np.log(_TAIL * np.sqrt(n_tasks))
        if has_shared:
            information[place, place] = first.shared_information
            tail[place] += np.log(n_tasks[place]) / 2
        bounds = units + _LOWEST, units + _HIGHEST
        return minimize_by_scoring(value, units, information, bounds, _ENOUGH, tail)

    @property
    def _groups(self):
        """Which columns each log strength is that of, (n_columns, n_strengths)."""
        d, n_alphas = self.moments.n_features, self._n_alphas
        groups = np.zeros((d + self.fit_intercept, len(self._units)))
        groups[:d, :n_alphas] = np.eye(d) if self.per_feature else 1.0
        if self.fit_intercept:
            groups[-1, -1] = 1.0
        return groups

    def _minimize(self, at, starts):
        """Minimise the criterion over the finite log strengths."""
        is_finite = np.isfinite(starts[0])
        if not is_finite.any():
            return starts[0]
        x = starts[0].copy()

        def value(part):
            x[is_finite] = part
            likelihood = at(*self._strengths(x))
            return likelihood.criterion, self._gradient(likelihood)[is_finite]

        start = starts[0]
        if len(starts) > 1:
            start = min(starts, key=lambda each: value(each[is_finite])[0])
        units = self._units[is_finite]
        bounds = [(unit + _LOWEST, unit + _HIGHEST) for unit in units]
        options = {"ftol": self.tol, "gtol": 1e-7, "maxiter": 500}
        search = {"bounds": bounds, "options": options}
        x[is_finite] = minimize(
            value, start[is_finite], jac=True, method="L-BFGS-B", **search
        ).x
        return x

    def _strengths(self, x):
        """Return alpha and the strengths of centre and intercepts from logs."""
        x, n_alphas = np.exp(x), self._n_alphas
        alpha = np.inf
        if n_alphas:
            alpha = x[:n_alphas] if self.per_feature else float(x[0])
        shared = float(x[n_alphas]) if self._n_shared else self.alpha_shared
        if not self.fit_intercept:
            intercept = 0.0
        else:
            intercept = float(x[-1]) if self._n_intercept else np.inf
        return alpha, shared, intercept

    def _gradient(self, likelihood):
        if self.per_feature:
            alphas, intercept = likelihood.gradient
        else:
            total, intercept = likelihood.total_gradient
            alphas = np.array([total])
        shared = [likelihood.shared_gradient][: self._n_shared]
        intercept = [intercept][: self._n_intercept]
        return np.concatenate([alphas[: self._n_alphas], shared, intercept])

    def _evaluator(self, tried):
        """Return the likelihood of strengths as a function that appends to `tried`."""
        shape = self.moments.n_tasks, self.moments.n_features
        spectral = None
        if not self.per_feature:
            spectral = factor_path(self.moments, ToMean(1.0).strengths(*shape))

        last: list[Any] = [None, None]

        def evaluate(alpha, alpha_shared, alpha_intercept):
            key = (*np.atleast_1d(alpha), alpha_shared, alpha_intercept)
            if key == last[0]:
                return last[1]
            coupling = ToMean(alpha, alpha_shared, alpha_intercept)
            strengths = coupling.strengths(*shape)
            if spectral is None or np.isinf(strengths.alpha).any():
                strengths = bound(strengths, self.moments)
                blocks = factor_moments(self.moments, strengths)
            else:
                blocks = spectral.at(strengths.alpha)
            fit = MeanFit(self.moments, blocks, strengths, self.fit_intercept)
            likelihood = RestrictedLikelihood(fit, self.noise_variance)
            tried.append((alpha, alpha_shared, alpha_intercept, likelihood.criterion))
            last[:] = key, likelihood
            return likelihood

        return evaluate

    def _make_infinite(self, at, x):
        """Make large strengths infinite if the likelihood does not decrease."""
        best = at(*self._strengths(x)).criterion
        for k in np.argsort(self._units - x):
            if x[k] < self._units[k] + np.log(LARGE):
                break
            simpler = x.copy()
            simpler[k] = np.inf
            criterion = at(*self._strengths(simpler)).criterion
            if criterion <= best + 1e-9 * abs(best):
                best, x = criterion, simpler
        return x

    def _simplify(self, at, x):
        """Make strengths infinite one by one, unless there is evidence against it."""
        n_rows = self.moments.weight.sum() / self.share
        evidence = EVIDENCE * np.log(n_rows) * self.share
        best = at(*self._strengths(x)).criterion
        while True:
            found = []
            for k in self._removable(x):
                simpler = x.copy()
                simpler[k] = np.inf
                increase = at(*self._strengths(simpler)).criterion - best
                if increase <= HOPELESS * evidence:
                    units = np.where(np.isinf(simpler), np.inf, self._units)
                    starts = [simpler, *(units + step for step in _STARTS)]
                    simpler = self._minimize(at, starts)
                    found.append((at(*self._strengths(simpler)).criterion, simpler))
            if not found:
                return x
            least, simpler = min(found, key=lambda pair: pair[0])
            if not least <= best + evidence:
                return x
            best, x = least, simpler

    def _removable(self, x):
        """Return the finite strengths, except the last one of coefficients."""
        finite = np.isfinite(x)
        n_coef = len(x) - self._n_intercept
        if finite[:n_coef].sum() == 1:
            finite[:n_coef] = False
        return np.flatnonzero(finite)
