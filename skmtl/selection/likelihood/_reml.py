"""Restricted likelihood of strengths, squared loss."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import EPS
from skmtl.problems.exact import MeanFit, Posterior


@dataclass(frozen=True)
class RestrictedLikelihood:
    """Restricted likelihood of the strengths.

    Tasks are draws ``w_t ~ N(w_s, sigma2 / alpha)`` and ``b_t ~ N(b_s, sigma2 /
    alpha_intercept)``, so strengths are ratios of variances. The likelihood is
    integrated over the centre, and the noise variance sigma2 has a closed form.

    Parameters
    ----------
    fit : MeanFit
        A solved problem.
    known : float, default=None
        The noise variance, if it is known.
    """

    fit: MeanFit
    known: float | None = None

    @cached_property
    def posterior(self) -> Posterior:
        """Uncertainty of the fit."""
        return Posterior(self.fit)

    @cached_property
    def _n_contrasts(self):
        """Weight of the rows minus the number of parameters without a penalty."""
        n_flat = self.posterior.n_unpenalized
        if self.fit.strengths.centre.any() and not self.fit.strengths.pinned:
            n_flat = n_flat - self.fit.centre.rank
        return self.fit.moments.weight.sum() - n_flat

    @cached_property
    def noise_variance(self) -> float:
        """Noise variance that maximises the likelihood, or the known one."""
        if self.known is not None:
            return self.known
        n_left, total = self._n_contrasts, self.fit.moments.yy.sum()
        # Residuals of an exact fit are rounding errors, with an arbitrary log.
        floor = np.maximum(EPS * total, np.finfo(float).tiny)
        return np.maximum(self.fit.objective, floor) / n_left if n_left > 0 else np.nan

    @cached_property
    def criterion(self) -> float:
        """Minus twice the restricted log likelihood."""
        n_left, noise_variance = self._n_contrasts, self.noise_variance
        residual = n_left if self.known is None else self.fit.objective / self.known
        return (
            residual
            + n_left * np.log(2 * np.pi * noise_variance)
            + self._task_determinants
            + self._centre_determinant
        )

    @cached_property
    def _task_determinants(self):
        fit = self.fit
        blocks = fit.blocks.log_determinants()
        total = blocks.sum() * (fit.moments.n_tasks / len(blocks))
        if not fit.has_intercept:
            return total
        alpha_intercept, weight = fit.strengths.intercept, fit.moments.weight
        seen = weight > 0
        if alpha_intercept == 0:
            return total + np.log(weight[seen]).sum()
        total += np.log(fit.mean_weight[seen] / fit.row_weight[seen]).sum()
        if np.isinf(alpha_intercept):
            return total
        return total + np.log1p(weight / alpha_intercept).sum()

    @cached_property
    def _centre_determinant(self):
        total = 0.0 if self.fit.strengths.pinned else self.fit.centre.log_determinant
        if self.fit.row_weight.any() and not self.fit.strengths.holds_intercept:
            total += np.log(self.fit.row_weight.sum())
        if self.fit.strengths.pinned:
            return total
        strengths = self.fit.strengths.centre
        return total - np.log(strengths[strengths > 0]).sum()

    @cached_property
    def gradient(self) -> tuple[Array, float]:
        """Gradient of the criterion by log strengths: of features, of intercepts."""
        return self._penalties - self.posterior.own_freedom, self._intercept_gradient

    @cached_property
    def total_gradient(self) -> tuple[float, float]:
        """Gradient by the log of one strength of all features, and of intercepts."""
        penalty = self._penalties.sum()
        return penalty - self.posterior.total_freedom, self._intercept_gradient

    @cached_property
    def _penalties(self):
        """Penalties on differences from the centre, per feature."""
        gap = self.fit.coef - self.fit.coef_shared
        return (self.fit.strengths.own * gap**2).sum(axis=0) / self.noise_variance

    @cached_property
    def shared_gradient(self) -> float:
        """Derivative of the criterion by the log of the strength of the centre."""
        fit, strengths = self.fit, self.fit.strengths.centre
        if fit.strengths.pinned or not strengths.any():
            return 0.0
        penalty = (strengths * fit.coef_shared**2).sum() / self.noise_variance
        known = (strengths * self.posterior.centre_variances).sum()
        return float(penalty - (len(strengths) - known))

    @cached_property
    def _intercept_gradient(self):
        fit, alpha_intercept = self.fit, self.fit.strengths.intercept
        if not (fit.has_intercept and 0 < alpha_intercept < np.inf):
            return 0.0
        gap = alpha_intercept * ((fit.intercept - fit.intercept_shared) ** 2).sum()
        return gap / self.noise_variance - self.posterior.intercept_freedom
