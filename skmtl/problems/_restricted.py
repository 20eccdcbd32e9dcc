"""Strengths of largest restricted likelihood."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from skmtl.couplings import ToMean

from ._centre import CentreFit
from ._likelihood import RestrictedLikelihood
from ._pose import bound, factor_moments, factor_path

# Strengths are sought between these factors of the curvature of a mean task, in logs.
_LOWEST, _HIGHEST = -18.0, 23.0
# Where the search begins: tasks rather apart, halfway, rather together.
_STARTS = -3.0, 0.0, 3.0
# A strength above this factor of the curvature may as well be infinite.
_LARGE = 1e3


@dataclass(frozen=True)
class StrengthSearch:
    """Seek the strengths under which the targets are likeliest.

    Parameters
    ----------
    moments : TaskMoments
        Moments, about zero without intercept.
    alpha_shared : float
        Strength that pulls the centre to zero.
    fit_intercept : bool
        Whether tasks have an intercept.
    per_feature : bool
        Whether each feature has its own strength.
    """

    moments: object
    alpha_shared: float
    fit_intercept: bool
    per_feature: bool

    @property
    def _curvature(self):
        """Mean curvature of a task along each feature, one where there is none."""
        mean = self.moments.curvatures.mean(axis=0)
        return np.where(mean > 0, mean, 1.0)

    @property
    def _units(self):
        """Logs of the units of the strengths sought: features', then intercept's."""
        units = self._curvature if self.per_feature else [self._curvature.mean()]
        weight = self.moments.weight
        return np.log([*units, weight[weight > 0].mean()][: len(units) + self._n_level])

    @property
    def _n_level(self):
        return int(self.fit_intercept)

    def search(self):
        """Return what was tried: strengths and likelihoods, the best one last."""
        tried = []
        at = self._evaluator(tried)
        units = self._units

        def value(x):
            likelihood = at(*self._strengths(x))
            return likelihood.criterion, self._gradient(likelihood)

        start = min((units + step for step in _STARTS), key=lambda x: value(x)[0])
        found = minimize(
            value,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(unit + _LOWEST, unit + _HIGHEST) for unit in units],
            options={"ftol": 1e-14, "gtol": 1e-7, "maxiter": 500},
        )
        best = self._release(at, found.x, units)
        at(*self._strengths(best))
        return tried

    def _strengths(self, x):
        x = np.exp(x)
        own = x[: len(x) - self._n_level]
        level = float(x[-1]) if self.fit_intercept else 0.0
        return (own if self.per_feature else float(own[0])), level

    def _gradient(self, likelihood):
        if self.per_feature:
            features, level = likelihood.gradient
        else:
            total, level = likelihood.total_gradient
            features = [total]
        return np.array([*features, level][: len(features) + self._n_level])

    def _evaluator(self, tried):
        """Return the function from strengths to the likelihood."""
        spectral = None if self.per_feature else self._factor_once()

        def evaluate(alpha, alpha_intercept):
            coupling = ToMean(alpha, self.alpha_shared, alpha_intercept)
            pull = coupling.pull(self.moments.n_tasks, self.moments.n_features)
            if spectral is None or np.isinf(pull.alpha).any():
                pull = bound(pull, self.moments)
                blocks = factor_moments(self.moments, pull)
            else:
                blocks = spectral.at(pull.alpha)
            fit = CentreFit(self.moments, blocks, pull, self.fit_intercept)
            likelihood = RestrictedLikelihood(fit)
            tried.append((alpha, alpha_intercept, likelihood.criterion))
            return likelihood

        return evaluate

    def _factor_once(self):
        pull = ToMean(1.0).pull(self.moments.n_tasks, self.moments.n_features)
        return factor_path(self.moments, pull)

    def _release(self, at, x, units):
        """Make large strengths infinite where that is no less likely."""
        best = at(*self._strengths(x))
        for k in np.argsort(units - x):
            if x[k] < units[k] + np.log(_LARGE):
                break
            freed = x.copy()
            freed[k] = np.inf
            other = at(*self._strengths(freed))
            if other.criterion <= best.criterion + 1e-9 * abs(best.criterion):
                best, x = other, freed
        return x
