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
from .newton import mixed_parts, standardise

__all__ = [
    "Fit",
    "Problem",
    "as_fit",
    "as_penalized_fit",
    "mixed_parts",
    "pose",
    "pose_moments",
    "pose_per_task",
    "standardise",
]
