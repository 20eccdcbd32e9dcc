"""Likelihood of strengths by Laplace's method, any loss."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite
from skmtl.problems.newton import (
    LIFT,
    ArrowFactor,
    MeanLosses,
    add_at,
    find_units,
    raise_diagonals_in_place,
)
from skmtl.solvers import Inverse

# Step of raw predictions for the derivative of a curvature. Its error is of second
# order, and far below that of the solution.
_STEP = 1e-4


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
    def hessians(self) -> Array:
        """Hessians of the tasks' losses, (n_tasks, size, size)."""
        return self.objective.datafit.curve(self._point.raw)

    @property
    def _hessians(self):
        """Hessians of the tasks that have rows."""
        return self.hessians[self._seen]

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
    def _factor(self):
        """The factored Hessian of all parameters, of tasks that have rows."""
        no_rows = np.zeros((0, len(self._unit)))
        precisions = self._centre_precisions / self._unit**2
        total = self._blocks.centre(self._n_seen, no_rows, precisions)
        return ArrowFactor(1 / self._unit, self._blocks, total)

    @cached_property
    def _total(self):
        """Hessian ``S`` of the centre, without parameters that have no penalty."""
        total = self._factor.centre
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

    @cached_property
    def gradient(self) -> tuple[Array, float]:
        """Derivatives by the precisions of tasks, and by the log of the centre's.

        The first is a matrix ``G`` of shape (n_columns, n_columns): for a change ``E``
        of ``D``, symmetric and the same for all outputs, the value changes by ``trace(G
        E)``. The optimum moves with the strengths, and with it the Hessians.
        """
        gaps, moved = self._gaps[:-1], self._pull[:-1]
        total = -gaps.T @ gaps - self._spread + moved.T @ gaps + gaps.T @ moved
        total = self._sum_outputs(total) / 2
        columns = np.arange(len(self.objective.own))
        own = self._task_precisions[columns]
        flat = self._n_seen * self.objective.shape[1] / 2
        total[columns, columns] += np.divide(
            flat, own, out=np.zeros_like(own), where=own > 0
        )
        centre, at = self._centre_precisions, self._gaps[-1]
        known = np.diag(self._factor.centre.inverse) / self._unit**2
        slope = (centre > 0) / 2 - centre * ((at**2 + known) / 2 - self._pull[-1] * at)
        return total, float(slope.sum())

    @property
    def information(self) -> Array:
        """Fisher's information on log precisions, (n_columns, n_columns).

        It is that of independent differences from a known centre.
        """
        return np.einsum("tij,tij->ij", self._shares, self._shares) / 2

    @property
    def shared_information(self) -> float:
        """The same on the log of the strength of the centre."""
        known = np.diag(self._factor.centre.inverse) / self._unit**2
        precisions = self._centre_precisions
        shares = np.where(precisions > 0, 1 - precisions * known, 0.0)
        return float((shares**2).sum()) / 2

    @property
    def crossed_information(self) -> Array:
        """Sum of ``F_t[i, j] F_t[k, l]`` over tasks, of shape (n_columns,) * 4.

        ``F_t = I - D^(1/2) (H_t + D)^-1 D^(1/2)`` are the shares of the variances that
        rows explain.
        """
        n_columns = self._shares.shape[-1]
        shares = self._shares.reshape(-1, n_columns**2)
        return (shares.T @ shares).reshape((n_columns,) * 4)

    @cached_property
    def _shares(self):
        """The matrices ``F_t``, one for each pair of outputs."""
        roots = np.sqrt(self._task_precisions) / self._unit
        shares = np.eye(len(roots)) - self._blocks.inverse * roots * roots[:, None]
        _, n_outputs, n_columns = self.objective.shape
        shares = shares.reshape(-1, n_outputs, n_columns, n_outputs, n_columns)
        return shares.transpose(0, 1, 3, 2, 4).reshape(-1, n_columns, n_columns)

    def _sum_outputs(self, matrix):
        """Return the sum of the blocks of outputs, without those between two."""
        _, n_outputs, n_columns = self.objective.shape
        blocks = matrix.reshape(n_outputs, n_columns, n_outputs, n_columns)
        return np.einsum("kikj->ij", blocks)

    @property
    def _seen(self):
        return self.objective.datafit.task_totals > 0

    @cached_property
    def _gaps(self):
        """Differences of the tasks that have rows from the centre, and the centre."""
        seen = np.append(self._seen, True)
        return self._point.variable[seen].reshape(-1, len(self._unit))

    @cached_property
    def _centre_root(self):
        """Root of the covariance of the centre, in units of the blocks."""
        values, vectors = np.linalg.eigh(self._factor.centre.inverse)
        return vectors * np.sqrt(np.maximum(values, 0.0))

    @property
    def _spread(self):
        """Sum over tasks of the covariances of the differences from the centre."""
        taken = self._blocks.shrinkage() @ self._centre_root
        taken = taken.transpose(0, 2, 1).reshape(-1, len(self._unit))
        total = self._blocks.inverse.sum(axis=0) + taken.T @ taken
        return total / self._unit / self._unit[:, None]

    @property
    def _covariances(self):
        """Covariances of the parameters of tasks that have rows."""
        inverse = self._blocks.inverse
        taken = (inverse * self._blocks.strength[0]) @ self._centre_root
        total = inverse + taken @ taken.transpose(0, 2, 1)
        return total / self._unit / self._unit[:, None]

    @cached_property
    def _pull(self):
        """Inverse Hessian times the gradient of half its log determinant."""
        datafit, shape = self.objective.datafit, self.objective.shape[1:]
        covariances = np.zeros((datafit.n_tasks, *shape, *shape))
        covariances[self._seen] = self._covariances.reshape(-1, *shape, *shape)
        right = np.zeros((datafit.n_tasks, *shape))
        for stack, z in datafit.with_features(self._point.raw):
            slope = self._bend(stack, z, covariances[stack.tasks])
            slope *= stack.weight[:, :, None] / 2
            add_at(right, stack.tasks, datafit.pull_back(stack, slope))
        right = right[self._seen].reshape(-1, len(self._unit))
        return self._factor.solve(np.vstack([right, right.sum(axis=0)]))

    def _bend(self, stack, z, covariances):
        """Return ``trace(V_i dC_i / dz)`` of each row and output.

        ``V_i`` is the covariance of its raw predictions, and ``C_i`` its curvature.
        """
        loss, ones = self.objective.datafit.loss, np.ones((*z.shape[:2], 1))
        n_outputs, n_columns = self.objective.shape[1:]
        X = np.concatenate([stack.X, ones], axis=2)[:, :, :n_columns]
        slope = np.empty_like(z)
        known = [
            ((X @ covariances[:, k, :, m]) * X).sum(axis=2)
            for k in range(n_outputs)
            for m in range(n_outputs)
        ]
        known = np.stack(known, axis=-1).reshape(*z.shape[:2], n_outputs, n_outputs)
        for k, step in enumerate(_STEP * np.eye(n_outputs)):
            change = loss.majorant(stack.y, z + step) - loss.majorant(stack.y, z - step)
            slope[:, :, k] = np.einsum("tikm,tikm->ti", known, change) / (2 * _STEP)
        return slope
