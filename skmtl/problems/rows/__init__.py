"""Rows as linear maps: products with scatters, and blocks of features."""

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
