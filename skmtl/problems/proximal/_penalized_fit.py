"""Minimise a smooth loss plus a penalty."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array, Penalty, Solution, Solver

from ._sum_of_parts import into_parts


@dataclass(frozen=True)
class PenalizedFit:
    """Coefficients that minimise ``loss(W) + penalty(W)``.

    If the penalty has several parts, ``W`` is their sum.

    Parameters
    ----------
    loss : AnyLoss, RestrictableLoss or SquaredLoss
        Loss of the coefficients.
    penalty : Penalty
        Penalty on the coefficients, or on their parts.
    solution : Solution
        Solution of the solver.
    """

    loss: Any
    penalty: Penalty
    solution: Solution

    @property
    def parts(self) -> Array:
        """Parts of the coefficients, (n_parts, n_tasks, n_features)."""
        return self.solution.variable.reshape(-1, *self.loss.shape)

    @property
    def coef(self) -> Array:
        """Coefficients of the tasks, (n_tasks, n_features)."""
        return self.parts.sum(axis=0)

    @property
    def certificate(self) -> tuple[str, float]:
        """Name and value of the optimality measure.

        A duality gap is in units of the objective; a gradient is relative to that at
        zero.
        """
        unit = {"dual_gap": self.loss.unit()}.get(self.penalty.certificate, 1.0)
        return self.penalty.certificate, self.solution.optimality * unit

    def unpack(self) -> Any:
        """Return the linear models of the tasks and of their shared part."""
        return self.loss.unpack(self.coef, self.parts[0])


def minimize(
    loss: Any, penalty: Penalty, solver: Solver, start: Array | None = None
) -> PenalizedFit:
    """Minimise ``loss(W) + penalty(W)``.

    Parameters
    ----------
    loss : AnyLoss, RestrictableLoss or SquaredLoss
        Loss of the coefficients.
    penalty : Penalty
        Penalty on the coefficients, or on the parts that add up to them.
    solver : Solver
        The algorithm.
    start : ndarray, default=None
        Initial variable. None, or another shape than the variable's, means zero.

    Returns
    -------
    PenalizedFit
        The solution.
    """
    smooth = into_parts(loss, penalty.n_parts)
    if start is None or start.shape != smooth.shape:
        start = np.zeros(smooth.shape)
    return PenalizedFit(loss, penalty, solver.minimize(smooth, penalty, start))
