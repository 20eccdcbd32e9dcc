"""Linear models that learn several tasks together.

A task is one prediction problem, such as one school, one patient or one column of y.
"""

from ._clustered import (
    ClusteredClassifier,
    ClusteredPoissonRegressor,
    ClusteredRegressor,
)
from ._custom import LinearTaskRegressor
from ._deviations import find_deviations as find_deviations
from ._dirty import DirtyClassifier, DirtyPoissonRegressor, DirtyRegressor
from ._fused import FusedClassifier, FusedPoissonRegressor, FusedRegressor
from ._graph import (
    GraphRegularizedClassifier,
    GraphRegularizedPoissonRegressor,
    GraphRegularizedRegressor,
)
from ._joint import (
    JointFeatureClassifier,
    JointFeaturePoissonRegressor,
    JointFeatureRegressor,
    JointFeatureRegressorCV,
)
from ._low_rank import (
    LowRankClassifier,
    LowRankPoissonRegressor,
    LowRankRegressor,
    LowRankRegressorCV,
)
from ._mean import MeanRegularizedRegressor, MeanRegularizedRegressorCV
from ._mean_classifier import MeanRegularizedClassifier, MeanRegularizedClassifierCV
from ._mean_counts import MeanRegularizedPoissonRegressorCV
from ._mean_glm import MeanRegularizedHuberRegressor, MeanRegularizedPoissonRegressor
from ._mixed import MixedTaskModel
from ._path import CoefficientPath, mean_regularized_path
from ._path_search import PathSearchCV
from ._ridge import (
    MultiTaskLogisticRegression,
    MultiTaskPoissonRegressor,
    MultiTaskRidge,
    MultiTaskRidgeCV,
)
from ._robust import RobustClassifier, RobustPoissonRegressor, RobustRegressor

__all__ = [
    "ClusteredClassifier",
    "ClusteredPoissonRegressor",
    "ClusteredRegressor",
    "CoefficientPath",
    "DirtyClassifier",
    "DirtyPoissonRegressor",
    "DirtyRegressor",
    "FusedClassifier",
    "FusedPoissonRegressor",
    "FusedRegressor",
    "GraphRegularizedClassifier",
    "GraphRegularizedPoissonRegressor",
    "GraphRegularizedRegressor",
    "JointFeatureClassifier",
    "JointFeaturePoissonRegressor",
    "JointFeatureRegressor",
    "JointFeatureRegressorCV",
    "LinearTaskRegressor",
    "LowRankClassifier",
    "LowRankPoissonRegressor",
    "LowRankRegressor",
    "LowRankRegressorCV",
    "MeanRegularizedClassifier",
    "MeanRegularizedClassifierCV",
    "MeanRegularizedHuberRegressor",
    "MeanRegularizedPoissonRegressor",
    "MeanRegularizedPoissonRegressorCV",
    "MeanRegularizedRegressor",
    "MeanRegularizedRegressorCV",
    "MixedTaskModel",
    "MultiTaskLogisticRegression",
    "MultiTaskPoissonRegressor",
    "MultiTaskRidge",
    "MultiTaskRidgeCV",
    "PathSearchCV",
    "RobustClassifier",
    "RobustPoissonRegressor",
    "RobustRegressor",
    "mean_regularized_path",
]
