"""Join data, losses and couplings into problems, and solve them."""

from ._centre import CentreFit, LinearTasks
from ._likelihood import RestrictedLikelihood
from ._pose import (
    bound,
    factor_moments,
    factor_path,
    factor_rows,
    has_few_rows,
    pose,
    pose_moments,
)
from ._posterior import Posterior

__all__ = [
    "CentreFit",
    "LinearTasks",
    "Posterior",
    "RestrictedLikelihood",
    "bound",
    "factor_moments",
    "factor_path",
    "factor_rows",
    "has_few_rows",
    "pose",
    "pose_moments",
]
