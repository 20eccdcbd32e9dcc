"""Strengths of largest restricted likelihood."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from skmtl.couplings import ToMean
from skmtl.problems.exact import (
    MeanFit,
    Posterior,
    bound,
    factor_moments,
    factor_path,
)

from ._reml import RestrictedLikelihood

# Strengths are sought between these factors of the curvature of a mean task, in logs.
_LOWEST, _HIGHEST = -18.0, 23.0
# Where the search begins: tasks rather apart, halfway, rather together.
_STARTS = -3.0, 0.0, 3.0
# A strength above this factor of the curvature may as well be infinite.
_LARGE = 1e3
# A finite strength must raise twice the log likelihood by this factor times the log of
# the number of rows: twice Schwarz's criterion, as too many finite strengths do more
# harm than too few.
_EVIDENCE = 2.0
# With a larger share of the rows' degrees of freedom, errors of a fit are uncertain.
_FLEXIBLE = 1 / 3
# Do not make a strength infinite if that alone costs this many times the threshold.
_HOPELESS = 20.0


def is_flexible(fit):
    """Return whether a fit leaves too few degrees of freedom to estimate its error.

    Parameters
    ----------
    fit : MeanFit
        A solved problem.

    Returns
    -------
    bool
        Whether it uses more than a third of them.
    """
    freedom = Posterior(fit).degrees_of_freedom
    return bool(freedom > _FLEXIBLE * fit.moments.weight.sum())


@dataclass(frozen=True)
class StrengthSearch:
    """Seek the strengths under which the targets are likeliest.

    Parameters
    ----------
    moments : TaskMoments
        Moments, about zero without intercept.
    alpha_shared : float or None
        Strength of the ridge on the centre; None searches for it. The centre is then a
        normal draw too, and likelihoods are not comparable with those at 0, where it is
        a fixed effect.
    fit_intercept : bool
        Whether tasks have an intercept.
    per_feature : bool
        Whether each feature has its own strength.
    simplify : bool, default=False
        Whether to make strengths of flexible fits infinite unless the evidence is
        against it; at least one strength on coefficients stays finite.
    tol : float, default=1e-14
        Relative decrease of the criterion at which a search stops.
    """

    moments: object
    alpha_shared: float | None
    fit_intercept: bool
    per_feature: bool
    simplify: bool = False
    tol: float = 1e-14

    @property
    def _curvature(self):
        """Mean curvature of a task along each feature, one where there is none."""
        mean = self.moments.curvatures.mean(axis=0)
        return np.where(mean > 0, mean, 1.0)

    @property
    def _n_own(self):
        """Number of own parts' strengths to search; none for a single task."""
        if (self.moments.weight > 0).sum() == 1:
            return 0
        return self.moments.n_features if self.per_feature else 1

    @property
    def _n_shared(self):
        return int(self.alpha_shared is None)

    @property
    def _n_level(self):
        return int(self.fit_intercept and self._n_own > 0)

    @property
    def _units(self):
        """Logs of the units of the strengths: own parts, centre, intercepts."""
        mean, weight = self._curvature.mean(), self.moments.weight
        own = self._curvature if self.per_feature else np.array([mean])
        shared = np.full(self._n_shared, mean)
        level = np.full(self._n_level, weight[weight > 0].mean())
        return np.log(np.concatenate([own[: self._n_own], shared, level]))

    def search(self):
        """Return what was tried: strengths and likelihoods, the best one last."""
        tried = []
        at = self._evaluator(tried)
        units = self._units
        starts = [units + step for step in _STARTS]
        x = self._minimize(at, starts if len(units) else [units])
        if self.simplify and is_flexible(at(*self._strengths(x)).fit):
            x = self._simplify(at, x)
        else:
            x = self._release(at, x)
        at(*self._strengths(x))
        return tried

    def _minimize(self, at, starts):
        """Minimise the criterion over the logs; infinite ones stay fixed."""
        sought = np.isfinite(starts[0])
        if not sought.any():
            return starts[0]
        x = starts[0].copy()

        def value(part):
            x[sought] = part
            likelihood = at(*self._strengths(x))
            return likelihood.criterion, self._gradient(likelihood)[sought]

        begin = starts[0]
        if len(starts) > 1:
            begin = min(starts, key=lambda start: value(start[sought])[0])
        units = self._units[sought]
        x[sought] = minimize(
            value,
            begin[sought],
            jac=True,
            method="L-BFGS-B",
            bounds=[(unit + _LOWEST, unit + _HIGHEST) for unit in units],
            options={"ftol": self.tol, "gtol": 1e-7, "maxiter": 500},
        ).x
        return x

    def _strengths(self, x):
        """Return strengths of own parts, centre and intercepts from logs."""
        x, n_own = np.exp(x), self._n_own
        own = np.inf
        if n_own:
            own = x[:n_own] if self.per_feature else float(x[0])
        shared = float(x[n_own]) if self._n_shared else self.alpha_shared
        if not self.fit_intercept:
            level = 0.0
        else:
            level = float(x[-1]) if self._n_level else np.inf
        return own, shared, level

    def _gradient(self, likelihood):
        if self.per_feature:
            features, level = likelihood.gradient
        else:
            total, level = likelihood.total_gradient
            features = np.array([total])
        shared = [likelihood.shared_gradient][: self._n_shared]
        level = [level][: self._n_level]
        return np.concatenate([features[: self._n_own], shared, level])

    def _evaluator(self, tried):
        """Return the function from strengths to the likelihood."""
        spectral = None if self.per_feature else self._factor_once()

        def evaluate(alpha, alpha_shared, alpha_intercept):
            coupling = ToMean(alpha, alpha_shared, alpha_intercept)
            pull = coupling.strengths(self.moments.n_tasks, self.moments.n_features)
            if spectral is None or np.isinf(pull.alpha).any():
                pull = bound(pull, self.moments)
                blocks = factor_moments(self.moments, pull)
            else:
                blocks = spectral.at(pull.alpha)
            fit = MeanFit(self.moments, blocks, pull, self.fit_intercept)
            likelihood = RestrictedLikelihood(fit)
            tried.append((alpha, alpha_shared, alpha_intercept, likelihood.criterion))
            return likelihood

        return evaluate

    def _factor_once(self):
        pull = ToMean(1.0).strengths(self.moments.n_tasks, self.moments.n_features)
        return factor_path(self.moments, pull)

    def _release(self, at, x):
        """Make large strengths infinite where that is no less likely."""
        best = at(*self._strengths(x)).criterion
        for k in np.argsort(self._units - x):
            if x[k] < self._units[k] + np.log(_LARGE):
                break
            freed = x.copy()
            freed[k] = np.inf
            other = at(*self._strengths(freed)).criterion
            if other <= best + 1e-9 * abs(best):
                best, x = other, freed
        return x

    def _simplify(self, at, x):
        """Make strengths infinite one by one, unless the evidence is against it."""
        worth = _EVIDENCE * np.log(self.moments.weight.sum())
        best = at(*self._strengths(x)).criterion
        while True:
            found = []
            for k in self._removable(x):
                freed = x.copy()
                freed[k] = np.inf
                rise = at(*self._strengths(freed)).criterion - best
                if rise <= _HOPELESS * worth:
                    others = np.where(np.isinf(freed), np.inf, self._units)
                    starts = [freed, *(others + step for step in _STARTS)]
                    freed = self._minimize(at, starts)
                    found.append((at(*self._strengths(freed)).criterion, freed))
            if not found:
                return x
            least, simpler = min(found, key=lambda pair: pair[0])
            if not least <= best + worth:
                return x
            best, x = least, simpler

    def _removable(self, x):
        """Return the finite strengths, except the last one on coefficients."""
        finite = np.isfinite(x)
        n_coef = len(x) - self._n_level
        if finite[:n_coef].sum() == 1:
            finite[:n_coef] = False
        return np.flatnonzero(finite)
