"""Choose strengths: by held-out rows, leave-one-out errors or likelihood."""

from ._fold_search import FoldErrors, log_grid, mean_curvature_of_rows, search_folds
from ._folds import assign_folds, assign_shuffled_folds, check_has_rows, fold_moments
from ._grids import BOTH_ENDS, read_grid, read_splits
from ._grids import warn_of_edge as warn_of_edge
from ._laplace import LaplaceLikelihood
from ._loss_grid import LossGrid, held_out_scores, likelihoods, mean_curvatures
from ._mean_grid import (
    Candidates,
    fold_scores,
    generalised_scores,
    left_out_scores,
    mean_curvature,
    suggest_alphas,
    suggest_intercept_alphas,
)
from ._mean_loss_search import MeanLossSearch
from ._mean_search import MeanSearch
from ._path_scores import (
    choose,
    extend_path,
    fall,
    find_saturation,
    loose_tol,
    mean_squared_error,
    warn_of_path,
    warn_of_path_end,
)
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
from ._study import Study
from ._table import STRENGTHS, tabulate, warn_of_lists

__all__ = [
    "BOTH_ENDS",
    "STRENGTHS",
    "Candidates",
    "FoldErrors",
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
    "assign_folds",
    "assign_shuffled_folds",
    "check_has_rows",
    "choose",
    "extend_path",
    "fall",
    "find_saturation",
    "fold_moments",
    "fold_path",
    "fold_scores",
    "generalised_scores",
    "held_out_scores",
    "left_out_scores",
    "likelihoods",
    "log_grid",
    "loose_tol",
    "mean_curvature",
    "mean_curvature_of_rows",
    "mean_curvatures",
    "mean_squared_error",
    "read_grid",
    "read_splits",
    "rows_path",
    "search_folds",
    "shared_path",
    "suggest_alphas",
    "suggest_intercept_alphas",
    "suggest_ridge_alphas",
    "tabulate",
    "warn_of_edge",
    "warn_of_lists",
    "warn_of_path",
    "warn_of_path_end",
]
