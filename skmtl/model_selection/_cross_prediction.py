"""Cross-validated predictions: each row is predicted by a model not fitted on it."""

from time import perf_counter

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from skmtl.compose import find_keyword, name_of_weight

from ._model_outputs import predict_numbers


def predict_held_out(models, data, splits, method="predict", n_jobs=None):
    """Fit every model on every split, and predict the held-out rows.

    Returns the predictions and the times of the fits. Predictions are ``[model][fold]``
    of shape (n_held_out,) or (n_held_out, n_tasks), with a last axis of length
    n_classes for classes. Times have shape (n_models, n_folds).
    """
    results = Parallel(n_jobs=n_jobs)(
        delayed(predict_fold)(name, model, data, method, fold, *split)
        for name, model in models.items()
        for fold, split in enumerate(splits)
    )
    folds = range(0, len(results), len(splits))
    predictions = [[z for z, _ in results[i : i + len(splits)]] for i in folds]
    times = np.array([time for _, time in results]).reshape(len(models), -1)
    return predictions, times


def predict_fold(name, model, data, method, fold, train, held_out):
    """Fit a clone to the training rows; return predictions of the rest, and the time.

    An error names the model and the fold.
    """
    where = f"Model {name!r} must predict the held-out rows."
    start = perf_counter()
    try:
        model = fit_rows(model, *data.take(train))
        time = perf_counter() - start
        X, _, task, _ = data.take(held_out)
        prediction = predict_numbers(
            model, method, X, name_options(model, task), data.classes
        )
    except Exception as error:
        raise ValueError(
            f"{where} In fold {fold}, fitted on {len(train)} rows, it raised "
            f"{type(error).__name__}: {error}"
        ) from error
    shape = (len(held_out), *data.prediction_shape[1:])
    return _check(prediction, shape, data.kind == "counts", where), time


def fit_rows(model, X, y, task=None, weight=None):
    """Fit a clone, with the labels and weights under the keywords that it takes."""
    options = {}
    path = find_keyword(model, "task")
    if task is not None and path is not None:
        options[path] = task
    if weight is not None:
        options[name_of_weight(model)] = weight
    return clone(model).fit(X, y, **options)


def name_options(model, task):
    """Return the labels as a keyword argument, if the model takes them."""
    takes_task = task is not None and find_keyword(model, "task") is not None
    return {"task": task} if takes_task else {}


def find_cause(error):
    """Return the error that a model raised, with a note that names the model."""
    cause = error.__cause__ or error
    if cause is not error:
        cause.add_note(str(error))
    return cause


def _check(prediction, shape, counts, where):
    if prediction.size != np.prod(shape):
        raise ValueError(
            f"{where} Got predictions of shape {prediction.shape}, but the targets "
            f"have shape {shape}."
        )
    wrong = ~np.isfinite(prediction)
    if wrong.any():
        raise ValueError(
            f"{where} Got NaN or infinity in {wrong.sum()} of {wrong.size} predictions."
        )
    if counts and prediction.min() <= 0:
        raise ValueError(
            f"{where} Predicted counts must be positive. Got {prediction.min():g}; use "
            "a model for counts, such as PoissonRegressor, or another metric."
        )
    return prediction.reshape(shape)
