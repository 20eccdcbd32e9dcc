"""Choose the strengths of tasks around a centre, for losses of any kind."""

import numpy as np

from skmtl.selection import (
    STRENGTHS,
    Candidates,
    LossGrid,
    held_out_scores,
    likelihoods,
    mean_curvatures,
    read_grid,
    tabulate,
    warn_of_lists,
)
from skmtl.solvers import Newton

# Strengths in units of the mean curvature of a task's loss.
_ALPHAS = np.append(np.geomspace(1e-3, 1e4, 8), np.inf)
_LEVELS = np.append(np.geomspace(1e-3, 10, 3), np.inf)
# Strength of the centre to begin with, in the units of the loss.
_SHARED = np.ones(1)
# Steps on the way to a score end this early; the last fit goes on.
_SEARCH = Newton(tol=1e-6)


def pose_grid(datafit, alphas, alphas_shared, alphas_intercept):
    """Return the losses at strengths to choose from, those given or such as suit.

    Parameters
    ----------
    datafit : Datafit
        Losses of all rows.
    alphas, alphas_shared, alphas_intercept : array-like or None
        Strengths to choose from; None for any. A single task has those of the centre
        alone.

    Returns
    -------
    LossGrid
        The losses, and the strengths.
    """
    datafit.refuse_huge()
    along, level = mean_curvatures(datafit)
    endless = np.array([np.inf])
    own, levels, shared = _ALPHAS * along, _LEVELS * level, _SHARED
    if alphas is not None:
        own = read_grid(alphas, "alphas", endless=True)
    if alphas_shared is not None:
        shared = read_grid(alphas_shared, "alphas_shared", zero=True)
    if alphas_intercept is not None:
        levels = read_grid(alphas_intercept, "alphas_intercept", endless=True)
    if (datafit.task_totals > 0).sum() == 1:
        own = levels = endless
    if not datafit.fit_intercept:
        levels = np.zeros(1)
    if levels.any():
        datafit.refuse_far()
    given = alphas, alphas_shared, alphas_intercept
    free = tuple(each is None for each in given)
    lists = own, shared, levels
    candidates = Candidates(*lists, datafit.fit_intercept, free, zero=False)
    return LossGrid(datafit, candidates, _SEARCH)


def tabulate_likelihoods(grid):
    """Return the table of approximate log likelihoods."""
    triples, scores = likelihoods(grid)
    return _finish(grid, triples, scores)


def tabulate_held_out(grid, splits, measure):
    """Return the table of scores on rows left out, of each fold and mean."""
    triples, scores = held_out_scores(grid, splits, measure)
    table = _finish(grid, triples, scores.mean(axis=0))
    table["std_test_score"] = scores.std(axis=0)
    return table | {f"split{k}_test_score": each for k, each in enumerate(scores)}


def _finish(grid, triples, scores):
    table = tabulate(triples.T, scores)
    if not np.isnan(scores).all():
        candidates, best = grid.candidates, int(np.nanargmax(scores))
        warn_of_lists(table, best, candidates)
    return table


def choose(table):
    """Return the strengths of the best score, and what goes with them, by name."""
    scores = table["mean_test_score"]
    if np.isnan(scores).all():
        raise ValueError(
            "scoring must give a number for some strengths, got NaN for all. Choose a "
            "score that is defined on every fold, or give cv fewer folds."
        )
    best = int(np.nanargmax(scores))
    alpha, shared, level = (float(table[name][best]) for name in STRENGTHS)
    return {
        "alpha_": alpha,
        "alpha_shared_": shared,
        "alpha_intercept_": level,
        "tau2_": 1 / alpha,
        "tau2_intercept_": 1 / level if level else np.nan,
        "cv_results_": table,
        "best_score_": float(scores[best]),
    }
