"""Default models for classes and counts: logistic and Poisson regressions."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV

from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
)
from skmtl.model_selection import TaskKFold

from ._model_outputs import score_log_loss

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


def make_class_models(task_column: object = None) -> dict[str, BaseEstimator]:
    """Make the default logistic regressions, by name."""
    models = _make_models(MeanRegularizedClassifier, task_column)
    return _search(models, score_log_loss, stratify=True)


def make_count_models(task_column: object = None) -> dict[str, BaseEstimator]:
    """Make the default Poisson regressions, by name."""
    models = _make_models(MeanRegularizedPoissonRegressor, task_column)
    return _search(models, "neg_mean_poisson_deviance", stratify=False)


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


def _search(models, scoring, stratify):
    """Wrap models in a search over strengths, with folds that split every task."""
    column = models["pooled"].task_column
    if column is None:  # a search cannot split labels given by task=
        return models
    folds = TaskKFold(
        _N_FOLDS, task_column=column, stratify=stratify, shuffle=True, random_state=0
    )
    return {
        name: GridSearchCV(model, _GRIDS[name], scoring=scoring, cv=folds)
        for name, model in models.items()
    }
