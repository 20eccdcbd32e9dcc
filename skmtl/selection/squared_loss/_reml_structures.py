"""Structures of the strengths with the largest restricted likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from skmtl.problems.exact import reduce_moments

from ..likelihood import (
    COVARIANCE,
    EQUAL,
    ONE,
    PER_FEATURE,
    CovarianceLikelihood,
    CovarianceSearch,
    Drawing,
    FewColumns,
    Grams,
    Shape,
    Shapes,
    StrengthSearch,
    VarianceSearch,
    likeliest_covariance,
    shape_of_covariance,
)
from ._candidates import mean_curvature
from ._results import LIKELIHOOD, STRENGTHS, Results
from ._structures import AUTO, FEWEST_TASKS, MOST_FEATURES, PER_TASK, equal_tasks

# Number of tasks by which likelihoods are maximised roughly.
_N_SAMPLED = 256
# Gains of twice a log likelihood by some tasks that differ by less are uncertain.
_CLEAR = 50.0
# With more tasks, strengths are searched from those that some tasks suggest, until a
# step promises a smaller decrease of the criterion: less than a hundredth of a standard
# error of the log strengths.
_FEW_TASKS, _DECREASE, _ROUGHLY = 64, 1e-5, 0.1
# Smallest variance in a covariance, relative to the noise of a mean task.
_LEAST = 1e-9
# Search again by roots of the covariance, which may be singular, if a variance is
# smaller than this, or if tasks are few.
_SMALL = 1e-2
# Means in standard deviations beyond which a feature is far from zero.
_FAR = 3.0


@dataclass(frozen=True)
class Likely:
    """Strengths of one structure, with their likelihoods.

    Parameters
    ----------
    structure : {"one", "per_feature", "covariance"}
        The structure.
    triples : list of tuple
        Strengths of tasks, of the centre and of intercepts.
    criteria : list of float
        Minus twice the log likelihoods.
    best : int
        Position of the best strengths.
    shape : Shape
        Relative strengths of the features at the best strengths.
    """

    structure: str
    triples: list[Any]
    criteria: list[float]
    best: int
    shape: Shape = EQUAL

    @property
    def criterion(self) -> float:
        """The smallest criterion."""
        return self.criteria[self.best]

    @property
    def facts(self) -> dict[str, Any]:
        """The best strengths as parameters, by name."""
        alpha, shared, level = self.triples[self.best]
        facts = self.shape.facts(alpha, level)
        return facts | {"alpha_shared_": shared, "alpha_structure_": self.structure}


@dataclass(frozen=True)
class LikelihoodSearch:
    """Choose strengths and their structure by restricted likelihood.

    Parameters
    ----------
    moments : TaskMoments
        Moments, about zero without intercept.
    fit_intercept : bool
        Whether tasks have an intercept.
    alphas_shared : list of (float or None)
        Strengths of the centre; ``[None]`` searches for one.
    structure : {"auto", "one", "per_feature", "covariance"}
        The structure asked for.
    data : TaskData or None, default=None
        The rows, None if tasks share them.
    """

    moments: Any
    fit_intercept: bool
    alphas_shared: Sequence[Any]
    structure: str
    data: Any = None

    def search(self) -> tuple[Results, int, dict[str, Any]]:
        """Return the likelihoods, the position of the best, and its strengths.

        With "auto", a structure needs a larger likelihood by Schwarz's criterion.
        """
        if self.structure == PER_FEATURE:
            found = [self._per_feature(self.alphas_shared)]
        elif self.structure == COVARIANCE:
            found = [self._one, self._covariance]
        else:
            found = [self._one, *self._more_likely()]
        chosen = found[-1]
        if self.structure == AUTO:
            chosen = min(found, key=self._schwarz)
        if chosen.structure == ONE and self._decrease > _DECREASE:
            chosen = found[0] = self._ones(_DECREASE)
        tables = [each for each in found if each is not chosen] + [chosen]
        n_before = sum(len(each.criteria) for each in tables[:-1])
        return self._results(tables), n_before + chosen.best, chosen.facts

    def _results(self, tables):
        triples = [triple for each in tables for triple in each.triples]
        alphas, *others = zip(*triples, strict=True)
        columns = [[_overall(alpha) for alpha in alphas], *others]
        criteria = np.concatenate([each.criteria for each in tables])
        sizes = [len(each.criteria) for each in tables]
        names = np.repeat([each.structure for each in tables], sizes)
        return Results(
            dict(zip(STRENGTHS, columns, strict=True)),
            -criteria / 2,
            LIKELIHOOD,
            notes={"alpha_structure": names},
        )

    @cached_property
    def _one(self):
        return self._ones(self._decrease)

    @property
    def _decrease(self):
        """Accuracy of one strength, which need not be high for comparisons."""
        return (
            _ROUGHLY if self.structure == AUTO and self._has_many_tasks else _DECREASE
        )

    def _ones(self, decrease):
        found = [self._search(each, False, decrease) for each in self.alphas_shared]
        return _join(ONE, found)

    def _per_feature(self, alphas_shared):
        found = [self._search(each, True, _DECREASE) for each in alphas_shared]
        return _join(PER_FEATURE, found)

    def _search(self, shared, per_feature, decrease):
        """Return strengths that were tried at one strength of the centre or any."""
        is_free = shared is None
        simplify = is_free and not per_feature
        search = StrengthSearch(
            self.moments, shared, self.fit_intercept, per_feature, simplify
        )
        if search.likeliest is not None:
            return search.search()
        if not self._has_many_tasks:
            if not per_feature:
                reduced = reduce_moments(self.moments, self.data)
                search = replace(search, moments=reduced)
            return search.search()
        near = self._shapes_at(shared).likeliest(PER_FEATURE if per_feature else ONE)
        return VarianceSearch(
            self._drawing, per_feature, is_free, simplify, decrease
        ).search(near.drawn)

    @cached_property
    def _has_many_tasks(self):
        """Whether to search from the strengths that some tasks suggest."""
        moments = self.moments
        if moments.xx is None or len(moments.xx) < moments.n_tasks:
            return False
        is_seen = moments.weight > 0
        many = is_seen.all() and is_seen.sum() > _FEW_TASKS
        return bool(many and self._drawing.is_accurate)

    @cached_property
    def _drawing(self):
        return Drawing(self.data, self.moments.per_task(), self.fit_intercept)

    @cached_property
    def _shapes_at(self):
        """Return shapes of some of the tasks at a strength of the centre or any."""
        sample = self._drawing.sample(_N_SAMPLED)
        unit, weight = mean_curvature(self.moments), self.moments.weight.mean()

        def near(shared):
            is_free = shared is None
            typical = unit, unit if is_free else shared, weight
            return Shapes.near(sample, typical, centre=is_free)

        return lru_cache(None)(near)

    @cached_property
    def _shapes(self):
        """Shapes of some of the tasks, which are enough to see what is promising."""
        best = self._one.triples[self._one.best]
        if self._has_many_tasks:
            return self._shapes_at(
                best[1] if self.alphas_shared[0] is not None else None
            )
        return Shapes.near(self._drawing.sample(_N_SAMPLED), best)

    @cached_property
    def _covariance(self):
        """The likeliest covariance, searched from that of some of the tasks."""
        one = self._one.triples[self._one.best]
        if self._n_seen <= 1:
            shape, triple = equal_tasks(COVARIANCE, self.moments, one)
            return Likely(COVARIANCE, [tuple(triple)], [self._one.criterion], 0, shape)
        shared, units = one[1], self._shapes.units
        free = self.alphas_shared[0] is None and 0 < shared < np.inf
        found: Any = self._covariance_of_few_columns(one, free)
        if found is not None:
            units, covariance = found.grams.units, found.covariance
        else:
            found = self._shapes.climb_covariance(self._drawing, _DECREASE, free)
            covariance = units.enter(found.covariance)
            if not self._has_many_tasks or np.linalg.eigvalsh(covariance)[0] < _SMALL:
                grams = Grams.of(self.moments, self.fit_intercept)
                found = CovarianceSearch.from_near(grams, found, shared, free).search()
                units, covariance = grams.units, found.covariance
        shape = shape_of_covariance(units, covariance, least=_LEAST)
        alpha, level = shape.start
        triple = alpha, found.alpha_shared, level
        return Likely(COVARIANCE, [triple], [found.criterion], 0, shape)

    def _covariance_of_few_columns(self, one, free):
        """Return the likeliest covariance of many tasks with few columns, else None."""
        shared = one[1]
        if self._n_seen <= _FEW_TASKS or shared == np.inf:
            return None
        columns = FewColumns.of(self.moments, self.fit_intercept)
        if columns is None:
            return None
        start = self._shapes.likeliest(COVARIANCE).covariance
        covariance, shared = likeliest_covariance(columns, start, shared, free)
        grams = Grams.of(self.moments, self.fit_intercept)
        return CovarianceLikelihood(grams, grams.enter(covariance), shared)

    @property
    def _n_seen(self):
        return int((self.moments.weight > 0).sum())

    @property
    def _is_far(self):
        """Whether a feature is so far from zero that intercepts hide its slopes.

        Slopes of years, say, move the intercept at year zero much more than the noise:
        only a covariance of slopes and intercepts allows them to differ.
        """
        own = self.moments.per_task()
        mean = np.average(own.x_mean, axis=0, weights=own.weight)
        between = own.weight @ (own.x_mean - mean) ** 2
        spread = between + np.einsum("tjj->j", own.xx)
        varies = spread > own.rounding * self._n_seen
        far = own.weight.sum() * mean**2 > _FAR**2 * spread
        return bool((varies & far).any())

    @property
    def _differs(self):
        """Whether several tasks have different coefficients."""
        alpha = self._one.triples[self._one.best][0]
        return self._n_seen > 1 and bool(np.isfinite(alpha))

    def _more_likely(self):
        """Return the structures for which the likelihood may be evidence."""
        d = self.moments.n_features
        is_few = self._n_seen < FEWEST_TASKS or d == 0
        if self.structure == ONE or is_few:
            return []
        names = [PER_FEATURE] if 1 < d <= PER_TASK * self._n_seen else []
        names += [COVARIANCE] if d <= MOST_FEATURES else []
        hidden = [COVARIANCE] if COVARIANCE in names and self._is_far else []
        if not self._differs:
            return [self._of(each) for each in hidden]
        promising = self._shapes.is_promising
        names = [each for each in names if each in hidden or promising(each)]
        gains = [self._likely_gain(each) for each in names]
        best = max(gains, default=0.0)
        return [
            self._of(name)
            for name, gain in zip(names, gains, strict=True)
            if gain >= best - _CLEAR
        ]

    def _of(self, structure):
        if structure == PER_FEATURE:
            return self._per_feature([self._given_shared])
        return self._covariance

    def _likely_gain(self, structure):
        """Return about the gain by Schwarz's criterion, from some of the tasks."""
        total = self.moments.weight.sum()
        factor = total / self._shapes.drawing.moments.weight.sum()
        price = self._shapes.n_more(structure) * np.log(total)
        return self._shapes.gain(structure) * factor - price

    @property
    def _given_shared(self):
        if self.alphas_shared[0] is None:
            return None
        return self._one.triples[self._one.best][1]

    def _schwarz(self, likely):
        """Return Schwarz's criterion, up to a constant."""
        if likely.structure == ONE:
            return likely.criterion
        n_more = self._shapes.n_more(likely.structure)
        return likely.criterion + n_more * np.log(self.moments.weight.sum())


def _overall(alpha):
    """Return one number for all features: the geometric mean."""
    with np.errstate(divide="ignore"):
        return float(np.exp(np.log(alpha).mean())) if np.ndim(alpha) else alpha


def _join(structure, found):
    """Return the strengths that searches tried, each search's best one last."""
    tried = [each for search in found for each in search]
    lasts = np.cumsum([len(search) for search in found]) - 1
    best = min(lasts, key=lambda last: tried[last][-1])
    triples = [each[:-1] for each in tried]
    criteria = [each[-1] for each in tried]
    return Likely(structure, triples, criteria, int(best))
