"""Criteria for strengths: restricted likelihood, and leave-one-out errors."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import EPS

from ._system import System

# Below this share of a row left to its residual, both are rounding errors.
_FULL = 1e-10


class Criterion(ABC):
    """A function of the systems of a fit; smaller is better.

    Its unit is that of minus twice a log likelihood.
    """

    @abstractmethod
    def value(self, systems: Sequence[System], total_weight: float) -> float:
        """Return the criterion."""

    @abstractmethod
    def by_covariance(
        self, systems: Sequence[System], total_weight: float
    ) -> list[Array]:
        """Return its derivatives by the covariances of the systems, symmetric."""

    @abstractmethod
    def score(self, value: float, total_weight: float) -> float:
        """Return the score that users read, from the value; larger is better."""


class RestrictedLikelihood(Criterion):
    """Minus twice the restricted log likelihood, at the best noise variance."""

    def value(self, systems: Sequence[System], total_weight: float) -> float:
        n_left = count_contrasts(systems, total_weight)
        if n_left <= 0:
            return np.inf
        variance = likely_variance(systems, total_weight)
        determinants = sum(each.log_determinant for each in systems)
        return float(n_left * (1 + np.log(2 * np.pi * variance)) + determinants)

    def by_covariance(
        self, systems: Sequence[System], total_weight: float
    ) -> list[Array]:
        variance = likely_variance(systems, total_weight)
        return [
            each.times * each.projection - each.residuals @ each.residuals.T / variance
            for each in systems
        ]

    def score(self, value: float, total_weight: float) -> float:
        return -value / 2


class LeaveOneOut(Criterion):
    """Total weight times the log of the mean squared leave-one-out error."""

    def value(self, systems: Sequence[System], total_weight: float) -> float:
        errors = self._errors(systems)[0]
        return float(total_weight * np.log(self._mean(errors, total_weight)))

    def by_covariance(
        self, systems: Sequence[System], total_weight: float
    ) -> list[Array]:
        errors, left = self._errors(systems)
        gain = 1 / self._mean(errors, total_weight)
        ratio, n_columns = errors / left[:, None], errors.shape[1]
        curve = (errors * ratio).sum(axis=1)
        found = []
        for each in systems:
            P = each.projection
            half = P * np.sqrt(curve)
            slope = (P @ (ratio @ each.loadings)) @ each.residuals.T
            spread = (each.times / n_columns) * (half @ half.T)
            found.append(gain * (2 * spread - slope - slope.T))
        return found

    def score(self, value: float, total_weight: float) -> float:
        return -float(np.exp(value / total_weight))

    def _errors(self, systems):
        """Return weighted errors and shares of rows left, which all columns share."""
        residuals = sum(each.task_residuals for each in systems)
        n_columns = residuals.shape[1]
        left = sum(each.times * np.diag(each.projection) for each in systems)
        left = np.maximum(left / n_columns, _FULL)
        return residuals / left[:, None], left

    def _mean(self, errors, total_weight):
        total = float((errors**2).sum())
        return max(total / total_weight, np.finfo(float).tiny)


def count_contrasts(systems: Sequence[System], total_weight: float) -> float:
    """Return the weight of the rows minus the number of free effects."""
    return total_weight - sum(each.times * each.free.shape[1] for each in systems)


def likely_variance(systems: Sequence[System], total_weight: float) -> float:
    """Return the noise variance of the largest likelihood; NaN if no row is left."""
    n_left = count_contrasts(systems, total_weight)
    if n_left <= 0:
        return np.nan
    total = sum(float((each.targets**2).sum()) for each in systems)
    # Residuals of an exact fit are rounding errors, with an arbitrary log.
    floor = max(EPS * total, np.finfo(float).tiny)
    objective = sum(each.objective for each in systems)
    return max(objective, floor) / n_left


def residual_variance(
    systems: Sequence[System], total_weight: float, n_observations: int
) -> float:
    """Return the squared residuals per degree of freedom left; NaN if none is left."""
    total = sum(float((each.residuals**2).sum()) for each in systems)
    kept = sum(each.times * float(np.trace(each.projection)) for each in systems)
    left = total_weight - n_observations + kept
    return total / left if left > 0 else np.nan
