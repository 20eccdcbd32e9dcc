"""Metrics: the loss of a row, and the unit of its mean."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import kl_div

from skmtl.metrics import compute_brier_scores, compute_log_losses


@dataclass(frozen=True)
class Metric:
    """A loss per row, and the transformation of its mean.

    Parameters
    ----------
    label : str
        Name shown in tables.
    loss : callable
        ``loss(y, z)`` returns the loss of each row. For classes, `y` are positions of
        the classes, and `z` of shape (n_rows, n_classes) their probabilities.
    kind : {"numbers", "classes", "counts"}, default="numbers"
        Kind of target.
    state : callable, default=np.positive
        Transformation of mean losses, such as the root for "rmse".
    method : {"predict", "predict_proba"}, default="predict"
        Method that makes the predictions.
    """

    label: str
    loss: Callable
    kind: str = "numbers"
    state: Callable = np.positive
    method: str = "predict"


def _square(y, z):
    return (y - z) ** 2


def _absolute(y, z):
    return np.abs(y - z)


def _log_loss(y, z):
    return compute_log_losses(z, y)


def _brier(y, z):
    return compute_brier_scores(z, y)


def _zero_one(y, z):
    return 1 - z[np.arange(len(z)), y]


def _deviance(y, z):
    return 2 * kl_div(y, z)


_METRICS = {
    "mse": Metric("MSE", _square),
    "rmse": Metric("RMSE", _square, state=np.sqrt),
    "mae": Metric("MAE", _absolute),
    "log_loss": Metric("log loss", _log_loss, "classes", method="predict_proba"),
    "error": Metric("error rate", _zero_one, "classes"),
    "brier": Metric("Brier score", _brier, "classes", method="predict_proba"),
    "poisson_deviance": Metric("Poisson deviance", _deviance, "counts"),
}


def find_metric(name: str) -> Metric:
    """Return the metric with a name."""
    if name not in _METRICS:
        raise ValueError(f"metric must be one of {list(_METRICS)}. Got {name!r}.")
    return _METRICS[name]


def list_metrics(kind: str) -> list[str]:
    """Return the names of the metrics for a kind of target."""
    return [name for name, metric in _METRICS.items() if metric.kind == kind]
