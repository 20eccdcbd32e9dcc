"""Searches of the strengths of squared losses."""

from ._candidates import (
    Candidates,
    list_candidates,
    suggest_alphas,
    suggest_intercept_alphas,
)
from ._evidence import (
    HeldOutErrors,
    change_in_task_errors,
    deal_observations,
    fold_errors,
    left_out_errors,
    lowers_squared_errors,
    split_observations,
)
from ._fold_search import search_folds
from ._mean_search import MeanSearch
from ._results import (
    LIKELIHOOD,
    SCORE,
    STRENGTHS,
    Results,
    Tried,
    add_variances,
    name_strengths,
)
from ._ridge_path import rows_path, shared_path
from ._ridge_search import RidgeSearch
from ._scores import Generalised, HeldOut, LeftOut, Scores
from ._structures import (
    AUTO,
    Contender,
    allowed_structures,
    equal_tasks,
    join_tables,
    simplest,
)

__all__ = [
    "AUTO",
    "LIKELIHOOD",
    "SCORE",
    "STRENGTHS",
    "Candidates",
    "Contender",
    "Generalised",
    "HeldOut",
    "HeldOutErrors",
    "LeftOut",
    "MeanSearch",
    "Results",
    "RidgeSearch",
    "Scores",
    "Tried",
    "add_variances",
    "allowed_structures",
    "change_in_task_errors",
    "deal_observations",
    "equal_tasks",
    "fold_errors",
    "join_tables",
    "left_out_errors",
    "list_candidates",
    "lowers_squared_errors",
    "name_strengths",
    "rows_path",
    "search_folds",
    "shared_path",
    "simplest",
    "split_observations",
    "suggest_alphas",
    "suggest_intercept_alphas",
]
