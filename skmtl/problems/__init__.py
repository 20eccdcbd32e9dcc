"""Join rows, a loss and a relation into a problem, and solve it."""

from ._exact_problems import as_fit
from ._fit import Fit, Problem
from ._grouped_problems import read_goals, solve_squares, unpack_groupings
from ._penalty_problems import as_penalized_fit
from ._pose import pose, pose_moments, pose_per_task
from .newton import group_by_loss, scale_of_task

__all__ = [
    "Fit",
    "Problem",
    "as_fit",
    "as_penalized_fit",
    "group_by_loss",
    "pose",
    "pose_moments",
    "pose_per_task",
    "read_goals",
    "scale_of_task",
    "solve_squares",
    "unpack_groupings",
]
