"""The models that the command compares, by name."""

import numpy as np
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skmtl.compose import PooledTasks
from skmtl.inspection import make_class_models, make_count_models, search_strengths
from skmtl.linear_model import MeanRegularizedRegressorCV, MultiTaskRidgeCV
from skmtl.metrics import unwrap_search
from skmtl.model_selection import list_candidates, read_comparison, set_task_column
from skmtl.neural_network import MultiTaskMLPClassifier, MultiTaskMLPRegressor

from ._choices import ALIASES, METRICS, MODELS, NAMES
from ._command_errors import CommandError
from ._encoder import make_steps

_NETWORK = {"hidden_layer_sizes": (32,), "random_state": 0}
_NETWORK_GRID = {"alpha": np.array([1.0, 10.0, 100.0])}


def read_names(text):
    """Parse a comma-separated list of models, and sort it, the simplest first."""
    given = filter(None, map(str.strip, text.split(",")))
    names = list(dict.fromkeys(ALIASES.get(name, name) for name in given))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise CommandError(
            f"--models {unknown[0]!r} is not a model: choose among {', '.join(NAMES)}"
        )
    if len(names) < 2:
        what = "one model" if names else "no model"
        raise CommandError(
            f"--models {text!r} names {what}: give at least two to compare"
        )
    return [name for name in NAMES if name in names]


def refuse_unsaved(names):
    """Refuse models that cannot be saved."""
    unsaved = [name for name in names if name not in MODELS]
    if unsaved:
        raise CommandError(
            f"--save cannot save {unsaved[0]!r}: leave out --save, or choose --models "
            f"among {', '.join(MODELS)}"
        )


def make_models(names, table):
    """Return unfitted pipelines for a table, by name."""
    models = dict(zip(MODELS, _MAKERS[table.kind](table.task_column), strict=True))
    if not set(names) <= set(MODELS):
        models = _make_candidates(table) | models
    missing = [name for name in names if name not in models]
    if missing:
        raise CommandError(
            f"--models {missing[0]!r} cannot predict {table.kind}: leave it out"
        )
    return {
        name: Pipeline([*make_steps(table.columns()), ("model", models[name])])
        for name in names
    }


def _make_candidates(table):
    """Return unfitted candidates of the search for a model, by name."""
    metric = METRICS[table.kind][0]
    data = read_comparison(table.X, table.y, table.task_column, None, None, metric)
    return {
        each.name: set_task_column(each.estimator, table.task_column)
        for each in list_candidates(data)
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
        PooledTasks(MultiTaskRidgeCV()),
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
