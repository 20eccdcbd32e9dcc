"""Squared losses with a ridge of given variances, and their curvature in these."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import linalg

from skmtl._contracts import Array
from skmtl.solvers import Shrunk

# From this size on, factoring matrices one by one is faster than as a stack.
_LARGE = 64


class ShrunkLosses(Shrunk):
    """Minimum of squared losses plus ``1/2 sum_j (1 / v_j + ridge) ||w_j||^2``.

    Both ridges together have the variances ``u_j = v_j / (1 + ridge v_j)``. With them,
    and with the Hessians ``H_t`` of the losses, correlations of features with residuals
    are ``r_t = (I + H_t U)^-1 c_t``, and coefficients ``U r_t``.

    Parameters
    ----------
    solver : GramSolver or RowSolver
        Solves for the correlations.
    right : ndarray of shape (n_tasks, n_features)
        Correlations ``c_t`` of features with targets.
    start : float
        Half the sum of squared targets.
    ridge : float
        Strength of the ridge that belongs to the losses.
    variances : ndarray of shape (n_features,)
        Variances ``v_j``.
    """

    def __init__(
        self, solver: Any, right: Array, start: float, ridge: float, variances: Array
    ) -> None:
        self.variances = variances
        self._solver = solver
        self._damping = 1 + ridge * variances
        self._ridge = ridge
        correlation = solver.correlate(right)
        self._correlation = correlation
        self.residual = correlation / self._damping
        self.value = start - float(np.vdot(right, self.coef)) / 2

    def curvature(self, features: Array) -> Array:
        """Return the Hessian of the minimum with respect to some variances."""
        damping = self._damping[features]
        scaled = self._correlation[:, features] / damping**2
        found: Array = self._solver.products(features, scaled)
        squares = (self.residual[:, features] ** 2).sum(axis=0)
        found.flat[:: len(features) + 1] += self._ridge * squares / damping
        return found


class GramSolver:
    """Correlations from the Hessians of the tasks.

    Parameters
    ----------
    hessians : ndarray of shape (n_tasks or 1, n_features, n_features)
        Hessians ``H_t``.
    variances : ndarray of shape (n_features,)
        Variances ``u_j``.
    """

    def __init__(self, hessians: Array, variances: Array) -> None:
        self._hessians = hessians
        self._used = np.flatnonzero(variances)
        self._root = np.sqrt(variances[self._used])
        some = hessians[:, self._used[:, None], self._used]
        self._factor = _Factors(some * self._root[:, None] * self._root)

    def correlate(self, right: Array) -> Array:
        """Return ``(I + H_t U)^-1 c_t`` of every task."""
        whitened = right[:, self._used] * self._root
        coef = self._root * self._factor.solve_rows(whitened)
        return right - multiply(coef, self._hessians[:, self._used])

    def products(self, features: Array, scaled: Array) -> Array:
        """Return ``sum_t s_t s_t' * ((H_t^-1 + U)^-1)`` of some features."""
        between = self._hessians[:, self._used[:, None], features]
        half = self._factor.half_solve(between * self._root[:, None])
        inner = self._hessians[:, features[:, None], features]
        if len(inner) == 1:
            found: Array = (inner[0] - half[0].T @ half[0]) * (scaled.T @ scaled)
            return found
        half = (half * scaled[:, None]).reshape(-1, len(features))
        weighted = np.einsum("tjk,tj,tk->jk", inner, scaled, scaled, optimize=True)
        return np.asarray(weighted - half.T @ half)


class RowSolver:
    """Correlations from rows that are fewer than the features.

    Parameters
    ----------
    stacks : list of (tasks, X)
        Tasks, and their rows (n_stacked or 1, n_rows, n_features), times root scales.
    variances : ndarray of shape (n_features,)
        Variances ``u_j``.
    """

    def __init__(self, stacks: Sequence[tuple[Any, Array]], variances: Array) -> None:
        self._stacks = stacks
        self._variances = variances
        used = np.flatnonzero(variances)
        few = [X[:, :, used] for _, X in stacks]
        self._factors = [
            _Factors((X * variances[used]) @ X.transpose(0, 2, 1)) for X in few
        ]

    def correlate(self, right: Array) -> Array:
        """Return ``(I + H_t U)^-1 c_t`` of every task."""
        found = right.copy()
        for (tasks, X), factors in zip(self._stacks, self._factors, strict=True):
            fitted = multiply(right[tasks] * self._variances, X.transpose(0, 2, 1))
            found[tasks] -= multiply(factors.solve_rows(fitted), X)
        return found

    def products(self, features: Array, scaled: Array) -> Array:
        """Return ``sum_t s_t s_t' * ((H_t^-1 + U)^-1)`` of some features."""
        found = np.zeros((len(features), len(features)))
        for (tasks, X), factors in zip(self._stacks, self._factors, strict=True):
            half = factors.half_solve(X[:, :, features])
            own = scaled[tasks]
            if len(half) == 1:
                found += (half[0].T @ half[0]) * (own.T @ own)
            else:
                half = (half * own[:, None]).reshape(-1, len(features))
                found += half.T @ half
        return found


class _Factors:
    """Cholesky factors of ``I + A_t``, for semidefinite matrices ``A_t``."""

    def __init__(self, matrices):
        matrices = matrices + np.eye(matrices.shape[1])
        if matrices.shape[1] < _LARGE:
            # A stack of triangular inverses; the matrices are at least the identity.
            self._lower, factors = None, np.linalg.cholesky(matrices)
            self._inverse = np.linalg.inv(factors)
        else:
            self._lower = [linalg.cholesky(each, lower=True) for each in matrices]

    def half_solve(self, right):
        """Return ``L_t^-1 B_t``."""
        if self._lower is None:
            return self._inverse @ right
        pairs = zip(self._lower, right, strict=True)
        return np.array(
            [linalg.solve_triangular(L, b, lower=True) for L, b in pairs]
        ).reshape(right.shape)

    def solve_rows(self, rows):
        """Return ``(I + A_t)^-1 b_t``; a single matrix serves all rows."""
        if self._lower is None:
            half = multiply(rows, self._inverse.transpose(0, 2, 1))
            return multiply(half, self._inverse)
        if len(self._lower) == 1:
            return linalg.cho_solve((self._lower[0], True), rows.T).T
        pairs = zip(self._lower, rows, strict=True)
        return np.array([linalg.cho_solve((L, True), row) for L, row in pairs])


def multiply(rows: Array, matrices: Array) -> Array:
    """Return ``rows_t A_t``; a single matrix serves all tasks.

    Parameters
    ----------
    rows : ndarray of shape (n_tasks, n_rows)
        One row per task.
    matrices : ndarray of shape (n_tasks or 1, n_rows, n_columns)
        The matrices ``A_t``.

    Returns
    -------
    ndarray of shape (n_tasks, n_columns)
        The products.
    """
    if len(matrices) == 1:
        return rows @ matrices[0]
    return np.matmul(rows[:, None], matrices)[:, 0]
