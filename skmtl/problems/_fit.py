"""Problems that are ready to be solved, and their solutions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from skmtl._contracts import Array
from skmtl.data import TaskMoments

TOL = 1e-6


@dataclass(frozen=True)
class Fit:
    """A solved problem.

    Parameters
    ----------
    models : TaskModels or PerTaskModels
        Linear models of all nodes: the tasks, then nodes of a graph without rows.
    objective : float
        Value of the objective.
    optimality : float
        Relative distance from the optimum: a duality gap, a gradient or the root of a
        predicted decrease.
    n_iter : int
        Number of iterations; 0 for exact solutions.
    converged : bool
        Whether `optimality` is within the tolerance.
    measure : str
        Name of the quantity in `optimality`, for warnings.
    variable : ndarray, default=None
        Solution in the solver's coordinates, for warm starts.
    dual_gap : float, default=None
        Duality gap, for penalties that have a dual norm.
    detail : object, default=None
        The solution as its own class has it.
    tol : float, default=0.0
        Tolerance of `optimality`.
    remedy : str
        What to do if the fit has not converged.
    """

    models: Any
    objective: float
    optimality: float
    n_iter: int = 0
    converged: bool = True
    measure: str = "gradient"
    variable: Array | None = None
    dual_gap: float | None = None
    detail: Any = None
    tol: float = 0.0
    remedy: str = "Raise max_iter, or scale the features."

    @property
    def is_exact(self) -> bool:
        """Whether the solution was computed by a factorisation."""
        return self.measure == "residual"

    @property
    def coef(self) -> Array:
        """Penalised coefficients, (n_tasks * n_outputs, n_features)."""
        return self.detail.coef

    @property
    def parts(self) -> Array:
        """Parts of the coefficients, (n_parts, n_tasks * n_outputs, n_features)."""
        return self.detail.parts


@dataclass(frozen=True)
class PerTaskModels:
    """Linear models of tasks that may have different numbers of outputs.

    Parameters
    ----------
    tasks : list of ndarray of shape (n_outputs, n_features + 1)
        Coefficients and, last, the intercept of each task.
    shared : ndarray of shape (n_features,), default=None
        Coefficients of the centre, if there is one.
    """

    tasks: list[Array]
    shared: Array | None = None


class Problem(ABC):
    """A problem that is ready to be solved."""

    # Moments of the rows without task weights, if the problem is posed from them.
    moments: TaskMoments | None

    @abstractmethod
    def solve(
        self,
        start: Array | None = None,
        tol: float = TOL,
        max_iter: int | None = None,
    ) -> Fit:
        """Solve the problem.

        Parameters
        ----------
        start : ndarray, default=None
            The `variable` of an earlier fit, for a warm start.
        tol : float, default=1e-6
            Tolerance of `optimality`.
        max_iter : int, default=None
            Largest number of iterations; None for that of the solver.

        Returns
        -------
        Fit
            The solution.
        """
