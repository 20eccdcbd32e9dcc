"""Scores of strengths, on a grid and between its points."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skmtl._numbers import INFINITE
from skmtl.couplings import ToMean
from skmtl.problems.exact import MeanFit, factor_path

from ._coordinate_search import NEARBY, Axis, descend, strengthen
from ._folds import fold_moments
from ._held_out import SolvedModels
from ._left_out import LeftOutErrors
from ._mean_profile import MeanFitProfile
from ._reml_search import StrengthSearch, is_flexible

# Number of strengths with cached blocks.
_KEPT = 3
# With fewer residual degrees of freedom (as a share), small errors are chance.
_FEW_LEFT = 0.1
# Raise strengths until the error rises by this share of one row's mean error.
_SHARE_OF_A_ROW = 0.05
# Give up the centre if the error without it is at most this share higher.
_UNNEEDED = 0.005


@dataclass(frozen=True)
class Candidates:
    """Triples of strengths; the centre's vary fastest.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths of the penalty to the centre, positive, possibly infinite.
    alphas_shared : ndarray of shape (n_alphas_shared,)
        Strengths of the ridge on the centre, 0 or more, possibly infinite.
    alphas_intercept : ndarray of shape (n_alphas_intercept,)
        Strengths that pull the intercepts together, 0 or more, possibly infinite.
    fit_intercept : bool
        Whether tasks have an intercept.
    free : tuple of bool, default=(False, False, False)
        Whether values between the listed strengths are candidates too: of `alphas`,
        `alphas_shared`, `alphas_intercept`.
    zero : bool, default=True
        Whether 0 is one of the free strengths of the centre.
    """

    alphas: np.ndarray
    alphas_shared: np.ndarray
    alphas_intercept: np.ndarray
    fit_intercept: bool
    free: tuple = (False, False, False)
    zero: bool = True

    @property
    def may_be_simpler(self):
        """Whether strengths other than the centre's may become infinite."""
        return self.free[1] and any(self.free[::2])

    def without(self, infinite):
        """Restrict free strengths to infinity where asked."""
        lists = self.alphas, self.alphas_shared, self.alphas_intercept
        kept = [
            np.array([np.inf]) if alone and free else values
            for values, alone, free in zip(lists, infinite, self.free, strict=True)
        ]
        names = "alphas", "alphas_shared", "alphas_intercept"
        return replace(self, **dict(zip(names, kept, strict=True)))

    def triples(self):
        """Return (alpha, alpha_shared, alpha_intercept) of each, (n_candidates, 3)."""
        lists = self.alphas, self.alphas_intercept, self.alphas_shared
        grids = np.meshgrid(*lists, indexing="ij")
        return np.stack([grids[0], grids[2], grids[1]], axis=-1).reshape(-1, 3)

    def axes(self):
        """Return the Axis of each strength, in the order of the triples."""
        lists = self.alphas, self.alphas_shared, self.alphas_intercept
        free = [
            each and np.isfinite(v[0]) for v, each in zip(lists, self.free, strict=True)
        ]
        zero = False, self.zero, False
        return [Axis(*each) for each in zip(lists, free, zero, strict=True)]

    def pose(self, moments):
        """Pose the problems of all candidates on moments about the means."""
        moments = moments if self.fit_intercept else moments.about_zero()
        return PosedStrengths(moments, self.fit_intercept)


@dataclass(frozen=True)
class PosedStrengths:
    """Solve the problem for any strengths, with shared factorisations.

    Parameters
    ----------
    moments : TaskMoments
        About the means, or about zero without intercept.
    fit_intercept : bool
        Whether tasks have an intercept.
    """

    moments: object
    fit_intercept: bool

    @cached_property
    def blocks(self):
        """Blocks of the tasks, factored for any alpha."""
        pull = ToMean(1.0).strengths(self.moments.n_tasks, self.moments.n_features)
        return factor_path(self.moments, pull)

    @cached_property
    def _infinite(self):
        """A finite strength that acts as infinite."""
        highest = self.moments.curvatures.max(initial=0.0)
        return INFINITE * (highest if highest > 0 else 1.0)

    @cached_property
    def _known(self):
        return {}

    def _factor(self, alpha):
        """Return the blocks of one alpha, from a small cache."""
        if alpha not in self._known:
            if len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[alpha] = self.blocks.at(np.array([alpha]))
        return self._known[alpha]

    def fit(self, alpha, shared, level):
        """Return the solved problem of three strengths."""
        alpha = min(float(alpha), self._infinite)
        coupling = ToMean(alpha, float(shared), float(level))
        pull = coupling.strengths(self.moments.n_tasks, self.moments.n_features)
        return MeanFit(self.moments, self._factor(alpha), pull, self.fit_intercept)

    def fits(self, triples):
        """Yield the solved problem of each triple."""
        return (self.fit(*each) for each in triples)

    def generalised(self):
        """Return the function from strengths to generalised cross-validation."""
        profiles = {}

        def score(alpha, shared, level):
            if (alpha, level) not in profiles:
                profiles.clear()
                profiles[alpha, level] = MeanFitProfile(self.fit(alpha, 0.0, level))
            errors, freedom = profiles[alpha, level].at(shared)
            return _generalised(self.moments.weight.sum(), errors, freedom)

        return score


def suggest_alphas(moments, n_alphas):
    """Return strengths that go from tasks apart to tasks alike.

    They are 1e-3 to 1e4 times the mean curvature of a task along a feature.

    Parameters
    ----------
    moments : TaskMoments
        Moments with their matrices.
    n_alphas : int
        How many.

    Returns
    -------
    ndarray of shape (n_alphas,)
        Strengths, increasing.
    """
    return np.geomspace(1e-3, 1e4, n_alphas) * mean_curvature(moments)


def mean_curvature(moments):
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


def suggest_intercept_alphas(moments, n_levels):
    """Return strengths for the intercepts, the last of them infinite.

    They are 1e-3 to 10 times the mean weight of a task.

    Parameters
    ----------
    moments : TaskMoments
        Moments.
    n_levels : int
        How many.

    Returns
    -------
    ndarray of shape (n_levels,)
        Strengths, increasing.
    """
    unit = moments.weight[moments.weight > 0].mean()
    return np.append(np.geomspace(1e-3, 10, n_levels - 1) * unit, np.inf)


def _generalised(n, errors, freedom):
    left = n - freedom
    return n * errors / left**2 if left > _FEW_LEFT * n else np.inf


def generalised_scores(moments, candidates):
    """Score candidates by generalised cross-validation, and refine between them.

    Parameters
    ----------
    moments : TaskMoments
        Moments of all rows.
    candidates : Candidates
        Strengths.

    Returns
    -------
    triples : ndarray of shape (n_tried, 3)
        Strengths: the grid first, the chosen ones last.
    scores : ndarray of shape (n_tried,)
        ``n sum of squared errors / (n - degrees of freedom)^2``, infinite if less than
        a tenth of the degrees of freedom is left, as errors are then chance.
    """
    posed = candidates.pose(moments)
    tried = CachedScores(posed.generalised())
    best, candidates = _search(tried, posed, candidates)
    return tried.table(last=_firm(tried, best, candidates, moments))


def left_out_scores(data, moments, candidates):
    """Score candidates by exact leave-one-out errors, where they are worth it.

    Generalised cross-validation says where to begin; from there the search goes on to
    better neighbours, and between the points of the grid.

    Parameters
    ----------
    data : TaskData
        All rows.
    moments : TaskMoments
        Their moments, the task weights applied.
    candidates : Candidates
        Strengths.

    Returns
    -------
    triples : ndarray of shape (n_tried, 3)
        Strengths: the grid first, the chosen ones last.
    scores : ndarray of shape (n_tried,)
        Mean squared errors; NaN where it was not looked.
    """
    posed, triples = candidates.pose(moments), candidates.triples()
    guess = CachedScores(posed.generalised())
    start, candidates = _search(guess, posed, candidates)
    left_out = LeftOutErrors(data, posed)
    tried = CachedScores(lambda *strengths: left_out.at(posed.fit(*strengths)))
    best = descend(tried, start, candidates.axes(), NEARBY)
    return tried.table(triples, _firm(tried, best, candidates, moments))


def fold_scores(data, splits, candidates, measure=None):
    """Score candidates on test rows, from moments of folds.

    Parameters
    ----------
    data : TaskData
        All rows.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.
    candidates : Candidates
        Strengths.
    measure : callable, default=None
        Called with test rows, it returns a function that scores a Solved; None for
        mean squared errors.

    Returns
    -------
    triples : ndarray of shape (n_tried, 3)
        Strengths: the grid first, the chosen ones last.
    scores : ndarray of shape (n_splits, n_tried)
        Mean squared errors, or negative scores.
    """
    pairs = zip(fold_moments(data, splits), splits, strict=True)
    folds = [
        (candidates.pose(train), _error_on(moments, rows, measure))
        for (train, moments), (_, rows) in pairs
    ]
    by_fold = {}

    def score(*strengths):
        by_fold[strengths] = [
            error(posed.fit(*strengths).unpack()) for posed, error in folds
        ]
        mean = float(np.mean(by_fold[strengths]))
        return np.inf if np.isnan(mean) else mean

    tried, moments = CachedScores(score), data.moments()
    best, candidates = _search(tried, candidates.pose(moments), candidates)
    # What rows cannot distinguish is known for squared errors only.
    if measure is None:
        best = _firm(tried, best, candidates, moments)
    triples, _ = tried.table(last=best)
    return triples, np.array([by_fold[tuple(each)] for each in triples]).T


def _error_on(moments, rows, measure):
    """Return a function of models for their error on test rows."""
    if measure is not None:
        score = measure(rows)
        return lambda models: -score(SolvedModels(models.add_output_axis(), True))

    def mean_square(models):
        squares = moments.squared_errors(models.coef, models.intercept)
        return squares.sum() / moments.weight.sum()

    return mean_square


def _search(tried, posed, candidates):
    """Return the best strengths, and the candidates left.

    If few degrees of freedom are left, held-out errors are uncertain, and choosing
    several strengths overfits them. Strengths are then infinite unless the evidence is
    against it.
    """
    tried.measure(candidates.triples())
    best = descend(tried, tried.best, candidates.axes())
    if candidates.may_be_simpler and is_flexible(posed.fit(*best)):
        evidence = StrengthSearch(
            posed.moments, None, posed.fit_intercept, False, simplify=True, tol=1e-5
        )
        candidates = candidates.without(np.isinf(evidence.search()[-1][:3]))
        triples = candidates.triples()
        tried.measure(triples)
        best = descend(tried, min(map(tuple, triples), key=tried), candidates.axes())
    return best, candidates


def _firm(tried, best, candidates, moments):
    """Raise the best strengths as far as the rows cannot distinguish them.

    A centre that tasks do not need is given up: its coefficients are then arbitrary,
    and would predict new tasks badly.
    """
    share = _SHARE_OF_A_ROW / moments.weight.sum()
    firm = strengthen(tried, best, candidates.axes(), share)
    apart = firm[0], np.inf, firm[2]
    if candidates.free[1] and tried(apart) <= (1 + _UNNEEDED) * tried(firm):
        return apart
    return firm


class CachedScores:
    """A memoised function of strengths."""

    def __init__(self, score):
        self._score = score
        self._known = {}

    def __call__(self, strengths):
        strengths = tuple(map(float, strengths))
        if strengths not in self._known:
            self._known[strengths] = float(self._score(*strengths))
        return self._known[strengths]

    def measure(self, triples):
        """Evaluate all of these strengths."""
        for strengths in triples:
            self(strengths)

    @property
    def best(self):
        """Strengths with the smallest value."""
        return min(self._known, key=self._known.get)

    def table(self, first=(), last=None):
        """Return strengths and values, NaN if not evaluated, the chosen ones last."""
        rows = dict.fromkeys((tuple(map(float, each)) for each in first), np.nan)
        rows |= self._known
        if last is not None:
            rows[last] = rows.pop(last)
        return np.array(list(rows)), np.array(list(rows.values()))
