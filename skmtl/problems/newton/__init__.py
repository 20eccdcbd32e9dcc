"""Any loss with a coupling, solved by Newton's method."""

from ._coupled_losses import CoupledLosses
from ._datafit import Datafit, add_at
from ._graph_newton import GraphLosses
from ._iterate import TOLERANCE, Iterated, iterate, needs_iteration
from ._losses_per_task import (
    MixedDatafit,
    MixedPart,
    Standard,
    mixed_parts,
    standardise,
)
from ._mean_newton import LIFT, CentredLosses, find_units, raise_diagonals
from ._residual_scale import ScaledFit, ScaledLosses, fit_scale, minimize_scaled
from ._unseen_tasks_any_loss import find_common

__all__ = [
    "LIFT",
    "TOLERANCE",
    "CentredLosses",
    "CoupledLosses",
    "Datafit",
    "GraphLosses",
    "Iterated",
    "MixedDatafit",
    "MixedPart",
    "ScaledFit",
    "ScaledLosses",
    "Standard",
    "add_at",
    "find_common",
    "find_units",
    "fit_scale",
    "iterate",
    "minimize_scaled",
    "mixed_parts",
    "needs_iteration",
    "raise_diagonals",
    "standardise",
]
