"""Compare models with and without sharing, and see and explain what they learnt."""

from ._calibration import CalibrationByTaskDisplay
from ._coefficient_heatmap import CoefficientHeatmapDisplay
from ._compare_tasks import compare_tasks
from ._comparison import TaskComparison
from ._default_glms import make_class_models as make_class_models
from ._default_glms import make_count_models as make_count_models
from ._default_glms import search_strengths as search_strengths
from ._default_models import default_models
from ._display import TaskComparisonDisplay
from ._explain import ExplanationDisplay, explain
from ._frames import coef_frame, task_frame
from ._importance import TaskImportance, task_feature_importance
from ._partial_dependence import TaskPartialDependenceDisplay
from ._recommendation import judge as judge
from ._residuals import ResidualsByTaskDisplay
from ._shrinkage_path import ShrinkagePathDisplay
from ._task_coefficients import TaskCoefficientsDisplay
from ._task_covariance import TaskCovarianceDisplay
from ._task_map import TaskMapDisplay

__all__ = [
    "CalibrationByTaskDisplay",
    "CoefficientHeatmapDisplay",
    "ExplanationDisplay",
    "ResidualsByTaskDisplay",
    "ShrinkagePathDisplay",
    "TaskCoefficientsDisplay",
    "TaskComparison",
    "TaskComparisonDisplay",
    "TaskCovarianceDisplay",
    "TaskImportance",
    "TaskMapDisplay",
    "TaskPartialDependenceDisplay",
    "coef_frame",
    "compare_tasks",
    "default_models",
    "explain",
    "task_feature_importance",
    "task_frame",
]
