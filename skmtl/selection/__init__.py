"""Choose strengths by held-out rows, leave-one-out errors or likelihood."""

from ._fold_search import search_folds
from ._folds import assign_folds, assign_shuffled_folds, fold_moments
from ._grids import log_grid, read_grid
from ._laplace import LaplaceLikelihood
from ._loss_grid import likelihoods, mean_curvatures
from ._mean_grid import Candidates, suggest_alphas, suggest_intercept_alphas
from ._mean_loss_search import MeanLossSearch
from ._mean_scores import Generalised, HeldOut, LeftOut
from ._mean_search import MeanSearch
from ._path_search import PathGrid, PathSearch
from ._reml import RestrictedLikelihood
from ._reml_covariance import CovarianceLikelihood, Grams
from ._reml_search import StrengthSearch
from ._ridge_path import rows_path, shared_path
from ._ridge_search import RidgeSearch
from ._study import Study

__all__ = [
    "Candidates",
    "CovarianceLikelihood",
    "Generalised",
    "Grams",
    "HeldOut",
    "LaplaceLikelihood",
    "LeftOut",
    "MeanLossSearch",
    "MeanSearch",
    "PathGrid",
    "PathSearch",
    "RestrictedLikelihood",
    "RidgeSearch",
    "StrengthSearch",
    "Study",
    "assign_folds",
    "assign_shuffled_folds",
    "fold_moments",
    "likelihoods",
    "log_grid",
    "mean_curvatures",
    "read_grid",
    "rows_path",
    "search_folds",
    "shared_path",
    "suggest_alphas",
    "suggest_intercept_alphas",
]
