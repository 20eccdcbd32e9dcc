"""What an error is: the loss of a row, and how a mean of losses is stated."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Metric:
    """A loss of each row, ``loss(y, z)``, and the unit that its means are stated in."""

    loss: Callable
    state: Callable


def _square(y, z):
    return (y - z) ** 2


def _deviate(y, z):
    return np.abs(y - z)


_METRICS = {
    "mse": Metric(_square, np.positive),
    "rmse": Metric(_square, np.sqrt),
    "mae": Metric(_deviate, np.positive),
}


def find_metric(name):
    """Return the metric of a name."""
    if name not in _METRICS:
        raise ValueError(f"metric must be one of {list(_METRICS)}. Got {name!r}.")
    return _METRICS[name]
