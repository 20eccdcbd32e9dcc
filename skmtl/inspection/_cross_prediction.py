"""Predictions of rows by models that were not fitted on them."""

from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import has_fit_parameter

from skmtl.compose import name_of_weight

from ._model_outputs import ask


def predict_held_out(models, data, splits, method="predict", n_jobs=None):
    """Fit every model on every split, and predict the rows held out.

    Returns the predictions, ``[model][fold]`` of shape (n_held_out,) or (n_held_out,
    n_tasks), of classes with an axis more for what each is given, and the times of the
    fits, of shape (n_models, n_folds).
    """
    results = Parallel(n_jobs=n_jobs)(
        delayed(_predict_fold)(name, model, data, method, fold, *split)
        for name, model in models.items()
        for fold, split in enumerate(splits)
    )
    folds = range(0, len(results), len(splits))
    predictions = [[z for z, _ in results[i : i + len(splits)]] for i in folds]
    times = np.array([time for _, time in results]).reshape(len(models), -1)
    return predictions, times


def _predict_fold(name, model, data, method, fold, train, held_out):
    where = f"The model {name!r} must predict rows held out of its fit."
    start = perf_counter()
    try:
        model = _fit(model, *data.take(train))
        time = perf_counter() - start
        X, _, task, _ = data.take(held_out)
        prediction = ask(model, method, X, _pass_on(model, task), data.classes)
    except Exception as error:
        raise ValueError(
            f"{where} In fold {fold}, of {len(train)} rows to train on, it failed with "
            f"{type(error).__name__}: {error}"
        ) from error
    shape = (len(held_out), *data.answer_shape[1:])
    return _check(prediction, shape, data.kind == "counts", where), time


def _fit(model, X, y, task, weight):
    options = {}
    path = _find_keyword(model)
    if task is not None and path is not None:
        options[path] = task
    if weight is not None:
        options[name_of_weight(model)] = weight
    return clone(model).fit(X, y, **options)


def _pass_on(model, task):
    """Return the labels as a keyword, if the model takes them."""
    known = task is not None and _find_keyword(model) is not None
    return {"task": task} if known else {}


def _find_keyword(model):
    """Return the keyword that passes the labels on to a fit, None if there is none."""
    if has_fit_parameter(model, "task"):
        return "task"
    if isinstance(model, (GridSearchCV, RandomizedSearchCV)):
        return _find_keyword(model.estimator)
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        path = _find_keyword(last)
        return None if path is None else f"{name}__{path}"
    return None


def _check(prediction, shape, counts, where):
    if prediction.size != np.prod(shape):
        raise ValueError(
            f"{where} Got predictions of shape {prediction.shape}, where the targets "
            f"have {shape}."
        )
    wrong = ~np.isfinite(prediction)
    if wrong.any():
        raise ValueError(
            f"{where} Got NaN or infinity in {wrong.sum()} of {wrong.size} predictions."
        )
    if counts and prediction.min() <= 0:
        raise ValueError(
            f"{where} Means of counts must be above 0. Got {prediction.min():g}; use "
            "models of counts, such as PoissonRegressor, or another metric."
        )
    return prediction.reshape(shape)
