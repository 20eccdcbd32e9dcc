"""Predictions of a fitted model as numbers: values, or a probability per class."""

import numpy as np

from skmtl.metrics import compute_log_losses


def predict_numbers(model, method, X, options, classes=None):
    """Predict rows: numbers, or for a classifier one number per class.

    Parameters
    ----------
    model : fitted estimator
        Model.
    method : {"predict", "predict_proba"}
        Method to call. With "predict", the predicted class gets 1, the others 0.
    X : container of shape (n_rows, n_columns)
        Rows.
    options : dict
        Keyword arguments passed with `X`.
    classes : ndarray of shape (n_classes,), default=None
        Sorted classes; None if the target is numeric.

    Returns
    -------
    ndarray of shape (n_rows, ...) or (n_rows, ..., n_classes)
        Predictions.
    """
    answer = getattr(model, method)(X, **options)
    if classes is None:
        return np.asarray(answer, dtype=np.float64)
    if method == "predict":
        return np.equal(np.asarray(answer)[..., None], classes).astype(np.float64)
    if not isinstance(answer, list):
        return _align(answer, model.classes_, classes)
    columns = zip(answer, model.classes_, strict=True)
    return np.stack([_align(*column, classes) for column in columns], axis=1)


def score_log_loss(model, X, y, sample_weight=None):
    """Return the mean log loss of a fitted classifier, negated.

    Classes missing from its training rows have probability 0, which is clipped.
    """
    classes = np.union1d(model.classes_, y)
    proba = predict_numbers(model, "predict_proba", X, {}, classes)
    losses = compute_log_losses(proba, np.searchsorted(classes, y))
    weight = np.ones(len(losses)) if sample_weight is None else sample_weight
    return -float(np.dot(weight, losses) / (np.sum(weight) or 1.0))


def _align(proba, own, classes):
    """Return probabilities with a column per class, 0 for classes not in `own`."""
    proba = np.asarray(proba)
    full = np.zeros((len(proba), len(classes)), dtype=proba.dtype)
    full[:, np.searchsorted(classes, own)] = proba
    return full
