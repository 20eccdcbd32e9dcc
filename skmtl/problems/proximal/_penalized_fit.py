"""Minimise a loss and a penalty, and say how well that went."""

from dataclasses import dataclass

import numpy as np

from skmtl._contracts import Penalty, Solution

from ._squared_loss import SquaredLoss
from ._sum_of_parts import into_parts


@dataclass(frozen=True)
class PenalizedFit:
    """Hold the solution of a loss and a penalty.

    Parameters
    ----------
    loss : SquaredLoss
        Loss of the coefficients.
    penalty : Penalty
        Penalty of the coefficients, or of the parts that they are the sum of.
    solution : Solution
        What the solver found.
    """

    loss: SquaredLoss
    penalty: Penalty
    solution: Solution

    @property
    def parts(self):
        """Parts of the coefficients, (n_parts, n_tasks, n_features)."""
        return self.solution.variable.reshape(-1, *self.loss.shape)

    @property
    def coef(self):
        """Coefficients of the tasks, (n_tasks, n_features)."""
        return self.parts.sum(axis=0)

    @property
    def certificate(self):
        """Name and value of what bounds the distance from the optimum.

        A duality gap is in units of the objective, a gradient in those of the one at
        zero.
        """
        unit = {"dual_gap": self.loss.unit()}.get(self.penalty.certificate, 1.0)
        return self.penalty.certificate, self.solution.optimality * unit

    def unpack(self):
        """Return the linear models of the tasks and of their shared part."""
        return self.loss.unpack(self.coef, self.parts[0])


def minimize(loss, penalty, solver, start=None):
    """Minimise a loss and a penalty.

    Parameters
    ----------
    loss : SquaredLoss
        Loss of the coefficients.
    penalty : Penalty
        Penalty of the coefficients, or of the parts that they are the sum of.
    solver : Solver
        How.
    start : ndarray, default=None
        Where to start, if it has the shape of the variable; else zero.

    Returns
    -------
    PenalizedFit
        The solution.
    """
    smooth = into_parts(loss, penalty.n_parts)
    if start is None or start.shape != smooth.shape:
        start = np.zeros(smooth.shape)
    return PenalizedFit(loss, penalty, solver.minimize(smooth, penalty, start))
