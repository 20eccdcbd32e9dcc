"""Search of the strengths of mean regularisation, any loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Chosen
from skmtl.problems.newton import Datafit
from skmtl.solvers import Newton

from ._folds import read_shuffled_splits
from ._held_out import held_out_measure, refuse_scoring
from ._loss_grid import LossGrid, held_out_scores, likelihoods, mean_curvatures
from ._mean_grid import list_candidates
from ._results import LIKELIHOOD, STRENGTHS, Results, add_variances, name_strengths
from ._study import Study

# Strengths in units of the mean curvature of a task's loss.
_ALPHAS = np.append(np.geomspace(1e-3, 1e4, 8), np.inf)
_INTERCEPT_ALPHAS = np.append(np.geomspace(1e-3, 10, 3), np.inf)
# First strength of the centre, in the units of the loss.
_SHARED_ALPHAS = np.ones(1)
# Scores need fewer digits than the final fit.
_SOLVER = Newton(tol=1e-6)


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

    relation_at: Callable[..., Any]
    alphas: Any
    alphas_shared: Any
    alphas_intercept: Any
    method: str
    cv: Any
    scoring: Any
    is_shared = True
    # Intercepts are penalised at every strength, so that none can diverge.
    penalizes_intercepts = True

    def choose(self, study: Study) -> Chosen:
        """Return the relation at the best strengths."""
        grid = self._pose(study)
        results = self._score(grid, study)
        best = results.best()
        results.warn_of_lists(best, grid.candidates)
        n_features = study.rows.X.shape[1]
        facts = add_variances(results.facts(best), 1.0, n_features)
        strengths = [facts[f"{name}_"] for name in STRENGTHS]
        return Chosen(self.relation_at(*strengths), facts)

    def _pose(self, study: Study) -> LossGrid:
        """Return the losses, with given strengths or defaults."""
        datafit = Datafit(study.rows, study.loss, study.fit_intercept, study.targets)
        datafit.refuse_huge()
        units = of_feature, of_intercept = mean_curvatures(datafit)
        candidates = list_candidates(
            (self.alphas, self.alphas_shared, self.alphas_intercept),
            (_ALPHAS * of_feature, _SHARED_ALPHAS, _INTERCEPT_ALPHAS * of_intercept),
            study.fit_intercept,
            datafit.task_totals,
            ends=(False, True),
            zero=False,
        )
        if candidates.alphas_intercept.any():
            datafit.refuse_far()
        return LossGrid(datafit, candidates, _SOLVER, units)

    def _score(self, grid: LossGrid, study: Study) -> Results:
        """Return the scores of all strengths."""
        if self.method == "laplace":
            refuse_scoring(self.scoring, "method", self.method, "'cv'")
            triples, scores = likelihoods(grid)
            return Results(name_strengths(triples), scores, LIKELIHOOD)
        measure = held_out_measure(study, self.scoring)
        splits = read_shuffled_splits(self.cv, study)
        triples, scores = held_out_scores(grid, splits, measure)
        return Results.of_folds(name_strengths(triples), scores)
