"""Strengths as variances of the tasks, by restricted likelihood."""

from ._drawn_tasks import MANY_COLUMNS, Drawing, Drawn
from ._few_columns import FewColumns, likeliest_covariance
from ._laplace import LaplaceLikelihood
from ._new_task_variances import NewTaskVariances, leave_tasks_out
from ._reml import RestrictedLikelihood
from ._reml_covariance import (
    CovarianceLikelihood,
    CovarianceSearch,
    Grams,
    Units,
    minimize_scaled,
)
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
    shape_of_strengths,
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
    "FewColumns",
    "Grams",
    "LaplaceLikelihood",
    "NewTaskVariances",
    "RestrictedLikelihood",
    "Shape",
    "Shapes",
    "StrengthSearch",
    "Units",
    "VarianceSearch",
    "is_flexible",
    "leave_tasks_out",
    "likeliest_covariance",
    "minimize_scaled",
    "shape_of_covariance",
    "shape_of_strengths",
]
