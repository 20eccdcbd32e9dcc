"""Search of strengths with a noise variance per task, if held-out rows ask for it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from skmtl._contracts import Array, Chosen
from skmtl.problems import as_fit
from skmtl.problems.exact import reduce_features, solve_rows
from skmtl.problems.newton import needs_iteration

from ..search import Study
from ..squared_loss import (
    LIKELIHOOD,
    STRENGTHS,
    MeanSearch,
    deal_observations,
    fold_errors,
    left_out_errors,
    lowers_squared_errors,
)
from ._variances import NoiseModel, NoiseVariances, weigh_tasks

COMMON, PER_TASK, AUTO = "common", "per_task", "auto"
REML = "reml"
# Log variances that differ by less, as a variance, hardly change the models.
_SMALL = 0.05
# Weights per task need a matrix of features for each task, also where tasks share rows.
_MOST_NUMBERS = 2**24
_N_FOLDS = 5


@dataclass(frozen=True)
class NoiseSearch:
    """Choose strengths with common noise, or with a noise variance per task.

    A variance per task multiplies the task's loss by its inverse. The variances are
    those of the residuals with common noise, shrunk to a typical one. The strengths
    then keep the variances of coefficients, as squared errors say little about them
    that they do not say with common noise; a likelihood is maximised again.

    Parameters
    ----------
    search : MeanSearch
        Search of the strengths.
    noise : {"common", "per_task", "auto"}
        Noise of the tasks. "auto" is "per_task" if held-out squared errors are then
        smaller by more than one standard error.
    """

    search: MeanSearch
    noise: str
    is_shared = True
    penalizes_intercepts = True

    def choose(self, study: Study) -> Chosen:
        """Return the relation at the best strengths."""
        may_differ = self.noise != COMMON and self._is_possible(study.rows)
        chosen = self.search.choose(study)
        factors = np.ones(len(study.rows.tasks))
        if may_differ:
            factors = self._find_factors(study, chosen)
        if (factors == 1).all():
            noise = chosen.facts["sigma2_"] * factors
            return replace(chosen, facts={**chosen.facts, "noise_variance_": noise})
        weight = study.rows.moments(curvature=False).weight
        scale = float(weight.sum() / (weight @ factors))
        weighted = replace(study, rows=weigh_tasks(study.rows, scale * factors))
        if self.search.method == REML:
            return self._search_again(weighted, chosen, scale * factors, weight)
        return self._keep_variances(weighted, chosen, scale, factors)

    def _search_again(
        self, study: Study, chosen: Chosen, factors: Array, weight: Array
    ) -> Chosen:
        """Return the strengths with the largest likelihood given the variances."""
        structure = chosen.facts["alpha_structure_"]
        chosen = replace(self.search, structure=structure).choose(study)
        facts = dict(chosen.facts)
        noise = {
            "noise_variance_": facts["sigma2_"] / factors,
            "_noise_factor": factors,
            "_noise_scale": 1.0,
        }
        # The part of the log likelihood that depends on the variances alone.
        change = float(weight @ np.log(factors)) / 2
        table = dict(facts["cv_results_"])
        table[LIKELIHOOD] = table[LIKELIHOOD] + change
        score = facts["best_score_"] + change
        facts |= noise | {"cv_results_": table, "best_score_": score}
        return replace(chosen, facts=facts)

    def _keep_variances(
        self, study: Study, chosen: Chosen, scale: float, factors: Array
    ) -> Chosen:
        """Return the fit with weights, at the same variances of coefficients."""
        facts, data = dict(chosen.facts), study.rows
        strengths = [scale * np.asarray(facts[f"{name}_"]) for name in STRENGTHS]
        relation = self.search.relation_at(*strengths)
        coupling = relation.coupling
        if "_fit_of_rows" in facts:
            shape = len(data.tasks), data.X.shape[1]
            fit = solve_rows(data, coupling.strengths(*shape), study.fit_intercept)
            facts["_fit_of_rows"] = fit
        else:
            fit = NoiseModel(coupling, study.fit_intercept).solve(data)
        facts |= {
            "noise_variance_": facts["sigma2_"] / factors,
            "_noise_factor": scale * factors,
            "_noise_scale": scale,
        }
        return Chosen(relation, facts, as_fit(fit), partial(left_out_errors, data, fit))

    def _is_possible(self, data: Any) -> bool:
        """Return whether noise per task can be computed, and in reasonable time."""
        if not needs_iteration(data):
            n_numbers = len(data.tasks) * min(data.X.shape) ** 2
            return self.noise == PER_TASK or n_numbers <= _MOST_NUMBERS
        if self.noise == PER_TASK:
            raise ValueError(
                "noise='per_task' needs a factorisation, and its matrices would be far "
                "larger than this sparse X. Set noise='common', or reduce the columns."
            )
        return False

    def _find_factors(self, study: Study, chosen: Chosen) -> Array:
        """Return the factor of each task's loss, ones for common noise."""
        reduced = reduce_features(study.rows)
        data = study.rows if reduced is None else reduced.data
        relation: Any = chosen.relation
        model = NoiseModel(relation.coupling, study.fit_intercept)
        fit: Any = chosen.fit
        fit = fit.detail if reduced is None else model.solve(data)
        found = NoiseVariances.of(fit)
        if self.noise == AUTO and (
            found.between <= _SMALL or not _predicts_better(data, model)
        ):
            return np.ones(len(found.weight))
        return found.factors


def _predicts_better(data: Any, model: NoiseModel) -> bool:
    """Return whether noise per task lowers the errors of held-out rows."""
    parts = list(deal_observations(data, _N_FOLDS))
    solved = [model.solve_both(training) for training, _ in parts]
    common, per_task = (
        fold_errors(data, zip(models, (test for _, test in parts), strict=True))
        for models in zip(*solved, strict=True)
    )
    return lowers_squared_errors(common, per_task)
