"""Say how tasks pull on each other."""

from ._apart import Apart
from ._graph import Graph
from ._mean import ToMean
from ._pull import Pull
from ._sum import Sum

__all__ = ["Apart", "Graph", "Pull", "Sum", "ToMean"]
