"""Losses with a penalty, for proximal solvers."""

from ._any_loss import ProfiledLoss
from ._designs import DivisibleLoss, divisible_moments, divisible_rows, reads_rows
from ._loss_per_task import FreeLevels, MixedRows
from ._penalized_fit import PenalizedFit, minimize
from ._squared_loss import SquaredLoss, squared_loss
from ._sum_of_parts import SumOfParts, into_parts

__all__ = [
    "DivisibleLoss",
    "FreeLevels",
    "MixedRows",
    "PenalizedFit",
    "ProfiledLoss",
    "SquaredLoss",
    "SumOfParts",
    "divisible_moments",
    "divisible_rows",
    "into_parts",
    "minimize",
    "reads_rows",
    "squared_loss",
]
