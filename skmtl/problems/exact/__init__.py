"""Squared losses with a coupling, solved exactly."""

from ._centred_graph import CentredGraphFit
from ._factor import (
    bound,
    factor_moments,
    factor_path,
    factor_rows,
    has_few_rows,
    solve_moments,
    solve_rows,
)
from ._graph_exact import GraphFit
from ._graph_system import GraphSystem
from ._grouped_core import SingularError
from ._grouped_design import (
    Columns,
    GroupedDesign,
    GroupedRows,
    GroupedStrengths,
)
from ._grouped_fit import GroupedSystem
from ._grouped_posterior import GroupedPosterior
from ._mean_exact import MeanFit
from ._narrow import ReducedRows, reduce_features, reduce_moments
from ._posterior import Posterior, pick
from ._task_models import TaskModels, unpack_tasks
from ._unseen_model import implied_ridge, mean_residual, unseen_model, weigh

__all__ = [
    "CentredGraphFit",
    "Columns",
    "GraphFit",
    "GraphSystem",
    "GroupedDesign",
    "GroupedPosterior",
    "GroupedRows",
    "GroupedStrengths",
    "GroupedSystem",
    "MeanFit",
    "Posterior",
    "ReducedRows",
    "SingularError",
    "TaskModels",
    "bound",
    "factor_moments",
    "factor_path",
    "factor_rows",
    "has_few_rows",
    "implied_ridge",
    "mean_residual",
    "pick",
    "reduce_features",
    "reduce_moments",
    "solve_moments",
    "solve_rows",
    "unpack_tasks",
    "unseen_model",
    "weigh",
]
