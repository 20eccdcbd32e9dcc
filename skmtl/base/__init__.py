"""Base classes of all linear models of tasks."""

from ._classifier import TaskClassifier
from ._constraints import (
    CLASS_CONSTRAINTS,
    CLASSIFIER_CONSTRAINTS,
    COMMON_CONSTRAINTS,
    ITERATIVE_CONSTRAINTS,
    NONNEGATIVE,
    PATH_CONSTRAINTS,
    POSITIVE,
    SCORING,
    SOLVER_CONSTRAINTS,
    UNBOUNDED,
)
from ._convergence import warn_of_convergence
from ._count_regressor import TaskCountRegressor
from ._regressor import MomentRegressor, TaskRegressor
from ._task_model import TaskModel

__all__ = [
    "CLASSIFIER_CONSTRAINTS",
    "CLASS_CONSTRAINTS",
    "COMMON_CONSTRAINTS",
    "ITERATIVE_CONSTRAINTS",
    "NONNEGATIVE",
    "PATH_CONSTRAINTS",
    "POSITIVE",
    "SCORING",
    "SOLVER_CONSTRAINTS",
    "UNBOUNDED",
    "MomentRegressor",
    "TaskClassifier",
    "TaskCountRegressor",
    "TaskModel",
    "TaskRegressor",
    "warn_of_convergence",
]
