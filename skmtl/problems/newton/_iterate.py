"""Iterative solver for coupled squared losses that are too large to factor."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from skmtl._memory import is_large
from skmtl._numbers import TINY
from skmtl.problems.exact import has_few_rows

from ._coupled_losses import CoupledTasks

# Norm of the final gradient relative to that at zero.
TOLERANCE = 1e-8
# Conjugate gradients restart after this many products, against rounding errors.
_MAX_ITER = 1000
_N_STARTS = 2


@dataclass(frozen=True)
class Iterated:
    """The minimum of a quadratic problem, found iteratively.

    Parameters
    ----------
    problem : CoupledTasks
        What was minimised.
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
    def objective(self):
        """Value of the objective, whose squares are not halved."""
        return 2 * self.problem.at(self.variable).value

    @property
    def converged(self):
        """Whether the gradient is within the tolerance."""
        return self.residual <= TOLERANCE

    def unpack(self):
        """Return the linear models of the tasks and of their shared part."""
        return self.problem.unpack_squares(self.variable)


def iterate(objective, start=None, tol=TOLERANCE):
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
    while n_iter < _N_STARTS:
        point = objective.at(variable)
        gradient = objective.gradient(point)
        left = np.linalg.norm(gradient)
        if left <= tol * zero:
            break
        n_iter += 1
        solve = objective.factor(point, 0.5 * tol * zero / left, _MAX_ITER)
        variable = variable - solve(gradient).reshape(objective.shape)
    gradient = objective.gradient(objective.at(variable))
    residual = np.linalg.norm(gradient) / max(zero, TINY)
    return Iterated(objective, variable, float(residual), n_iter)


def needs_iteration(data):
    """Return whether an exact solution of sparse rows would need too much memory.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.

    Returns
    -------
    bool
        Whether factorised rows, or scatter matrices, are far larger than X.
    """
    if not sparse.issparse(data.X):
        return False
    n_rows, n_features = data.X.shape
    n_matrices = 1 if data.shares_moments else len(data.tasks)
    numbers = (n_matrices + 1) * n_features**2
    if has_few_rows(data):
        numbers = min(numbers, n_rows * n_features)
    return is_large(numbers, data.X.nnz)
