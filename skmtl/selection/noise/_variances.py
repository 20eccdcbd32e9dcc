"""Noise variances of tasks, estimated from the residuals of a fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import EPS
from skmtl.problems.exact import MeanFit, Posterior, solve_moments
from skmtl.targets import VariancePrior

# A task without residual degrees of freedom has the common variance.
_LEAST_FREEDOM = 1e-6


@dataclass(frozen=True)
class NoiseVariances:
    """Sums of squared residuals of tasks, and their degrees of freedom.

    The restricted likelihood is stationary where each task's variance is its sum of
    squares divided by ``n_t - sum_i h_i``, its rows minus their leverages.

    Parameters
    ----------
    squares : ndarray of shape (n_tasks,)
        Weighted sums of squared residuals.
    freedom : ndarray of shape (n_tasks,)
        Weights of the rows minus their leverages.
    weight : ndarray of shape (n_tasks,)
        Sums of the weights of the rows.
    """

    squares: Array
    freedom: Array
    weight: Array

    @classmethod
    def of(cls, fit: MeanFit) -> NoiseVariances:
        """Measure the residuals of an exact fit."""
        weight = fit.moments.weight
        return cls(fit.squared_errors, weight - Posterior(fit).task_freedom, weight)

    @property
    def _known(self) -> Array:
        """Whether the variance of a task can be estimated."""
        floor = np.maximum(EPS * self.squares.sum(), np.finfo(float).tiny)
        return (self.freedom > _LEAST_FREEDOM) & (self.squares > floor)

    @cached_property
    def prior(self) -> VariancePrior | None:
        """Distribution of the variances; None if there is no estimate."""
        known = self._known
        if not known.any():
            return None
        return VariancePrior.of(self.squares[known], self.freedom[known])

    @property
    def between(self) -> float:
        """Variance of the log variances, beyond that of their estimates."""
        return 0.0 if self.prior is None else self.prior.between

    @property
    def factors(self) -> Array:
        """Common variance relative to each task's, which is shrunk to a typical one.

        With these factors of the tasks' losses, the variances of coefficients that
        correspond to given strengths are the same as with common noise.
        """
        known, prior = self._known, self.prior
        if prior is None or prior.between == 0:
            return np.ones(len(known))
        squares, freedom = self.squares[known], self.freedom[known]
        variances = np.full(len(known), prior.common)
        variances[known] = prior.shrink(squares / freedom, freedom)
        return (squares.sum() / freedom.sum()) / variances


@dataclass(frozen=True)
class NoiseModel:
    """Exact fits of rows at given strengths, with common noise or noise per task.

    Parameters
    ----------
    coupling : ToMean
        The strengths.
    fit_intercept : bool
        Whether tasks have an intercept.
    """

    coupling: Any
    fit_intercept: bool

    def solve(self, data: Any, moments: Any = None) -> MeanFit:
        """Return the fit with common noise; moments of the rows may be given."""
        if moments is None:
            moments = replace(data, task_weight=None).moments()
            moments = moments.weighted(data.task_weight)
        strengths = self.coupling.strengths(moments.n_tasks, moments.n_features)
        return solve_moments(moments, strengths, self.fit_intercept)

    def solve_both(self, data: Any) -> tuple[Any, Any]:
        """Return the models with common noise, and with noise per task."""
        common = self.solve(data)
        weighted = weigh_tasks(data, NoiseVariances.of(common).factors)
        return common.unpack(), self.solve(weighted).unpack()


def weigh_tasks(data: Any, factors: Array) -> Any:
    """Return rows with the loss of each task multiplied by a factor.

    Parameters
    ----------
    data : TaskData
        Rows.
    factors : ndarray of shape (n_tasks,)
        Factors.

    Returns
    -------
    TaskData
        The same rows, with other task weights.
    """
    weight = factors if data.task_weight is None else factors * data.task_weight
    return replace(data, task_weight=weight)
