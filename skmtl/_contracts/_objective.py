"""Smooth terms of an objective, and solvers."""

from typing import TYPE_CHECKING

from ._arrays import Array

if TYPE_CHECKING:
    from ._penalty import Penalty
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Point:
    """Hold a variable with the value and the gradient of a smooth term there.

    Parameters
    ----------
    variable : ndarray
        Where.
    value : float
        The value there.
    gradient : ndarray
        The gradient there, in the shape of the variable.
    """

    variable: Array
    value: float
    gradient: Array


class Smooth(ABC):
    """A convex term of an objective that has a gradient: data and loss, together."""

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
        """Return an upper bound of the curvature in any direction."""

    @abstractmethod
    def dual_value(self, point: Point, limit: float) -> float:
        """Return the largest dual value among multiples of the residuals at a point.

        Multiples are between ``-limit`` and `limit`, where the gradient of that many
        residuals is within the penalty's dual ball.
        """

    def extrapolate(self, point: Point, before: Point, momentum: float) -> Point:
        """Return the Point at ``W + momentum * (W - W_before)``, from both points."""
        W = point.variable
        return self.at(W + momentum * (W - before.variable))

    def unit(self) -> float:
        """Return the scale of values: the one at zero above that of a perfect fit."""
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
    """Say what a solver found, and how near it is to the best.

    Parameters
    ----------
    variable : ndarray
        Where the objective is smallest.
    objective : float
        Its value there.
    optimality : float
        What the penalty says of it: the duality gap relative to the objective at zero,
        or the gradient that is left relative to the one at zero.
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
    """An algorithm that minimises ``smooth + penalty`` and knows nothing else."""

    @abstractmethod
    def minimize(self, smooth: Smooth, penalty: "Penalty", start: Array) -> Solution:
        """Return the Solution found from the variable `start`."""
