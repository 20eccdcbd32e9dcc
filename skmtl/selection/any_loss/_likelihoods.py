"""Likelihoods of the strengths of mean regularisation, by Laplace's method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._linalg import diagonals

from ..likelihood import PER_FEATURE, LaplaceLikelihood, shape_of_strengths
from ..squared_loss import Contender, Scores, Tried
from ._criteria import LossCriterion, ShapeOfFolds, table_of_errors
from ._grid import LossGrid, WarmStarts
from ._laplace_climb import FIRST, Climb, Solutions, climb_covariance
from ._working_rows import WorkingRows

# With "auto", a structure is tried if its gain, estimated from working responses, is
# above this share of Schwarz's price of its parameters.
_PROMISING = 0.5
# Try infinity for a strength above this factor of the curvature.
_LARGE = 1e3


@dataclass(frozen=True)
class Likelihoods(LossCriterion):
    """Negative logarithms of likelihoods, by Laplace's method.

    Parameters
    ----------
    grid : LossGrid
        Losses of all rows, and strengths.
    """

    grid: LossGrid

    def search(self, is_final: bool = True) -> Scores:
        grid, start = self.grid, self.start
        tried, listed = Tried(self._error), grid.candidates.triples()
        if start is not None:
            listed, best = listed[:0], start.strengths
        else:
            grid.search(tried, refines=not self._may_climb)
            best = tried.best
        if self._may_climb and (is_final or start is None):
            self._climb(tried, best)
        tried(best)
        return table_of_errors(tried, grid, listed)

    def search_shapes(
        self, options: Sequence[ShapeOfFolds], alpha_shared: float, limit: float
    ) -> tuple[Scores, ShapeOfFolds] | None:
        shapes = options[-1]
        is_each = shapes[0].structure == PER_FEATURE
        own, _, level = self.grid.candidates.axes()
        if not (self._may_climb and own.free and (is_each or level.free)):
            return super().search_shapes(options, alpha_shared, limit)
        climb = self._climb_each if is_each else self._climb_full
        return climb(shapes[0], alpha_shared), shapes

    @property
    def _may_climb(self):
        """Whether no strength has a list to choose from."""
        axes = self.grid.candidates.axes()
        return all(axis.free or len(axis.values) == 1 for axis in axes)

    @cached_property
    def _solutions(self):
        """Solutions for all rows, in the coordinates of the features."""
        grid, start = self.grid, self.start
        if start is not None:
            return Solutions(grid.datafit, start.solution)
        unit, of_intercept = grid.units
        return Solutions(grid.datafit, grid.objective(unit, 1.0, of_intercept).start())

    @property
    def _size(self):
        return self.grid.datafit.shape[2]

    @property
    def _pattern(self):
        """Given relative strengths of the features."""
        pattern = self.grid.candidates.shape.pattern
        return np.ones(self.grid.datafit.n_features) if pattern is None else pattern

    def _error(self, alpha, alpha_shared, level):
        own = np.append(alpha * self._pattern, level)[: self._size]
        return -self._solutions.at(own, alpha_shared).value

    def _climb(self, tried, best):
        """Maximise the likelihood over one strength of all features."""
        unit, of_intercept = self.grid.units
        pattern, d = self._pattern, self.grid.datafit.n_features
        alpha, shared, level = self._near(best)
        start = np.append(np.append(alpha * pattern, level)[: self._size], shared)
        units = np.append(np.full(d, unit), of_intercept)[: self._size]
        units = np.append(units, self._unit_of_centre)
        own = np.isfinite(pattern).astype(float)[:, None]
        climb = Climb(self._solutions, start, self._groups(own), units)
        for strengths, error in climb.path():
            if d:
                alpha = (strengths[:d] / pattern).max(
                    initial=0.0, where=pattern < np.inf
                )
            level = strengths[d] if self._size > d else 0.0
            tried.remember((alpha, strengths[-1], level), error)
        self._try_infinite(tried)

    @property
    def _unit_of_centre(self):
        """Curvature of the centre, relative to the root of the number of tasks.

        The strength of the centre is that of one draw, which all tasks inform.
        """
        return self.grid.units[0] * np.sqrt(self.grid.datafit.n_tasks)

    def may_win(self, gain: float, price: float) -> bool:
        return gain > _PROMISING * price

    def near(self, best: Any) -> Any:
        if not self._may_climb:
            return super().near(best)
        return self._near(best)

    def _near(self, best):
        """Return strengths that are not so large that gradients vanish."""
        unit, of_intercept = self.grid.units
        limits = FIRST * np.array([unit, unit, of_intercept])
        axes = self.grid.candidates.axes()
        return tuple(
            min(each, float(limit)) if axis.free else each
            for each, limit, axis in zip(best, limits, axes, strict=True)
        )

    def _groups(self, own):
        """Return which strengths change with the free variables."""
        axes, d = self.grid.candidates.axes(), self.grid.datafit.n_features
        free = [axis.free for axis in axes]
        eye = np.eye(self._size + 1)
        parts = [eye[:, :d] @ own] * free[0] + [eye[:, d:-1]] * free[2]
        groups = np.hstack([*parts, eye[:, -1:][:, : int(free[1])]])
        return groups[:, groups.any(axis=0)]

    def _try_infinite(self, tried):
        """Try infinity for large strengths."""
        limits = _LARGE * np.array(self.grid.units)
        for place, limit in zip((0, 2), limits, strict=True):
            best, axis = tried.best, self.grid.candidates.axes()[place]
            may_be = axis.free and np.isinf(axis.values[-1])
            if may_be and limit < best[place] < np.inf:
                tried((*best[:place], np.inf, *best[place + 1 :]))

    def _climb_each(self, shape, shared):
        """Maximise the likelihood over a strength of each feature."""
        unit, d = self._curvatures, self.grid.datafit.n_features
        alpha, level = shape.start
        own = np.append(alpha * shape.pattern, level)[: self._size]
        is_free = self._groups(np.eye(d)).any(axis=1)[:-1]
        own = np.where(is_free, np.minimum(own, FIRST * unit), own)
        units = np.append(unit, self._unit_of_centre)
        start = np.append(own, shared)
        climb = Climb(self._solutions, start, self._groups(np.eye(d)), units)
        found, error = min(climb.path(), key=lambda each: each[1])
        level = float(found[d]) if self._size > d else 0.0
        shape = shape_of_strengths(found[:d], level)
        triple = shape.start[0], float(found[-1]), level
        return Scores(np.array([triple]), np.array([error]), shape)

    def _climb_full(self, shape, shared):
        """Maximise the likelihood over covariances."""
        is_free = self.grid.candidates.axes()[1].free
        parts = self._solutions, shape, shared, is_free, self._curvatures
        shape, shared, error = climb_covariance(*parts)
        alpha, level = shape.start
        triples = np.array([(alpha, shared, level)])
        return Scores(triples, np.array([error]), shape)

    @property
    def _curvatures(self):
        """Mean curvature of a task along each column, 1 where there is none."""
        datafit = self.grid.datafit
        variable = self._solutions.last
        hessians = datafit.curve(datafit.predict(variable[:-1] + variable[-1]))
        mean = diagonals(hessians)[datafit.task_totals > 0].mean(axis=0)
        mean = mean.reshape(-1, self._size).mean(axis=0)
        mean[: datafit.n_features][~datafit.varies] = 0.0
        return np.where(mean > 0, mean, 1.0)

    def working_of_folds(self, triple: Any) -> list[WorkingRows]:
        return []

    def contend(
        self, scores: Scores, shapes: ShapeOfFolds | None = None, price: float = 0.0
    ) -> Contender:
        schwarz = 2 * scores.errors[scores.best_index] + price
        return Contender(scores, np.array([schwarz]))

    def pick(self, contenders: Sequence[Contender]) -> Contender:
        return min(contenders, key=lambda each: each.error)

    def errors_with(self, shapes: ShapeOfFolds) -> Callable[..., Any]:
        solutions = WarmStarts(self.grid.shaped(shapes[0]), self._of_all.last)

        def error(*strengths):
            solved = solutions.at(*strengths)
            return -LaplaceLikelihood(solved.objective, solved.variable).value

        return error
