"""Linear models that learn several tasks together."""

from ._mean import MeanRegularizedRegressor
from ._mean_cv import MeanRegularizedRegressorCV
from ._ridge import MultiTaskRidge
from ._ridge_cv import MultiTaskRidgeCV

__all__ = [
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
    "MultiTaskRidge",
    "MultiTaskRidgeCV",
]
