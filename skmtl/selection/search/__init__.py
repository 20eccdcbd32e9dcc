"""Parts of all searches: inputs, folds, lists of strengths, scores, minimisers."""

from ._coordinate_search import (
    N_SWEEPS,
    NEARBY,
    Axis,
    descend,
    polish,
    refine,
    strengthen,
)
from ._folds import (
    N_FOLDS,
    Splits,
    assign_folds,
    assign_shuffled_folds,
    fold_moments,
    has_rows,
    read_shuffled_splits,
    read_splits,
    refuse_empty_folds,
)
from ._grids import BOTH_ENDS, FALLS, log_grid, read_grid, warn_of_edge
from ._held_out import (
    HeldOutScore,
    SolvedModels,
    SolvedObjective,
    held_out_measure,
    refuse_scoring,
    without_pseudo_rows,
)
from ._scoring import minimize_by_scoring
from ._some_tasks import is_costly, sample_tasks
from ._study import Study

__all__ = [
    "BOTH_ENDS",
    "FALLS",
    "NEARBY",
    "N_FOLDS",
    "N_SWEEPS",
    "Axis",
    "HeldOutScore",
    "SolvedModels",
    "SolvedObjective",
    "Splits",
    "Study",
    "assign_folds",
    "assign_shuffled_folds",
    "descend",
    "fold_moments",
    "has_rows",
    "held_out_measure",
    "is_costly",
    "log_grid",
    "minimize_by_scoring",
    "polish",
    "read_grid",
    "read_shuffled_splits",
    "read_splits",
    "refine",
    "refuse_empty_folds",
    "refuse_scoring",
    "sample_tasks",
    "strengthen",
    "warn_of_edge",
    "without_pseudo_rows",
]
