"""Search of the strengths of independent tasks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array, Chosen
from skmtl.couplings import Apart
from skmtl.problems import as_fit

from ..search import (
    HeldOutScore,
    Study,
    read_grid,
    read_splits,
    refuse_scoring,
    warn_of_edge,
)
from ._results import Results, refuse_nan
from ._ridge_path import fold_path, rows_path, shared_path, suggest_ridge_alphas

# Relative accuracy of leave-one-out errors of fits without residuals.
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

    relation_of: Callable[..., Any]
    alphas: Any
    alpha_per_task: bool
    cv: Any
    scoring: Any = None
    is_shared = False
    penalizes_intercepts = False

    def choose(self, study: Study) -> Chosen:
        """Return the relation at the best strengths."""
        if self.alphas is None:
            alphas = suggest_ridge_alphas(study.rows, study.fit_intercept)
        else:
            alphas = read_grid(self.alphas, "alphas")
        path = self._path(study, alphas)
        errors = path.mean_errors(self.alpha_per_task)
        if self.scoring is not None:  # leave-one-out errors may all be infinite
            refuse_nan(np.where(np.isinf(errors), np.nan, errors))
        best: Any = find_best(errors)
        if self.alphas is not None:
            warn_of_edge("alphas", alphas, errors, best)
        fit = as_fit(path.fit(alphas[best]))
        if not self.alpha_per_task or study.rows.layout == "single":
            errors, best = errors[0], int(best[0])
        facts = Results({"alpha": alphas}, -errors.T).facts(best)
        return Chosen(self.relation_of(Apart(facts["alpha_"])), facts, fit)

    def _scorer(self, study):
        """Return a function of test rows, or None for squared errors."""
        if self.scoring is None:
            return None
        score = HeldOutScore(self.scoring, study)
        return score.of_each_task if self.alpha_per_task else score.or_worst

    def _path(self, study, alphas):
        data, fit_intercept = study.rows, study.fit_intercept
        if self.cv is not None:
            splits = read_splits(self.cv, study)
            return fold_path(data, splits, alphas, fit_intercept, self._scorer(study))
        refuse_scoring(self.scoring, "cv", None, "5")
        if data.shares_moments:
            return shared_path(data, alphas, fit_intercept, self.alpha_per_task)
        return rows_path(data, alphas, fit_intercept)


def find_best(errors: Array) -> Array:
    """Return the position of each smallest error, the last one of equal errors."""
    least = errors.min(axis=1, keepdims=True)
    equal = errors <= least + _EQUAL * np.abs(least)
    return errors.shape[1] - 1 - equal[:, ::-1].argmax(axis=1)
