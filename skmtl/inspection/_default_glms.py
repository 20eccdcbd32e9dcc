"""Default models for classes and counts: logistic and Poisson regressions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
)
from skmtl.model_selection import TaskKFold, score_log_loss

_ALPHAS = np.geomspace(1e-2, 1e3, 6)
_SHARED = np.geomspace(1e-2, 1e2, 3)
_RIDGES = np.geomspace(1e-3, 1e4, 8)
# Each model searches its own regularisation strength, so that the comparison is fair.
_GRIDS = {
    "independent": {"alpha": _RIDGES},
    "pooled": {"alpha_shared": _RIDGES},
    "pooled + task intercepts": {"alpha_shared": _RIDGES},
    "mean-regularised": {"alpha": _ALPHAS, "alpha_shared": _SHARED},
}
_NO_CENTRE = 1e12  # alpha_shared that sets the centre to zero: nothing is shared
_N_FOLDS = 3
_SCORING = {
    "numbers": "neg_mean_squared_error",
    "classes": score_log_loss,
    "counts": "neg_mean_poisson_deviance",
}


def make_class_models(task_column: object = None) -> dict[str, BaseEstimator]:
    """Make the default logistic regressions, by name."""
    models = _make_models(MeanRegularizedClassifier, task_column)
    return _search(models, "classes")


def make_count_models(task_column: object = None) -> dict[str, BaseEstimator]:
    """Make the default Poisson regressions, by name."""
    models = _make_models(MeanRegularizedPoissonRegressor, task_column)
    return _search(models, "counts")


def search_strengths(
    model: BaseEstimator, grid: Mapping[str, Any], kind: str
) -> GridSearchCV:
    """Wrap a model with a task column in a search, with folds that split every task."""
    folds = TaskKFold(
        _N_FOLDS,
        task_column=model.task_column,
        stratify=kind == "classes",
        shuffle=True,
        random_state=0,
    )
    return GridSearchCV(model, grid, scoring=_SCORING[kind], cv=folds)


def _make_models(model, task_column):
    """Make models by name, from independent to pooled.

    Independent tasks have unpenalised intercepts. A task with a single class, or only
    zeros, has no finite intercept; `model` then adds a pseudo-row to it.
    """
    models = {
        "independent": model(alpha_shared=_NO_CENTRE),
        "pooled": model(np.inf, alpha_intercept=np.inf),
        "pooled + task intercepts": model(np.inf, alpha_intercept=1.0),
        "mean-regularised": model(alpha_intercept=1.0),
    }
    return {
        name: each.set_params(task_column=task_column) for name, each in models.items()
    }


def _search(models, kind):
    """Wrap models in a search over strengths, if there is a task column."""
    if models["pooled"].task_column is None:
        return models  # a search cannot split labels given by task=
    return {
        name: search_strengths(model, _GRIDS[name], kind)
        for name, model in models.items()
    }
