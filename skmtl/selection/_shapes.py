"""Relative strengths of features, found by restricted likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._numbers import TINY_SQUARE
from skmtl.couplings import Rotation, Strengths

from ._coordinate_search import Axis
from ._reml_covariance import CovarianceLikelihood, CovarianceSearch, Grams

GIVEN = "given"
ONE, PER_FEATURE, COVARIANCE = STRUCTURES = "one", "per_feature", "covariance"
# Exponents of the strengths per feature, and shares of the covariances, to choose from.
SHARES = 0.5, 1.0
# A relative strength that acts as infinite in a search, and the log of the largest
# factor below the grid at which it does. Factors of a path would lose the digits of
# larger ones.
_COMMON, _REACH_OF_COMMON = 1e8, np.log(30.0)
# Smallest variance, relative to the noise of a mean task: smaller ones act as zero.
_LEAST = 1e-4
# Largest log of a relative strength.
_WIDEST = np.log(1e24)
# Largest step of log variances, number of steps, and the last decrease, when the
# likelihood is maximised to find a shape.
_LARGEST_STEP, _N_STEPS, _DECREASE = 2.0, 12, 0.02
# Ridge of Fisher scoring, relative to the mean information.
_RIDGE = 1e-6
# Try a structure if twice the log likelihood may gain this much per parameter, and this
# share of the number of rows, which is about the relative decrease of the error.
_LEAST_GAINS, _LEAST_DECREASE = {PER_FEATURE: 0.5, COVARIANCE: 2.0}, 0.002
# Number of tasks that show whether a structure is promising.
_N_SAMPLED = 128
_ROUGH = {"tol": 1e-7, "max_iter": 60}


@dataclass(frozen=True)
class Shape:
    """Relative strengths of the features, multiplied by one strength.

    Parameters
    ----------
    structure : {"one", "given", "per_feature", "covariance"}, default="one"
        What the shape is.
    share : float, default=0.0
        Share of the differences between features, from 0 to 1: the exponent of their
        strengths, or the share of the covariances that is left.
    pattern : ndarray of shape (n_features,) or None, default=None
        Relative strengths, of geometric mean 1 or given, which may be infinite; None
        for equal ones.
    rotation : Rotation, default=None
        Coordinates of the features; None for the features themselves.
    start : tuple of float, default=()
        Likely strengths, of features and of intercepts.
    """

    structure: str = ONE
    share: float = 0.0
    pattern: Array | None = None
    rotation: Rotation | None = None
    start: tuple[float, ...] = ()

    def turn(self, moments: Any) -> Any:
        """Convert moments to the coordinates of the shape."""
        if self.rotation is None:
            return moments
        return moments.turned(self.rotation.basis, self.rotation.origin)

    def turn_rows(self, X: Array) -> Array:
        """Convert rows of features to the coordinates of the shape."""
        return X if self.rotation is None else self.rotation.turn(X)

    def strengths(
        self, n_features: int, alpha: float, alpha_shared: float, intercept: float
    ) -> Strengths:
        """Return all strengths, as arrays."""
        pattern = np.ones(n_features) if self.pattern is None else self.pattern
        pattern = np.minimum(pattern, _COMMON)
        centre = np.full(n_features, float(alpha_shared))
        return Strengths(
            np.array([alpha], dtype=float),
            pattern,
            centre,
            float(intercept),
            rotation=self.rotation,
        )

    def limit(self, axis: Axis) -> Axis:
        """Return the allowed strengths that keep infinite ones infinite."""
        if self.pattern is None or np.isfinite(self.pattern).all():
            return axis
        return replace(axis, reach=_REACH_OF_COMMON)

    def facts(self, alpha: float, intercept: float) -> dict[str, Any]:
        """Return strengths of features and intercepts as parameters, by name."""
        own: Any = alpha
        if self.pattern is not None:
            own = alpha * self.pattern
        if self.rotation is not None:
            own = self.rotation.precision(own, intercept, intercept > 0)
            intercept = 0.0
        return {
            "alpha_": own,
            "alpha_intercept_": intercept,
            "alpha_structure_": self.structure,
        }


EQUAL = Shape()


@dataclass(frozen=True)
class Products:
    """Products of all rows, in the two coordinates in which shapes are searched.

    Parameters
    ----------
    moments : TaskMoments
        Moments, about zero without intercept.
    fit_intercept : bool
        Whether tasks have an intercept.
    """

    moments: Any
    fit_intercept: bool

    @cached_property
    def plain(self) -> Grams:
        """Products of the features as they are, for variances."""
        origin = np.zeros(self.moments.n_features)
        return Grams.of(self.moments, self.fit_intercept, origin)

    @cached_property
    def centred(self) -> Grams:
        """Products about the mean of the rows, for covariances."""
        if not self.fit_intercept:
            return self.plain
        return Grams.of(self.moments, self.fit_intercept)


@dataclass(frozen=True)
class Shapes:
    """Shapes of the likeliest variances and covariances of some tasks.

    Parameters
    ----------
    products : Products
        Products of the rows of all tasks.
    alpha_shared : float
        Ridge on the centre.
    start : ndarray of shape (n_columns,)
        First variances of coefficients and intercepts, relative to the noise variance,
        in the units of the products.
    tasks : ndarray or slice
        The tasks.
    """

    products: Products
    alpha_shared: float
    start: Array
    tasks: Any

    @classmethod
    def near(cls, moments: Any, fit_intercept: bool, triple: Any) -> Shapes:
        """Return the shapes near one strength for all features."""
        alpha, shared, level = triple
        variances = np.full(moments.n_features, 1 / alpha)
        if fit_intercept:
            variances = np.append(variances, 1 / level)
        products = Products(moments, fit_intercept)
        return cls(products, shared, variances * products.plain.unit**2, slice(None))

    def of_tasks(self, tasks: Array) -> Shapes:
        """Return the shapes of some tasks, searched from those of all."""
        return replace(self, start=np.diag(self._each.covariance), tasks=tasks)

    def of_sample(self) -> Shapes:
        """Return the shapes of at most so many tasks, to see what is promising."""
        n_tasks = len(self.products.plain.weight)
        step = -(-n_tasks // _N_SAMPLED)
        return self if step == 1 else replace(self, tasks=slice(None, None, step))

    def of(self, structure: str) -> list[Shape]:
        """Return the shapes of a structure, "per_feature" or "covariance"."""
        found = self._found(structure)
        return _MAKE[structure](found.grams, found.covariance)

    def of_others(self, structure: str, others: Shapes) -> list[Shape]:
        """Return shapes that other tasks suggest, with the variances of these tasks.

        Only relative variances and correlations are those of the others: the mean
        variance of the features, and that of the intercept, are searched for.
        """
        found, other = self._found(structure), others._found(structure)
        covariance = found.grams.enter(other.grams.leave(other.covariance))
        factors = np.sqrt(self._levels(found.covariance) / self._levels(covariance))
        scaled = covariance * factors * factors[:, None]
        return _MAKE[structure](found.grams, scaled)

    def _levels(self, covariance):
        """Return the mean variance of the features, and that of the intercept."""
        variances, d = np.diag(covariance), self._n_features
        return np.append(np.full(d, variances[:d].mean()), variances[d:])

    def _found(self, structure):
        return self._each if structure == PER_FEATURE else self._full

    @cached_property
    def _grams(self):
        return self.products.plain.select(self.tasks)

    @cached_property
    def _n_features(self):
        return self._grams.n_features

    @cached_property
    def _one(self):
        """Likelihood at the likeliest strength of all features."""
        n_rest = len(self.start) - self._n_features
        groups = np.repeat(
            np.eye(1 + n_rest), [self._n_features] + [1] * n_rest, axis=0
        )
        return climb(self._likelihood(self.start), groups)

    @cached_property
    def _each(self):
        """Likelihood at the likeliest strength of each feature."""
        start = np.diag(self._one.covariance)
        return climb(self._likelihood(start), np.eye(len(start)))

    def _likelihood(self, variances):
        variances = np.diag(np.maximum(variances, _LEAST))
        return CovarianceLikelihood(self._grams, variances, self.alpha_shared)

    @cached_property
    def independent(self) -> CovarianceLikelihood:
        """Likelihood at the likeliest variances, about the mean of the rows."""
        grams = self.products.centred.select(self.tasks)
        start = grams.enter(self._grams.leave(self._each.covariance))
        return CovarianceLikelihood(grams, start, self.alpha_shared)

    @cached_property
    def _full(self):
        """Likelihood at the likeliest covariance, about the mean of the rows."""
        start = self.independent
        shared = start.alpha_shared
        search = CovarianceSearch(
            start.grams, start.covariance, shared, False, **_ROUGH
        )
        return search.search()

    def gain(self, structure: str) -> float:
        """Return twice the gain of the log likelihood over one strength."""
        return self._one.criterion - self._found(structure).criterion

    def n_more(self, structure: str) -> int:
        """Return the number of parameters beyond those of one strength."""
        d, p = self._n_features, len(self.start)
        return {PER_FEATURE: d - 1, COVARIANCE: d - 1 + p * (p - 1) // 2}[structure]

    def is_promising(self, structure: str) -> bool:
        """Return whether a structure may decrease the error by more than it costs.

        A score test approximates twice the gain of the log likelihood over the next
        simpler structure.
        """
        scores = {
            PER_FEATURE: self._score_of_variances,
            COVARIANCE: self._score_crossed,
        }
        return self._is_enough(structure, scores[structure]())

    def is_likely(self, structure: str) -> bool:
        """Return whether the likelihood gains as much as :meth:`is_promising` needs."""
        simpler = self._one if structure == PER_FEATURE else self._each
        found = self._found(structure)
        return self._is_enough(structure, simpler.criterion - found.criterion)

    def _is_enough(self, structure, gain):
        d, p = self._n_features, len(self.start)
        n_more = d - 1 if structure == PER_FEATURE else p * (p - 1) // 2
        least = _LEAST_DECREASE * self._grams.weight.sum()
        return bool(gain > max(_LEAST_GAINS[structure] * n_more, least))

    def _score_of_variances(self):
        """Return the gain by a variance per feature, over one of all features."""
        one = self._one
        variances = np.diag(one.covariance)
        gradient = np.diag(one.gradient) * variances
        square = one.curvature * variances * variances[:, None]
        return gradient @ _solve(square, gradient) / 2

    def _score_crossed(self):
        """Return the gain by covariances, over independent variances."""
        each = self._each
        above = np.triu_indices(len(self.start), 1)
        square = np.maximum(each.crossed_curvature[above], TINY_SQUARE)
        return (each.gradient[above] ** 2 / square).sum()


def shapes_per_feature(grams: Grams, covariance: Array) -> list[Shape]:
    """Return shapes with a strength per feature.

    Parameters
    ----------
    grams : Grams
        Coordinates of the covariance.
    covariance : ndarray of shape (n_columns, n_columns)
        Diagonal covariance, relative to the noise variance.

    Returns
    -------
    list of Shape
        A shape for each share.
    """
    d = grams.n_features
    alphas = grams.unit**2 / np.diag(covariance)
    level = float(alphas[d]) if len(alphas) > d else 0.0
    pattern, mean = _split(alphas[:d])
    return [
        Shape(PER_FEATURE, share, pattern**share, None, (mean, level))
        for share in SHARES
    ]


def _split(alphas):
    """Return relative strengths, within bounds, and their geometric mean."""
    logs = np.log(alphas)
    pattern = np.exp(np.clip(logs - logs.mean(), -_WIDEST, _WIDEST))
    return pattern, float(np.exp(logs.mean()))


def shapes_of_covariance(grams: Grams, covariance: Array) -> list[Shape]:
    """Return shapes with a covariance of coefficients and intercepts.

    Parameters
    ----------
    grams : Grams
        Coordinates of the covariance.
    covariance : ndarray of shape (n_columns, n_columns)
        The covariance, relative to the noise variance.

    Returns
    -------
    list of Shape
        A shape for each share of the covariances.
    """
    independent = np.diag(np.diag(covariance))
    return [
        shape_of_covariance(
            grams, share * covariance + (1 - share) * independent, share
        )
        for share in SHARES
    ]


_MAKE = {PER_FEATURE: shapes_per_feature, COVARIANCE: shapes_of_covariance}


def climb(likelihood: CovarianceLikelihood, groups: Array) -> CovarianceLikelihood:
    """Maximise the likelihood over variances by Fisher scoring.

    Parameters
    ----------
    likelihood : CovarianceLikelihood
        The start, with a diagonal covariance.
    groups : ndarray of shape (n_columns, n_groups)
        Columns of one group have log variances that change together.

    Returns
    -------
    CovarianceLikelihood
        A local optimum, accurate enough for a shape.
    """
    for _ in range(_N_STEPS):
        step = groups @ _scoring_step(likelihood, groups)
        better = _line_search(likelihood, step)
        if better is None:
            break
        decrease = likelihood.criterion - better.criterion
        likelihood = better
        if decrease < _DECREASE:
            break
    return likelihood


def _line_search(likelihood, step):
    """Return a likelier point along a step of log variances, or None."""
    variances = np.diag(likelihood.covariance)
    for size in (1.0, 0.3, 0.1):
        moved = np.maximum(variances * np.exp(size * step), _LEAST)
        found = replace(likelihood, covariance=np.diag(moved))
        if found.criterion < likelihood.criterion:
            return found
    return None


def _scoring_step(likelihood, groups):
    """Return a step of Fisher scoring for log variances of groups."""
    variances = np.diag(likelihood.covariance)
    gradient = groups.T @ (variances * np.diag(likelihood.gradient))
    square = likelihood.curvature * variances * variances[:, None]
    step = -_solve(groups.T @ square @ groups, gradient)
    return np.clip(step, -_LARGEST_STEP, _LARGEST_STEP)


def _solve(square, gradient):
    """Solve with a small ridge, for columns without information."""
    ridge = _RIDGE * np.trace(square) / len(square) + TINY_SQUARE
    return np.linalg.solve(square + ridge * np.eye(len(square)), gradient)


def shape_of_covariance(
    grams: Grams, covariance: Array, share: float = 1.0, least: float = _LEAST
) -> Shape:
    """Return the shape of a covariance of coefficients and intercepts.

    Parameters
    ----------
    grams : Grams
        Coordinates of the covariance.
    covariance : ndarray of shape (n_columns, n_columns)
        The covariance, relative to the noise variance.
    share : float, default=1.0
        Share of the covariances in it.
    least : float
        Smallest variance.

    Returns
    -------
    Shape
        The shape, and the strengths that give the covariance.
    """
    values, vectors = np.linalg.eigh(covariance)
    covariance = (vectors * np.maximum(values, least)) @ vectors.T
    d, unit = grams.n_features, grams.unit
    own, level, origin = covariance[:d, :d], 0.0, np.zeros(d)
    if len(unit) > d:
        line = np.linalg.solve(own, covariance[:d, d])
        level = unit[d] ** 2 / (covariance[d, d] - covariance[d, :d] @ line)
        origin = grams.origin - line * unit[:d] / unit[d]
    basis, sizes, _ = np.linalg.svd(np.linalg.cholesky(own) / unit[:d, None])
    pattern, mean = _split(1 / np.maximum(sizes, TINY_SQUARE) ** 2)
    rotation = Rotation(basis, origin)
    return Shape(COVARIANCE, share, pattern, rotation, (mean, float(level)))
