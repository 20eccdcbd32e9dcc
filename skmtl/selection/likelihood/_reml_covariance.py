"""Restricted likelihood of a full covariance of the tasks, squared loss."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.optimize import minimize

from skmtl._contracts import Array
from skmtl._linalg import EPS, Semidefinite, diagonalise, diagonals
from skmtl._numbers import TINY_SQUARE
from skmtl.data import TaskMoments

# Smallest root variance at which a search starts, relative to the noise of a mean task:
# at zero, the gradient by the root is zero.
_LEAST_ROOT = 0.03
# Bound of the root covariance, relative to the start.
_FARTHEST = 1e4
# Ridge on the information on variables, relative to it, and at least one.
_FLAT = 1e-6
# Bounds of the log strength of the centre, relative to the curvature.
_LOWEST, _HIGHEST = -18.0, 23.0


@dataclass(frozen=True)
class Units:
    """Coordinates of coefficients and intercepts.

    Parameters
    ----------
    unit : ndarray of shape (n_columns,)
        Columns are divided by these.
    origin : ndarray of shape (n_features,)
        Subtracted from the features.
    n_features : int
        Number of features.
    """

    unit: Array
    origin: Array
    n_features: int

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
class Grams:
    """Roots of each task's cross products, in units in which curvatures are near one.

    Columns are the features about an origin and, with an intercept, a constant.

    Parameters
    ----------
    root : ndarray of shape (n_tasks, n_rows, n_columns)
        Rows ``R_t`` with the same products of columns as those of the task.
    target : ndarray of shape (n_tasks, n_rows)
        Targets ``g_t`` with the same products with the columns.
    rest : ndarray of shape (n_tasks,)
        Squares of the task's targets that are not those of `target`.
    weight : ndarray of shape (n_tasks,)
        Weight of the task's rows.
    unit : ndarray of shape (n_columns,)
        Columns were divided by these.
    origin : ndarray of shape (n_features,)
        Subtracted from the features.
    n_features : int
        Number of features.
    """

    root: Array
    target: Array
    rest: Array
    weight: Array
    unit: Array
    origin: Array
    n_features: int

    @classmethod
    def of(cls, moments: TaskMoments, has_intercept: bool, origin: Any = None) -> Self:
        """Return the products of rows about an origin, by default their mean."""
        own = moments.per_task()
        n, d = own.weight, own.n_features
        if origin is None:
            origin = np.average(own.x_mean, axis=0, weights=n)
        mean, y_mean = own.x_mean - origin, own.y_mean
        if has_intercept:
            y_mean = y_mean - np.average(y_mean, weights=n)
        mean = np.column_stack([mean, np.ones(len(n))])[:, : d + has_intercept]
        xx, xy = n[:, None, None] * mean[:, :, None] * mean[:, None], mean * n[:, None]
        xx[:, :d, :d] += own.xx
        xy = xy * y_mean[:, None]
        xy[:, :d] += own.xy
        square = np.einsum("tjj->j", xx) / (n > 0).sum()
        varies = square > TINY_SQUARE
        if has_intercept:
            varies[:d] &= square[:d] > own.rounding
        unit = np.sqrt(np.where(varies, square, 1.0))
        xx, xy = np.where(varies & varies[:, None], xx, 0.0), np.where(varies, xy, 0.0)
        root, target = _root(xx / unit / unit[:, None], xy / unit)
        root[:, :, ~varies] = 0.0  # eigenvectors have rounding there
        yy = own.yy + n * y_mean**2
        rest = np.maximum(yy - (target**2).sum(axis=1), 0.0)
        return cls(root, target, rest, n, unit, origin, d)

    def select(self, tasks: Any) -> Self:
        """Keep some tasks."""
        return replace(
            self,
            root=self.root[tasks],
            target=self.target[tasks],
            rest=self.rest[tasks],
            weight=self.weight[tasks],
        )

    @property
    def jacobian(self) -> Array:
        """Matrix from models of the features to these coordinates."""
        return self.units.jacobian

    @property
    def units(self) -> Units:
        """The coordinates."""
        return Units(self.unit, self.origin, self.n_features)

    def enter(self, covariance: Array) -> Array:
        """Convert a covariance of coefficients and intercepts to these coordinates."""
        return self.units.enter(covariance)

    def leave(self, covariance: Array) -> Array:
        """Convert a covariance from these coordinates."""
        return self.units.leave(covariance)


def _root(xx, xy):
    """Return rows and targets with these products, as few as the largest rank."""
    values, vectors = diagonalise(xx)
    order = np.argsort(-values, axis=1)[:, : (values > 0).sum(axis=1).max(initial=0)]
    sizes = np.sqrt(np.take_along_axis(values, order, axis=1))
    vectors = np.take_along_axis(vectors, order[:, :, None], axis=1)
    projected = np.matmul(vectors, xy[:, :, None])[:, :, 0]
    target = np.divide(projected, sizes, out=np.zeros_like(sizes), where=sizes > 0)
    return sizes[:, :, None] * vectors, target


@dataclass(frozen=True)
class CovarianceLikelihood:
    """Restricted likelihood of a covariance of coefficients and intercepts.

    Tasks are draws ``theta_t ~ N(theta_s, sigma2 C)``, so ``V_t = I + R_t C R_t'`` is
    the covariance of a task's targets, relative to the noise variance. The centre
    solves ``H theta_s = sum_t R_t' V_t^-1 g_t`` with ``H = sum_t R_t' V_t^-1 R_t`` plus
    its ridge. No inverse of ``C`` is needed, so variances may be zero.

    Parameters
    ----------
    grams : Grams
        Products of the rows.
    covariance : ndarray of shape (n_columns, n_columns)
        The covariance ``C``, relative to the noise variance.
    alpha_shared : float
        Ridge on the centre's coefficients, not on its intercept; 0 for a fixed effect,
        infinite to fix them at zero.
    """

    grams: Grams
    covariance: Array
    alpha_shared: float = 0.0

    @cached_property
    def _variance(self):
        """Covariances ``V_t`` of the tasks' targets."""
        root = self.grams.root
        variance = np.matmul(root @ self.covariance, root.transpose(0, 2, 1))
        diagonals(variance)[...] += 1.0
        return variance

    @cached_property
    def _inverse(self):
        # Trial variances may be large, where inversion by halves loses all digits.
        return np.linalg.inv(self._variance)

    @cached_property
    def _weighted(self):
        """Products ``V_t^-1 R_t``."""
        return self._inverse @ self.grams.root

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
    def _information(self):
        """Sum over tasks of ``R_t' V_t^-1 R_t``."""
        return _sum_products(self.grams.root, self._weighted)

    @cached_property
    def _centre(self):
        matrix = self._information[self._free][:, self._free]
        return Semidefinite(matrix + np.diag(self._ridge[self._free]))

    @cached_property
    def _centre_covariance(self):
        covariance = np.zeros_like(self.covariance)
        covariance[np.ix_(self._free, self._free)] = self._centre.inverse
        return covariance

    @cached_property
    def _right(self):
        """Right side of the centre's normal equations."""
        return np.einsum("tij,ti->j", self._weighted, self.grams.target)

    @cached_property
    def _shared(self):
        shared = np.zeros(len(self.covariance))
        shared[self._free] = self._centre.solve(self._right[self._free])
        return shared

    @cached_property
    def _n_contrasts(self):
        n_flat = self._centre.rank - (self._ridge[self._free] > 0).sum()
        return self.grams.weight.sum() - n_flat

    @cached_property
    def noise_variance(self) -> float:
        """Noise variance that maximises the likelihood."""
        grams = self.grams
        target = grams.target
        own = np.vdot(target, np.matmul(self._inverse, target[:, :, None])[:, :, 0])
        total = grams.rest.sum() + own - self._shared @ self._right
        floor = EPS * (grams.rest.sum() + np.vdot(target, target))
        floor = np.maximum(floor, np.finfo(float).tiny)
        return float(np.maximum(total, floor) / self._n_contrasts)

    @cached_property
    def criterion(self) -> float:
        """Minus twice the restricted log likelihood, in the features' units."""
        n, ridge = self._n_contrasts, self._ridge[self._free]
        total = n * (1 + np.log(2 * np.pi * self.noise_variance))
        total += np.linalg.slogdet(self._variance)[1].sum()
        total += self._centre.log_determinant - np.log(ridge[ridge > 0]).sum()
        total += 2 * np.log(self.grams.unit[self._ridge == 0]).sum()
        return float(total)

    @cached_property
    def curvature(self) -> Array:
        """Sum over tasks of squared elements of ``R_t' V_t^-1 R_t``.

        They are Fisher's information on variances, for twice the log likelihood and a
        known centre.
        """
        return (self._products**2).sum(axis=0)

    @cached_property
    def crossed_curvature(self) -> Array:
        """Fisher's information on covariances, as in `curvature`."""
        diagonal = diagonals(self._products)
        return diagonal.T @ diagonal + self.curvature

    @cached_property
    def _products(self):
        return np.matmul(self.grams.root.transpose(0, 2, 1), self._weighted)

    @cached_property
    def gradient(self) -> Array:
        """Gradient of the criterion by the covariance, (n_columns, n_columns)."""
        root, weighted = self.grams.root, self._weighted
        residual = self.grams.target - root @ self._shared
        scores = np.matmul(residual[:, None], weighted)[:, 0]
        known = np.matmul(root @ self._centre_covariance, root.transpose(0, 2, 1))
        taken = _sum_products(weighted, known @ weighted)
        square = scores.T @ scores / self.noise_variance
        return self._information - taken - square

    @cached_property
    def shared_gradient(self) -> float:
        """Derivative of the criterion by the log of the strength of the centre."""
        ridge = self._ridge[self._free]
        penalty = (ridge * self._shared[self._free] ** 2).sum() / self.noise_variance
        known = (ridge * np.diag(self._centre.inverse)).sum()
        return float(penalty - ((ridge > 0).sum() - known))


def triangular_root(covariance: Array, least: float) -> Array:
    """Return a lower triangular root, with eigenvalues raised to at least a number."""
    values, vectors = np.linalg.eigh(covariance)
    half = vectors * np.sqrt(np.maximum(values, least))
    root: Any = np.linalg.qr(half.T, mode="r")
    root = root.T
    found: Array = root * np.where(np.diag(root) < 0, -1.0, 1.0)
    return found


def minimize_scaled(
    value: Any, start: Array, bounds: Any, options: Any, information: Array | None
) -> Array:
    """Minimise a likelihood by L-BFGS in variables whose information is known.

    Parameters
    ----------
    value : callable
        Function of the variables that returns its value and gradient.
    start : ndarray of shape (n_variables,)
        Where to start.
    bounds : list of (float, float)
        Bounds of the variables.
    options : dict
        Options of ``scipy.optimize.minimize``.
    information : ndarray of shape (n_variables, n_variables) or None
        Fisher's information at the start; None leaves the variables as they are.

    Returns
    -------
    ndarray of shape (n_variables,)
        The minimum.
    """
    if information is None:
        search = {"bounds": bounds, "options": options}
        return minimize(value, start, jac=True, method="L-BFGS-B", **search).x
    ridge = np.diag(np.maximum(np.diag(information) * _FLAT, 1.0))
    root = _invert_root(information + ridge)
    low, high = np.transpose(bounds)

    def scaled(z):
        found, gradient = value(np.clip(start + root @ z, low, high))
        return found, root.T @ gradient

    z = np.zeros(len(start))
    best = minimize(scaled, z, jac=True, method="L-BFGS-B", options=options).x
    return np.clip(start + root @ best, low, high)


def _invert_root(matrix):
    """Return a matrix that turns a positive definite one into the identity."""
    try:
        return np.linalg.inv(np.linalg.cholesky(matrix)).T
    except np.linalg.LinAlgError:  # by the rounding of variances that grow without end
        values, vectors = np.linalg.eigh(matrix)
        return vectors / np.sqrt(np.maximum(values, len(values) * EPS * values[-1]))


def _sum_products(left, right):
    """Return the sum over tasks of ``left_t' right_t``, symmetric."""
    size = left.shape[-1]
    total = left.reshape(-1, size).T @ right.reshape(-1, size)
    return (total + total.T) / 2


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
    information : ndarray of shape (n_variables, n_variables), default=None
        Fisher's information on the variables of the search at its start, which are
        then changed so that it is the identity.
    root : ndarray of shape (n_columns, n_columns), default=None
        Root of the start; None for a lower triangle.
    """

    grams: Grams
    start: Array
    alpha_shared: float
    free: bool
    tol: float = 1e-14
    max_iter: int = 500
    information: Array | None = None
    root: Array | None = None

    @classmethod
    def from_near(cls, grams: Grams, near: Any, shared: float, free: bool) -> Self:
        """Return the search from a covariance that is nearly the likeliest.

        Parameters
        ----------
        grams : Grams
            Products of the rows.
        near : DrawnLikelihood
            The likelihood at the covariance.
        shared : float
            Strength of the ridge on the centre, or its first value.
        free : bool
            Whether to search for the strength of the centre.
        """
        size = len(grams.unit)
        root = grams.jacobian @ near.factor
        # A step T of the root is a step T + T' of the covariance.
        twice = np.where(np.equal(*np.tril_indices(size)), 2.0, 1.0)
        square = near.full_curvature() * twice * twice[:, None]
        if free:
            square = np.pad(square, (0, 1))
            square[-1, -1] = grams.n_features
        return cls(grams, root @ root.T, shared, free, information=square, root=root)

    def search(self) -> CovarianceLikelihood:
        """Return the likelihood at the best covariance."""
        size = len(self.start)
        root = self.root
        if root is None:  # away from zero variances
            root = triangular_root(self.start, _LEAST_ROOT**2)
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
            try:
                gradient = 2 * root.T @ likelihood.gradient @ factor
            except np.linalg.LinAlgError:  # a variance that grows without end
                return np.inf, np.zeros(len(x))
            parts = gradient[lower], [likelihood.shared_gradient] * self.free
            return likelihood.criterion, np.concatenate(parts)

        found = CovarianceLikelihood(self.grams, self.start, self.alpha_shared)
        x = np.concatenate([np.eye(size)[lower], [unit] * self.free])
        bounds: list[Any] = [(-_FARTHEST, _FARTHEST)] * len(lower[0])
        bounds += [(unit + _LOWEST, unit + _HIGHEST)] * self.free
        options = {"ftol": self.tol, "gtol": 1e-7, "maxiter": self.max_iter}
        best = at(minimize_scaled(value, x, bounds, options, self.information))[1]
        # Columns without variation say nothing of their covariances.
        varies: Any = self.grams.root.any(axis=(0, 1))
        known = varies & varies[:, None] | np.eye(size, dtype=bool)
        return replace(best, covariance=np.where(known, best.covariance, 0.0))
