"""Search the strengths of mean regularisation, for the squared loss."""

from dataclasses import dataclass, replace

import numpy as np

from skmtl._contracts import Chosen
from skmtl.couplings import ToMean
from skmtl.problems import as_fit
from skmtl.problems.exact import Posterior, reduce_features, solve_moments, solve_rows
from skmtl.problems.newton import needs_iteration

from ._folds import assign_folds
from ._grids import BOTH_ENDS, N_FOLDS, read_grid, read_splits
from ._held_out import held_out_measure, refuse_scoring
from ._mean_grid import (
    Candidates,
    fold_scores,
    generalised_scores,
    left_out_scores,
    mean_curvature,
    suggest_alphas,
    suggest_intercept_alphas,
)
from ._mean_search_large import choose_by_iteration, warn_of_method
from ._reml import RestrictedLikelihood
from ._reml_search import StrengthSearch
from ._table import (
    LIKELIHOOD,
    SCORE,
    STRENGTHS,
    name_strengths,
    tabulate,
    tabulate_folds,
    warn_of_lists,
)

_N_ALPHAS = 6
_N_LEVELS = 4
# Strengths of the centre, relative to the mean curvature of a task's loss.
_SHARED = np.array([1e-2, 1.0])


@dataclass(frozen=True)
class MeanSearch:
    """Choose the strengths of mean regularisation by held-out errors or likelihood.

    Parameters
    ----------
    relation_at : callable
        Returns the relation at three strengths: alpha, of the centre, of intercepts.
    alphas, alphas_shared, alphas_intercept : array-like or None
        Strengths to choose from.
    method : {"loo", "gcv", "cv", "reml"}
        Criterion.
    cv : int, splitter, iterable or None
        The folds of method "cv".
    alpha_per_feature : bool
        Whether each feature has a strength of its own.
    fit_intercept : bool
        Whether tasks have an intercept.
    scoring : str, callable or None, default=None
        Score of held-out rows; None for the negative mean squared error.
    """

    relation_at: object
    alphas: object
    alphas_shared: object
    alphas_intercept: object
    method: str
    cv: object
    alpha_per_feature: bool
    fit_intercept: bool
    scoring: object = None
    is_shared = True
    penalizes_intercepts = True

    def choose(self, study):
        """Return the relation at the best strengths."""
        if self.method != "cv":
            refuse_scoring(self.scoring, "method", self.method, "'cv'")
        data, splits = study.rows, self._split(study)
        if self.alpha_per_feature and self.method != "reml":
            raise ValueError(
                f"alpha_per_feature needs method='reml', got {self.method!r}. A grid "
                "of strengths for every feature would be too large."
            )
        if needs_iteration(data) and not self.alpha_per_feature:
            return self._choose_by_iteration(data, splits, study)
        by_moments = self.alpha_per_feature or self.scoring is not None
        found = None if by_moments else reduce_features(data)
        if found is None:
            fit, facts = self._learn_moments(data, splits, study)
        else:
            _, facts = self._learn_moments(found.data, splits, study)
            del facts["moments_"]
            pull = ToMean(*_strengths(facts)).strengths(
                len(data.tasks), data.X.shape[1]
            )
            fit = solve_rows(data, pull, self.fit_intercept)
            facts["_fit_of_rows"] = fit
        return Chosen(self.relation_at(*_strengths(facts)), facts, as_fit(fit))

    def _split(self, study):
        """Return the folds of method "cv"."""
        if self.method != "cv":
            return None
        if self.cv is None:
            return assign_folds(study.rows, N_FOLDS)
        return read_splits(self.cv, study.rows, study.X, study.y, study.task)

    def _choose_by_iteration(self, data, splits, study):
        """Fit sparse rows without making them dense."""
        if self.method != "cv":
            warn_of_method(self.method)
        ends = {"alphas": (True,), "alphas_shared": BOTH_ENDS}
        ends |= {"alphas_intercept": (True,)} if self.fit_intercept else {}
        given = {name: vars(self)[name] for name in ends}
        grids = [
            None if grid is None else read_grid(grid, name, *ends[name])
            for name, grid in given.items()
        ]
        grids += [None] * (3 - len(grids))
        measure = self._measure_by_scorer(study)
        facts = choose_by_iteration(data, splits, grids, self.fit_intercept, measure)
        return Chosen(self.relation_at(*_strengths(facts)), facts)

    def _measure_by_scorer(self, study):
        """Return a function of test rows, or None for the squared error."""
        return None if self.scoring is None else held_out_measure(study, self.scoring)

    def _learn_moments(self, data, splits, study):
        """Fit moments of the rows."""
        moments = replace(data, task_weight=None).moments()
        weighted = moments.weighted(data.task_weight)
        if self.method == "reml":
            results = self._likelihoods(weighted)
        else:
            results = self._errors(data, weighted, splits, study)
        return self._finish(moments, weighted, results)

    def _finish(self, moments, weighted, results):
        """Return the facts at the strengths of the best score, and the exact fit."""
        scores = results[LIKELIHOOD if self.method == "reml" else SCORE]
        best = self._choose(scores)
        alpha, shared, intercept = (results[name][best] for name in STRENGTHS)
        shared, intercept = float(shared), float(intercept)
        pull = ToMean(alpha, shared, intercept).strengths(
            weighted.n_tasks, weighted.n_features
        )
        fit = solve_moments(weighted, pull, self.fit_intercept)
        if self.method == "reml":
            sigma2 = RestrictedLikelihood(fit).noise_variance
        else:
            sigma2 = Posterior(fit).noise_variance
        return fit, {
            "alpha_": alpha if alpha.ndim else float(alpha),
            "alpha_shared_": shared,
            "alpha_intercept_": intercept,
            "sigma2_": float(sigma2),
            "tau2_": sigma2 / alpha,
            "tau2_intercept_": float(sigma2 / intercept) if intercept else np.nan,
            "cv_results_": results,
            "best_index_": best,
            "best_score_": float(scores[best]),
            "method_": self.method,
            "moments_": moments,
        }

    def _choose(self, scores):
        """Return the position of the chosen strengths."""
        several = self.method == "reml" and self.alphas_shared is not None
        return int(np.nanargmax(scores)) if several else len(scores) - 1

    def _likelihoods(self, moments):
        """Return the table of strengths that the likelihood search evaluated."""
        moments = moments if self.fit_intercept else moments.about_zero()
        tried = []
        for shared in self._fixed_shared(moments):
            search = StrengthSearch(
                moments,
                shared,
                self.fit_intercept,
                self.alpha_per_feature,
                simplify=shared is None and not self.alpha_per_feature,
            )
            tried.extend(search.search())
        *strengths, criteria = zip(*tried, strict=True)
        columns = dict(zip(STRENGTHS, strengths, strict=True))
        return tabulate(columns, -np.array(criteria) / 2, LIKELIHOOD)

    def _fixed_shared(self, moments):
        """Return the given strengths of the centre, or None to search."""
        if self.alphas_shared is None:
            return [None]
        values = read_grid(self.alphas_shared, "alphas_shared", *BOTH_ENDS).tolist()
        if 0 in values and len(values) > 1:
            raise ValueError(
                "alphas_shared must not mix 0 with other strengths for method='reml', "
                f"as their likelihoods are not comparable, got {values}. Leave out 0, "
                "or give only 0."
            )
        n_unpenalized = moments.n_features + self.fit_intercept
        if values == [0] and moments.weight.sum() <= n_unpenalized:
            raise ValueError(
                "method='reml' needs more rows than features, got rows of total weight "
                f"{moments.weight.sum():g} and {moments.n_features} features. Leave "
                "alphas_shared at None, or choose another method."
            )
        return values

    def _errors(self, data, moments, splits, study):
        """Return the table of candidates."""
        candidates = self._candidates(moments)
        table = self._measure(data, moments, splits, candidates, study)
        warn_of_lists(table, -1, candidates)
        return table

    def _measure(self, data, moments, splits, candidates, study):
        if self.method == "cv":
            measure = self._measure_by_scorer(study)
            triples, by_fold = fold_scores(data, splits, candidates, measure)
            return tabulate_folds(name_strengths(triples), -by_fold)
        if self.method == "gcv":
            triples, scores = generalised_scores(moments, candidates)
        else:
            triples, scores = left_out_scores(data, moments, candidates)
        return tabulate(name_strengths(triples), -scores)

    def _candidates(self, moments):
        """Return the candidate strengths; a single task has only the centre's."""
        alone = (moments.weight > 0).sum() == 1
        unit, infinite = mean_curvature(moments), np.array([np.inf])
        shared = np.append(_SHARED * unit, np.inf)
        if alone:
            alphas, levels = infinite, infinite
        else:
            alphas = np.append(suggest_alphas(moments, _N_ALPHAS), np.inf)
            levels = suggest_intercept_alphas(moments, _N_LEVELS)
        if not self.fit_intercept:
            levels = np.zeros(1)
        given = self.alphas, self.alphas_shared, self.alphas_intercept
        free = tuple(each is None for each in given)
        if not (alone or free[0]):
            alphas = read_grid(self.alphas, "alphas", infinite=True)
        if not free[1]:
            shared = read_grid(self.alphas_shared, "alphas_shared", *BOTH_ENDS)
        if not (alone or free[2]) and self.fit_intercept:
            levels = read_grid(self.alphas_intercept, "alphas_intercept", infinite=True)
        return Candidates(alphas, shared, levels, self.fit_intercept, free)


def _strengths(facts):
    return [facts[f"{name}_"] for name in STRENGTHS]
