"""Search of the strengths of mean regularisation, any loss."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Chosen
from skmtl.problems.newton import Datafit
from skmtl.solvers import Newton

from ..likelihood import GIVEN, ONE, Shape
from ..search import (
    Study,
    held_out_measure,
    read_shuffled_splits,
    refuse_scoring,
    without_pseudo_rows,
)
from ..squared_loss import (
    LIKELIHOOD,
    STRENGTHS,
    Results,
    add_variances,
    join_tables,
    list_candidates,
    name_strengths,
)
from ._criteria import HeldOutLosses, LossCriterion
from ._grid import LossGrid, mean_curvatures
from ._likelihoods import Likelihoods
from ._structures import LossStructureSearch

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
    structure : {"auto", "one", "per_feature", "covariance"}, default="one"
        Structure of the strengths of features.
    pattern : ndarray of shape (n_features,) or None, default=None
        Given relative strengths of the features, for structure "one".
    """

    relation_at: Callable[..., Any]
    alphas: Any
    alphas_shared: Any
    alphas_intercept: Any
    method: str
    cv: Any
    scoring: Any
    structure: str = ONE
    pattern: Any = None
    is_shared = True
    # Intercepts are penalised at every strength, so that none can diverge.
    penalizes_intercepts = True

    def choose(self, study: Study) -> Chosen:
        """Return the relation at the best strengths."""
        if self.method == "laplace":
            refuse_scoring(self.scoring, "method", self.method, "'cv'")
        grid = self._pose(study)
        search = LossStructureSearch(self._criterion(grid, study), self.structure)
        found, chosen = search.search()
        of_chosen = self._results(chosen.triples, chosen.errors)
        of_chosen.warn_of_lists(chosen.best_index, grid.candidates)
        triples, errors, shapes = join_tables(found, chosen)
        place = len(triples) - len(chosen.triples) + chosen.best_index
        facts = self._results(triples, errors, shapes).facts(place)
        alpha, _, level = chosen.best
        facts |= chosen.shape.facts(alpha, level)
        facts = add_variances(facts, 1.0, study.rows.X.shape[1])
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
        if self.pattern is not None:
            shape = Shape(GIVEN, 1.0, self.pattern)
            candidates = replace(candidates, shape=shape)
        return LossGrid(datafit, candidates, _SOLVER, units)

    def _criterion(self, grid: LossGrid, study: Study) -> LossCriterion:
        """Return the criterion of the method."""
        if self.method == "laplace":
            return Likelihoods(grid)
        measure = held_out_measure(study, self.scoring)
        splits = read_shuffled_splits(self.cv, study)
        losses = replace(grid.datafit, targets=without_pseudo_rows(study.targets))
        return HeldOutLosses(grid, splits, measure, losses)

    def _results(self, triples: Any, errors: Any, notes: Any = None) -> Results:
        """Return the table of errors."""
        named = name_strengths(triples)
        if self.method == "laplace":
            return Results(named, -errors, LIKELIHOOD, notes=notes)
        return Results.of_folds(named, -errors, notes)
