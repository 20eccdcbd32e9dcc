"""Losses with a penalty, solved by proximal gradient or proximal Newton methods."""

from ._any_loss import AnyLoss
from ._centred_losses import CentredLosses
from ._centred_squares import CentredSquares
from ._designs import (
    RestrictableLoss,
    reads_rows,
    restrictable_moments,
    restrictable_rows,
)
from ._loss_per_task import FreeIntercepts, LossPerTask
from ._penalized_fit import PenalizedFit, minimize
from ._squared_loss import SquaredLoss, squared_loss
from ._sum_of_parts import SumOfParts, into_parts

__all__ = [
    "AnyLoss",
    "CentredLosses",
    "CentredSquares",
    "FreeIntercepts",
    "LossPerTask",
    "PenalizedFit",
    "RestrictableLoss",
    "SquaredLoss",
    "SumOfParts",
    "into_parts",
    "minimize",
    "reads_rows",
    "restrictable_moments",
    "restrictable_rows",
    "squared_loss",
]
