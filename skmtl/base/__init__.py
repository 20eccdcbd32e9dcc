"""Base classes of all estimators."""

from ._classifier import CLASSIFIER_CONSTRAINTS, ClassModel, TaskClassifier
from ._constraints import COMMON_CONSTRAINTS
from ._finite import cast, check_finite, predict_finite, refuse_infinite
from ._regressor import (
    MomentRegressor,
    PulledMomentRegressor,
    PulledRegressor,
    TaskModel,
    TaskRegressor,
    float_type,
    pose_rows,
)

__all__ = [
    "CLASSIFIER_CONSTRAINTS",
    "COMMON_CONSTRAINTS",
    "ClassModel",
    "MomentRegressor",
    "PulledMomentRegressor",
    "PulledRegressor",
    "TaskClassifier",
    "TaskModel",
    "TaskRegressor",
    "cast",
    "check_finite",
    "float_type",
    "pose_rows",
    "predict_finite",
    "refuse_infinite",
]
