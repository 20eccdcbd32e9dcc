"""Linear models that learn several tasks together."""

from ._clustered import ClusteredRegressor
from ._dirty import DirtyRegressor
from ._fused import FusedRegressor
from ._graph import GraphRegularizedRegressor
from ._graph_classifier import GraphRegularizedClassifier
from ._joint import JointFeatureRegressor
from ._joint_classifier import JointFeatureClassifier
from ._joint_cv import JointFeatureRegressorCV
from ._linear_task import LinearTaskRegressor
from ._low_rank import LowRankRegressor
from ._low_rank_classifier import LowRankClassifier
from ._low_rank_cv import LowRankRegressorCV
from ._mean import MeanRegularizedRegressor
from ._mean_classifier import MeanRegularizedClassifier
from ._mean_classifier_cv import MeanRegularizedClassifierCV
from ._mean_cv import MeanRegularizedRegressorCV
from ._mean_huber import MeanRegularizedHuberRegressor
from ._mean_poisson import MeanRegularizedPoissonRegressor
from ._mixed import MixedTaskModel
from ._path import CoefficientPath, mean_regularized_path
from ._path_search import PathSearchCV
from ._ridge import MultiTaskRidge
from ._ridge_cv import MultiTaskRidgeCV
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
