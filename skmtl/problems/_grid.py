"""Scores of strengths on a grid."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skmtl.couplings import ToMean

from ._centre import CentreFit
from ._folds import fold_moments
from ._leave_one_out import left_out_errors
from ._pose import factor_path
from ._posterior import Posterior


@dataclass(frozen=True)
class Candidates:
    """List pairs of strengths, those of the intercepts running fastest.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Strengths of the pull to the centre, positive.
    alphas_intercept : ndarray of shape (n_alphas_intercept,)
        Strengths that pull the intercepts together, 0 or more, possibly infinite.
    alpha_shared : float
        Strength that pulls the centre to zero.
    fit_intercept : bool
        Whether tasks have an intercept.
    """

    alphas: np.ndarray
    alphas_intercept: np.ndarray
    alpha_shared: float
    fit_intercept: bool

    def pairs(self):
        """Return both strengths of each candidate, shape (n_candidates, 2)."""
        grids = np.meshgrid(self.alphas, self.alphas_intercept, indexing="ij")
        return np.stack(grids, axis=-1).reshape(-1, 2)

    def pose(self, moments):
        """Pose the problems of all candidates on moments about the means."""
        moments = moments if self.fit_intercept else moments.about_zero()
        return PosedGrid(self, moments)


@dataclass(frozen=True)
class PosedGrid:
    """Solve the problem of any candidate, factored once for all.

    Parameters
    ----------
    candidates : Candidates
        Strengths.
    moments : TaskMoments
        About the means, or about zero without intercept.
    """

    candidates: Candidates
    moments: object

    @cached_property
    def _blocks(self):
        pull = ToMean(1.0).pull(self.moments.n_tasks, self.moments.n_features)
        return factor_path(self.moments, pull)

    @cached_property
    def _known(self):
        return {}

    def _factor(self, k):
        """Return the pull and blocks of one alpha, kept for all intercepts'."""
        if k not in self._known:
            coupling = ToMean(self.candidates.alphas[k], self.candidates.alpha_shared)
            pull = coupling.pull(self.moments.n_tasks, self.moments.n_features)
            self._known[k] = pull, self._blocks.at(pull.alpha)
        return self._known[k]

    def fit(self, k, level):
        """Return the solved problem of a candidate, by position in both grids."""
        pull, blocks = self._factor(k)
        strength = float(self.candidates.alphas_intercept[level])
        pull = replace(pull, intercept=strength)
        return CentreFit(self.moments, blocks, pull, self.candidates.fit_intercept)

    def fits(self):
        """Yield the solved problem of each candidate, in the order of the pairs."""
        for k in range(len(self.candidates.alphas)):
            for level in range(len(self.candidates.alphas_intercept)):
                yield self.fit(k, level)


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
    found = moments.curvatures
    found = found[moments.weight[: len(found)] > 0]
    unit = found.sum(axis=1).mean() / max(moments.width or moments.n_features, 1)
    return np.geomspace(1e-3, 1e4, n_alphas) * (unit if unit > 0 else 1.0)


def suggest_levels(moments, n_levels):
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


def generalised_scores(moments, candidates):
    """Score candidates by generalised cross-validation.

    Parameters
    ----------
    moments : TaskMoments
        Moments of all rows.
    candidates : Candidates
        Strengths.

    Returns
    -------
    ndarray of shape (n_candidates,)
        ``n sum of squared errors / (n - degrees of freedom)^2``.
    """
    return np.array([_generalised(fit) for fit in candidates.pose(moments).fits()])


def _generalised(fit):
    n = fit.moments.weight.sum()
    left = n - Posterior(fit).degrees_of_freedom
    return n * fit.squared_errors.sum() / left**2 if left > 0 else np.inf


def left_out_scores(data, moments, candidates):
    """Score candidates by exact leave-one-out errors, where they are worth it.

    Generalised cross-validation says where to begin; from there the search goes on to
    the best neighbour, until no neighbour is better.

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
    ndarray of shape (n_candidates,)
        Mean squared errors; NaN where it was not looked.
    """
    grid = candidates.pose(moments)
    shape = len(candidates.alphas), len(candidates.alphas_intercept)
    first = np.array([_generalised(fit) for fit in grid.fits()]).argmin()
    scores = np.full(shape, np.nan)
    best = np.unravel_index(first, shape)
    while True:
        for k, level in _neighbours(best, shape):
            if np.isnan(scores[k, level]):
                posterior = Posterior(grid.fit(k, level))
                scores[k, level] = left_out_errors(data, posterior)
        better = np.unravel_index(np.nanargmin(scores), shape)
        if better == best:
            return scores.ravel()
        best = better


def _neighbours(place, shape):
    spans = [
        range(max(i - 1, 0), min(i + 2, n)) for i, n in zip(place, shape, strict=True)
    ]
    return [(k, level) for k in spans[0] for level in spans[1]]


def fold_scores(data, splits, candidates):
    """Score candidates on test rows, from moments of folds.

    Parameters
    ----------
    data : TaskData
        All rows.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.
    candidates : Candidates
        Strengths.

    Returns
    -------
    ndarray of shape (n_splits, n_candidates)
        Mean squared errors.
    """
    scores = []
    for train, test in fold_moments(data, splits):
        models = (fit.unpack() for fit in candidates.pose(train).fits())
        errors = [test.squared_errors(m.coef, m.intercept).sum() for m in models]
        scores.append(np.array(errors) / test.weight.sum())
    return np.array(scores)
