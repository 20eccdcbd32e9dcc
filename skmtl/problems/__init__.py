"""Join data, losses and couplings into problems, and solve them."""

from ._centre import CentreFit, LinearTasks
from ._folds import deal, fold_moments
from ._graph import GraphFit
from ._grid import (
    Candidates,
    fold_scores,
    generalised_scores,
    left_out_scores,
    suggest_alphas,
    suggest_levels,
)
from ._likelihood import RestrictedLikelihood
from ._pose import (
    bound,
    factor_moments,
    factor_path,
    factor_rows,
    has_few_rows,
    pose,
    pose_moments,
)
from ._posterior import Posterior
from ._restricted import StrengthSearch
from ._ridge_path import RidgePath, fold_path, rows_path, shared_path

__all__ = [
    "Candidates",
    "CentreFit",
    "GraphFit",
    "LinearTasks",
    "Posterior",
    "RestrictedLikelihood",
    "RidgePath",
    "StrengthSearch",
    "bound",
    "deal",
    "factor_moments",
    "factor_path",
    "factor_rows",
    "fold_moments",
    "fold_path",
    "fold_scores",
    "generalised_scores",
    "has_few_rows",
    "left_out_scores",
    "pose",
    "pose_moments",
    "rows_path",
    "shared_path",
    "suggest_alphas",
    "suggest_levels",
]
