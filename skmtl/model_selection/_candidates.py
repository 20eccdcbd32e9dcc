"""The candidates of a search, in their order from simple to complex."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.compose import PooledTasks
from skmtl.linear_model import (
    ClusteredClassifier,
    ClusteredPoissonRegressor,
    ClusteredRegressor,
    DirtyRegressor,
    JointFeatureClassifier,
    JointFeaturePoissonRegressor,
    JointFeatureRegressorCV,
    LowRankClassifier,
    LowRankPoissonRegressor,
    LowRankRegressorCV,
    MeanRegularizedClassifierCV,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressorCV,
    MultiTaskLogisticRegression,
    MultiTaskPoissonRegressor,
    MultiTaskRidgeCV,
    PathSearchCV,
    RobustRegressor,
)

from ._boosters import make_boosters

_ALPHAS = np.logspace(-8, 10, 55)  # from no penalty to all coefficients near zero
_N_ALPHAS = 10
_N_FOLDS = 3


@dataclass(frozen=True)
class Candidate:
    """A model that a search may choose.

    Parameters
    ----------
    name : str
        Name in the leaderboard.
    estimator : estimator
        Unfitted model.
    family : str, default=""
        Kind of model. The best of each family is in the stack; models without one are
        not.
    """

    name: str
    estimator: Any
    family: str = ""


def make_candidates(kind, n_tasks, preprocessor=None):
    """Make the built-in candidates for a kind of target, the simplest first.

    Parameters
    ----------
    kind : {"numbers", "classes", "counts"}
        Kind of target.
    n_tasks : int
        Number of tasks.
    preprocessor : transformer, default=None
        First step of the linear models; None means ``StandardScaler()``.

    Returns
    -------
    list of Candidate
        Candidates. The first is the default model.
    """
    first = StandardScaler() if preprocessor is None else preprocessor
    named = {**_LINEAR[kind]()}
    with_task, without_task = make_boosters(kind, n_tasks)
    linear = [
        Candidate(name, make_pipeline(first, model), _FAMILIES.get(name, ""))
        for name, model in named.items()
    ]
    return [
        *linear,
        *(Candidate(*each, "boosting without task") for each in without_task.items()),
        *(Candidate(*each, "boosting") for each in with_task.items()),
    ]


# Families of linear models; the others are of none.
_FAMILIES = {"mean-regularised": "default", "independent": "independent"}


def _make_regressors():
    search = {"n_alphas": _N_ALPHAS, "cv": _N_FOLDS}
    return {
        "mean-regularised": MeanRegularizedRegressorCV(),
        "independent": MultiTaskRidgeCV(),
        "pooled": PooledTasks(RidgeCV(alphas=_ALPHAS)),
        "pooled + task intercepts": MeanRegularizedRegressorCV([np.inf], method="loo"),
        "same features": JointFeatureRegressorCV(**search),
        "low rank": LowRankRegressorCV(**search),
        "groups": PathSearchCV(ClusteredRegressor(), **search),
        "outlier tasks": PathSearchCV(RobustRegressor(), **search),
        "same features + own": PathSearchCV(DirtyRegressor(), **search),
    }


def _make_classifiers():
    return {
        "mean-regularised": MeanRegularizedClassifierCV(),
        "independent": _search(MultiTaskLogisticRegression()),
        "same features": _search(JointFeatureClassifier()),
        "low rank": _search(LowRankClassifier()),
        "groups": _search(ClusteredClassifier()),
    }


def _make_counters():
    return {
        "mean-regularised": _search(MeanRegularizedPoissonRegressor()),
        "independent": _search(MultiTaskPoissonRegressor()),
        "same features": _search(JointFeaturePoissonRegressor()),
        "low rank": _search(LowRankPoissonRegressor()),
        "groups": _search(ClusteredPoissonRegressor()),
    }


def _search(model):
    return PathSearchCV(model, n_alphas=_N_ALPHAS, cv=_N_FOLDS)


_LINEAR = {
    "numbers": _make_regressors,
    "classes": _make_classifiers,
    "counts": _make_counters,
}


def read_candidates(candidates: Any, built_in: list[Candidate]) -> list[Candidate]:
    """Return the candidates that the user chose, in the user's order.

    Parameters
    ----------
    candidates : list of str or (str, estimator), mapping of str to estimator, or None
        Names of built-in candidates, and models with their names; None means all
        built-in candidates.
    built_in : list of Candidate
        The built-in candidates.

    Returns
    -------
    list of Candidate
        Candidates with distinct names.
    """
    if candidates is None:
        return built_in
    if isinstance(candidates, Mapping):
        candidates = list(candidates.items())
    known = {each.name: each for each in built_in}
    found = [_read_one(each, known) for each in candidates]
    names = [each.name for each in found]
    if len(found) == 0 or len(set(names)) < len(names):
        raise ValueError(
            f"candidates must have one or more models with distinct names. Got {names}."
        )
    return found


def list_own(candidates: Any) -> list[Any]:
    """Return the user's estimators, if no candidate is a built-in one."""
    if candidates is None or any(isinstance(each, str) for each in candidates):
        candidates = candidates if isinstance(candidates, Mapping) else {}
    return list(dict(candidates).values())


def _read_one(candidate, known):
    if isinstance(candidate, str):
        if candidate not in known:
            raise ValueError(
                f"candidates must be names among {list(known)}, or pairs of a name and "
                f"an estimator. Got {candidate!r}."
            )
        return known[candidate]
    name, estimator = candidate
    return Candidate(name, estimator, name)
