"""Contracts of solvers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from ._arrays import Array
from ._objective import Smooth
from ._penalty import Penalty


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
    def minimize(self, smooth: Smooth, penalty: Penalty, start: Array) -> Solution:
        """Return the Solution; `start` is the first iterate."""
