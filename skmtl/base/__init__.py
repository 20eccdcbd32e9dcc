"""Base classes of all models of tasks."""

from ._classifier import TaskClassifier
from ._constraints import (
    CLASS_CONSTRAINTS,
    CLASSIFIER_CONSTRAINTS,
    COMMON_CONSTRAINTS,
    ITERATIVE_CONSTRAINTS,
    NONNEGATIVE,
    PATH_CONSTRAINTS,
    POSITIVE,
    SCALED_CONSTRAINTS,
    SCORING,
    SOLVER_CONSTRAINTS,
    UNBOUNDED,
)
from ._convergence import warn_of_convergence
from ._exact_fit import ExactFitError, refuse_exact_fit
from ._linear_counts import LinearCountRegressor
from ._linear_model import LinearClassifier, LinearModel, LinearRegressor
from ._mixed_model import TaskMixedModel
from ._moment_regressor import MomentRegressor
from ._regressor import TaskRegressor
from ._task_model import TaskModel

__all__ = [
    "CLASSIFIER_CONSTRAINTS",
    "CLASS_CONSTRAINTS",
    "COMMON_CONSTRAINTS",
    "ITERATIVE_CONSTRAINTS",
    "NONNEGATIVE",
    "PATH_CONSTRAINTS",
    "POSITIVE",
    "SCALED_CONSTRAINTS",
    "SCORING",
    "SOLVER_CONSTRAINTS",
    "UNBOUNDED",
    "ExactFitError",
    "LinearClassifier",
    "LinearCountRegressor",
    "LinearModel",
    "LinearRegressor",
    "MomentRegressor",
    "TaskClassifier",
    "TaskMixedModel",
    "TaskModel",
    "TaskRegressor",
    "refuse_exact_fit",
    "warn_of_convergence",
]
