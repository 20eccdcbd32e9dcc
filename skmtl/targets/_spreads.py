"""How much the targets of each task vary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array

# Below this standard deviation relative to the mean, a target is constant up to
# rounding.
_CONSTANT = 1e-13
_TINY = np.finfo(float).tiny


@dataclass(frozen=True)
class Spreads:
    """Weight, mean and scatter of the targets of each task.

    Parameters
    ----------
    weight : ndarray of shape (n_tasks,)
        Sum of the weights of the rows.
    mean : ndarray of shape (n_tasks,)
        Weighted mean; any number for tasks without weight.
    scatter : ndarray of shape (n_tasks,)
        Weighted sum of squared deviations from the mean, infinite if it overflows.
    """

    weight: Array
    mean: Array
    scatter: Array

    @classmethod
    @np.errstate(over="ignore", invalid="ignore")
    def of_rows(cls, data: Any, weight: Any) -> Spreads:
        """Measure rows, with a weight of each target; None for ones."""
        if data.shares_rows:
            weight = np.ones(len(data.Y)) if weight is None else weight
            total = np.full(len(data.tasks), weight.sum())
            mean = weight @ data.Y / np.maximum(total, _TINY)
            scatter = weight @ (data.Y - mean) ** 2
        else:
            n_tasks = len(data.tasks)
            codes = np.repeat(np.arange(n_tasks), np.diff(data.offsets))
            weight = np.ones(len(codes)) if weight is None else weight
            total = np.bincount(codes, weight, n_tasks)
            mean = np.bincount(codes, weight * data.y, n_tasks)
            mean = mean / np.maximum(total, _TINY)
            squares = weight * (data.y - mean[codes]) ** 2
            scatter = np.bincount(codes, squares, n_tasks)
        return cls(total, mean, np.where(np.isnan(scatter), np.inf, scatter))

    @classmethod
    def of_moments(cls, moments: Any) -> Spreads:
        """Read the spreads of moments."""
        return cls(moments.weight, moments.y_mean, moments.yy)

    def only(self, factor: Array | None) -> Spreads:
        """Set the weight of tasks to zero whose factor is zero; None leaves all."""
        if factor is None:
            return self
        return replace(self, weight=np.where(factor > 0, self.weight, 0.0))

    @property
    def deviation(self) -> Array:
        """Standard deviation of each task, zero without weight."""
        return np.sqrt(self.scatter / np.maximum(self.weight, _TINY))

    @property
    def varies(self) -> Array:
        """Whether a target varies by more than rounding."""
        return self.deviation > _CONSTANT * np.abs(self.mean)
