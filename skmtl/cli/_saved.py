"""Check that a loaded model has the structure that `skmtl compare --save` writes."""

import warnings
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_classifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder

from skmtl.compose import name_category
from skmtl.data import split_label

from ._archive import ArchiveError
from ._command_models import list_last_steps
from ._encoder import make_steps
from ._table_columns import TableColumns

_N_STEPS = 3  # columns, encoder, model
_RUNNING = {"memory", "n_jobs", "verbose"}  # where to write, and how many processes
_CALLED = {  # the only callables among a pipeline's attributes
    (OneHotEncoder, "dtype"): np.float64,
    (OneHotEncoder, "feature_name_combiner"): name_category,
}


def check_pipeline(model: Any) -> None:
    """Check that a pipeline is one that skmtl saves, and that it predicts."""
    if type(model) is not Pipeline or not isinstance(model.steps, list):
        raise ArchiveError(f"holds a {type(model).__name__} that skmtl did not save")
    _check_attributes(model)
    _check_like(model, _make_expected(model.steps), "pipeline")
    _check_passed(model.steps[1][1])
    _check_predictions(model)


def _make_expected(steps):
    """Return the unfitted pipeline that a file with these steps must hold."""
    found = [step for _, step in steps]
    if len(found) != _N_STEPS or type(found[0]) is not TableColumns:
        names = ", ".join(type(step).__name__ for step in found)
        raise ArchiveError(f"holds the steps {names}, which skmtl did not save")
    if not found[0].task_columns:
        raise ArchiveError("holds no task column, unlike what skmtl saves")
    last = {type(each): each for each in list_last_steps(found[0].task_columns)}
    if type(found[-1]) not in last:
        what = type(found[-1]).__name__
        raise ArchiveError(f"ends in a {what} that skmtl did not save")
    first = make_steps(TableColumns(found[0].kinds))
    return Pipeline([*first, ("model", last[type(found[-1])])])


def _check_like(found, expected, where):
    """Check that a parameter has the same types as the expected one, recursively.

    Plain values may differ: some are chosen in fit, and others vary by version.
    """
    if isinstance(expected, BaseEstimator):
        _check_parameters(found, expected, where)
    elif isinstance(expected, list | tuple) and _holds_estimators(expected):
        _check_items(found, expected, where)
    elif callable(expected) or where.rpartition(".")[2] in _RUNNING:
        _check_same(found, expected, where)
    elif isinstance(found, BaseEstimator) or callable(found):
        _check_types(found, expected, where)


def _check_parameters(found, expected, where):
    _check_types(found, expected, where)
    theirs = vars(found)
    for name, value in expected.get_params(deep=False).items():
        if name not in theirs:
            raise ArchiveError(f"lacks the parameter {name!r} of {where}")
        _check_like(theirs[name], value, f"{where}.{name}")


def _check_items(found, expected, where):
    _check_types(found, expected, where)
    if len(found) != len(expected):
        raise ArchiveError(f"has {len(found)} parts in {where}, not {len(expected)}")
    if isinstance(expected, tuple):
        where = f"{where}.{expected[0]}"
    for each, its_like in zip(found, expected, strict=True):
        _check_like(each, its_like, where)


def _check_types(found, expected, where):
    if type(found) is not type(expected):
        raise ArchiveError(
            f"has a {type(found).__name__} as {where}, which skmtl did not save"
        )


def _check_same(found, expected, where):
    if found is not expected:
        raise ArchiveError(f"has {found!r} as {where}, which skmtl did not save")


def _holds_estimators(values):
    return any(isinstance(each, BaseEstimator | tuple) for each in values)


def _check_passed(encoder):
    """Check the fitted steps of an encoder: the expected ones, or passthrough."""
    made = [
        FunctionTransformer() if step == "passthrough" else step
        for _, step, _ in encoder.transformers
    ]
    fitted = [step for _, step, _ in encoder.transformers_]
    for found, expected in zip(fitted, made, strict=False):
        _check_like(found, expected, "encoder.transformers_")
    if len(fitted) < len(made) or any(step != "drop" for step in fitted[len(made) :]):
        raise ArchiveError("has steps in its encoder that skmtl did not save")


def _check_attributes(model):
    """Check that no attribute is callable, or shadows a method of its class."""
    waiting = [model]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, np.ndarray):
            waiting += value.ravel().tolist() if value.dtype == object else []
        elif callable(value):
            raise ArchiveError(f"holds {value!r}, which skmtl did not save")
        elif hasattr(value, "__dict__"):
            _check_names(value)
            waiting += [
                each
                for name, each in vars(value).items()
                if each is not _CALLED.get((type(value), name), value)
            ]


def _check_names(owner):
    for name in vars(owner):
        defined = getattr(type(owner), name, None)
        if callable(defined) or isinstance(defined, property):
            raise ArchiveError(f"replaces {type(owner).__name__}.{name}")


def _check_predictions(model):
    """Check that a model predicts an empty row of each task and of an unseen task.

    Missing attributes and inconsistent shapes thus raise on loading, not in the middle
    of a table.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers = _predict_nothing(model)
    except Exception as error:  # an invalid file may raise anything
        raise ArchiveError(
            f"holds a model that does not predict ({type(error).__name__}: {error})"
        ) from None
    if not all(np.isfinite(each).all() for each in answers):
        raise ArchiveError("holds a model that predicts NaN or infinity")


def _predict_nothing(model):
    import pandas as pd

    columns = model.steps[0][1]
    tasks = np.asarray(model.steps[-1][1].tasks_).tolist()
    labels = [*tasks, _name_new(tasks)]
    names = [name for name in columns.kinds if name not in columns.task_columns]
    frame = pd.DataFrame(index=range(len(labels)), columns=names, dtype=object)
    several = len(columns.task_columns) > 1
    parts = zip(*map(split_label, labels), strict=True) if several else [labels]
    for name, part in zip(columns.task_columns, parts, strict=True):
        frame[name] = pd.Series(part, dtype=object)
    answers = [model.predict(frame)]
    if is_classifier(model):
        return [model.predict_proba(frame)]
    return answers


def _name_new(tasks):
    """Return a label that is not among the sorted ones."""
    first, last = tasks[0], tasks[-1]
    if isinstance(first, int):
        return first - 1 if first > 0 else last + 1
    return f"{last}?"
