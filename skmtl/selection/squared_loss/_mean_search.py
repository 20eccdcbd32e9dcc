"""Search of the strengths of mean regularisation, squared loss."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Chosen
from skmtl.couplings import ToMean
from skmtl.problems import as_fit
from skmtl.problems.exact import Posterior, reduce_features, solve_moments, solve_rows
from skmtl.problems.newton import needs_iteration

from ..likelihood import GIVEN, ONE, RestrictedLikelihood, Shape
from ..search import (
    BOTH_ENDS,
    Study,
    held_out_measure,
    is_costly,
    read_grid,
    read_splits,
    refuse_scoring,
)
from ._candidates import (
    LISTS,
    list_candidates,
    mean_curvature,
    suggest_alphas,
    suggest_intercept_alphas,
)
from ._evidence import left_out_errors
from ._far_features import far_mean, move_origin
from ._fold_search import choose_by_iteration, warn_of_method
from ._reml_structures import LikelihoodSearch
from ._results import STRENGTHS, Results, add_variances, name_strengths
from ._scores import Generalised, HeldOut, LeftOut
from ._structures import AUTO, StructureSearch, join_tables

_N_ALPHAS = 6
_N_INTERCEPT_ALPHAS = 4
# Strengths of the centre, relative to the mean curvature of a task's loss.
_SHARED_ALPHAS = np.array([1e-2, 1.0])


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
    structure : {"auto", "one", "per_feature", "covariance"}
        Structure of the strengths of features.
    fit_intercept : bool
        Whether tasks have an intercept.
    scoring : str, callable or None, default=None
        Score of held-out rows; None for the negative mean squared error.
    pattern : ndarray of shape (n_features,) or None, default=None
        Given relative strengths of the features, for structure "one".
    """

    relation_at: Callable[..., Any]
    alphas: Any
    alphas_shared: Any
    alphas_intercept: Any
    method: str
    cv: Any
    structure: str
    fit_intercept: bool
    scoring: Any = None
    pattern: Any = None
    is_shared = True
    penalizes_intercepts = True

    def choose(self, study: Study) -> Chosen:
        """Return the relation at the best strengths."""
        if self.method != "cv":
            refuse_scoring(self.scoring, "method", self.method, "'cv'")
        splits = read_splits(self.cv, study) if self.method == "cv" else None
        data = study.rows
        is_plain = self.structure in (AUTO, ONE) and self.pattern is None
        if needs_iteration(data) and is_plain:
            return self._choose_by_iteration(splits, study)
        by_moments = not is_plain or self.scoring is not None
        reduced = None if by_moments else reduce_features(data)
        if reduced is None:
            fit, facts = self._learn_moments(data, splits, study)
        else:
            plain = replace(self, structure=ONE)
            _, facts = plain._learn_moments(reduced.data, splits, study)
            del facts["moments_"]
            shape = len(data.tasks), data.X.shape[1]
            strengths = ToMean(*_strengths(facts)).strengths(*shape)
            fit = solve_rows(data, strengths, self.fit_intercept)
            facts["_fit_of_rows"] = fit
        relation = self.relation_at(*_strengths(facts))
        held_out = partial(left_out_errors, data, fit)
        return Chosen(relation, facts, as_fit(fit), held_out)

    @property
    def _given(self):
        return self.alphas, self.alphas_shared, self.alphas_intercept

    def _choose_by_iteration(self, splits, study):
        """Choose strengths of sparse rows without making them dense."""
        if splits is None:
            warn_of_method(self.method)
            splits = read_splits(None, study)
        measure = self._measure_by_scorer(study)
        facts = choose_by_iteration(
            study.rows, splits, self._given, self.fit_intercept, measure
        )
        return Chosen(self.relation_at(*_strengths(facts)), facts)

    def _measure_by_scorer(self, study):
        """Return a function of test rows, or None for the squared error."""
        return None if self.scoring is None else held_out_measure(study, self.scoring)

    def _learn_moments(self, data, splits, study):
        """Return the exact fit to moments of rows, and the facts."""
        moments = replace(data, task_weight=None).moments()
        weighted = moments.weighted(data.task_weight)
        learn = self._likelihoods if self.method == "reml" else self._errors
        results, best, chosen = learn(data, weighted, splits, study)
        facts = results.facts(best) | chosen
        strengths = ToMean(*_strengths(facts)).strengths(
            weighted.n_tasks, weighted.n_features
        )
        fit = solve_moments(weighted, strengths, self.fit_intercept)
        by = RestrictedLikelihood if self.method == "reml" else Posterior
        noise_variance = float(by(fit).noise_variance)
        more = {"sigma2_": noise_variance, "method_": self.method, "moments_": moments}
        facts = add_variances(facts, noise_variance, data.X.shape[1])
        return fit, facts | more

    def _likelihoods(self, data, moments, splits, study):
        """Return likelihoods, the position of the largest, and its strengths."""
        if self.pattern is not None:
            raise ValueError(
                "alpha_structure must be a string for method='reml', got relative "
                "strengths. Choose method='loo'."
            )
        moments = moments if self.fit_intercept else moments.about_zero()
        alphas_shared = self._fixed_shared(moments)
        rows = None if data.shares_rows else data
        return LikelihoodSearch(
            moments, self.fit_intercept, alphas_shared, self.structure, rows
        ).search()

    def _fixed_shared(self, moments):
        """Return the given strengths of the centre, or None to search."""
        if self.alphas_shared is None:
            return [None]
        values = read_grid(self.alphas_shared, LISTS[1], *BOTH_ENDS).tolist()
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
        """Return scores, the position of the chosen ones, and their strengths."""
        unit = mean_curvature(moments)
        defaults = (
            np.append(suggest_alphas(moments, _N_ALPHAS), np.inf),
            np.append(_SHARED_ALPHAS * unit, np.inf),
            suggest_intercept_alphas(moments, _N_INTERCEPT_ALPHAS),
        )
        candidates = list_candidates(
            self._given, defaults, self.fit_intercept, moments.weight
        )
        if self.pattern is not None:
            shape = Shape(GIVEN, 1.0, self.pattern)
            candidates = replace(candidates, shape=shape)
        origin = self._far_origin(data, moments)
        if origin is not None:
            data = replace(data, X=data.X - origin)
            moments = replace(moments, x_mean=moments.x_mean - origin)
        criterion = self._criterion(data, moments, splits, study)
        found, chosen = StructureSearch(
            criterion,
            candidates,
            moments if self.fit_intercept else moments.about_zero(),
            None if data.shares_rows else data,
            self._judge(data, moments),
        ).search(self.structure)
        if origin is not None:
            chosen = move_origin(chosen, criterion, candidates, origin)
        triples, errors, shapes = join_tables(found, chosen)
        self._results(chosen.triples, chosen.errors).warn_of_lists(-1, candidates)
        alpha, _, level = chosen.chosen
        facts = chosen.shape.facts(alpha, level)
        return self._results(triples, errors, shapes), len(triples) - 1, facts

    def _far_origin(self, data, moments):
        """Return the means of the features if one is far from zero, else None.

        Differences between intercepts at zero are then differences between slopes.
        """
        is_free = all(each is None for each in self._given)
        if sparse.issparse(data.X) or self.scoring is not None:
            return None
        return far_mean(moments) if self.fit_intercept and is_free else None

    def _judge(self, data, moments):
        """Return leave-one-out errors to compare structures, if folds are dealt.

        They say the same of structures as random folds of many tasks, and cost less.
        """
        is_dealt = self.cv is None or isinstance(self.cv, Integral)
        if self.method != "cv" or not is_dealt or data.shares_rows:
            return None
        if not is_costly(moments):
            return None
        return LeftOut(data, moments)

    def _results(self, triples, errors, shapes=None):
        make = Results.of_folds if errors.ndim > 1 else Results
        return make(name_strengths(triples), -errors, notes=shapes)

    def _criterion(self, data, moments, splits, study):
        """Return the criterion of the method."""
        if self.method == "cv":
            return HeldOut(data, splits, self._measure_by_scorer(study))
        if self.method == "gcv":
            return Generalised(moments, None if data.shares_rows else data)
        return LeftOut(data, moments)


def _strengths(facts):
    return [facts[f"{name}_"] for name in STRENGTHS]
