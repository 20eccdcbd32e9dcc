"""The models that the command compares, by the names that it knows them by."""

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline

from ..compose import PooledTasks
from ..linear_model import MeanRegularizedRegressorCV, MultiTaskRidgeCV
from ._encoder import make_steps
from ._errors import CommandError

_ALPHAS = np.logspace(-3, 5, 17)
_ALIKE = 1e12  # a pull so strong that all tasks have the same slopes

MODELS = {
    "independent": "a ridge regression for each task alone",
    "pooled": "one ridge regression for all rows, whatever their task",
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
    return {
        name: Pipeline(
            [
                *make_steps(table.kinds, table.task_column, table.task_kind),
                ("model", _make_model(name, table.task_column)),
            ]
        )
        for name in names
    }


def _make_model(name, task_column):
    return {
        "independent": MultiTaskRidgeCV(alphas=_ALPHAS),
        "pooled": PooledTasks(RidgeCV(alphas=_ALPHAS)),
        "intercepts": MeanRegularizedRegressorCV(alphas=[_ALIKE]),
        "mean": MeanRegularizedRegressorCV(),
    }[name].set_params(task_column=task_column)
