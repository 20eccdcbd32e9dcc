"""Losses of any kind with a coupling, solved by Newton's method."""

from ._centred_graph import CentredGraphLosses
from ._coupled_losses import CoupledLosses
from ._datafit import Datafit, add_at
from ._graph_newton import GraphLosses
from ._grouped_newton import GroupedLosses
from ._laplace_posterior import LaplacePosterior, estimate_variances
from ._large_squared_loss import TOLERANCE, Iterated, iterate, needs_iteration
from ._losses_per_task import (
    DatafitPerTask,
    TaskScale,
    TasksOfOneLoss,
    group_by_loss,
    scale_of_task,
)
from ._mean_newton import (
    LIFT,
    ArrowFactor,
    MeanLosses,
    find_units,
    raise_diagonals_in_place,
)
from ._residual_scale import ScaledFit, ScaledLosses, fit_scale, minimize_scaled
from ._unseen_model_any_loss import fit_unseen_model

__all__ = [
    "LIFT",
    "TOLERANCE",
    "ArrowFactor",
    "CentredGraphLosses",
    "CoupledLosses",
    "Datafit",
    "DatafitPerTask",
    "GraphLosses",
    "GroupedLosses",
    "Iterated",
    "LaplacePosterior",
    "MeanLosses",
    "ScaledFit",
    "ScaledLosses",
    "TaskScale",
    "TasksOfOneLoss",
    "add_at",
    "estimate_variances",
    "find_units",
    "fit_scale",
    "fit_unseen_model",
    "group_by_loss",
    "iterate",
    "minimize_scaled",
    "needs_iteration",
    "raise_diagonals_in_place",
    "scale_of_task",
]
