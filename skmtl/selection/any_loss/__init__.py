"""Searches of the strengths of mean regularisation, any loss."""

from ._grid import mean_curvatures
from ._mean_search import MeanLossSearch
from ._working_rows import WorkingRows

__all__ = [
    "MeanLossSearch",
    "WorkingRows",
    "mean_curvatures",
]
