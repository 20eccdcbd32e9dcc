"""Find out whether sharing helps, and which tasks it hurts."""

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
