"""Covariances between tasks of their differences from what they share."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from inspect import isclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import linalg, sparse

from skmtl._contracts import Array, Coupling


class TaskPairs(ABC):
    """Covariance ``C[t, u]`` of pairs of tasks, at pairs of observations.

    Observations are sorted by task.
    """

    @abstractmethod
    def add(self, total: Array, factor: float, matrix: Any) -> None:
        """Add ``factor C[t, u] matrix`` to a total of all pairs, in place."""

    @abstractmethod
    def sum(self, values: Array, matrix: Any) -> float:
        """Return the sum of ``C[t, u] values matrix`` over all pairs."""

    @abstractmethod
    def spread(self, duals: Any) -> Any:
        """Return dual coefficients of each task's difference, given its rows' own."""

    @abstractmethod
    def across(self, codes: Array) -> Array:
        """Return covariances of queries' tasks and observations; 0 for code -1."""

    @abstractmethod
    def prior(self, codes: Array) -> Array:
        """Return variances of queries' tasks, also of unseen ones."""


@dataclass(frozen=True)
class ApartPairs(TaskPairs):
    """Differences of tasks are independent: ``C`` is the identity.

    Parameters
    ----------
    codes : ndarray of shape (n_observations,)
        Task of each observation, sorted.
    n_tasks : int
        Number of tasks.
    """

    codes: Array
    n_tasks: int

    @cached_property
    def _blocks(self):
        """Slices of the tasks, at both axes."""
        ends = np.searchsorted(self.codes, np.arange(self.n_tasks + 1))
        slices = [slice(a, b) for a, b in pairwise(ends) if a < b]
        return [(each, each) for each in slices]

    def add(self, total: Array, factor: float, matrix: Any) -> None:
        for block in self._blocks if factor else ():
            total[block] += factor * matrix[block]

    def sum(self, values: Array, matrix: Any) -> float:
        return float(sum(np.vdot(values[b], matrix[b]) for b in self._blocks))

    def spread(self, duals: Any) -> Any:
        return duals

    def across(self, codes: Array) -> Array:
        return (codes[:, None] == self.codes) * 1.0

    def prior(self, codes: Array) -> Array:
        return np.ones(len(codes))


@dataclass(frozen=True)
class CoupledPairs(TaskPairs):
    """Differences of tasks are related by a coupling.

    Parameters
    ----------
    codes : ndarray of shape (n_observations,)
        Task of each observation, sorted.
    covariance : ndarray of shape (n_tasks, n_tasks)
        The inverse of the coupling's precision matrix.
    """

    codes: Array
    covariance: Array

    @cached_property
    def _pairs(self):
        return self.covariance[np.ix_(self.codes, self.codes)]

    def add(self, total: Array, factor: float, matrix: Any) -> None:
        if factor:
            total += factor * (self._pairs * matrix)

    def sum(self, values: Array, matrix: Any) -> float:
        return float(np.vdot(values * self._pairs, matrix))

    def spread(self, duals: Any) -> Any:
        return duals @ self.covariance

    def across(self, codes: Array) -> Array:
        seen = np.where(codes < 0, 0, codes)
        found: Array = self.covariance[np.ix_(seen, self.codes)]
        return np.where(codes[:, None] < 0, 0.0, found)

    def prior(self, codes: Array) -> Array:
        own = np.diag(self.covariance)
        return np.append(own, own.mean())[codes]


def invert_precision(coupling: Coupling, n_tasks: int) -> Array:
    """Return the covariance of tasks that a coupling implies.

    Parameters
    ----------
    coupling : Coupling
        A coupling with a positive definite precision matrix.
    n_tasks : int
        Number of tasks.

    Returns
    -------
    ndarray of shape (n_tasks, n_tasks)
        The inverse of its precision matrix.
    """
    precision = coupling.precision(n_tasks)
    precision = precision.toarray() if sparse.issparse(precision) else precision
    try:
        factor = linalg.cho_factor(precision, lower=True)
    except linalg.LinAlgError:
        raise ValueError(
            "coupling must have a positive definite precision matrix, got a singular "
            "one. Set alpha_ridge of a graph, or alpha_shared of a mean, above 0."
        ) from None
    found: Array = linalg.cho_solve(factor, np.eye(n_tasks))
    return found


def refuse_class(coupling: Any) -> None:
    """Refuse a class in place of an object."""
    if isclass(coupling):
        raise ValueError(
            f"coupling must be an object, got the class {coupling.__name__}. Write "
            f"{coupling.__name__}(...)."
        )
