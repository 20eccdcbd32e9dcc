"""Couplings: quadratic penalties on differences between tasks."""

from ._apart import Apart
from ._graph import Graph
from ._mean import ToMean
from ._rotation import Rotation
from ._strengths import Strengths
from ._sum import Sum

__all__ = ["Apart", "Graph", "Rotation", "Strengths", "Sum", "ToMean"]
