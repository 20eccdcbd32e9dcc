"""Choose strengths: by held-out rows, leave-one-out errors or likelihood."""

from ._fold_search import FoldErrors, ladder, mean_curvature_of_rows, search_folds
from ._folds import check_has_rows, deal, deal_shuffled, fold_moments
from ._grids import BOTH_ENDS, read_grid, read_splits
from ._grids import warn_of_edge as warn_of_edge
from ._held_out import FAST, HeldOutScore
from ._laplace import LaplaceLikelihood
from ._loss_grid import LossGrid, held_out_scores, likelihoods, mean_curvatures
from ._loss_search import MeanLossSearch
from ._mean_grid import (
    Candidates,
    fold_scores,
    generalised_scores,
    left_out_scores,
    mean_curvature,
    suggest_alphas,
    suggest_levels,
)
from ._mean_search import MeanSearch
from ._path_search import PathGrid, PathSearch
from ._reml import RestrictedLikelihood
from ._reml_search import StrengthSearch
from ._ridge_path import (
    RidgePath,
    fold_path,
    rows_path,
    shared_path,
    suggest_ridge_alphas,
)
from ._ridge_search import RidgeSearch
from ._strengths import (
    choose,
    fall,
    go_on,
    loosen,
    mean_squared_error,
    saturate,
    warn_of_path,
    warn_of_path_end,
)
from ._study import Study
from ._table import STRENGTHS, tabulate, warn_of_lists

__all__ = [
    "BOTH_ENDS",
    "FAST",
    "STRENGTHS",
    "Candidates",
    "FoldErrors",
    "HeldOutScore",
    "LaplaceLikelihood",
    "LossGrid",
    "MeanLossSearch",
    "MeanSearch",
    "PathGrid",
    "PathSearch",
    "RestrictedLikelihood",
    "RidgePath",
    "RidgeSearch",
    "StrengthSearch",
    "Study",
    "check_has_rows",
    "choose",
    "deal",
    "deal_shuffled",
    "fall",
    "fold_moments",
    "fold_path",
    "fold_scores",
    "generalised_scores",
    "go_on",
    "held_out_scores",
    "ladder",
    "left_out_scores",
    "likelihoods",
    "loosen",
    "mean_curvature",
    "mean_curvature_of_rows",
    "mean_curvatures",
    "mean_squared_error",
    "read_grid",
    "read_splits",
    "rows_path",
    "saturate",
    "search_folds",
    "shared_path",
    "suggest_alphas",
    "suggest_levels",
    "suggest_ridge_alphas",
    "tabulate",
    "warn_of_edge",
    "warn_of_lists",
    "warn_of_path",
    "warn_of_path_end",
]
