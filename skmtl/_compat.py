"""Private names of scikit-learn, imported nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from sklearn.base import _fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._param_validation import HasMethods, Interval, Options, StrOptions
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

__all__ = [
    "Documented",
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "all_or_nothing",
    "check_feature_names_in",
    "fit_context",
    "safe_indexing",
]


class Documented:
    """Estimators with a documentation link in scikit-learn's HTML representation."""

    _doc_link_module = "skmtl"
    _doc_link_template = (
        "https://skmtl.readthedocs.io/en/latest/api/generated/"
        "{estimator_module}.{estimator_name}.html"
    )


def fit_context(
    *, prefer_skip_nested_validation: bool
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate `fit`: validate parameters, and restore the estimator after an error."""
    checked = _fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)

    def decorate(fit: Callable[..., Any]) -> Callable[..., Any]:
        checked_fit = checked(fit)

        @wraps(fit)
        def wrapper(estimator: Any, *args: Any, **kwargs: Any) -> Any:
            with all_or_nothing(estimator):
                return checked_fit(estimator, *args, **kwargs)

        return wrapper

    return decorate


@contextmanager
def all_or_nothing(*estimators: Any) -> Iterator[None]:
    """Restore the attributes of estimators if the block raises an error.

    Fits replace attributes and never change them in place, so shallow copies suffice.
    """
    before = [(estimator, vars(estimator).copy()) for estimator in estimators]
    try:
        yield
    except BaseException:  # KeyboardInterrupt too
        for estimator, attributes in before:
            estimator.__dict__ = attributes
        raise
