"""Linear models that learn several tasks together."""

from ._mean import MeanRegularizedRegressor
from ._ridge import MultiTaskRidge

__all__ = ["MeanRegularizedRegressor", "MultiTaskRidge"]
