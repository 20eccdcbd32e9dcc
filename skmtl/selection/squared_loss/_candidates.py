"""Lists of the three strengths of mean regularisation, and solutions at them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._numbers import INFINITE
from skmtl.problems.exact import MeanFit, factor_path

from ..likelihood import EQUAL, Shape
from ..search import BOTH_ENDS, Axis, read_grid
from ._centre_profile import MeanFitProfile

LISTS = "alphas", "alphas_shared", "alphas_intercept"
# Number of values of alpha whose factorisations are kept; a search alternates between
# neighbours.
_N_KEPT = 3
# With a smaller share of residual degrees of freedom, a small error is due to chance.
FEW_LEFT = 0.1


@dataclass(frozen=True)
class Candidates:
    """Triples of strengths; those of the centre vary fastest.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths of the penalty to the centre, positive, possibly infinite.
    alphas_shared : ndarray of shape (n_alphas_shared,)
        Strengths of the ridge on the centre, 0 or more, possibly infinite.
    alphas_intercept : ndarray of shape (n_alphas_intercept,)
        Strengths of the penalty on differences of intercepts, 0 or more, possibly
        infinite.
    fit_intercept : bool
        Whether tasks have an intercept.
    free : tuple of bool, default=(False, False, False)
        Whether values between the listed strengths are candidates too: of `alphas`,
        `alphas_shared`, `alphas_intercept`.
    zero : bool, default=True
        Whether 0 is one of the free strengths of the centre.
    shape : Shape
        Relative strengths of the features; by default all are equal.
    """

    alphas: Array
    alphas_shared: Array
    alphas_intercept: Array
    fit_intercept: bool
    free: tuple[bool, ...] = (False, False, False)
    zero: bool = True
    shape: Shape = EQUAL

    @property
    def lists(self) -> tuple[Array, Array, Array]:
        """Strengths of tasks, centre and intercepts."""
        return self.alphas, self.alphas_shared, self.alphas_intercept

    @property
    def may_be_simpler(self) -> bool:
        """Whether strengths other than the centre's may become infinite."""
        return self.free[1] and any(self.free[::2])

    def restrict(self, is_infinite: Iterable[bool]) -> "Candidates":
        """Replace free lists by infinity, for each of the three where it is true."""
        alphas, shared, intercepts = (
            np.array([np.inf]) if infinite and free else values
            for values, infinite, free in zip(
                self.lists, is_infinite, self.free, strict=True
            )
        )
        return replace(
            self,
            alphas=alphas,
            alphas_shared=shared,
            alphas_intercept=intercepts,
        )

    def without_infinite(self) -> "Candidates":
        """Return the candidates with finite strengths of tasks and intercepts."""
        alphas, intercepts = (
            values[np.isfinite(values)] if is_free else values
            for values, is_free in zip(self.lists[::2], self.free[::2], strict=True)
        )
        return replace(self, alphas=alphas, alphas_intercept=intercepts)

    def triples(self) -> Array:
        """Return (alpha, alpha_shared, alpha_intercept) of each, (n_candidates, 3)."""
        lists = self.alphas, self.alphas_intercept, self.alphas_shared
        grids = np.meshgrid(*lists, indexing="ij")
        return np.stack([grids[0], grids[2], grids[1]], axis=-1).reshape(-1, 3)

    def axes(self) -> list[Axis]:
        """Return the axis of each strength, in the order of the triples."""
        free = [
            is_free and bool(np.isfinite(values[0]))
            for values, is_free in zip(self.lists, self.free, strict=True)
        ]
        zero = False, self.zero, False
        own, *others = map(Axis, self.lists, free, zero)
        return [self.shape.limit(own), *others]

    def factor(self, moments: Any) -> "FactoredMoments":
        """Factor moments about the means for all candidates."""
        moments = moments if self.fit_intercept else moments.about_zero()
        return FactoredMoments(self.shape.turn(moments), self.fit_intercept, self.shape)


def list_candidates(
    given: Sequence[Any],
    defaults: Sequence[Array],
    fit_intercept: bool,
    weight: Array,
    ends: tuple[bool, bool] = BOTH_ENDS,
    zero: bool = True,
) -> Candidates:
    """Return the given lists of strengths, and defaults for the others.

    A single task has strengths of the centre only. Models without intercepts have 0 as
    the strength of intercepts.

    Parameters
    ----------
    given : sequence of (array-like or None)
        `alphas`, `alphas_shared` and `alphas_intercept`; None for defaults.
    defaults : sequence of ndarray
        Lists for those that are not given.
    fit_intercept : bool
        Whether tasks have an intercept.
    weight : ndarray of shape (n_tasks,)
        Weight of the rows of each task.
    ends : tuple of bool, default=(True, True)
        Whether listed strengths of the centre may be infinite and 0.
    zero : bool, default=True
        Whether 0 is one of the free strengths of the centre.

    Returns
    -------
    Candidates
        The lists.
    """
    alphas, shared, intercepts = defaults
    infinite = np.array([np.inf])
    is_single = (weight > 0).sum() == 1
    if is_single:
        alphas = intercepts = infinite
    elif given[0] is not None:
        alphas = read_grid(given[0], LISTS[0], infinite=True)
    if given[1] is not None:
        shared = read_grid(given[1], LISTS[1], *ends)
    if not fit_intercept:
        intercepts = np.zeros(1)
    elif given[2] is not None and not is_single:
        intercepts = read_grid(given[2], LISTS[2], infinite=True)
    free = tuple(each is None for each in given)
    lists = alphas, shared, intercepts
    return Candidates(*lists, fit_intercept, free, zero)


@dataclass(frozen=True)
class FactoredMoments:
    """Moments that are factored once, and solved at any strengths.

    Parameters
    ----------
    moments : TaskMoments
        About the means, or about zero without intercept; in the coordinates of the
        shape.
    fit_intercept : bool
        Whether tasks have an intercept.
    shape : Shape
        Relative strengths of the features.
    """

    moments: Any
    fit_intercept: bool
    shape: Shape

    @cached_property
    def blocks(self) -> Any:
        """Blocks of the tasks, factored for any alpha."""
        return factor_path(self.moments, self._strengths(1.0, 0.0, 0.0))

    def _strengths(self, *triple):
        return self.shape.strengths(self.moments.n_features, *triple)

    @cached_property
    def _infinite(self):
        """A finite strength that acts as infinite."""
        curvatures = self.moments.curvatures
        if self.shape.pattern is not None:
            curvatures = curvatures / self.shape.pattern
        highest = curvatures.max(initial=0.0)
        return INFINITE * (highest if highest > 0 else 1.0)

    @cached_property
    def _blocks_at(self):
        """Memoised function from alpha to blocks."""
        blocks = self.blocks
        return lru_cache(_N_KEPT)(lambda alpha: blocks.at(np.array([alpha])))

    def fit(self, alpha: float, alpha_shared: float, alpha_intercept: float) -> MeanFit:
        """Return the solution at three strengths."""
        alpha = min(float(alpha), self._infinite)
        strengths = self._strengths(alpha, alpha_shared, alpha_intercept)
        return MeanFit(
            self.moments, self._blocks_at(alpha), strengths, self.fit_intercept
        )

    def fits(self, triples: Iterable[Any]) -> Iterator[MeanFit]:
        """Yield the solution at each triple of strengths."""
        return (self.fit(*each) for each in triples)

    def generalised(self) -> Callable[..., float]:
        """Return the function from strengths to generalised cross-validation."""
        n = self.moments.weight.sum()

        @lru_cache(1)  # strengths of the centre vary fastest
        def profile(alpha, alpha_intercept):
            return MeanFitProfile(self.fit(alpha, 0.0, alpha_intercept))

        def error(alpha, alpha_shared, alpha_intercept):
            errors, freedom = profile(alpha, alpha_intercept).at(alpha_shared)
            n_left = n - freedom
            return n * errors / n_left**2 if n_left > FEW_LEFT * n else np.inf

        return error


def suggest_alphas(moments: Any, n_alphas: int) -> Array:
    """Return strengths from nearly independent to nearly equal tasks.

    They are 1e-3 to 1e4 times the mean curvature of a task along a feature.

    Parameters
    ----------
    moments : TaskMoments
        Moments with their matrices.
    n_alphas : int
        Number of strengths.

    Returns
    -------
    ndarray of shape (n_alphas,)
        Strengths, increasing.
    """
    return np.geomspace(1e-3, 1e4, n_alphas) * mean_curvature(moments)


def mean_curvature(moments: Any) -> float:
    """Return the mean diagonal of the tasks' scatters, or 1 if it is zero.

    Parameters
    ----------
    moments : TaskMoments
        Moments with their matrices.

    Returns
    -------
    float
        The curvature.
    """
    found = moments.curvatures
    found = found[moments.weight[: len(found)] > 0]
    unit = found.sum(axis=1).mean() / max(moments.width or moments.n_features, 1)
    return float(unit) if unit > 0 else 1.0


def suggest_intercept_alphas(moments: Any, n_alphas: int) -> Array:
    """Return strengths of the penalty on intercepts, the last one infinite.

    They are 1e-3 to 10 times the mean weight of a task.

    Parameters
    ----------
    moments : TaskMoments
        Moments.
    n_alphas : int
        Number of strengths.

    Returns
    -------
    ndarray of shape (n_alphas,)
        Strengths, increasing.
    """
    unit = moments.weight[moments.weight > 0].mean()
    return np.append(np.geomspace(1e-3, 10, n_alphas - 1) * unit, np.inf)
