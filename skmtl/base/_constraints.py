"""Constraints of parameters, shared by estimators."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from sklearn.metrics import get_scorer_names

from skmtl._compat import Interval, StrOptions

POSITIVE: list[Any] = [Interval(Real, 0, None, closed="neither")]
NONNEGATIVE: list[Any] = [Interval(Real, 0, None, closed="left")]
# Nonnegative or infinite.
UNBOUNDED: list[Any] = [Interval(Real, 0, None, closed="both")]

SCORING: list[Any] = [StrOptions(set(get_scorer_names())), callable, None]

COMMON_CONSTRAINTS: dict[str, list[Any]] = {
    "fit_intercept": ["boolean"],
    "task_column": [str, int, list, None],
    "handle_unknown": [StrOptions({"shared", "error"})],
    "task_weight": [StrOptions({"balanced"}), Mapping, None],
}
SCALED_CONSTRAINTS: dict[str, list[Any]] = {
    "scale_targets": ["boolean", StrOptions({"auto"})],
}
SOLVER_CONSTRAINTS: dict[str, list[Any]] = {
    "tol": NONNEGATIVE,
    "max_iter": [Interval(Integral, 1, None, closed="left"), None],
    "warm_start": ["boolean"],
}
ITERATIVE_CONSTRAINTS = {**SOLVER_CONSTRAINTS, **COMMON_CONSTRAINTS}
CLASS_CONSTRAINTS: dict[str, list[Any]] = {
    "class_scope": [StrOptions({"all", "task"})],
    "class_weight": [StrOptions({"balanced"}), Mapping, None],
}
CLASSIFIER_CONSTRAINTS = {**ITERATIVE_CONSTRAINTS, **CLASS_CONSTRAINTS}
PATH_CONSTRAINTS: dict[str, list[Any]] = {
    "alphas": ["array-like", None],
    "n_alphas": [Interval(Integral, 1, None, closed="left")],
    "eps": [Interval(Real, 0, 1, closed="neither"), None],
    "cv": ["cv_object"],
    "scoring": SCORING,
    "one_standard_error": ["boolean"],
}
