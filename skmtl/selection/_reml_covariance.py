"""Restricted likelihood of a full covariance of the tasks, squared loss."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize

from skmtl._contracts import Array
from skmtl._linalg import EPS, Semidefinite
from skmtl.data import TaskMoments

# Smallest root variance at which a search starts, relative to the noise of a mean task:
# at zero, the gradient by the root is zero.
_LEAST_ROOT = 0.03
# Bounds of the log strength of the centre, relative to the curvature.
_LOWEST, _HIGHEST = -18.0, 23.0
_START_SHARED = -3.0


@dataclass(frozen=True)
class Grams:
    """Cross products of each task's rows, in units in which curvatures are near one.

    Columns are the features about an origin and, with an intercept, a constant.

    Parameters
    ----------
    xx : ndarray of shape (n_tasks, n_columns, n_columns)
        Products of the columns.
    xy : ndarray of shape (n_tasks, n_columns)
        Products with the target.
    yy : float
        Squares of the target about `y_mean`.
    weight : float
        Weight of the rows.
    unit : ndarray of shape (n_columns,)
        Columns were divided by these.
    origin : ndarray of shape (n_features,)
        Subtracted from the features.
    n_features : int
        Number of features.
    """

    xx: Array
    xy: Array
    yy: float
    weight: float
    unit: Array
    origin: Array
    n_features: int

    @classmethod
    def of(cls, moments: TaskMoments, has_intercept: bool, origin: Any = None) -> Self:
        """Return the products of rows about an origin, by default their mean."""
        own = moments.per_task()
        own = own.select(own.weight > 0)
        n, d = own.weight, own.n_features
        if origin is None:
            origin = np.average(own.x_mean, axis=0, weights=n)
        mean, y_mean = own.x_mean - origin, own.y_mean
        if has_intercept:
            y_mean = y_mean - np.average(y_mean, weights=n)
        size = d + has_intercept
        mean = np.column_stack([mean, np.ones(len(n))])[:, :size]
        xx, xy = n[:, None, None] * mean[:, :, None] * mean[:, None], mean * n[:, None]
        xx[:, :d, :d] += own.xx
        xy = xy * y_mean[:, None]
        xy[:, :d] += own.xy
        unit = np.sqrt(np.einsum("tjj->j", xx) / len(n))
        unit = np.where(unit > 0, unit, 1.0)
        yy = float(own.yy.sum() + (n * y_mean**2).sum())
        xx = xx / unit / unit[:, None]
        return cls(xx, xy / unit, yy, float(n.sum()), unit, origin, d)

    @property
    def jacobian(self) -> Array:
        """Matrix from models of the features to these coordinates."""
        change = np.diag(self.unit)
        if len(self.unit) > self.n_features:
            change[-1, :-1] = self.unit[-1] * self.origin
        return change

    def enter(self, covariance: Array) -> Array:
        """Convert a covariance of coefficients and intercepts to these coordinates."""
        change = self.jacobian
        return change @ covariance @ change.T

    def leave(self, covariance: Array) -> Array:
        """Convert a covariance from these coordinates."""
        change = np.linalg.inv(self.jacobian)
        return change @ covariance @ change.T


@dataclass(frozen=True)
class CovarianceLikelihood:
    """Restricted likelihood of a covariance of coefficients and intercepts.

    Tasks are draws ``theta_t ~ N(theta_s, sigma2 C)``. With ``M_t = (I + S_t C)^-1``
    for the products ``S_t`` of the rows, the centre solves ``H theta_s = sum_t M_t
    q_t`` with ``H = sum_t M_t S_t`` plus its ridge. No inverse of ``C`` is needed, so
    variances may be zero.

    Parameters
    ----------
    grams : Grams
        Products of the rows.
    covariance : ndarray of shape (n_columns, n_columns)
        The covariance ``C``, relative to the noise variance.
    alpha_shared : float
        Ridge on the centre's coefficients, not on its intercept; 0 for a fixed effect.
    """

    grams: Grams
    covariance: Array
    alpha_shared: float = 0.0

    @cached_property
    def _solved(self):
        """Inverses ``M_t``, and ``N_t = M_t S_t``."""
        xx = self.grams.xx
        inverse = np.linalg.inv(np.eye(xx.shape[1]) + xx @ self.covariance)
        own = inverse @ xx
        return inverse, (own + own.transpose(0, 2, 1)) / 2

    @cached_property
    def _ridge(self):
        ridge = np.zeros(len(self.covariance))
        n_features = self.grams.n_features
        ridge[:n_features] = self.alpha_shared / self.grams.unit[:n_features] ** 2
        return ridge

    @cached_property
    def _free(self):
        """Columns of the centre that are not fixed at zero."""
        return np.isfinite(self._ridge)

    @cached_property
    def _centre(self):
        matrix = self._solved[1].sum(axis=0)[self._free][:, self._free]
        return Semidefinite(matrix + np.diag(self._ridge[self._free]))

    @cached_property
    def _centre_covariance(self):
        covariance = np.zeros_like(self.covariance)
        covariance[np.ix_(self._free, self._free)] = self._centre.inverse
        return covariance

    @cached_property
    def _right(self):
        return np.matmul(self._solved[0], self.grams.xy[:, :, None])[:, :, 0]

    @cached_property
    def _shared(self):
        shared = np.zeros(len(self.covariance))
        shared[self._free] = self._centre.solve(self._right.sum(axis=0)[self._free])
        return shared

    @cached_property
    def _n_contrasts(self):
        n_flat = self._centre.rank - (self._ridge[self._free] > 0).sum()
        return self.grams.weight - n_flat

    @cached_property
    def noise_variance(self) -> float:
        """Noise variance that maximises the likelihood."""
        grams = self.grams
        own = np.vdot(grams.xy, self._right @ self.covariance)
        total = grams.yy - own - self._shared @ self._right.sum(axis=0)
        floor = np.maximum(EPS * grams.yy, np.finfo(float).tiny)
        return float(np.maximum(total, floor) / self._n_contrasts)

    @cached_property
    def criterion(self) -> float:
        """Minus twice the restricted log likelihood, in the features' units."""
        n, ridge = self._n_contrasts, self._ridge[self._free]
        total = n * (1 + np.log(2 * np.pi * self.noise_variance))
        total -= np.linalg.slogdet(self._solved[0])[1].sum()
        total += self._centre.log_determinant - np.log(ridge[ridge > 0]).sum()
        total += 2 * np.log(self.grams.unit[self._ridge == 0]).sum()
        return float(total)

    @cached_property
    def information(self) -> Array:
        """Products of rows given the rest of the model, a matrix per task."""
        own = self._solved[1]
        return own - own @ self._centre_covariance @ own

    @cached_property
    def scores(self) -> Array:
        """Products of rows with residuals given the rest, a vector per task."""
        residual = self.grams.xy - self.grams.xx @ self._shared
        return np.matmul(self._solved[0], residual[:, :, None])[:, :, 0]

    @cached_property
    def gradient(self) -> Array:
        """Gradient of the criterion by the covariance, (n_columns, n_columns)."""
        square = self.scores.T @ self.scores / self.noise_variance
        return self.information.sum(axis=0) - square

    @cached_property
    def shared_gradient(self) -> float:
        """Derivative of the criterion by the log of the strength of the centre."""
        ridge = self._ridge[self._free]
        penalty = (ridge * self._shared[self._free] ** 2).sum() / self.noise_variance
        known = (ridge * np.diag(self._centre.inverse)).sum()
        return float(penalty - ((ridge > 0).sum() - known))


@dataclass(frozen=True)
class CovarianceSearch:
    """Maximise the restricted likelihood over covariances.

    Parameters
    ----------
    grams : Grams
        Products of the rows.
    start : ndarray of shape (n_columns, n_columns)
        First covariance, in the coordinates of `grams`.
    alpha_shared : float
        Strength of the ridge on the centre, or its first value.
    free : bool
        Whether to search for the strength of the centre.
    tol : float, default=1e-14
        Relative decrease of the criterion at which the search stops.
    max_iter : int, default=500
        Largest number of iterations.
    """

    grams: Grams
    start: Array
    alpha_shared: float
    free: bool
    tol: float = 1e-14
    max_iter: int = 500

    def search(self) -> CovarianceLikelihood:
        """Return the likelihood at the best covariance."""
        size = len(self.start)
        root = self._root()
        lower = np.tril_indices(size)
        unit = np.log(self.alpha_shared) if self.free else 0.0

        def at(x):
            turned = np.zeros((size, size))
            turned[lower] = x[: len(lower[0])]
            factor = root @ turned
            shared = float(np.exp(x[-1])) if self.free else self.alpha_shared
            return factor, replace(
                found, covariance=factor @ factor.T, alpha_shared=shared
            )

        def value(x):
            factor, likelihood = at(x)
            gradient = 2 * root.T @ likelihood.gradient @ factor
            parts = gradient[lower], [likelihood.shared_gradient] * self.free
            return likelihood.criterion, np.concatenate(parts)

        found = CovarianceLikelihood(self.grams, self.start, self.alpha_shared)
        x = np.concatenate([np.eye(size)[lower], [unit] * self.free])
        bounds = [(None, None)] * len(lower[0])
        bounds += [(unit + _LOWEST, unit + _HIGHEST)] * self.free
        options = {"ftol": self.tol, "gtol": 1e-7, "maxiter": self.max_iter}
        best = minimize(
            value, x, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        return at(best.x)[1]

    def _root(self):
        """Return a root of the start, away from zero variances."""
        values, vectors = np.linalg.eigh(self.start)
        least = _LEAST_ROOT**2
        return np.linalg.cholesky((vectors * np.maximum(values, least)) @ vectors.T)
