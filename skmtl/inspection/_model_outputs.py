"""What models say of rows: a number, or how much they give to each class."""

import numpy as np

from skmtl.metrics import measure_surprise


def ask(model, method, X, options, classes=None):
    """Ask a fitted model about rows; of classes, how much it gives to each.

    Parameters
    ----------
    model : fitted estimator
        Model.
    method : {"predict", "predict_proba"}
        What it is asked. Predicted classes are given 1, the others 0.
    X : container of shape (n_rows, n_columns)
        Rows.
    options : dict
        Keywords that go with `X`.
    classes : ndarray of shape (n_classes,), default=None
        Sorted classes. None stands for numbers.

    Returns
    -------
    ndarray of shape (n_rows, ...) or (n_rows, ..., n_classes)
        The answer.
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

    Classes that it was not fitted on are of probability 0, which is clipped.
    """
    classes = np.union1d(model.classes_, y)
    shares = ask(model, "predict_proba", X, {}, classes)
    losses = measure_surprise(shares, np.searchsorted(classes, y))
    weight = np.ones(len(losses)) if sample_weight is None else sample_weight
    return -float(np.dot(weight, losses) / (np.sum(weight) or 1.0))


def _align(proba, own, classes):
    """Put probabilities of a model's own classes in the columns of all classes."""
    proba = np.asarray(proba)
    full = np.zeros((len(proba), len(classes)), dtype=proba.dtype)
    full[:, np.searchsorted(classes, own)] = proba
    return full
