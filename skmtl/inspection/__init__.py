"""Find out whether sharing helps, and which tasks it hurts."""

from ._centred_models import make_class_models as make_class_models
from ._centred_models import make_count_models as make_count_models
from ._compare import compare_tasks
from ._comparison import TaskComparison
from ._display import TaskComparisonDisplay
from ._models import default_models

__all__ = [
    "TaskComparison",
    "TaskComparisonDisplay",
    "compare_tasks",
    "default_models",
]
