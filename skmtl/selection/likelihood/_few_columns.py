"""Restricted likelihood of many tasks with few columns, all tasks at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import EPS, diagonals
from skmtl._numbers import TINY_SQUARE
from skmtl.data import TaskMoments

from ._reml_covariance import minimize_scaled, triangular_root

# With more columns, batches of LAPACK are as fast.
_MOST_COLUMNS = 12
# Features may be this far from zero, in standard deviations: products about zero lose
# digits with its square.
_OFFSET = 100.0
# Columns that are nearly dependent have a larger condition number.
_SINGULAR = 1e8
# Smallest first variance of a covariance, relative to the noise of a mean task: at zero
# the gradient by the root is zero.
_LEAST_VARIANCE = 0.01
# Bounds of the root of a covariance, relative to the start, and of the log of a ridge.
_FARTHEST, _RANGE = 1e4, 20.0
# Of the search of a covariance, whose information is near the identity.
_OPTIONS = {"ftol": 1e-13, "gtol": 1e-4, "maxiter": 500}


@dataclass(frozen=True)
class FewColumns:
    """Products of the columns of tasks, which are the features and, last, ones.

    Tasks are the last axis, so that each operation of a factorisation is one of arrays.

    Parameters
    ----------
    gram : ndarray of shape (n_columns, n_columns, n_tasks)
        Products of columns, which are divided by `unit`.
    right : ndarray of shape (n_columns, n_tasks)
        Products with the targets.
    square : float
        Sum of squares of the targets.
    weight : float
        Weight of the rows.
    unit : ndarray of shape (n_columns,)
        Roots of the mean squares of the columns in a task.
    n_features : int
        Number of features.
    """

    gram: Array
    right: Array
    square: float
    weight: float
    unit: Array
    n_features: int

    @classmethod
    def of(cls, moments: TaskMoments, has_intercept: bool) -> Self | None:
        """Return the products; None for many, dependent or far columns."""
        d = moments.n_features
        if d + has_intercept > _MOST_COLUMNS or moments.xx is None:
            return None
        own = moments.per_task()
        n, mean = own.weight, own.x_mean
        if has_intercept:
            spread = diagonals(own.xx).sum(axis=0) / n.sum()
            centre = np.average(mean, axis=0, weights=n) ** 2
            if (centre > _OFFSET**2 * spread).any():
                return None
        y_mean = own.y_mean
        if has_intercept:
            y_mean = y_mean - np.average(y_mean, weights=n)
        mean = np.column_stack([mean, np.ones(len(n))])[:, : d + has_intercept].T
        gram = n * mean[:, None] * mean
        gram[:d, :d] += own.xx.transpose(1, 2, 0)
        right = n * mean * y_mean
        right[:d] += own.xy.T
        square = np.einsum("jjt->j", gram) / (n > 0).sum()
        if not (square > TINY_SQUARE).all():
            return None
        unit = np.sqrt(square)
        gram /= (unit * unit[:, None])[:, :, None]
        if not np.linalg.cond(gram.mean(axis=2)) < _SINGULAR:
            return None
        total = float((own.yy + n * y_mean**2).sum())
        return cls(gram, right / unit[:, None], total, float(n.sum()), unit, d)

    def at(
        self, root: Array, alpha_shared: float, noise_variance: float | None = None
    ) -> FewLikelihood:
        """Return the likelihood of a covariance and a ridge on the centre.

        Parameters
        ----------
        root : ndarray of shape (n_columns, n_columns)
            Invertible root of the covariance of coefficients and intercepts, relative
            to the noise.
        alpha_shared : float
            Ridge on the coefficients of the centre.
        noise_variance : float, default=None
            The noise variance, if it is known.
        """
        ridge = np.zeros(len(self.unit))
        ridge[: self.n_features] = alpha_shared / self.unit[: self.n_features] ** 2
        root = self.unit[:, None] * root
        return FewLikelihood(self, root, ridge, noise_variance)


@dataclass(frozen=True)
class FewLikelihood:
    """Restricted likelihood of a covariance of few columns.

    In coordinates in which the covariance is the identity, the products of a task are
    ``G_t``, and rows explain the shares ``F_t = G_t (I + G_t)^-1`` of its variances.

    Parameters
    ----------
    columns : FewColumns
        Products of the columns.
    root : ndarray of shape (n_columns, n_columns)
        Root of the covariance, in units of the columns.
    ridge : ndarray of shape (n_columns,)
        Ridge on the centre in these units.
    known : float or None
        The noise variance, if it is known.
    """

    columns: FewColumns
    root: Array
    ridge: Array
    known: float | None

    @cached_property
    def _solved(self):
        """Inverses of ``I + G_t``, their determinants, the shares, and solutions."""
        root, columns = self.root, self.columns
        gram = _multiply(root.T, columns.gram)
        gram = _multiply(root.T, gram.transpose(1, 0, 2))
        inverse, determinants = _invert(gram)
        right = root.T @ columns.right
        shares = np.eye(len(root))[:, :, None] - inverse
        return right, determinants, shares, right - _apply(shares, right)

    @property
    def shares(self) -> Array:
        """The matrices ``F_t``, (n_columns, n_columns, n_tasks)."""
        shares: Array = self._solved[2]
        return shares

    @cached_property
    def _penalty(self):
        return self.root.T * self.ridge @ self.root

    @cached_property
    def hessian(self) -> Array:
        """Curvature of the centre."""
        return self.shares.sum(axis=2) + self._penalty

    @cached_property
    def _covariance(self):
        return np.linalg.inv(self.hessian)

    @cached_property
    def _centre(self):
        return self._covariance @ self._solved[3].sum(axis=1)

    @property
    def _n_contrasts(self):
        return self.columns.weight - (self.ridge == 0).sum()

    @cached_property
    def _squares(self):
        right, _, _, solved = self._solved
        total = self.columns.square - np.vdot(right, solved)
        total -= self._centre @ solved.sum(axis=1)
        return max(total, EPS * self.columns.square)

    @property
    def noise_variance(self) -> float:
        """Noise variance that maximises the likelihood, or the known one."""
        if self.known is not None:
            return self.known
        return float(self._squares / self._n_contrasts)

    @property
    def criterion(self) -> float:
        """Minus twice the log likelihood, in units of the columns."""
        noise_variance, ridge = self.noise_variance, self.ridge[self.ridge > 0]
        total = self._squares / noise_variance
        total += self._n_contrasts * np.log(2 * np.pi * noise_variance)
        total += self._solved[1].sum() + np.linalg.slogdet(self.hessian)[1]
        total -= 2 * np.linalg.slogdet(self.root)[1] + np.log(ridge).sum()
        return float(total)

    @cached_property
    def gradient(self) -> Array:
        """Derivatives of the criterion by the logarithm of the covariance.

        They are in coordinates in which the covariance is the identity.
        """
        size, shares = len(self.root), self.shares
        taken = _multiply(self._covariance, shares).transpose(1, 0, 2)
        # Shares are symmetric, so their second axis may be summed with the tasks.
        product = shares.reshape(size, -1) @ taken.reshape(size, -1).T
        score = self._solved[3] - _apply(shares, self._centre[:, None])
        found = shares.sum(axis=2) - product - score @ score.T / self.noise_variance
        return (found + found.T) / 2

    @property
    def shared_gradient(self) -> float:
        """Derivative of the criterion by the log of the ridge."""
        penalty = self._penalty
        found = self._centre @ penalty @ self._centre / self.noise_variance
        found += np.vdot(penalty, self._covariance) - (self.ridge > 0).sum()
        return float(found)

    @property
    def information(self) -> Array:
        """Fisher's information on log variances, (n_columns, n_columns)."""
        square = np.einsum("ijt,ijt->ij", self.shares, self.shares)
        if self.known is not None:
            return square
        taken = np.einsum("jjt->j", self.shares)
        return square - np.outer(taken, taken) / self._n_contrasts

    def information_of_root(self, lower: Any) -> Array:
        """Fisher's information on a step of the root, given positions in it.

        The root is a product with the matrix that takes the step from the identity.
        """
        size = len(self.root)
        flat = self.shares.reshape(size**2, -1)
        products = (flat @ flat.T).reshape((size,) * 4)
        (a, b), (c, d) = (each[:, None] for each in lower), lower
        taken = 2 * self.shares.sum(axis=2)[lower]
        square = 2 * (products[b, c, a, d] + products[b, d, a, c])
        return square - np.outer(taken, taken) / self._n_contrasts

    @property
    def shared_information(self) -> float:
        """The same on the log of the ridge."""
        size = (self.ridge > 0).sum()
        shares = size - np.vdot(self._penalty, self._covariance)
        return float(shares**2 / max(size, 1))


def likeliest_covariance(
    columns: FewColumns, start: Array, alpha_shared: float, is_free: bool
) -> tuple[Array, float]:
    """Maximise the likelihood over covariances.

    Parameters
    ----------
    columns : FewColumns
        Products of the columns.
    start : ndarray of shape (n_columns, n_columns)
        First covariance, relative to the noise.
    alpha_shared : float
        Ridge on the centre.
    is_free : bool
        Whether to search for it.

    Returns
    -------
    covariance : ndarray of shape (n_columns, n_columns)
        The likeliest covariance.
    alpha_shared : float
        Ridge on the centre.
    """
    size = len(start)
    lower = np.tril_indices(size)
    unit = columns.unit
    first = triangular_root(start * unit * unit[:, None], _LEAST_VARIANCE)
    first = first / unit[:, None]

    def place(x):
        turn = np.zeros((size, size))
        turn[lower] = x[: len(lower[0])]
        return turn, float(np.exp(x[-1])) if is_free else alpha_shared

    def value(x):
        turn, shared = place(x)
        found = columns.at(first @ turn, shared)
        slope = 2 * np.linalg.inv(turn).T @ found.gradient
        return found.criterion, np.append(
            slope[lower], [found.shared_gradient] * is_free
        )

    found = columns.at(first, alpha_shared)
    information = found.information_of_root(lower)
    x, log = np.eye(size)[lower], np.log(alpha_shared) if is_free else 0.0
    bounds = [(-_FARTHEST, _FARTHEST)] * len(x)
    if is_free:
        information = np.pad(information, (0, 1))
        information[-1, -1] = found.shared_information
        x = np.append(x, log)
        bounds.append((log - _RANGE, log + _RANGE))
    x = minimize_scaled(value, x, bounds, _OPTIONS, information)
    turn, shared = place(x)
    root = first @ turn
    return root @ root.T, shared


def _multiply(matrix, tasks):
    """Return the product of a matrix and the matrix of each task, the last axis."""
    return (matrix @ tasks.reshape(len(matrix), -1)).reshape(tasks.shape)


def _apply(matrices, vectors):
    """Return the product of the matrix and the vector of each task, the last axis."""
    return (matrices * vectors[None]).sum(axis=1)


def _invert(gram):
    """Return ``(I + gram)^-1`` of each task, the last axis, and log determinants.

    It is Gauss-Jordan elimination; without pivots it is stable for positive definite
    matrices.
    """
    inverse = gram.copy()
    size, determinants = len(gram), 0.0
    inverse[np.arange(size), np.arange(size)] += 1.0
    for k in range(size):
        pivot = inverse[k, k].copy()
        determinants = determinants + np.log(pivot)
        row = inverse[k] / pivot
        row[k] = 1 / pivot
        column = inverse[:, k].copy()
        column[k] = 0.0
        inverse[:, k] = 0.0
        inverse -= column[:, None] * row
        inverse[k] = row
    return inverse, determinants
