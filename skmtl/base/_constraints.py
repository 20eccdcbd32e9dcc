"""Constraints of parameters that estimators share."""

from collections.abc import Mapping
from numbers import Integral, Real

from sklearn.metrics import get_scorer_names

from skmtl._compat import Interval, StrOptions

POSITIVE = [Interval(Real, 0, None, closed="neither")]
NONNEGATIVE = [Interval(Real, 0, None, closed="left")]
# 0 or more, or infinite.
UNBOUNDED = [Interval(Real, 0, None, closed="both")]

SCORING = [StrOptions(set(get_scorer_names())), callable, None]

COMMON_CONSTRAINTS = {
    "fit_intercept": ["boolean"],
    "task_column": [str, int, list, None],
    "handle_unknown": [StrOptions({"shared", "error"})],
    "task_weight": [StrOptions({"balanced"}), Mapping, None],
}
SOLVER_CONSTRAINTS = {
    "tol": NONNEGATIVE,
    "max_iter": [Interval(Integral, 1, None, closed="left"), None],
    "warm_start": ["boolean"],
}
ITERATIVE_CONSTRAINTS = {**SOLVER_CONSTRAINTS, **COMMON_CONSTRAINTS}
CLASS_CONSTRAINTS = {
    "class_scope": [StrOptions({"all", "task"})],
    "class_weight": [StrOptions({"balanced"}), Mapping, None],
}
CLASSIFIER_CONSTRAINTS = {**ITERATIVE_CONSTRAINTS, **CLASS_CONSTRAINTS}
PATH_CONSTRAINTS = {
    "alphas": ["array-like", None],
    "n_alphas": [Interval(Integral, 1, None, closed="left")],
    "eps": [Interval(Real, 0, 1, closed="neither"), None],
    "cv": ["cv_object"],
    "scoring": SCORING,
    "one_standard_error": ["boolean"],
}
