"""Say how tasks pull on each other."""

from ._apart import Apart
from ._graph import Graph
from ._mean import ToMean
from ._pull import Pull

__all__ = ["Apart", "Graph", "Pull", "ToMean"]
