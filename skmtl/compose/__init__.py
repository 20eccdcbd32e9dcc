"""Apply any scikit-learn estimator or transformer to rows of several tasks."""

from ._independent import IndependentTasks
from ._pipeline import make_task_pipeline
from ._pooled import PooledTasks
from ._task_aware import TaskAware

__all__ = ["IndependentTasks", "PooledTasks", "TaskAware", "make_task_pipeline"]
