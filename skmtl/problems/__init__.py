"""Join data, losses and couplings into problems, and solve them."""

from ._centre import CentreFit, LinearTasks
from ._common import common_model
from ._coupled_losses import CoupledLosses
from ._curvature import (
    DesignCurvature,
    MomentCurvature,
    RowCurvature,
    prefers_rows,
    row_curvature,
)
from ._datafit import Datafit
from ._fold_search import FoldErrors, ladder, mean_curvature_of_rows, search_folds
from ._folds import deal, deal_shuffled, fold_moments
from ._generalized import CentredLosses
from ._generalized_graph import GraphLosses
from ._graph import GraphFit
from ._grid import (
    Candidates,
    fold_scores,
    generalised_scores,
    left_out_scores,
    mean_curvature,
    suggest_alphas,
    suggest_levels,
)
from ._iterate import Iterated, iterate, needs_iteration, warn_of_iteration
from ._laplace import LaplaceLikelihood
from ._likelihood import RestrictedLikelihood
from ._loss_grid import LossGrid, held_out_scores, likelihoods, mean_curvatures
from ._mixed import MixedDatafit, MixedPart, Standard, mixed_parts, standardise
from ._mixed_rows import FreeLevels, MixedRows
from ._narrow import NarrowRows, narrow
from ._output_models import OutputModels
from ._parts import SumOfParts, into_parts
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
from ._profiled import ProfiledLoss
from ._restricted import StrengthSearch
from ._ridge_path import (
    RidgePath,
    fold_path,
    rows_path,
    shared_path,
    suggest_ridge_alphas,
)
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
    "FoldErrors",
    "FreeLevels",
    "GraphFit",
    "GraphLosses",
    "Iterated",
    "LaplaceLikelihood",
    "LinearTasks",
    "LossGrid",
    "MixedDatafit",
    "MixedPart",
    "MixedRows",
    "MomentCurvature",
    "NarrowRows",
    "OutputModels",
    "PenalizedFit",
    "Posterior",
    "ProfiledLoss",
    "RestrictedLikelihood",
    "RidgePath",
    "RowCurvature",
    "ScaledFit",
    "ScaledLosses",
    "SquaredLoss",
    "Standard",
    "StrengthSearch",
    "SumOfParts",
    "bound",
    "common_model",
    "deal",
    "deal_shuffled",
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
    "held_out_scores",
    "into_parts",
    "iterate",
    "ladder",
    "left_out_scores",
    "likelihoods",
    "mean_curvature",
    "mean_curvature_of_rows",
    "mean_curvatures",
    "minimize",
    "minimize_scaled",
    "mixed_parts",
    "narrow",
    "needs_iteration",
    "pose",
    "pose_moments",
    "prefers_rows",
    "reads_rows",
    "row_curvature",
    "rows_path",
    "search_folds",
    "shared_path",
    "squared_loss",
    "standardise",
    "suggest_alphas",
    "suggest_levels",
    "suggest_ridge_alphas",
    "warn_of_iteration",
]
