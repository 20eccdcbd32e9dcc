"""The models, around a centre, that are compared by default where no ridge fits."""

import numpy as np
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
# What each model chooses: a ridge of its own, as those that it is compared with have.
_CHOSEN = {
    "independent": {"alpha": _RIDGES},
    "pooled": {"alpha_shared": _RIDGES},
    "pooled + task intercepts": {"alpha_shared": _RIDGES},
    "mean-regularised": {"alpha": _ALPHAS, "alpha_shared": _SHARED},
}
_APART = 1e12  # a pull of the centre to zero so strong that nothing is shared
_N_FOLDS = 3


def make_class_models(task_column=None):
    """Make logistic regressions by name, told the column that they find tasks in."""
    models = _make_models(MeanRegularizedClassifier, task_column)
    return _search(models, score_log_loss, stratify=True)


def make_count_models(task_column=None):
    """Make Poisson regressions by name, told the column that they find tasks in."""
    models = _make_models(MeanRegularizedPoissonRegressor, task_column)
    return _search(models, "neg_mean_poisson_deviance", stratify=False)


def _make_models(model, task_column):
    """Make models by name, from apart to pooled.

    Tasks apart have intercepts that nothing pulls. Those of a single class, or of
    zeros, which have no finite one, are told of the others by `model` as far as it
    takes to have one.
    """
    models = {
        "independent": model(alpha_shared=_APART),
        "pooled": model(np.inf, alpha_intercept=np.inf),
        "pooled + task intercepts": model(np.inf, alpha_intercept=1.0),
        "mean-regularised": model(alpha_intercept=1.0),
    }
    return {
        name: each.set_params(task_column=task_column) for name, each in models.items()
    }


def _search(models, scoring, stratify):
    """Choose strengths by scores of rows held out of every task."""
    column = models["pooled"].task_column
    if column is None:  # searches cannot pass labels on
        return models
    folds = TaskKFold(
        _N_FOLDS, task_column=column, stratify=stratify, shuffle=True, random_state=0
    )
    return {
        name: GridSearchCV(model, _CHOSEN[name], scoring=scoring, cv=folds)
        for name, model in models.items()
    }
