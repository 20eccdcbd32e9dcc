"""Likelihood of strengths: tasks as normal draws around a centre, any loss."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmtl._linalg import Semidefinite
from skmtl.problems.newton import LIFT, MeanLosses, find_units, raise_diagonals_in_place
from skmtl.solvers import Inverse


@dataclass(frozen=True)
class LaplaceLikelihood:
    """Measure how likely the targets are given the strengths, by Laplace's method.

    The differences of the tasks from the centre are normal with precisions ``D``, and
    so is the centre with precisions ``D_s``. Both are integrated out, which adds to
    minus the objective ``1/2 sum_t log |D (H_t + D)^-1| + 1/2 log |D_s S^-1|``. ``H_t``
    are the Hessians of the tasks' losses, ``S = D_s + sum_t D (H_t + D)^-1 H_t``.
    What nothing pulls has a flat density of 1. With a squared loss this is exact.

    Parameters
    ----------
    objective : MeanLosses
        Losses, and strengths that pull to the centre.
    variable : ndarray
        Where the objective is smallest.
    """

    objective: MeanLosses
    variable: np.ndarray

    @cached_property
    def value(self):
        """Logarithm of the likelihood, minus infinity where it is lost in rounding."""
        if not np.isfinite(self._blocks.inflation):
            return -np.inf
        n_flat = self._n_seen * (~self._pulled).sum() + self._n_flat_centre
        determinants = self._own_determinants + self._centre_determinant
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
    def _own(self):
        return np.tile(self.objective.own, self.objective.shape[1])

    @property
    def _pulled(self):
        return self._own > 0

    @cached_property
    def _centre(self):
        return np.tile(self.objective.centre, self.objective.shape[1])

    @cached_property
    def _curved(self):
        """Hessians of the tasks that have rows."""
        datafit = self.objective.datafit
        return datafit.curve(self._point.raw)[datafit.task_totals > 0]

    @cached_property
    def _unit(self):
        return find_units(self._curved, self._own)

    @cached_property
    def _blocks(self):
        """Matrices ``H_t + D``, factored in units of their diagonals."""
        curved = self._curved / self._unit / self._unit[:, None]
        pull = self._own / self._unit**2
        raise_diagonals_in_place(curved, pull, LIFT)
        return Inverse.factor(curved, pull[None])

    @property
    def _own_determinants(self):
        """Sum of ``log |D^-1 (H_t + D)|``, without D where nothing pulls."""
        blocks = -np.linalg.slogdet(self._blocks.inverse)[1].sum()
        prior = np.where(self._pulled, self._own, 1.0) / self._unit**2
        return blocks - self._n_seen * np.log(prior).sum()

    @cached_property
    def _total(self):
        """Curvature of the centre, without what neither task nor prior ties to it."""
        no_rows = np.zeros((0, len(self._unit)))
        strength = self._centre / self._unit**2
        total = self._blocks.centre(self._n_seen, no_rows, strength)
        tied = self._pulled | (self._centre > 0)
        matrix = total.matrix * self._unit * self._unit[:, None]
        return Semidefinite(matrix[tied][:, tied], total.tolerance)

    @property
    def _centre_determinant(self):
        strengths = self._centre[self._centre > 0]
        return self._total.log_determinant - np.log(strengths).sum()

    @property
    def _n_flat_centre(self):
        return self._total.rank - (self._centre > 0).sum()
