"""Constraints of parameters that all estimators share."""

from collections.abc import Mapping

from skmtl._compat import StrOptions

COMMON_CONSTRAINTS = {
    "fit_intercept": ["boolean"],
    "task_column": [str, int, list, None],
    "handle_unknown": [StrOptions({"shared", "error"})],
    "task_weight": [StrOptions({"balanced"}), Mapping, None],
}
