"""Search the strengths of mean regularisation, for any loss."""

from dataclasses import dataclass

import numpy as np

from skmtl._contracts import Chosen
from skmtl.problems.newton import Datafit
from skmtl.solvers import Newton

from ._grids import read_grid, read_shuffled_splits
from ._held_out import held_out_measure, refuse_nan, refuse_scoring
from ._loss_grid import LossGrid, held_out_scores, likelihoods, mean_curvatures
from ._mean_grid import Candidates
from ._table import (
    LIKELIHOOD,
    SCORE,
    STRENGTHS,
    name_strengths,
    tabulate,
    tabulate_folds,
    warn_of_lists,
)

# Strengths in units of the mean curvature of a task's loss.
_ALPHAS = np.append(np.geomspace(1e-3, 1e4, 8), np.inf)
_LEVELS = np.append(np.geomspace(1e-3, 10, 3), np.inf)
# Strength of the centre to begin with, in the units of the loss.
_SHARED = np.ones(1)
# Steps on the way to a score end this early; the last fit goes on.
_SEARCH = Newton(tol=1e-6)


@dataclass(frozen=True)
class MeanLossSearch:
    """Choose the strengths of mean regularisation by held-out scores or likelihood.

    Parameters
    ----------
    relation_at : callable
        Returns the relation at three strengths: alpha, of the centre, of intercepts.
    alphas, alphas_shared, alphas_intercept : array-like or None
        Strengths to choose from.
    method : {"cv", "laplace"}
        Criterion.
    cv : int, splitter, iterable or None
        The folds of method "cv"; those of each task are shuffled by default.
    scoring : str, callable or None
        Score of held-out rows; None for the negative mean loss.
    """

    relation_at: object
    alphas: object
    alphas_shared: object
    alphas_intercept: object
    method: str
    cv: object
    scoring: object
    is_shared = True
    # Intercepts are penalised at every strength, so that none can diverge.
    penalizes_intercepts = True

    def choose(self, study):
        """Return the relation at the best strengths."""
        facts = choose_best(self._table(study))
        strengths = [facts[f"{name}_"] for name in STRENGTHS]
        return Chosen(self.relation_at(*strengths), facts)

    def _table(self, study):
        """Return the scores of all strengths."""
        rows, targets = study.rows, study.targets
        datafit = Datafit(rows, study.loss, study.fit_intercept, targets)
        lists = self.alphas, self.alphas_shared, self.alphas_intercept
        grid = pose_grid(datafit, *lists)
        if self.method == "laplace":
            refuse_scoring(self.scoring, "method", self.method, "'cv'")
            return table_of_likelihoods(grid)
        measure = held_out_measure(study, self.scoring)
        return table_of_scores(grid, read_shuffled_splits(self.cv, study), measure)


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
    infinite = np.array([np.inf])
    own, levels, shared = _ALPHAS * along, _LEVELS * level, _SHARED
    if alphas is not None:
        own = read_grid(alphas, "alphas", infinite=True)
    if alphas_shared is not None:
        shared = read_grid(alphas_shared, "alphas_shared", zero=True)
    if alphas_intercept is not None:
        levels = read_grid(alphas_intercept, "alphas_intercept", infinite=True)
    if (datafit.task_totals > 0).sum() == 1:
        own = levels = infinite
    if not datafit.fit_intercept:
        levels = np.zeros(1)
    if levels.any():
        datafit.refuse_far()
    given = alphas, alphas_shared, alphas_intercept
    free = tuple(each is None for each in given)
    lists = own, shared, levels
    candidates = Candidates(*lists, datafit.fit_intercept, free, zero=False)
    return LossGrid(datafit, candidates, _SEARCH)


def table_of_likelihoods(grid):
    """Return the table of approximate log likelihoods."""
    triples, scores = likelihoods(grid)
    table = tabulate(name_strengths(triples), scores, LIKELIHOOD)
    return _warn(grid, table, LIKELIHOOD)


def table_of_scores(grid, splits, measure):
    """Return the table of scores on rows left out, of each fold and mean."""
    triples, scores = held_out_scores(grid, splits, measure)
    return _warn(grid, tabulate_folds(name_strengths(triples), scores), SCORE)


def _warn(grid, table, name):
    """Return the table, after warnings of lists that end too early."""
    scores = table[name]
    if not np.isnan(scores).all():
        warn_of_lists(table, int(np.nanargmax(scores)), grid.candidates, name)
    return table


def choose_best(table):
    """Return the strengths of the best score, and what goes with them, by name."""
    scores = table[LIKELIHOOD if LIKELIHOOD in table else SCORE]
    refuse_nan(scores)
    best = int(np.nanargmax(scores))
    alpha, shared, level = (float(table[name][best]) for name in STRENGTHS)
    return {
        "alpha_": alpha,
        "alpha_shared_": shared,
        "alpha_intercept_": level,
        "tau2_": 1 / alpha,
        "tau2_intercept_": 1 / level if level else np.nan,
        "cv_results_": table,
        "best_index_": best,
        "best_score_": float(scores[best]),
    }
