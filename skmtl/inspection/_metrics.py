"""What an error is: the loss of a row, and how a mean of losses is stated."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import kl_div

from skmtl.metrics import measure_squares, measure_surprise


@dataclass(frozen=True)
class Metric:
    """Hold a loss of each row, and how its means are stated.

    Parameters
    ----------
    label : str
        What its means are called.
    loss : callable
        ``loss(y, z)`` returns the loss of each row. Of classes, `y` are positions of
        the rows' classes, and `z` of shape (n_rows, n_classes) what each is given.
    kind : {"numbers", "classes", "counts"}, default="numbers"
        Targets that it is for.
    state : callable, default=np.positive
        Turns means of losses into their unit.
    method : {"predict", "predict_proba"}, default="predict"
        What models are asked.
    """

    label: str
    loss: Callable
    kind: str = "numbers"
    state: Callable = np.positive
    method: str = "predict"


def _square(y, z):
    return (y - z) ** 2


def _deviate(y, z):
    return np.abs(y - z)


def _surprise(y, z):
    return measure_surprise(z, y)


def _square_shares(y, z):
    return measure_squares(z, y)


def _miss(y, z):
    return 1 - z[np.arange(len(z)), y]


def _deviance(y, z):
    return 2 * kl_div(y, z)


_METRICS = {
    "mse": Metric("MSE", _square),
    "rmse": Metric("RMSE", _square, state=np.sqrt),
    "mae": Metric("MAE", _deviate),
    "log_loss": Metric("log loss", _surprise, "classes", method="predict_proba"),
    "error": Metric("error rate", _miss, "classes"),
    "brier": Metric("Brier score", _square_shares, "classes", method="predict_proba"),
    "poisson_deviance": Metric("Poisson deviance", _deviance, "counts"),
}


def find_metric(name):
    """Return the metric of a name."""
    if name not in _METRICS:
        raise ValueError(f"metric must be one of {list(_METRICS)}. Got {name!r}.")
    return _METRICS[name]


def list_metrics(kind):
    """Return the names of the metrics for a kind of target."""
    return [name for name, metric in _METRICS.items() if metric.kind == kind]
