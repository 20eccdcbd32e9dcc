"""Errors as a function of the strength of the centre alone."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skmtl._linalg import Semidefinite
from skmtl.problems.exact import MeanFit, Posterior


@dataclass(frozen=True)
class MeanFitProfile:
    """Errors of a fit at any strength of the centre, the others fixed.

    The matrix ``P`` maps targets to residuals at a centre of zero. The centre is
    ``w_s = (X'PX + alpha_shared I)^-1 X'Py``, and the squared errors are
    ``||P (y - X w_s)||^2``. The degrees of freedom are those at a centre of zero plus
    ``trace((X'PX + alpha_shared I)^-1 X'P^2 X)``.

    Parameters
    ----------
    fit : MeanFit
        A problem with an unpenalised centre.
    """

    fit: MeanFit

    @cached_property
    def _without_centre(self):
        """The fit with a centre of zero."""
        infinite = np.full(self.fit.moments.n_features, np.inf)
        return replace(self.fit, strengths=replace(self.fit.strengths, centre=infinite))

    @cached_property
    def _base_freedom(self):
        return Posterior(self._without_centre).degrees_of_freedom

    @cached_property
    def _base_errors(self):
        return self._without_centre.squared_errors.sum()

    @cached_property
    def _right(self):
        """Return ``X'P^2 y``."""
        base, moments = self._without_centre, self.fit.moments
        means = moments.y_mean - (moments.x_mean * base.coef).sum(axis=1)
        residuals = replace(
            moments,
            xy=moments.xy - self.fit.blocks.curve(base.coef),
            y_mean=means - base.intercept,
        )
        return replace(self.fit, moments=residuals).centre_right

    @cached_property
    def _squared(self):
        """Return ``X'P^2 X``."""
        fit, alpha_intercept = self.fit, self.fit.strengths.intercept
        squared = self._curvature - Posterior(fit).own_spread
        if len(fit.row_gap) > 1 and 0 < alpha_intercept < np.inf:
            rows = fit.row_weight[:, None] * fit.row_gap
            squared = squared - rows.T @ rows / alpha_intercept
        return squared

    @cached_property
    def _curvature(self):
        return self.fit.centre.matrix

    @cached_property
    def _tolerance(self):
        return self.fit.centre.tolerance

    def at(self, alpha_shared: float) -> tuple[float, float]:
        """Return squared errors and degrees of freedom at a strength of the centre."""
        if np.isinf(alpha_shared) or not self.fit.moments.n_features:
            return self._base_errors, self._base_freedom
        ridge = alpha_shared * np.eye(len(self._curvature))
        centre = Semidefinite(self._curvature + ridge, self._tolerance)
        coef = centre.solve(self.fit.centre_right)
        errors = self._base_errors + coef @ (self._squared @ coef - 2 * self._right)
        freedom = self._base_freedom + np.vdot(centre.inverse, self._squared)
        return max(errors, 0.0), float(freedom)
