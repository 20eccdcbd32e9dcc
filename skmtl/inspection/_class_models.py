"""The models of classes that are compared by default, from apart to pooled."""

import numpy as np
from sklearn.model_selection import GridSearchCV

from ..linear_model import MeanRegularizedClassifier
from ..model_selection import TaskKFold
from ._answers import score_log_loss

_ALPHAS = np.geomspace(1e-2, 1e3, 6)
_APART = 1e12  # a pull of the centre to zero so strong that nothing is shared
_N_FOLDS = 3


def make_class_models(task_column=None):
    """Make logistic regressions by name, told the column that they find tasks in.

    A task of a single class has no logistic regression of its own; its probabilities
    are those that MeanRegularizedClassifier softens targets to.
    """
    models = {
        "independent": MeanRegularizedClassifier(alpha_shared=_APART),
        "pooled": MeanRegularizedClassifier(np.inf, alpha_intercept=np.inf),
        "pooled + task intercepts": MeanRegularizedClassifier(
            np.inf, alpha_intercept=1.0
        ),
        "mean-regularised": MeanRegularizedClassifier(alpha_intercept=1.0),
    }
    for model in models.values():
        model.set_params(task_column=task_column)
    if task_column is None:  # searches cannot pass labels on
        return models
    searched = {
        name: _search(models[name]) for name in ("independent", "mean-regularised")
    }
    return models | searched


def _search(model):
    """Choose a strength by log loss on rows held out of every task."""
    folds = TaskKFold(
        _N_FOLDS,
        task_column=model.task_column,
        stratify=True,
        shuffle=True,
        random_state=0,
    )
    return GridSearchCV(model, {"alpha": _ALPHAS}, scoring=score_log_loss, cv=folds)
