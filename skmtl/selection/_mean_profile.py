"""Errors as a function of the centre's strength only."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skmtl._linalg import Semidefinite
from skmtl.problems.exact import MeanFit, Posterior


@dataclass(frozen=True)
class MeanFitProfile:
    """Evaluate a fit at any strength of the centre, with the others fixed.

    With ``P`` the matrix that maps targets to residuals at a centre of zero, the centre
    is ``w_s = (X'PX + alpha_shared I)^-1 X'Py``. Squared errors, the sum of squares of
    ``P (y - X w_s)``, are quadratic in it, and degrees of freedom are those at a centre
    of zero and ``trace((X'PX + alpha_shared I)^-1 X'P^2 X)``.

    Parameters
    ----------
    fit : MeanFit
        A problem with an unpenalised centre.
    """

    fit: MeanFit

    @cached_property
    def _held(self):
        """The same problem with a centre of zero."""
        infinite = np.full(self.fit.moments.n_features, np.inf)
        return replace(self.fit, strengths=replace(self.fit.strengths, centre=infinite))

    @cached_property
    def _held_freedom(self):
        return Posterior(self._held).degrees_of_freedom

    @cached_property
    def _held_errors(self):
        return self._held.squared_errors.sum()

    @cached_property
    def _again(self):
        """Return ``X'P^2 y``."""
        held, moments = self._held, self.fit.moments
        left = moments.y_mean - (moments.x_mean * held.coef).sum(axis=1)
        residuals = replace(
            moments,
            xy=moments.xy - self.fit.blocks.curve(held.coef),
            y_mean=left - held.intercept,
        )
        return replace(self.fit, moments=residuals).centre_right

    @cached_property
    def _squared(self):
        """Return ``X'P^2 X``."""
        fit, level = self.fit, self.fit.strengths.intercept
        squared = self._curvature - Posterior(fit).own_spread
        if len(fit.row_gap) > 1 and 0 < level < np.inf:
            rows = fit.row_weight[:, None] * fit.row_gap
            squared = squared - rows.T @ rows / level
        return squared

    @cached_property
    def _curvature(self):
        return self.fit.centre.matrix

    @cached_property
    def _tolerance(self):
        return self.fit.centre.tolerance

    def at(self, strength):
        """Return squared errors and degrees of freedom at a strength of the centre."""
        if np.isinf(strength) or not self.fit.moments.n_features:
            return self._held_errors, self._held_freedom
        ridge = strength * np.eye(len(self._curvature))
        centre = Semidefinite(self._curvature + ridge, self._tolerance)
        coef = centre.solve(self.fit.centre_right)
        errors = self._held_errors + coef @ (self._squared @ coef - 2 * self._again)
        freedom = self._held_freedom + np.vdot(centre.inverse, self._squared)
        return max(errors, 0.0), float(freedom)
