"""Contracts between subpackages: losses, penalties, couplings, solvers, relations."""

from ._alpha_max import least_strength
from ._arrays import Array
from ._loss import ElementwiseLoss, Loss
from ._objective import Point, Smooth
from ._penalty import Norm, Penalty
from ._relation import (
    Centre,
    Chosen,
    CoupledRelation,
    PenalizedRelation,
    Relation,
    TaskSet,
)
from ._solver import Solution, Solver
from ._tasks import Coupling, TaskBlocks, TaskData

__all__ = [
    "Array",
    "Centre",
    "Chosen",
    "CoupledRelation",
    "Coupling",
    "ElementwiseLoss",
    "Loss",
    "Norm",
    "PenalizedRelation",
    "Penalty",
    "Point",
    "Relation",
    "Smooth",
    "Solution",
    "Solver",
    "TaskBlocks",
    "TaskData",
    "TaskSet",
    "least_strength",
]
