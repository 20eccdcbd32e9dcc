"""Strengths as variances of the tasks, by restricted likelihood."""

from ._drawn_tasks import MANY_COLUMNS, Drawing, Drawn
from ._laplace import LaplaceLikelihood
from ._new_task_variances import NewTaskVariances, leave_tasks_out
from ._reml import RestrictedLikelihood
from ._reml_covariance import CovarianceLikelihood, CovarianceSearch, Grams
from ._reml_search import FLEXIBLE, StrengthSearch, is_flexible
from ._shapes import (
    COVARIANCE,
    EQUAL,
    GIVEN,
    ONE,
    PER_FEATURE,
    STRUCTURES,
    Shape,
    Shapes,
    shape_of_covariance,
)
from ._variance_search import VarianceSearch

__all__ = [
    "COVARIANCE",
    "EQUAL",
    "FLEXIBLE",
    "GIVEN",
    "MANY_COLUMNS",
    "ONE",
    "PER_FEATURE",
    "STRUCTURES",
    "CovarianceLikelihood",
    "CovarianceSearch",
    "Drawing",
    "Drawn",
    "Grams",
    "LaplaceLikelihood",
    "NewTaskVariances",
    "RestrictedLikelihood",
    "Shape",
    "Shapes",
    "StrengthSearch",
    "VarianceSearch",
    "is_flexible",
    "leave_tasks_out",
    "shape_of_covariance",
]
