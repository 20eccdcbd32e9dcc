"""Relative strengths of features, found by restricted likelihood."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import diagonals
from skmtl._numbers import TINY_SQUARE
from skmtl.couplings import Rotation, Strengths

from ..search import Axis, is_costly
from ._drawn_likelihood import DrawnLikelihood, climb, climb_full
from ._drawn_tasks import Drawing, Drawn
from ._reml_covariance import Units

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
# With more tasks, one step of Fisher scoring removes some of them.
_MANY_TASKS = 64
# Roots of the smallest variances at which a search starts, in the same units: of
# features, and of directions in a covariance. At zero, the gradient by the log of a
# variance is zero.
_LEAST_ROOT, _LEAST_OF_FULL = 0.5, 0.5
# Largest log of a relative strength.
_WIDEST = np.log(1e24)
# Stop maximising a likelihood where a step promises a smaller decrease of the
# criterion; for many tasks a decrease per parameter: chance alone changes it by one.
_DECREASE, _DECREASE_OF_MANY = 0.01, 0.03
# Try a structure if twice the log likelihood may gain this much per parameter, and this
# share of the number of rows, which is about the relative decrease of the error.
_LEAST_GAINS, _LEAST_DECREASE = {PER_FEATURE: 0.5, COVARIANCE: 2.0}, 0.002

# Smaller correlations are rounding errors, and would mix a constant with the intercept.
_UNCORRELATED = 1e-10
# Smallest eigenvalue of correlations, above their rounding.
_SINGULAR = 1e-12


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

    def draw(self, drawing: Drawing, triple: Any) -> Drawn:
        """Return the solution of a drawing at three strengths."""
        alpha, alpha_shared, level = triple
        d = drawing.moments.n_features
        strengths = self.strengths(d, 1.0, 0.0, level).pattern * alpha
        if drawing.has_intercept:
            strengths = np.append(strengths, level)
        return drawing.solve(strengths, alpha_shared)

    def columns(self, has_intercept: bool) -> Array | None:
        """Return the coordinates of coefficients and intercepts, one per column."""
        if self.rotation is None:
            return None
        basis, origin = self.rotation.basis, self.rotation.origin
        turn = np.eye(len(basis) + has_intercept)
        d = len(basis)
        turn[:d, :d] = basis
        if has_intercept:
            turn[d, :d] = -origin @ basis
        return turn

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
class Shapes:
    """Shapes of the likeliest variances and covariances of some tasks.

    Parameters
    ----------
    drawing : Drawing
        Rows of the tasks.
    first_shared : float
        Ridge on the centre, or its first value.
    start : ndarray of shape (n_columns,)
        First standard deviations of coefficients and intercepts, relative to that of
        the noise.
    centre : bool, default=False
        Whether to search for the ridge on the centre, at one strength of all features.
    """

    drawing: Drawing
    first_shared: float
    start: Array
    centre: bool = False

    @classmethod
    def near(cls, drawing: Drawing, triple: Any, centre: bool = False) -> Shapes:
        """Return the shapes near one strength for all features."""
        alpha, shared, level = triple
        variances = np.full(drawing.moments.n_features, 1 / alpha)
        if drawing.has_intercept:
            variances = np.append(variances, 1 / level)
        return cls(drawing, shared, np.sqrt(variances), centre)

    @property
    def alpha_shared(self) -> float:
        """Ridge on the centre."""
        return self._one.alpha_shared if self.centre else self.first_shared

    @property
    def strengths(self) -> tuple[float, float, float]:
        """The likeliest strengths of tasks, centre and intercepts, one of each."""
        alphas = 1 / self._one.drawn.sizes**2
        level = float(alphas[-1]) if self.drawing.has_intercept else 0.0
        return float(alphas[0]), self.alpha_shared, level

    def of(self, structure: str) -> list[Shape]:
        """Return the shapes of a structure, "per_feature" or "covariance"."""
        return self._make(structure, self._found(structure).covariance)

    def refitted(self, structure: str, drawing: Drawing) -> list[Shape]:
        """Return the shapes of more tasks, searched from those of these tasks."""
        found = self.likeliest(structure, drawing).covariance
        return self._of(drawing)._make(structure, found)

    def _decrease(self, n_parameters):
        """Return the decrease of the criterion at which a search stops."""
        if not is_costly(self.drawing.moments):
            return _DECREASE
        return _DECREASE_OF_MANY * n_parameters

    def _climb(self, structure, covariance, is_first=False):
        """Return the likeliest variances or covariance near a start."""
        p = len(self.start)
        decrease = self._decrease(p if structure == PER_FEATURE else p * (p + 1) // 2)
        if structure == PER_FEATURE:
            start = self._at(
                np.sqrt(np.diag(covariance)), self.alpha_shared, self._away
            )
            corrects = is_costly(self.drawing.moments)
            return climb(start, np.eye(p), self._least, decrease, corrects=corrects)
        if is_first:
            inner = self.units.enter(covariance)
            inner += _LEAST_OF_FULL**2 * np.eye(len(inner))
            covariance = self.units.leave(inner)
        start = DrawnLikelihood.of_covariance(
            self.drawing, covariance, self.alpha_shared, self._least
        )
        return climb_full(start, self._least, decrease)

    def of_others(self, structure: str, others: Array) -> list[Shape]:
        """Return shapes that other tasks suggest, with the variances of all tasks.

        Only relative variances and correlations are those of the others: the mean
        variance of the features, and that of the intercept, are known well.
        """
        covariance = self.units.enter(self._without(structure, others))
        whole = self.units.enter(self._found(structure).covariance)
        factors = np.sqrt(self._levels(whole) / self._levels(covariance))
        covariance = covariance * factors * factors[:, None]
        return self._make(structure, self.units.leave(covariance))

    def _without(self, structure, others):
        """Return the likeliest covariance of other tasks, nearly so for many tasks.

        One step of Fisher scoring removes a task among many.
        """
        found, is_diagonal = self._found(structure), structure == PER_FEATURE
        step = found.full_step(others) if not is_diagonal else None
        if is_diagonal:
            step = np.diag(found.step(np.eye(len(self.start)), others))
        covariance = found.covariance_after(step)
        if len(others) > _MANY_TASKS or is_costly(self.drawing.moments):
            return covariance
        some = self._of(self.drawing.of_tasks(np.flatnonzero(others)))
        return some._climb(structure, covariance).covariance

    def _make(self, structure, covariance):
        if structure == PER_FEATURE:
            return shapes_per_feature(np.diag(covariance), self._n_features)
        return shapes_of_covariance(self.units, self.units.enter(covariance))

    def _levels(self, covariance):
        """Return the mean variance of the features, and that of the intercept."""
        variances, d = np.diag(covariance), self._n_features
        return np.append(np.full(d, variances[:d].mean()), variances[d:])

    @property
    def _n_features(self):
        return int(self.drawing.moments.n_features)

    @cached_property
    def units(self) -> Units:
        """Coordinates about the mean of the rows, with curvatures near one."""
        has_intercept = self.drawing.has_intercept
        origin = self._mean if has_intercept else np.zeros(self._n_features)
        return Units(self._size_of_rows(origin), origin, self._n_features)

    def _size_of_rows(self, origin):
        """Return roots of mean squares of the columns about an origin."""
        n = self.drawing.moments.weight
        square = np.append(self._squares(origin), n.sum() / (n > 0).sum())
        square = square[: self.drawing.n_columns]
        # A column without variation would else get the largest variance of all.
        varies = square > TINY_SQUARE
        varies[: self._n_features] &= self._varies
        return np.sqrt(np.where(varies, square, np.maximum(square, 1.0)))

    @cached_property
    def _varies(self):
        """Whether each feature varies; without an intercept, whether it is not zero."""
        if not self.drawing.has_intercept:
            return self._squares(np.zeros(self._n_features)) > TINY_SQUARE
        return self._squares(self._mean) > self.drawing.moments.rounding

    def _squares(self, origin):
        """Return the squares of the features about an origin, of a mean task."""
        moments, n = self.drawing.moments, self.drawing.moments.weight
        square = diagonals(moments.xx).sum(axis=0) + n @ (moments.x_mean - origin) ** 2
        return square / (n > 0).sum()

    @property
    def _mean(self):
        moments = self.drawing.moments
        return np.average(moments.x_mean, axis=0, weights=moments.weight)

    @cached_property
    def _least(self):
        """Smallest standard deviations: smaller ones act as zero."""
        return np.sqrt(_LEAST) / self._size_of_rows(0.0)

    def _found(self, structure):
        if structure == ONE:
            return self._one
        return self._each if structure == PER_FEATURE else self._full

    @property
    def _away(self):
        """Smallest standard deviations at a start, where gradients are not zero."""
        return _LEAST_ROOT / self._size_of_rows(0.0)

    @cached_property
    def _one(self):
        """Likelihood at the likeliest strength of all features."""
        n_rest = len(self.start) - self._n_features
        groups = np.repeat(
            np.eye(1 + n_rest), [self._n_features] + [1] * n_rest, axis=0
        )
        away, least = self._alike(self._away), self._alike(self._least)
        start = self._at(self.start, self.first_shared, away)
        decrease = self._decrease(groups.shape[1])
        corrects = self.centre or is_costly(self.drawing.moments)
        return climb(start, groups, least, decrease, self.centre, corrects)

    def _alike(self, sizes):
        """Return deviations that are the same for all features, the smallest."""
        d = self._n_features
        return np.append(np.full(d, sizes[:d].min(initial=np.inf)), sizes[d:])

    def _at(self, sizes, shared, away):
        ridge = self.drawing.ridge(shared)
        return DrawnLikelihood(self.drawing.at(np.maximum(sizes, away), ridge))

    @cached_property
    def _each(self):
        """Likelihood at the likeliest strength of each feature."""
        return self._climb(PER_FEATURE, self._one.covariance)

    @cached_property
    def _full(self):
        """Likelihood at the likeliest covariance."""
        return self._climb(COVARIANCE, self._each.covariance, is_first=True)

    def likeliest(
        self, structure: str, drawing: Drawing | None = None
    ) -> DrawnLikelihood:
        """Return the likelihood at the best variances or covariance, of all tasks."""
        found = self._found(structure)
        if drawing is None:
            return found
        return self._of(drawing)._climb(structure, found.covariance)

    def climb_covariance(
        self, drawing: Drawing, decrease: float, centre: bool
    ) -> DrawnLikelihood:
        """Return the likelihood at the best covariance of all tasks, accurately.

        Parameters
        ----------
        drawing : Drawing
            Rows of all tasks.
        decrease : float
            Stop where a step promises a smaller decrease of the criterion.
        centre : bool
            Whether to search for the ridge on the centre.
        """
        near, least = self.likeliest(COVARIANCE, drawing), self._of(drawing)._least
        return climb_full(near, least, decrease, centre)

    def _of(self, drawing):
        """Return the same shapes of other tasks, with the ridge of these."""
        shared = self.alpha_shared
        return replace(self, drawing=drawing, first_shared=shared, centre=False)

    def gain(self, structure: str) -> float:
        """Return twice the gain of the log likelihood over one strength."""
        return self._one.criterion - self._found(structure).criterion

    def n_more(self, structure: str) -> int:
        """Return the number of parameters beyond those of one strength."""
        d = int(self._varies.sum())
        p = d + self.drawing.has_intercept
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

    def is_worthwhile(self, structure: str) -> bool:
        """Return whether a structure gains enough, by a score test and when fitted."""
        return self.is_promising(structure) and self.is_likely(structure)

    def _is_enough(self, structure, gain):
        n_more = self.n_more(structure)
        if structure == COVARIANCE:
            n_more -= self.n_more(PER_FEATURE)
        least = _LEAST_DECREASE * self.drawing.moments.weight.sum()
        return bool(gain > max(_LEAST_GAINS[structure] * n_more, least))

    def _score_of_variances(self):
        """Return the gain by a variance per feature, over one of all features."""
        one = self._one
        return one.slopes() @ -one.step(np.eye(len(self.start))) / 2

    def _score_crossed(self):
        """Return the gain by covariances, over independent variances."""
        each = self._each
        above = np.triu_indices(len(self.start), 1)
        square = np.maximum(each.crossed_curvature()[above], TINY_SQUARE)
        return (each.gradient()[above] ** 2 / square).sum()


def shape_of_strengths(alphas: Array, level: float) -> Shape:
    """Return the shape of a strength per feature, and one of intercepts."""
    pattern, mean = _split(alphas)
    return Shape(PER_FEATURE, 1.0, pattern, None, (mean, level))


def shapes_per_feature(variances: Array, n_features: int) -> list[Shape]:
    """Return shapes with a strength per feature.

    Parameters
    ----------
    variances : ndarray of shape (n_columns,)
        Variances of coefficients and intercepts, relative to the noise variance.
    n_features : int
        Number of features.

    Returns
    -------
    list of Shape
        A shape for each share.
    """
    alphas = 1 / variances
    level = float(alphas[n_features]) if len(alphas) > n_features else 0.0
    pattern, mean = _split(alphas[:n_features])
    return [
        Shape(PER_FEATURE, share, pattern**share, None, (mean, level))
        for share in SHARES
    ]


def _split(alphas):
    """Return relative strengths, within bounds, and their geometric mean."""
    logs = np.log(alphas)
    pattern = np.exp(np.clip(logs - logs.mean(), -_WIDEST, _WIDEST))
    return pattern, float(np.exp(logs.mean()))


def shapes_of_covariance(units: Units, covariance: Array) -> list[Shape]:
    """Return shapes with a covariance of coefficients and intercepts.

    Parameters
    ----------
    units : Units
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
            units, share * covariance + (1 - share) * independent, share
        )
        for share in SHARES
    ]


def shape_of_covariance(
    units: Units, covariance: Array, share: float = 1.0, least: float = _LEAST
) -> Shape:
    """Return the shape of a covariance of coefficients and intercepts.

    Parameters
    ----------
    units : Units
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
    covariance = _raise_eigenvalues(covariance, least)
    sizes = np.sqrt(np.diag(covariance))
    correlation = covariance / sizes / sizes[:, None]
    correlation[np.abs(correlation) <= _UNCORRELATED] = 0.0
    correlation = _raise_eigenvalues(correlation, _SINGULAR)
    covariance = correlation * sizes * sizes[:, None]
    d, unit = units.n_features, units.unit
    own, level, origin = covariance[:d, :d], 0.0, np.zeros(d)
    if len(unit) > d:
        line = np.linalg.solve(own, covariance[:d, d])
        level = unit[d] ** 2 / (covariance[d, d] - covariance[d, :d] @ line)
        origin = units.origin - line * unit[:d] / unit[d]
    basis, sizes, _ = np.linalg.svd(np.linalg.cholesky(own) / unit[:d, None])
    pattern, mean = _split(1 / np.maximum(sizes, TINY_SQUARE) ** 2)
    rotation = Rotation(basis, origin)
    return Shape(COVARIANCE, share, pattern, rotation, (mean, float(level)))


def _raise_eigenvalues(matrix, least):
    """Return a symmetric matrix whose eigenvalues are at least a number."""
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= least:
        return matrix.copy()
    return (vectors * np.maximum(values, least)) @ vectors.T
