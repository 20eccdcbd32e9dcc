"""Contracts of smooth terms of an objective, and of solvers."""

from typing import TYPE_CHECKING

from ._arrays import Array

if TYPE_CHECKING:
    from ._penalty import Penalty
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Point:
    """A variable with the value and the gradient of a smooth term.

    Parameters
    ----------
    variable : ndarray
        Variable.
    value : float
        Value at the variable.
    gradient : ndarray
        Gradient at the variable, in its shape.
    """

    variable: Array
    value: float
    gradient: Array


class Smooth(ABC):
    """A convex, differentiable term of an objective: the losses of all rows."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the variable, (n_tasks, n_features) unless it has several parts."""

    @abstractmethod
    def at(self, W: Array) -> Point:
        """Return the Point at W."""

    def at_near(self, W: Array, point: Point) -> Point:
        """Return the Point at W; inner iterations may start from another Point."""
        return self.at(W)

    @abstractmethod
    def lipschitz(self) -> float:
        """Return an upper bound of the second derivative in any direction."""

    @abstractmethod
    def dual_value(self, point: Point, limit: float) -> float:
        """Return the largest dual value among multiples of the residuals at a point.

        Factors are between ``-limit`` and `limit`: these multiples are dual feasible.
        """

    def extrapolate(self, point: Point, before: Point, momentum: float) -> Point:
        """Return the Point at ``W + momentum * (W - W_before)``."""
        W = point.variable
        return self.at(W + momentum * (W - before.variable))

    def unit(self) -> float:
        """Return the scale of values: value at zero minus value of a perfect fit."""
        return self.zero().value

    def value(self, W: Array) -> float:
        """Return the value at W as a float."""
        return self.at(W).value

    def gradient(self, W: Array) -> Array:
        """Return the gradient at W, in its shape."""
        return self.at(W).gradient

    def zero(self) -> Point:
        """Return the Point at zero."""
        return self.at(np.zeros(self.shape))


@dataclass(frozen=True)
class Solution:
    """The result of a solver, with its distance from the optimum.

    Parameters
    ----------
    variable : ndarray
        Minimiser.
    objective : float
        Value of the objective at the minimiser.
    optimality : float
        `optimality` of the penalty: the duality gap relative to the objective at zero,
        or the norm of the proximal gradient relative to the gradient at zero.
    n_iter : int
        Number of iterations.
    converged : bool
        Whether `optimality` is within the tolerance.
    """

    variable: Array
    objective: float
    optimality: float
    n_iter: int
    converged: bool


class Solver(ABC):
    """An algorithm that minimises ``smooth + penalty``, given these contracts only."""

    @abstractmethod
    def minimize(self, smooth: Smooth, penalty: "Penalty", start: Array) -> Solution:
        """Return the Solution; `start` is the first iterate."""
