"""Likelihood of strengths by Laplace's method, any loss."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite
from skmtl.problems.newton import LIFT, MeanLosses, find_units, raise_diagonals_in_place
from skmtl.solvers import Inverse


@dataclass(frozen=True)
class LaplaceLikelihood:
    """Likelihood of the strengths, by Laplace's method.

    Differences of tasks from the centre are normal with precisions ``D``, and the
    centre is normal with precisions ``D_s``. Integrating over both adds ``1/2 sum_t log
    |D (H_t + D)^-1| + 1/2 log |D_s S^-1|`` to minus the objective. ``H_t`` are the
    Hessians of the tasks' losses, and ``S = D_s + sum_t D (H_t + D)^-1 H_t``.
    Parameters without a penalty have a flat density of 1. For a squared loss this is
    exact.

    Parameters
    ----------
    objective : MeanLosses
        Losses, and strengths of the penalty to the centre.
    variable : ndarray
        Minimum of the objective.
    """

    objective: MeanLosses
    variable: Array

    @cached_property
    def value(self) -> float:
        """Logarithm of the likelihood, minus infinity if rounding dominates it."""
        if not np.isfinite(self._blocks.inflation):
            return -np.inf
        n_flat = self._n_seen * (~self._is_penalized).sum() + self._n_flat_centre
        determinants = self._task_determinants + self._centre_determinant
        return float(-self._minimum - determinants / 2 + n_flat * np.log(2 * np.pi) / 2)

    @cached_property
    def _point(self):
        return self.objective.at(self.variable)

    @property
    def _minimum(self):
        return self._point.value

    @property
    def _n_seen(self):
        return len(self._blocks.inverse)

    @cached_property
    def _task_precisions(self):
        return np.tile(self.objective.own, self.objective.shape[1])

    @property
    def _is_penalized(self):
        return self._task_precisions > 0

    @cached_property
    def _centre_precisions(self):
        return np.tile(self.objective.centre, self.objective.shape[1])

    @cached_property
    def _hessians(self):
        """Hessians of the tasks that have rows."""
        datafit = self.objective.datafit
        return datafit.curve(self._point.raw)[datafit.task_totals > 0]

    @cached_property
    def _unit(self):
        return find_units(self._hessians, self._task_precisions)

    @cached_property
    def _blocks(self):
        """Matrices ``H_t + D``, factored in units of their diagonals."""
        hessians = self._hessians / self._unit / self._unit[:, None]
        precisions = self._task_precisions / self._unit**2
        raise_diagonals_in_place(hessians, precisions, LIFT)
        return Inverse.factor(hessians, precisions[None])

    @property
    def _task_determinants(self):
        """Sum of ``log |D^-1 (H_t + D)|``, 1 in place of zeros of D."""
        blocks = -np.linalg.slogdet(self._blocks.inverse)[1].sum()
        precisions = np.where(self._is_penalized, self._task_precisions, 1.0)
        return blocks - self._n_seen * np.log(precisions / self._unit**2).sum()

    @cached_property
    def _total(self):
        """Hessian ``S`` of the centre, without parameters that have no penalty."""
        no_rows = np.zeros((0, len(self._unit)))
        precisions = self._centre_precisions / self._unit**2
        total = self._blocks.centre(self._n_seen, no_rows, precisions)
        kept = self._is_penalized | (self._centre_precisions > 0)
        matrix = total.matrix * self._unit * self._unit[:, None]
        return Semidefinite(matrix[kept][:, kept], total.tolerance)

    @property
    def _centre_determinant(self):
        precisions = self._centre_precisions[self._centre_precisions > 0]
        return self._total.log_determinant - np.log(precisions).sum()

    @property
    def _n_flat_centre(self):
        return self._total.rank - (self._centre_precisions > 0).sum()
