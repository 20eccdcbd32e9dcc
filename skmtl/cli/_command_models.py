"""The models that the command compares, by name."""

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skmtl.compose import PooledTasks
from skmtl.inspection import make_class_models, make_count_models, search_strengths
from skmtl.linear_model import MeanRegularizedRegressorCV, MultiTaskRidgeCV
from skmtl.metrics import unwrap_search
from skmtl.neural_network import MultiTaskMLPClassifier, MultiTaskMLPRegressor

from ._choices import MODELS
from ._command_errors import CommandError
from ._encoder import make_steps

_ALPHAS = np.logspace(-8, 10, 55)  # from no penalty to all coefficients near zero
_NETWORK = {"hidden_layer_sizes": (32,), "random_state": 0}
_NETWORK_GRID = {"alpha": np.array([1.0, 10.0, 100.0])}


def read_names(text):
    """Parse a comma-separated list of models, and sort it, the simplest first."""
    names = list(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        raise CommandError(
            f"--models {unknown[0]!r} is not a model: choose among {', '.join(MODELS)}"
        )
    if len(names) < 2:
        what = "one model" if names else "no model"
        raise CommandError(
            f"--models {text!r} names {what}: give at least two to compare"
        )
    return [name for name in MODELS if name in names]


def make_models(names, table):
    """Return unfitted pipelines for a table, by name."""
    models = dict(zip(MODELS, _MAKERS[table.kind](table.task_column), strict=True))
    return {
        name: Pipeline([*make_steps(table.columns()), ("model", models[name])])
        for name in names
    }


def fit_model(pipeline, table):
    """Fit a pipeline to all rows, and replace a search by its best model."""
    *steps, (name, model) = pipeline.fit(table.X, table.y).steps
    model = unwrap_search(model)
    vars(model).pop("_posterior_of_groupings", None)  # files hold no such object
    return Pipeline([*steps, (name, model)])


def list_last_steps(task_column):
    """Return the unfitted final estimators that :func:`fit_model` can save."""
    made = [each for make in _MAKERS.values() for each in make(task_column)]
    return [each.estimator if isinstance(each, GridSearchCV) else each for each in made]


def _make_number_models(task_column):
    models = (
        MultiTaskRidgeCV(),
        PooledTasks(RidgeCV(alphas=_ALPHAS)),
        MeanRegularizedRegressorCV(alphas=[np.inf]),
        MeanRegularizedRegressorCV(),
    )
    net = MultiTaskMLPRegressor(**_NETWORK, task_column=task_column)
    models = [model.set_params(task_column=task_column) for model in models]
    return [*models, search_strengths(net, _NETWORK_GRID, "numbers")]


def _make_class_models(task_column):
    net = MultiTaskMLPClassifier(**_NETWORK, task_column=task_column)
    models = make_class_models(task_column).values()
    return [*models, search_strengths(net, _NETWORK_GRID, "classes")]


def _make_count_models(task_column):
    net = MultiTaskMLPRegressor(**_NETWORK, loss="poisson", task_column=task_column)
    models = make_count_models(task_column).values()
    return [*models, search_strengths(net, _NETWORK_GRID, "counts")]


_MAKERS = {
    "numbers": _make_number_models,
    "classes": _make_class_models,
    "counts": _make_count_models,
}
