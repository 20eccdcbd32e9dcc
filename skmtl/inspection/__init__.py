"""Compare models with and without sharing, task by task."""

from ._compare_tasks import compare_tasks
from ._comparison import TaskComparison
from ._default_glms import make_class_models as make_class_models
from ._default_glms import make_count_models as make_count_models
from ._default_glms import search_strengths as search_strengths
from ._default_models import default_models
from ._display import TaskComparisonDisplay
from ._recommendation import judge as judge

__all__ = [
    "TaskComparison",
    "TaskComparisonDisplay",
    "compare_tasks",
    "default_models",
]
