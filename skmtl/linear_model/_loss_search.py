"""Choose the strengths of tasks around a centre, for losses of any kind."""

import numpy as np

from skmtl.problems import (
    Candidates,
    LossGrid,
    held_out_scores,
    likelihoods,
    mean_curvatures,
)
from skmtl.solvers import Newton

from ._ridge_cv import read_grid

# Strengths in units of the mean curvature of a task's loss.
_ALPHAS = np.geomspace(1e-3, 1e4, 15)
_LEVELS = np.append(np.geomspace(1e-3, 10, 5), np.inf)
# Steps on the way to a score end this early; the last fit goes on.
_SEARCH = Newton(tol=1e-6)


def pose_grid(datafit, alphas, alphas_intercept, alpha_shared):
    """Return the losses at strengths to choose from, those given or such as suit.

    Parameters
    ----------
    datafit : Datafit
        Losses of all rows.
    alphas, alphas_intercept : array-like or None
        Strengths to choose from, positive; None for multiples of the mean curvature.
    alpha_shared : float
        Strength that pulls the centre to zero.

    Returns
    -------
    LossGrid
        The losses, and the strengths.
    """
    datafit.refuse_huge()
    along, level = mean_curvatures(datafit)
    if alphas is None:
        alphas = _ALPHAS * along
    if not datafit.fit_intercept:
        levels = np.zeros(1)
    elif alphas_intercept is None:
        levels = _LEVELS * level
    else:
        levels = read_grid(alphas_intercept, "alphas_intercept", endless=True)
    alphas = read_grid(alphas, "alphas", endless=True)
    if levels.any():
        datafit.refuse_far()
    candidates = Candidates(
        alphas, np.array([alpha_shared]), levels, datafit.fit_intercept
    )
    return LossGrid(datafit, candidates, _SEARCH)


def tabulate_likelihoods(grid):
    """Return the table of a grid's approximate log likelihoods."""
    return _tabulate(grid, likelihoods(grid))


def tabulate_held_out(grid, splits, measure):
    """Return the table of a grid's scores on rows left out, of each fold and mean."""
    scores = held_out_scores(grid, splits, measure)
    table = _tabulate(grid, scores.mean(axis=0))
    table["std_test_score"] = scores.std(axis=0)
    return table | {f"split{k}_test_score": each for k, each in enumerate(scores)}


def tabulate_alone():
    """Return the table of a single task, which leaves nothing to choose."""
    endless = np.array([np.inf])
    return _label(endless, endless, np.zeros(1))


def _tabulate(grid, scores):
    return _label(*grid.candidates.triples().T[[0, 2]], scores)


def _label(alphas, levels, scores):
    names = "alpha", "alpha_intercept", "mean_test_score"
    return dict(zip(names, (alphas, levels, scores), strict=True))


def choose(table):
    """Return the strengths of the best score, and what goes with them, by name."""
    scores = table["mean_test_score"]
    if np.isnan(scores).all():
        raise ValueError(
            "scoring must give a number for some strengths, got NaN for all. Choose a "
            "score that is defined on every fold, or give cv fewer folds."
        )
    best = int(np.nanargmax(scores))
    alpha = float(table["alpha"][best])
    level = float(table["alpha_intercept"][best])
    return {
        "alpha_": alpha,
        "alpha_intercept_": level,
        "tau2_": 1 / alpha,
        "tau2_intercept_": 1 / level if level else np.nan,
        "cv_results_": table,
        "best_score_": float(scores[best]),
    }
