"""Restricted likelihood of the strengths: tasks as draws around a fixed centre."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmtl._linalg import EPS
from skmtl.problems.exact import MeanFit, Posterior


@dataclass(frozen=True)
class RestrictedLikelihood:
    """Measure how likely the targets are given the strengths, any centre allowed.

    With ``w_t ~ N(w_s, sigma2 / alpha)`` and ``b_t ~ N(b_s, sigma2 /
    alpha_intercept)``, the strengths are ratios of variances, the centre is integrated
    out, and the noise variance sigma2 has a closed form.

    Parameters
    ----------
    fit : MeanFit
        A solved problem.
    """

    fit: MeanFit

    @cached_property
    def posterior(self):
        """Uncertainty of the fit."""
        return Posterior(self.fit)

    @cached_property
    def _n_contrasts(self):
        """Weight of the rows less the parameters that nothing pulls."""
        n_flat = self.posterior.n_unpenalized
        if self.fit.strengths.centre.any() and not self.fit.strengths.pinned:
            n_flat = n_flat - self.fit.centre.rank
        return self.fit.moments.weight.sum() - n_flat

    @cached_property
    def noise_variance(self):
        """Noise variance at which the likelihood is largest."""
        left, total = self._n_contrasts, self.fit.moments.yy.sum()
        # Targets that are fitted exactly leave rounding, whose log is no guide.
        floor = np.maximum(EPS * total, np.finfo(float).tiny)
        return np.maximum(self.fit.objective, floor) / left if left > 0 else np.nan

    @cached_property
    def criterion(self):
        """Minus twice the restricted log likelihood."""
        return self._n_contrasts * (1 + np.log(2 * np.pi * self.noise_variance)) + (
            self._task_determinants + self._centre_determinant
        )

    @cached_property
    def _task_determinants(self):
        fit = self.fit
        blocks = fit.blocks.log_determinants()
        total = blocks.sum() * (fit.moments.n_tasks / len(blocks))
        if not fit.has_intercept:
            return total
        a, n = fit.strengths.intercept, fit.moments.weight
        if a == 0:
            return total + np.log(n[n > 0]).sum()
        pulled = n > 0
        total += np.log(fit.mean_weight[pulled] / fit.row_weight[pulled]).sum()
        return total if np.isinf(a) else total + np.log1p(n / a).sum()

    @cached_property
    def _centre_determinant(self):
        total = 0.0 if self.fit.strengths.pinned else self.fit.centre.log_determinant
        if self.fit.row_weight.any():
            total += np.log(self.fit.row_weight.sum())
        if self.fit.strengths.pinned:
            return total
        strengths = self.fit.strengths.centre
        return total - np.log(strengths[strengths > 0]).sum()

    @cached_property
    def gradient(self):
        """Derivatives of the criterion by log strengths: features', the intercept's."""
        return self._pulls - self.posterior.own_freedom, self._level_gradient

    @cached_property
    def total_gradient(self):
        """Derivatives by the log of all features' strengths, and the intercept's."""
        return self._pulls.sum() - self.posterior.total_freedom, self._level_gradient

    @cached_property
    def _pulls(self):
        own = self.fit.strengths.own * (self.fit.coef - self.fit.coef_shared) ** 2
        return own.sum(axis=0) / self.noise_variance

    @cached_property
    def shared_gradient(self):
        """Derivative by the log of the strengths of the centre."""
        fit, strengths = self.fit, self.fit.strengths.centre
        if fit.strengths.pinned or not strengths.any():
            return 0.0
        pulls = (strengths * fit.coef_shared**2).sum() / self.noise_variance
        known = (strengths * self.posterior.centre_variances).sum()
        return float(pulls - (len(strengths) - known))

    @cached_property
    def _level_gradient(self):
        fit, a = self.fit, self.fit.strengths.intercept
        if not fit.has_intercept or a == 0 or np.isinf(a):
            return 0.0
        gap = a * ((fit.intercept - fit.intercept_shared) ** 2).sum()
        return gap / self.noise_variance - self.posterior.intercept_freedom
