"""Join data, losses and couplings into problems, and solve them."""

from ._centre import CentreFit, LinearTasks
from ._curvature import (
    DesignCurvature,
    MomentCurvature,
    RowCurvature,
    prefers_rows,
    row_curvature,
)
from ._datafit import Datafit
from ._folds import deal, fold_moments
from ._generalized import CentredLosses, CoupledLosses
from ._generalized_graph import GraphLosses
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
from ._output_models import OutputModels
from ._parts import SumOfParts
from ._penalized import PenalizedFit, minimize
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
from ._rows_smooth import (
    DivisibleLoss,
    divisible_moments,
    divisible_rows,
    reads_rows,
)
from ._scale import ScaledFit, ScaledLosses, fit_scale, minimize_scaled
from ._smooth import SquaredLoss, squared_loss

__all__ = [
    "Candidates",
    "CentreFit",
    "CentredLosses",
    "CoupledLosses",
    "Datafit",
    "DesignCurvature",
    "DivisibleLoss",
    "GraphFit",
    "GraphLosses",
    "LinearTasks",
    "MomentCurvature",
    "OutputModels",
    "PenalizedFit",
    "Posterior",
    "RestrictedLikelihood",
    "RidgePath",
    "RowCurvature",
    "ScaledFit",
    "ScaledLosses",
    "SquaredLoss",
    "StrengthSearch",
    "SumOfParts",
    "bound",
    "deal",
    "divisible_moments",
    "divisible_rows",
    "factor_moments",
    "factor_path",
    "factor_rows",
    "fit_scale",
    "fold_moments",
    "fold_path",
    "fold_scores",
    "generalised_scores",
    "has_few_rows",
    "left_out_scores",
    "minimize",
    "minimize_scaled",
    "pose",
    "pose_moments",
    "prefers_rows",
    "reads_rows",
    "row_curvature",
    "rows_path",
    "shared_path",
    "squared_loss",
    "suggest_alphas",
    "suggest_levels",
]
