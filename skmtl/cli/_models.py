"""The models that the command compares, by the names that it knows them by."""

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline

from ..compose import PooledTasks
from ..inspection._centred_models import make_class_models, make_count_models
from ..linear_model import MeanRegularizedRegressorCV, MultiTaskRidgeCV
from ..metrics._declared import unwrap_search
from ._encoder import make_steps
from ._errors import CommandError

_ALPHAS = np.logspace(-8, 10, 55)  # from no penalty to no effect of any feature

MODELS = {
    "independent": "a linear model for each task alone",
    "pooled": "one linear model for all rows, whatever their task",
    "intercepts": "one slope for all tasks, and a level for each",
    "mean": "slopes and a level for each task, near what the tasks share",
}


def read_names(text):
    """Return the names in a list separated by commas."""
    names = list(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        raise CommandError(
            f"--models {unknown[0]!r} is not a model: choose among {', '.join(MODELS)}"
        )
    if len(names) == 1:
        raise CommandError(
            f"--models {text!r} names one model: name at least two to compare"
        )
    return names


def make_models(names, table):
    """Return unfitted pipelines for a table, by name."""
    models = dict(zip(MODELS, _MAKERS[table.kind](table.task_column), strict=True))
    return {
        name: Pipeline(
            [
                *make_steps(table.kinds, table.task_column, table.task_kind),
                ("model", models[name]),
            ]
        )
        for name in names
    }


def fit_model(pipeline, table):
    """Fit a pipeline to all rows; of a search, keep the model that it chose."""
    *steps, (name, model) = pipeline.fit(table.X, table.y).steps
    return Pipeline([*steps, (name, unwrap_search(model))])


def _make_number_models(task_column):
    models = (
        MultiTaskRidgeCV(),
        PooledTasks(RidgeCV(alphas=_ALPHAS)),
        MeanRegularizedRegressorCV(alphas=[np.inf]),
        MeanRegularizedRegressorCV(),
    )
    return [model.set_params(task_column=task_column) for model in models]


def _make_class_models(task_column):
    return make_class_models(task_column).values()


def _make_count_models(task_column):
    return make_count_models(task_column).values()


_MAKERS = {
    "numbers": _make_number_models,
    "classes": _make_class_models,
    "counts": _make_count_models,
}
