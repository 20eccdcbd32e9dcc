"""Choose strengths by held-out rows, leave-one-out errors or likelihood."""

from ._centre_search import CentreSearch
from ._evidence import (
    HeldOutErrors,
    change_in_task_errors,
    deal_observations,
    fold_errors,
    left_out_errors,
)
from ._fold_search import search_folds
from ._folds import assign_folds, assign_shuffled_folds, fold_moments
from ._grids import log_grid, read_grid
from ._grouped_loss_search import GroupedLossSearch
from ._grouped_search import GroupedSearch
from ._laplace import LaplaceLikelihood
from ._loss_grid import mean_curvatures
from ._mean_grid import Candidates, suggest_alphas, suggest_intercept_alphas
from ._mean_loss_search import MeanLossSearch
from ._mean_scores import Generalised, HeldOut, LeftOut
from ._mean_search import MeanSearch
from ._new_task_variances import NewTaskVariances, leave_tasks_out
from ._noise import NoiseModel, NoiseVariances, weigh_tasks
from ._noise_search import NoiseSearch
from ._path_search import PathGrid, PathSearch
from ._reml import RestrictedLikelihood
from ._reml_covariance import CovarianceLikelihood, Grams
from ._reml_search import StrengthSearch
from ._residual_quantiles import ResidualQuantiles
from ._ridge_path import rows_path, shared_path
from ._ridge_search import RidgeSearch
from ._study import Study
from ._working_rows import WorkingRows

__all__ = [
    "Candidates",
    "CentreSearch",
    "CovarianceLikelihood",
    "Generalised",
    "Grams",
    "GroupedLossSearch",
    "GroupedSearch",
    "HeldOut",
    "HeldOutErrors",
    "LaplaceLikelihood",
    "LeftOut",
    "MeanLossSearch",
    "MeanSearch",
    "NewTaskVariances",
    "NoiseModel",
    "NoiseSearch",
    "NoiseVariances",
    "PathGrid",
    "PathSearch",
    "ResidualQuantiles",
    "RestrictedLikelihood",
    "RidgeSearch",
    "StrengthSearch",
    "Study",
    "WorkingRows",
    "assign_folds",
    "assign_shuffled_folds",
    "change_in_task_errors",
    "deal_observations",
    "fold_errors",
    "fold_moments",
    "leave_tasks_out",
    "left_out_errors",
    "log_grid",
    "mean_curvatures",
    "read_grid",
    "rows_path",
    "search_folds",
    "shared_path",
    "suggest_alphas",
    "suggest_intercept_alphas",
    "weigh_tasks",
]
