"""Restricted likelihood and held-out errors of strengths of several groupings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import EPS
from skmtl.problems import solve_squares
from skmtl.problems.exact import (
    GroupedDesign,
    GroupedPosterior,
    GroupedStrengths,
    GroupedSystem,
)

# Generalised errors need this share of the degrees of freedom: the mean leverage says
# little of each row's where hardly any are left.
_LEAST_LEFT = 0.1


@dataclass(frozen=True)
class GroupedLikelihood:
    """Fit of several groupings, and criteria of its strengths.

    The own parts are normal draws with variances ``sigma2 / alpha``, so strengths are
    ratios of variances. The restricted likelihood is integrated over the shared part,
    and the noise variance sigma2 has a closed form.

    Parameters
    ----------
    design : GroupedDesign
        Rows and columns.
    system : GroupedSystem
        Their factored equations.
    given : GroupedStrengths
        Strengths before small ones were raised.
    """

    design: GroupedDesign
    system: GroupedSystem
    given: GroupedStrengths

    @cached_property
    def solved(self) -> Any:
        """The parameters with the least penalised squares."""
        return solve_squares(self.design, self.system)

    @cached_property
    def _objective(self):
        rows = self.design.rows
        total = rows.weight @ rows.y**2
        # Residuals of an exact fit are rounding errors, with an arbitrary log.
        floor = np.maximum(EPS * total, np.finfo(float).tiny)
        penalty = self.system.penalty(self.solved.parts)
        return float(np.maximum(self.solved.loss + penalty, floor))

    @cached_property
    def _n_contrasts(self):
        """Weight of the rows minus the number of parameters without a penalty."""
        if self.given.shared == 0 or not self.design.columns.shared:
            n_flat = self.system.shared.rank
        else:
            n_flat = int(self.design.columns.fit_intercept)
        return self.system.products.weight - n_flat

    @cached_property
    def noise_variance(self) -> float:
        """Noise variance that maximises the restricted likelihood."""
        n_left = self._n_contrasts
        return self._objective / n_left if n_left > 0 else np.nan

    @cached_property
    def criterion(self) -> float:
        """Minus twice the restricted log likelihood."""
        total = self.system.own_log_determinant + self.system.shared.log_determinant
        shared = self.given.shared
        if 0 < shared < np.inf:
            total -= len(self.system.layout.centre) * np.log(shared)
        fit = self._n_contrasts * (1 + np.log(2 * np.pi * self.noise_variance))
        return float(fit + total)

    def gradient(self) -> Array:
        """Gradient of the criterion by the log strengths, in the order of the slots."""
        layout, system = self.system.layout, self.system
        parts, variance = self.solved.parts, self.noise_variance
        coef, intercept = [], []
        for g, sums in enumerate(system.traces()):
            strengths = layout.columns.strengths(system.strengths, g)
            own, last = layout.unpack_own(parts, g)
            values = own[:, 0, layout.columns.features[g]]
            values = np.hstack([values, last[:, : int(layout.columns.intercepts[g])]])
            penalties = strengths * (values**2).sum(axis=0) / variance
            each = penalties - (layout.n_labels[g] - strengths * sums)
            split = len(layout.columns.features[g])
            coef.append(each[:split].sum())
            intercept.append(each[split:].sum())
        return np.array([*coef, *intercept, self._shared_gradient()])

    def _shared_gradient(self):
        shared = self.given.shared
        if not 0 < shared < np.inf:
            return 0.0
        n_features = len(self.system.layout.centre)
        coef = self.solved.parts[2][:n_features, 0]
        known = np.diag(self.system.shared.inverse)[:n_features].sum()
        penalty = shared * (coef @ coef) / self.noise_variance
        return float(penalty - (n_features - shared * known))

    @cached_property
    def posterior(self) -> GroupedPosterior:
        """Uncertainty of predictions."""
        return GroupedPosterior(self.system, self.given, self.solved.loss)

    def left_out_error(self) -> float:
        """Return the mean squared error of leaving out each row."""
        rows = self.design.rows
        variance = self.posterior.variance(rows.X, rows.codes)
        left = np.maximum(1 - rows.weight * variance, EPS)
        residual = rows.y - self.design.forward(self.solved.parts)[:, 0]
        return float(rows.weight @ (residual / left) ** 2 / rows.weight.sum())

    def generalised_error(self) -> float:
        """Return the error with the mean leverage in place of each row's."""
        total = self.system.products.weight
        left = 1 - self.posterior.degrees_of_freedom / total
        return self.solved.loss / total / left**2 if left >= _LEAST_LEFT else np.inf
