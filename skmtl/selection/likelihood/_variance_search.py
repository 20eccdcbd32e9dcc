"""Search of the likeliest strengths of many tasks, by Fisher scoring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl._numbers import INFINITE

from ._drawn_likelihood import DrawnLikelihood, climb
from ._drawn_tasks import Drawing, Drawn
from ._reml_search import EVIDENCE, FLEXIBLE, HOPELESS, LARGE, typical_curvatures

# Smaller standard deviations, relative to the noise of a mean task, act as zero.
_LEAST = 1e-4


@dataclass(frozen=True)
class _Point:
    """A likelihood, and the columns whose variances are zero."""

    likelihood: DrawnLikelihood
    is_zero: Array

    @property
    def criterion(self):
        return self.likelihood.criterion

    @property
    def shared(self):
        return self.likelihood.alpha_shared


@dataclass(frozen=True)
class VarianceSearch:
    """Maximise the restricted likelihood over variances of many tasks.

    It ends where :class:`StrengthSearch` does, and takes fewer evaluations.

    Parameters
    ----------
    drawing : Drawing
        Rows of the tasks.
    per_feature : bool
        Whether each feature has its own variance.
    centre : bool
        Whether to search for the strength of the centre.
    simplify : bool
        Whether to make strengths of flexible fits infinite unless there is evidence
        against it; at least one strength of coefficients stays finite.
    decrease : float
        Stop where a step promises a smaller decrease of the criterion.
    share : float, default=1.0
        Share of all rows that these are, for the evidence that all would be.
    """

    drawing: Drawing
    per_feature: bool
    centre: bool
    simplify: bool
    decrease: float
    share: float = 1.0

    def search(self, near: Drawn) -> list[tuple[Any, float, float, float]]:
        """Return some strengths and their criteria, the best ones last.

        Parameters
        ----------
        near : Drawn
            A solution of the same or other tasks at nearly the best strengths.
        """
        start = DrawnLikelihood(self.drawing.at(near.sizes, near.ridge))
        point = self._climb(_Point(start, np.zeros(self.drawing.n_columns, dtype=bool)))
        total = self.drawing.moments.weight.sum()
        if self.simplify and point.likelihood.drawn.freedom > FLEXIBLE * total:
            return [self._tried(point), self._tried(self._simplified(point))]
        return [self._tried(point), self._tried(self._with_infinite(point))]

    @cached_property
    def _curvature(self):
        """Mean curvature of a task along each column, one where there is none."""
        moments = self.drawing.moments
        mean = typical_curvatures(moments, self.drawing.has_intercept)
        return np.append(mean, moments.weight.mean())[: self.drawing.n_columns]

    @property
    def _groups(self):
        """Columns of each variance, (n_columns, n_groups)."""
        groups, d = np.eye(self.drawing.n_columns), self.drawing.moments.n_features
        if self.per_feature:
            return groups
        return np.column_stack([groups[:, :d].sum(axis=1), groups[:, d:]])

    def _climb(self, point):
        groups = self._groups[:, ~point.is_zero[self._groups.argmax(axis=0)]]
        curvature = self._curvature.copy()
        if not self.per_feature:
            d = self.drawing.moments.n_features
            curvature[:d] = curvature[:d].max(initial=0.0)
        least = np.where(point.is_zero, 0.0, _LEAST / np.sqrt(curvature))
        found = climb(point.likelihood, groups, least, self.decrease, self.centre)
        return replace(point, likelihood=found)

    def _tried(self, point):
        alphas = np.where(point.is_zero, np.inf, 1 / point.likelihood.drawn.sizes**2)
        d = self.drawing.moments.n_features
        alpha = alphas[:d] if self.per_feature else float(alphas[0])
        level = float(alphas[d]) if self.drawing.has_intercept else 0.0
        return alpha, point.shared, level, point.criterion

    def _without_columns(self, point, columns):
        """Return the point with no variance of some columns."""
        drawn = point.likelihood.drawn
        tiny = 1 / np.sqrt(INFINITE * self.drawing.largest)
        sizes = np.where(columns, tiny, drawn.sizes)
        simpler = DrawnLikelihood(self.drawing.at(sizes, drawn.ridge))
        return _Point(simpler, point.is_zero | columns)

    def _without_centre(self, point):
        """Return the point with a centre of zero."""
        drawn = point.likelihood.drawn
        ridge = np.where(drawn.ridge > 0, np.inf, drawn.ridge)
        return replace(point, likelihood=DrawnLikelihood(Drawn(drawn.part, ridge)))

    def _simpler(self, point):
        """Yield strengths relative to the curvature, and points without them."""
        for columns in self._groups.T.astype(bool):
            if not point.is_zero[columns].any():
                size = point.likelihood.drawn.sizes[columns][0]
                curvature = self._curvature[columns].mean()
                simpler = self._without_columns(point, columns)
                yield 1 / (size**2 * curvature), columns[0], simpler
        if self.centre and np.isfinite(point.shared):
            d = self.drawing.moments.n_features
            curvature = self._curvature[:d].mean()
            yield point.shared / curvature, True, self._without_centre(point)

    def _with_infinite(self, point):
        """Make large strengths infinite if the likelihood does not decrease."""
        simpler = [each for each in self._simpler(point) if each[0] > LARGE]
        if not simpler:
            return point
        *_, best = max(simpler, key=lambda each: each[0])
        if best.criterion > point.criterion + 1e-9 * abs(point.criterion):
            return point
        return self._with_infinite(self._climb(best))

    def _simplified(self, point):
        """Make strengths infinite one by one, unless there is evidence against it."""
        n_rows = self.drawing.moments.weight.sum() / self.share
        evidence = EVIDENCE * np.log(n_rows) * self.share
        hopeless = point.criterion + HOPELESS * evidence
        simpler = list(self._simpler(point))
        is_last = sum(is_coef for _, is_coef, _ in simpler) == 1
        simpler = [
            self._climb(each)
            for _, is_coef, each in simpler
            if not (is_coef and is_last) and each.criterion <= hopeless
        ]
        best = min(simpler, key=lambda each: each.criterion, default=None)
        if best is None or not best.criterion <= point.criterion + evidence:
            return point
        return self._simplified(best)
