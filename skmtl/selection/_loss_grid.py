"""Scores of strengths on a grid, for losses of any kind."""

from dataclasses import dataclass, replace

import numpy as np

from skmtl.couplings import ToMean
from skmtl.problems.newton import Datafit, MeanLosses
from skmtl.solvers import Newton

from ._coordinate_search import NEARBY, descend
from ._held_out import SolvedObjective
from ._laplace import LaplaceLikelihood
from ._mean_grid import CachedScores, Candidates


@dataclass(frozen=True)
class LossGrid:
    """Minimise losses at many strengths, each from a neighbour's solution.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.
    candidates : Candidates
        Strengths.
    solver : Newton
        How to minimise.
    """

    datafit: Datafit
    candidates: Candidates
    solver: Newton

    def on(self, rows):
        """Return the same on some rows of X."""
        return replace(self, datafit=self.datafit.select(rows).learnable())

    def pose(self, alpha, shared, level):
        """Return the objective of three strengths."""
        coupling = ToMean(alpha, shared, level)
        n_features = self.datafit.data.X.shape[1]
        return MeanLosses(
            self.datafit, coupling.strengths(self.datafit.n_tasks, n_features)
        )

    def search(self, score):
        """Call a function of strengths with those listed, and on to its minimum.

        Those listed come strong ones first, and then weak and strong ones in turn, so
        that each is near the one before.

        Returns
        -------
        ndarray of shape (n_tried, 3)
            Strengths, those listed first.
        """
        tried, triples = CachedScores(score), self.candidates.triples()
        n_levels, n_shared = (
            len(self.candidates.alphas_intercept),
            len(self.candidates.alphas_shared),
        )
        lines = triples.reshape(-1, n_levels * n_shared, 3).transpose(1, 0, 2)
        for k, line in enumerate(lines[::-1]):
            tried.measure(line if k % 2 else line[::-1])
        descend(tried, tried.best, self.candidates.axes(), NEARBY)
        return tried.table(triples)[0]


class WarmStarts:
    """Minimise losses at one triple of strengths after the other, from the last.

    Parameters
    ----------
    grid : LossGrid
        Losses.
    """

    def __init__(self, grid):
        self._grid, self._last = grid, None

    def at(self, *strengths):
        """Return the objective and its solution."""
        objective = self._grid.pose(*strengths)
        begin = objective.start() if self._last is None else self._last
        self._last = self._grid.solver.minimize(objective, begin).variable
        return objective, self._last


def mean_curvatures(datafit):
    """Return the mean curvatures of a task's loss, along a feature and its intercept.

    They are taken where every task is at its mean, features about their means.

    Parameters
    ----------
    datafit : Datafit
        Losses of the rows.

    Returns
    -------
    features, intercept : float
        The curvatures, 1 in place of 0.
    """
    raw = datafit.predict(datafit.start())
    n_outputs, n_columns = datafit.shape[1:]
    curved = datafit.curve(raw)[datafit.task_totals > 0]
    curved = curved.reshape(-1, n_outputs, n_columns, n_outputs, n_columns)
    blocks = np.einsum("tkikj->tkij", curved)
    found = np.einsum("tkjj->tkj", blocks)
    level = np.ones(1)
    if datafit.fit_intercept:
        level = found[..., -1:]
        spent = blocks[..., -1, :-1] ** 2 / np.where(level > 0, level, 1.0)
        found = np.maximum(found[..., :-1] - spent, 0.0)
    return _mean(found), _mean(level)


def _mean(curvatures):
    mean = curvatures.mean() if curvatures.size else 0.0
    return float(mean) if mean > 0 else 1.0


def held_out_scores(grid, splits, measure):
    """Score candidates on rows left out.

    Parameters
    ----------
    grid : LossGrid
        Losses of all rows, and strengths.
    splits : list of (ndarray, ndarray)
        Training and test rows of X.
    measure : callable
        Called with test rows, it returns a function that scores a solution.

    Returns
    -------
    triples : ndarray of shape (n_tried, 3)
        Strengths, those listed first.
    scores : ndarray of shape (n_splits, n_tried)
        Scores.
    """
    _check_weights(grid.datafit, splits)
    folds = [(WarmStarts(grid.on(train)), measure(test)) for train, test in splits]
    known = {}

    def score(*strengths):
        known[strengths] = [
            measure(SolvedObjective(*fold.at(*strengths))) for fold, measure in folds
        ]
        mean = np.mean(known[strengths])
        return np.inf if np.isnan(mean) else -mean

    triples = grid.search(score)
    return triples, np.array([known[tuple(each)] for each in triples]).T


def _check_weights(datafit, splits):
    parts = [datafit.select(rows) for pair in splits for rows in pair]
    if not all(part.task_totals.any() for part in parts):
        raise ValueError(
            "Every fold must have rows with weight to train on and to test on, and cv "
            f"gives {len(splits)} folds of which some have none. Use fewer folds."
        )


def likelihoods(grid):
    """Score candidates by their approximate likelihoods.

    Parameters
    ----------
    grid : LossGrid
        Losses of all rows, and strengths.

    Returns
    -------
    triples : ndarray of shape (n_tried, 3)
        Strengths, those listed first.
    scores : ndarray of shape (n_tried,)
        Log likelihoods.
    """
    follower, known = WarmStarts(grid), {}

    def score(*strengths):
        known[strengths] = LaplaceLikelihood(*follower.at(*strengths)).value
        return -known[strengths]

    triples = grid.search(score)
    return triples, np.array([known[tuple(each)] for each in triples])
