"""Conjugate gradients for coupled squared losses that are too large to factor."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array
from skmtl._memory import is_large
from skmtl._numbers import TINY
from skmtl.problems.exact import has_few_rows

from ._coupled_losses import CoupledTasks

# Norm of the gradient at the solution, relative to that at zero.
TOLERANCE = 1e-8
# Products per run of conjugate gradients. A second run starts from the exact gradient,
# which removes the rounding errors of the first.
_MAX_ITER, _N_RUNS = 1000, 2


@dataclass(frozen=True)
class Iterated:
    """Minimiser of a quadratic objective, found by conjugate gradients.

    Parameters
    ----------
    problem : CoupledTasks
        The objective.
    variable : ndarray
        Minimiser.
    residual : float
        Norm of the gradient relative to that at zero.
    n_iter : int
        Number of runs of conjugate gradients.
    """

    problem: CoupledTasks
    variable: np.ndarray
    residual: float
    n_iter: int

    @property
    def objective(self) -> float:
        """Value of the objective with squared errors that are not halved."""
        return 2 * self.problem.at(self.variable).value

    @property
    def converged(self) -> bool:
        """Whether the residual is within the tolerance."""
        return self.residual <= TOLERANCE

    def unpack(self) -> Any:
        """Return the linear models of the tasks and of their shared part."""
        return self.problem.unpack_squares(self.variable)


def iterate(
    objective: CoupledTasks, start: Array | None = None, tol: float = TOLERANCE
) -> Iterated:
    """Minimise a quadratic objective by conjugate gradients.

    Parameters
    ----------
    objective : CoupledTasks
        Squared losses and a coupling.
    start : ndarray, default=None
        Initial variable.
    tol : float, default=1e-8
        Stop at this norm of the gradient relative to that at zero.

    Returns
    -------
    Iterated
        The solution.
    """
    variable = objective.start() if start is None else start
    zero = np.linalg.norm(objective.gradient(objective.at(np.zeros(objective.shape))))
    n_iter = 0
    while n_iter < _N_RUNS:
        point = objective.at(variable)
        gradient = objective.gradient(point)
        size = np.linalg.norm(gradient)
        if size <= tol * zero:
            break
        n_iter += 1
        solve = objective.factor(point, 0.5 * tol * zero / size, _MAX_ITER)
        variable = variable - solve(gradient).reshape(objective.shape)
    gradient = objective.gradient(objective.at(variable))
    residual = np.linalg.norm(gradient) / max(zero, TINY)
    return Iterated(objective, variable, float(residual), n_iter)


def needs_iteration(data: Any) -> bool:
    """Return whether an exact solution of sparse rows would need too much memory.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.

    Returns
    -------
    bool
        Whether both factored rows and scatters are far larger than X.
    """
    if not sparse.issparse(data.X):
        return False
    n_rows, n_features = data.X.shape
    n_matrices = 1 if data.shares_moments else len(data.tasks)
    numbers = (n_matrices + 1) * n_features**2
    if has_few_rows(data):
        numbers = min(numbers, n_rows * n_features)
    return is_large(numbers, data.X.nnz)
