"""Noise variances of tasks, and sizes of residuals."""

from ._noise_search import NoiseSearch
from ._residual_quantiles import ResidualQuantiles
from ._variances import NoiseModel, NoiseVariances, weigh_tasks

__all__ = [
    "NoiseModel",
    "NoiseSearch",
    "NoiseVariances",
    "ResidualQuantiles",
    "weigh_tasks",
]
