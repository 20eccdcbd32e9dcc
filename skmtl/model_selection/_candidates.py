"""The candidates of a search, in their order from simple to complex."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.compose import CurvedTasks, PooledTasks
from skmtl.kernel import MeanRegularizedKernelRegressorCV
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
    MeanRegularizedClassifier,
    MeanRegularizedClassifierCV,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedPoissonRegressorCV,
    MeanRegularizedRegressorCV,
    MultiTaskLogisticRegression,
    MultiTaskPoissonRegressor,
    MultiTaskRidgeCV,
    PathSearchCV,
    RobustRegressor,
)

from ._comparison_rows import Rows
from ._trees import make_trees

_ALPHAS = np.logspace(-8, 10, 55)  # from no penalty to all coefficients near zero
_N_ALPHAS = 10
_N_FOLDS = 3
# With more columns, fits to curves of them take minutes.
_MOST_CURVES = 100
# With more targets, fits of kernel models take minutes.
_MOST_KERNEL_ROWS = 2000
# Linear models that are in the stack, each a family of its own.
_STACKED = "mean-regularised", "independent"


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


def make_candidates(data: Rows, preprocessor: Any = None) -> list[Candidate]:
    """Make the built-in candidates for the rows, the simplest first.

    Parameters
    ----------
    data : Rows
        Rows; their kind of target, their layout and their size say what suits.
    preprocessor : transformer, default=None
        First step of all candidates. None means ``StandardScaler()`` for the linear
        ones, and nothing for trees.

    Returns
    -------
    list of Candidate
        Candidates. The first is the default model.
    """
    is_sparse = issparse(data.X)
    scaler = preprocessor or make_scaler(data)
    linear = _LINEAR[data.kind]()
    curved = {} if is_sparse or data.X.shape[1] > _MOST_CURVES else _bend(linear)
    smooth = {}
    if data.kind == "numbers" and len(data.targets) <= _MOST_KERNEL_ROWS:
        smooth = {"smooth functions": MeanRegularizedKernelRegressorCV()}
    trees = ({}, {}) if is_sparse else make_trees(data)
    first = [] if preprocessor is None else [preprocessor]
    return [
        *_join([scaler], linear, {name: name for name in _STACKED}),
        *_join([scaler], curved, dict.fromkeys(curved, "curves")),
        *_join([scaler], smooth, dict.fromkeys(smooth, "smooth functions")),
        *_join(first, *trees),
    ]


def make_scaler(data: Rows) -> StandardScaler:
    """Return a scaler, which does not make sparse rows dense."""
    return StandardScaler(with_mean=not issparse(data.X))


def make_alternatives(data: Rows) -> dict[str, Any]:
    """Make the models without sharing, and with nothing else: "independent", "pooled".

    Parameters
    ----------
    data : Rows
        Rows; their kind of target says which models suit.

    Returns
    -------
    dict of str to estimator
        Unfitted models by name.
    """
    linear = _LINEAR[data.kind]()
    scaler = make_scaler(data)
    names = "independent", "pooled"
    return {name: make_pipeline(scaler, linear[name]) for name in names}


def _join(first, models, families):
    """Make candidates of models behind first steps."""
    return [
        Candidate(name, make_pipeline(*first, model), families.get(name, ""))
        for name, model in models.items()
    ]


def _bend(linear):
    """Make models of curves from the default model."""
    model = linear["mean-regularised"]
    if "alpha_structure" in model.get_params():
        model = clone(model).set_params(alpha_structure="one")
    return {
        "spline curves": CurvedTasks(model, basis="splines"),
        "kernel curves": CurvedTasks(model, basis="kernel"),
    }


def _make_regressors():
    search = {"n_alphas": _N_ALPHAS, "cv": _N_FOLDS}
    return {
        "mean-regularised": MeanRegularizedRegressorCV(),
        "independent": MultiTaskRidgeCV(),
        "pooled": PooledTasks(RidgeCV(alphas=_ALPHAS)),
        "pooled + task intercepts": MeanRegularizedRegressorCV([np.inf], method="loo"),
        "same features": JointFeatureRegressorCV(**search),
        "low rank": LowRankRegressorCV(**search),
        "groups": _search(ClusteredRegressor()),
        "outlier tasks": _search(RobustRegressor()),
        "same features + own": _search(DirtyRegressor()),
    }


def _make_classifiers():
    return {
        "mean-regularised": MeanRegularizedClassifierCV(),
        "independent": _search(MultiTaskLogisticRegression()),
        "pooled": _pool(MeanRegularizedClassifier),
        "same features": _search(JointFeatureClassifier()),
        "low rank": _search(LowRankClassifier()),
        "groups": _search(ClusteredClassifier()),
    }


def _make_counters():
    return {
        "mean-regularised": MeanRegularizedPoissonRegressorCV(),
        "independent": _search(MultiTaskPoissonRegressor()),
        "pooled": _pool(MeanRegularizedPoissonRegressor),
        "same features": _search(JointFeaturePoissonRegressor()),
        "low rank": _search(LowRankPoissonRegressor()),
        "groups": _search(ClusteredPoissonRegressor()),
    }


def _pool(model):
    """Return one model of all rows, which searches its ridge penalty."""
    pooled = model(np.inf, alpha_intercept=np.inf)
    return PathSearchCV(pooled, n_alphas=_N_ALPHAS, param="alpha_shared", cv=_N_FOLDS)


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
