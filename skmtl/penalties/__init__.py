"""Penalties on coefficients: norms, non-convex penalties, constraints."""

from ._cluster_norm import ClusterNorm
from ._decomposed import Decomposed
from ._fused import Fused
from ._groups import L1, L12, L21, L1Inf
from ._nonconvex import RowMCP, RowSCAD
from ._positive import Positive
from ._spectral import SquaredTrace, Trace

__all__ = [
    "L1",
    "L12",
    "L21",
    "ClusterNorm",
    "Decomposed",
    "Fused",
    "L1Inf",
    "Positive",
    "RowMCP",
    "RowSCAD",
    "SquaredTrace",
    "Trace",
]
