"""Search the strengths of tasks that share nothing."""

from dataclasses import dataclass

import numpy as np

from skmtl._contracts import Chosen
from skmtl.couplings import Apart
from skmtl.problems import as_fit

from ._grids import read_grid, read_splits, warn_of_edge
from ._held_out import HeldOutScore, refuse_scoring
from ._ridge_path import fold_path, rows_path, shared_path, suggest_ridge_alphas
from ._table import tabulate

# Leave-one-out errors of fits without residuals have about this relative accuracy.
_EQUAL = 1e-7


@dataclass(frozen=True)
class RidgeSearch:
    """Choose the strength of each task, or one for all, by cross-validation.

    Parameters
    ----------
    relation_of : callable
        Returns the relation of a coupling.
    alphas : array-like or None
        Strengths to choose from; None computes them from the rows.
    alpha_per_task : bool
        Whether each task has a strength of its own.
    cv : int, splitter, iterable or None
        The folds; None for leave-one-out.
    scoring : str, callable or None, default=None
        Score of held-out rows; None for the negative mean squared error.
    """

    relation_of: object
    alphas: object
    alpha_per_task: bool
    cv: object
    scoring: object = None
    is_shared = False
    penalizes_intercepts = False

    def choose(self, study):
        """Return the relation at the best strengths."""
        data = study.rows
        if self.alphas is None:
            alphas = suggest_ridge_alphas(data, study.fit_intercept)
        else:
            alphas = read_grid(self.alphas, "alphas")
        path = self._path(data, study, alphas)
        errors = path.mean_errors(self.alpha_per_task)
        best = find_best(errors)
        if self.alphas is not None:
            warn_of_edge("alphas", alphas, errors, best)
        chosen, score = alphas[best], -errors[np.arange(len(best)), best]
        fit, scores = as_fit(path.fit(alphas[best])), -errors
        if not self.alpha_per_task or data.layout == "single":
            chosen, score, scores = float(chosen[0]), float(score[0]), scores[0]
            best = int(best[0])
        facts = {
            "alpha_": chosen,
            "cv_results_": tabulate({"alpha": alphas}, scores.T),
            "best_index_": best,
            "best_score_": score,
        }
        return Chosen(self.relation_of(Apart(chosen)), facts, fit)

    def _scorer(self, study):
        """Return a function of test rows, or None for squared errors."""
        if self.scoring is None:
            return None
        score = HeldOutScore(self.scoring, study)
        return score.of_each_task if self.alpha_per_task else score

    def _path(self, data, study, alphas):
        if self.cv is not None:
            splits = read_splits(self.cv, data, study.X, study.y, study.task)
            measure = self._scorer(study)
            return fold_path(data, splits, alphas, study.fit_intercept, measure)
        refuse_scoring(self.scoring, "cv", None, "5")
        if data.shares_moments:
            per_task = self.alpha_per_task
            return shared_path(data, alphas, study.fit_intercept, per_task)
        return rows_path(data, alphas, study.fit_intercept)


def find_best(errors):
    """Return the position of each least error, the last one of those that are equal."""
    least = errors.min(axis=1, keepdims=True)
    equal = errors <= least + _EQUAL * np.abs(least)
    return errors.shape[1] - 1 - equal[:, ::-1].argmax(axis=1)
