"""Join rows, a loss and a relation into a problem, and solve it."""

from ._pose import (
    Fit,
    Problem,
    as_fit,
    as_penalized_fit,
    pose,
    pose_moments,
    pose_per_task,
)
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
    "scale_of_task",
]
