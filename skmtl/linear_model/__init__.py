"""Linear models that learn several tasks together."""

from ._graph import GraphRegularizedRegressor
from ._mean import MeanRegularizedRegressor
from ._mean_cv import MeanRegularizedRegressorCV
from ._path import CoefficientPath, mean_regularized_path
from ._ridge import MultiTaskRidge
from ._ridge_cv import MultiTaskRidgeCV

__all__ = [
    "CoefficientPath",
    "GraphRegularizedRegressor",
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
    "MultiTaskRidge",
    "MultiTaskRidgeCV",
    "mean_regularized_path",
]
