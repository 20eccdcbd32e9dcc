"""Search of strengths with a noise variance per task, if held-out rows ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skmtl._contracts import Array, Chosen
from skmtl.problems.exact import reduce_features
from skmtl.problems.newton import needs_iteration

from ._evidence import deal_observations, fold_errors, lowers_squared_errors
from ._mean_search import MeanSearch
from ._noise import NoiseModel, NoiseVariances, weigh_tasks
from ._results import LIKELIHOOD
from ._study import Study

COMMON, PER_TASK, AUTO = "common", "per_task", "auto"
# Log variances that differ by less, as a variance, hardly change the models.
_SMALL = 0.05
# Weights per task need a matrix of features for each task, also where tasks share rows.
_MOST_NUMBERS = 2**24
_N_FOLDS = 5


@dataclass(frozen=True)
class NoiseSearch:
    """Choose strengths with common noise, or with a noise variance per task.

    A variance per task multiplies the task's loss by its inverse. The variances are
    those of the residuals with common noise, drawn to the common one; the strengths are
    then chosen anew, in the same structure.

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
            return _report(chosen, factors)
        weighted = replace(study, rows=weigh_tasks(study.rows, factors))
        again = replace(self.search, structure=chosen.facts["alpha_structure_"])
        return _report(again.choose(weighted), factors, study.rows)

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
        """Return the factor of each task's loss, with mean 1; ones for common noise."""
        reduced = reduce_features(study.rows)
        data = study.rows if reduced is None else reduced.data
        relation: Any = chosen.relation
        model = NoiseModel(relation.coupling, study.fit_intercept)
        found = NoiseVariances.of(data, model.solve(data))
        if self.noise == AUTO and (
            found.between <= _SMALL or not _predicts_better(data, model)
        ):
            return np.ones(len(found.weight))
        return found.factors * (found.weight.sum() / (found.weight @ found.factors))


def _predicts_better(data: Any, model: NoiseModel) -> bool:
    """Return whether noise per task lowers the errors of held-out rows."""
    parts = list(deal_observations(data, _N_FOLDS))
    solved = [model.solve_both(training) for training, _ in parts]
    common, per_task = (
        fold_errors(data, zip(models, (test for _, test in parts), strict=True))
        for models in zip(*solved, strict=True)
    )
    return lowers_squared_errors(common, per_task)


def _report(chosen: Chosen, factors: Array, data: Any = None) -> Chosen:
    """Add the noise variances of the tasks to the facts."""
    facts = dict(chosen.facts)
    facts["noise_variance_"] = facts["sigma2_"] / factors
    if (factors != 1).any():
        facts["_noise_factor"] = factors
    if data is not None and LIKELIHOOD in facts["cv_results_"]:
        facts |= _add_to_likelihood(facts, float(_weights(data) @ np.log(factors)) / 2)
    return replace(chosen, facts=facts)


def _add_to_likelihood(facts: Mapping[str, Any], change: float) -> dict[str, Any]:
    """Add the part of the log likelihood that depends on the weights alone."""
    table = dict(facts["cv_results_"])
    table[LIKELIHOOD] = table[LIKELIHOOD] + change
    return {"cv_results_": table, "best_score_": facts["best_score_"] + change}


def _weights(data: Any) -> Array:
    """Return the sum of the weights of the rows of each task."""
    weight: Array = data.moments(curvature=False).weight
    return weight
