"""Scores of strengths on a grid, for losses of any kind."""

from dataclasses import dataclass, replace

import numpy as np

from skmtl.couplings import ToMean
from skmtl.solvers import Newton

from ._datafit import Datafit
from ._generalized import CentredLosses
from ._grid import Candidates
from ._laplace import LaplaceLikelihood


@dataclass(frozen=True)
class LossGrid:
    """Minimise losses at every pair of strengths, each from a neighbour's solution.

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

    def solutions(self):
        """Yield each candidate's position, objective and solution, strong ones first.

        A falling strength begins where the last one ended; the first of each strength
        of the intercepts, at the first of the one before.
        """
        n_levels = len(self.candidates.alphas_intercept)
        first = None
        for level in reversed(range(n_levels)):
            last = first
            for k in reversed(range(len(self.candidates.alphas))):
                objective = self._pose(k, level)
                begin = objective.start() if last is None else last
                last = self.solver.minimize(objective, begin).variable
                first = last if k == len(self.candidates.alphas) - 1 else first
                yield k * n_levels + level, objective, last

    def on(self, rows):
        """Return the same on some rows of X."""
        return replace(self, datafit=self.datafit.select(rows).learnable())

    def _pose(self, k, level):
        coupling = ToMean(
            self.candidates.alphas[k],
            self.candidates.alphas_shared[0],
            self.candidates.alphas_intercept[level],
        )
        n_features = self.datafit.data.X.shape[1]
        return CentredLosses(
            self.datafit, coupling.pull(self.datafit.n_tasks, n_features)
        )


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
        Called with test rows, it returns a function of the objective of a candidate
        and its solution, which returns the score.

    Returns
    -------
    ndarray of shape (n_splits, n_candidates)
        Scores.
    """
    _check_weights(grid.datafit, splits)
    scores = np.empty((len(splits), len(grid.candidates.triples())))
    for row, (train, test) in zip(scores, splits, strict=True):
        score = measure(test)
        for place, objective, variable in grid.on(train).solutions():
            row[place] = score(objective, variable)
    return scores


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
    ndarray of shape (n_candidates,)
        Log likelihoods.
    """
    scores = np.empty(len(grid.candidates.triples()))
    for place, objective, variable in grid.solutions():
        scores[place] = LaplaceLikelihood(objective, variable).value
    return scores
