"""Say how tasks pull on each other."""

from ._apart import Apart
from ._graph import Graph
from ._mean import ToMean
from ._strengths import Strengths
from ._sum import Sum

__all__ = ["Apart", "Graph", "Strengths", "Sum", "ToMean"]
