"""Squared losses with a coupling, solved exactly."""

from ._factor import (
    bound,
    factor_moments,
    factor_path,
    factor_rows,
    has_few_rows,
    pose,
    pose_moments,
)
from ._graph_exact import GraphFit
from ._mean_exact import CentreFit, LinearTasks
from ._narrow import NarrowRows, narrow
from ._posterior import Posterior, pick
from ._task_models import OutputModels, unpack_tasks
from ._unseen_tasks import common_model, implied_ridge, mean_residual, weigh

__all__ = [
    "CentreFit",
    "GraphFit",
    "LinearTasks",
    "NarrowRows",
    "OutputModels",
    "Posterior",
    "bound",
    "common_model",
    "factor_moments",
    "factor_path",
    "factor_rows",
    "has_few_rows",
    "implied_ridge",
    "mean_residual",
    "narrow",
    "pick",
    "pose",
    "pose_moments",
    "unpack_tasks",
    "weigh",
]
