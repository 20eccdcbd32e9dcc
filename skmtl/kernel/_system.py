"""A linear system of rows with a covariance and with free effects."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import linalg

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite


@dataclass(frozen=True)
class System:
    """Rows ``Y = H b + e`` with covariance ``A`` of e relative to the noise variance.

    The projection ``P = A^-1 - A^-1 H (H' A^-1 H)^-1 H' A^-1`` gives all of what a fit
    needs: ``P Y`` are residuals, ``Y' P Y`` is the objective.

    Parameters
    ----------
    covariance : ndarray of shape (n_rows, n_rows)
        The matrix A, with the noise.
    free : ndarray of shape (n_rows, n_free)
        The design H of effects without a penalty.
    targets : ndarray of shape (n_rows, n_columns)
        Columns of targets Y.
    loadings : ndarray of shape (n_tasks, n_columns)
        Share of each column in the targets of each task.
    times : int, default=1
        Number of independent directions of the columns.
    """

    covariance: Array
    free: Array
    targets: Array
    loadings: Array
    times: int = 1

    @cached_property
    def _factor(self) -> Any:
        return linalg.cho_factor(self.covariance, lower=True)

    def solve(self, right: Array) -> Array:
        """Return ``A^-1 right``."""
        found: Array = linalg.cho_solve(self._factor, right)
        return found

    @cached_property
    def _solved_free(self) -> Array:
        return self.solve(self.free)

    @cached_property
    def _free_precision(self) -> Semidefinite:
        return Semidefinite(self.free.T @ self._solved_free)

    @cached_property
    def effects(self) -> Array:
        """Free effects of each column, (n_free, n_columns)."""
        return self._free_precision.solve(self._solved_free.T @ self.targets)

    @cached_property
    def residuals(self) -> Array:
        """Residuals ``P Y``, (n_rows, n_columns)."""
        return self.solve(self.targets - self.free @ self.effects)

    @property
    def task_residuals(self) -> Array:
        """The part of the residuals of each task, (n_rows, n_tasks)."""
        found: Array = self.residuals @ self.loadings.T
        return found

    @cached_property
    def objective(self) -> float:
        """Smallest value of the penalised sum of squares."""
        return float(np.vdot(self.targets, self.residuals))

    @cached_property
    def log_determinant(self) -> float:
        """Log determinant of A and of ``H' A^-1 H``, for all directions."""
        total = 2 * np.log(np.diag(self._factor[0])).sum()
        return float(self.times * (total + self._free_precision.log_determinant))

    @cached_property
    def projection(self) -> Array:
        """The matrix P, (n_rows, n_rows)."""
        lower = np.tril(linalg.lapack.dpotri(self._factor[0], lower=True)[0])
        inverse = lower + lower.T
        inverse[np.diag_indices(len(lower))] /= 2
        solved = self._solved_free
        inverse -= solved @ self._free_precision.solve(solved.T)
        return inverse

    def variance(self, prior: Array, cross: Array, free: Array) -> Array:
        """Return variances of predictions, relative to the noise variance.

        Parameters
        ----------
        prior : ndarray of shape (n_queries,)
            Variances before the rows are known.
        cross : ndarray of shape (n_queries, n_rows)
            Covariances with the rows.
        free : ndarray of shape (n_queries, n_free)
            Design of the free effects.

        Returns
        -------
        ndarray of shape (n_queries,)
            The variances.
        """
        known = np.einsum("qi,iq->q", cross, self.solve(cross.T))
        gap = free - cross @ self._solved_free
        unsure = np.einsum("qp,pq->q", gap, self._free_precision.solve(gap.T))
        return np.maximum(prior - known, 0.0) + unsure
