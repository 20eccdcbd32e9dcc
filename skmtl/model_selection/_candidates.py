"""The candidates of a search, in their order from simple to complex."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmtl.compose import (
    CurvedTasks,
    KernelBasis,
    PooledTasks,
    SplineBasis,
    make_table_encoder,
    take_rows,
)
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

_N_ALPHAS = 10
_N_FOLDS = 3
# Curves take about ``n_tasks * (n_columns + n_functions)**3`` operations, and kernel
# models the cube of the number of rows. Beyond these, a search takes minutes longer.
# Searches for classes and counts need many fits instead of moments.
_MOST_WORK = {"numbers": 3e7, "classes": 1e6, "counts": 1e6}
# Names, kernels and largest numbers of rows. Rough functions gain on small tables.
_KERNELS = ("smooth", "rbf", 2000), ("rough", "laplacian", 700)
# Most spline functions of a feature, and functions of a kernel, by default, and if
# these take too long.
_N_SPLINES = 8
_N_KERNEL_FUNCTIONS = 80
_FEW_FUNCTIONS = 40
# Rows that show whether a feature has many values.
_SAMPLE = 1000
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
    by_default : bool, default=True
        Whether it is tried without being named.
    needs_scaling : bool, default=True
        Whether the units of the features matter.
    """

    name: str
    estimator: Any
    family: str = ""
    by_default: bool = True
    needs_scaling: bool = True


def list_candidates(data: Rows) -> list[Candidate]:
    """Return all built-in models for the rows, without preprocessing.

    Parameters
    ----------
    data : Rows
        Rows; their kind of target, their layout and their size say what suits.

    Returns
    -------
    list of Candidate
        Candidates, the simplest first. The first is the default model.
    """
    linear = _LINEAR[data.kind]()
    is_dense = not issparse(data.X)
    trees, tree_families = make_trees(data)
    return [
        *_join(linear, {name: name for name in _STACKED}),
        *_list_mixed(data),
        *_list_curves(linear["mean-regularised"], data),
        *_list_own_curves(linear["independent"], data),
        *_list_kernels(data),
        *_join(trees, tree_families, by_default=is_dense, needs_scaling=False),
    ]


def make_candidates(data: Rows, preprocessor: Any = None) -> list[Candidate]:
    """Make the built-in candidates for the rows, the simplest first.

    Parameters
    ----------
    data : Rows
        Rows; their kind of target, their layout and their size say what suits.
    preprocessor : transformer, default=None
        First step of all candidates. None means ``make_table_encoder()`` if features
        are text, dates or flags, or have gaps; else ``StandardScaler()`` for the linear
        ones, and nothing for trees.

    Returns
    -------
    list of Candidate
        Candidates. The first is the default model.
    """
    first = make_first_step(data) if preprocessor is None else preprocessor
    is_needed = preprocessor is not None or data.needs_encoder
    return [_precede(each, first, is_needed) for each in list_candidates(data)]


def make_first_step(data: Rows) -> Any:
    """Return the first step of models: a scaler, or an encoder of text and gaps.

    Parameters
    ----------
    data : Rows
        Rows.

    Returns
    -------
    transformer
        A scaler does not make sparse rows dense.
    """
    if data.needs_encoder:
        return make_table_encoder()
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
    first = make_first_step(data)
    names = "independent", "pooled"
    return {name: make_pipeline(first, linear[name]) for name in names}


def _precede(candidate, first, is_needed):
    """Return a candidate whose model is the last step of a pipeline."""
    steps = [first] if is_needed or candidate.needs_scaling else []
    return replace(candidate, estimator=make_pipeline(*steps, candidate.estimator))


def _join(models, families, **more):
    """Make candidates of models; `families` is that of all, or those by name."""
    if isinstance(families, str):
        families = dict.fromkeys(models, families)
    return [
        Candidate(name, model, families.get(name, ""), **more)
        for name, model in models.items()
    ]


def _list_mixed(data):
    """Return the linear mixed model of correlated random coefficients, for numbers."""
    if data.kind != "numbers":
        return []
    model = MeanRegularizedRegressorCV(alpha_structure="covariance", method="reml")
    # It estimates a variance for each pair of columns from as many tasks as there are.
    n_pairs = data.X.shape[1] * (data.X.shape[1] + 1) / 2
    suits = not issparse(data.X) and n_pairs <= len(data.tasks)
    family = "mean-regularised"
    return _join({"mixed model": model}, family, by_default=suits)


def _list_curves(model, data):
    """Return models of curves, made from the default model."""
    if "alpha_structure" in model.get_params():
        model = clone(model).set_params(alpha_structure="one")
    splines = "splines" if data.kind == "numbers" else SplineBasis(_N_SPLINES)
    many = _is_quick(data, _N_KERNEL_FUNCTIONS)
    kernel = "kernel" if many else KernelBasis(_FEW_FUNCTIONS, width=2.0)
    bases = [
        ("spline curves", splines, _count_splines(data)),
        ("kernel curves", kernel, _N_KERNEL_FUNCTIONS if many else _FEW_FUNCTIONS),
    ]
    return [
        Candidate(
            name,
            CurvedTasks(model, basis=basis),
            "curves",
            by_default=_is_quick(data, n_functions),
        )
        for name, basis, n_functions in bases
    ]


def _list_own_curves(model, data):
    """Return curves of each output apart: one decomposition serves all of them."""
    if data.layout != "outputs" or data.kind != "numbers":
        return []
    models = {
        f"independent {basis} curves": CurvedTasks(model, basis=name)
        for basis, name in [("spline", "splines"), ("kernel", "kernel")]
    }
    return _join(models, "independent curves", by_default=not issparse(data.X))


def _is_quick(data, n_functions):
    """Return whether a linear model of some functions of the features is fast."""
    if issparse(data.X) or n_functions == 0:
        return False
    n_columns = data.X.shape[1] + n_functions
    return len(data.tasks) * n_columns**3 <= _MOST_WORK[data.kind]


def _count_splines(data):
    """Return the number of functions that splines of the features have."""
    if issparse(data.X):
        return 0
    rows = np.linspace(0, data.n_rows - 1, min(data.n_rows, _SAMPLE)).astype(np.intp)
    columns = np.asarray(take_rows(data.X, rows)).T
    counts = [min(len(set(map(str, column))) - 2, _N_SPLINES) for column in columns]
    return sum(max(count, 0) for count in counts)


def _list_kernels(data):
    """Return exact models of smooth and of rough functions, for numbers."""
    if data.kind != "numbers":
        return []
    n_rows = len(data.targets)
    if n_rows == data.n_rows * len(data.tasks):
        n_rows = data.n_rows  # the tasks of a complete 2-d y are fitted apart
    return [
        Candidate(
            f"{name} functions",
            MeanRegularizedKernelRegressorCV(kernel=("linear", kernel)),
            "smooth functions",
            by_default=n_rows <= most_rows,
        )
        for name, kernel, most_rows in _KERNELS
    ]


def make_regressors() -> dict[str, Any]:
    """Make the linear models for numbers, by name."""
    search: dict[str, Any] = {"n_alphas": _N_ALPHAS, "cv": _N_FOLDS}
    return {
        "mean-regularised": MeanRegularizedRegressorCV(),
        "independent": MultiTaskRidgeCV(),
        "pooled": PooledTasks(MultiTaskRidgeCV()),
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
    "numbers": make_regressors,
    "classes": _make_classifiers,
    "counts": _make_counters,
}


def read_candidates(candidates: Any, built_in: list[Candidate]) -> list[Candidate]:
    """Return the candidates that the user chose, in the user's order.

    Parameters
    ----------
    candidates : list of str or (str, estimator), mapping of str to estimator, or None
        Names of built-in candidates, and models with their names; None means the
        built-in candidates that are tried by default.
    built_in : list of Candidate
        The built-in candidates.

    Returns
    -------
    list of Candidate
        Candidates with distinct names.
    """
    if candidates is None:
        return [each for each in built_in if each.by_default]
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
            near = " or ".join(map(repr, get_close_matches(candidate, known)))
            hint = f" Did you mean {near}?" if near else ""
            raise ValueError(
                f"candidates must be names among {list(known)}, or pairs of a name and "
                f"an estimator. Got {candidate!r}.{hint}"
            )
        return known[candidate]
    name, estimator = candidate
    return Candidate(name, estimator, name)
