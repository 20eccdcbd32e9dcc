"""Linear models that learn several tasks together."""

from ._clustered import ClusteredRegressor
from ._custom import LinearTaskRegressor
from ._dirty import DirtyRegressor
from ._fused import FusedRegressor
from ._graph import GraphRegularizedClassifier, GraphRegularizedRegressor
from ._joint import (
    JointFeatureClassifier,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
)
from ._low_rank import LowRankClassifier, LowRankRegressor, LowRankRegressorCV
from ._mean import MeanRegularizedRegressor, MeanRegularizedRegressorCV
from ._mean_classifier import MeanRegularizedClassifier, MeanRegularizedClassifierCV
from ._mean_glm import MeanRegularizedHuberRegressor, MeanRegularizedPoissonRegressor
from ._mixed import MixedTaskModel
from ._path import CoefficientPath, mean_regularized_path
from ._path_search import PathSearchCV
from ._ridge import MultiTaskRidge, MultiTaskRidgeCV
from ._robust import RobustRegressor

__all__ = [
    "ClusteredRegressor",
    "CoefficientPath",
    "DirtyRegressor",
    "FusedRegressor",
    "GraphRegularizedClassifier",
    "GraphRegularizedRegressor",
    "JointFeatureClassifier",
    "JointFeatureRegressor",
    "JointFeatureRegressorCV",
    "LinearTaskRegressor",
    "LowRankClassifier",
    "LowRankRegressor",
    "LowRankRegressorCV",
    "MeanRegularizedClassifier",
    "MeanRegularizedClassifierCV",
    "MeanRegularizedHuberRegressor",
    "MeanRegularizedPoissonRegressor",
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
    "MixedTaskModel",
    "MultiTaskRidge",
    "MultiTaskRidgeCV",
    "PathSearchCV",
    "RobustRegressor",
    "mean_regularized_path",
]
