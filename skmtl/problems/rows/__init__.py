"""Rows as linear operators: products with scatter matrices, and feature blocks."""

from ._blocks import GramBlocks, RowBlocks, choose_blocks, multiply
from ._curvature import (
    DesignCurvature,
    MomentCurvature,
    RowCurvature,
    prefers_rows,
    row_curvature,
)
from ._sparse_design import SparseDesign, keeps_sparse, stays_sparse

__all__ = [
    "DesignCurvature",
    "GramBlocks",
    "MomentCurvature",
    "RowBlocks",
    "RowCurvature",
    "SparseDesign",
    "choose_blocks",
    "keeps_sparse",
    "multiply",
    "prefers_rows",
    "row_curvature",
    "stays_sparse",
]
