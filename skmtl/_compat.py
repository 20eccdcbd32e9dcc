"""Names that scikit-learn keeps private or moved between 1.7 and 1.9."""

from sklearn.base import _fit_context as fit_context
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
)
from sklearn.utils.validation import _get_feature_names as get_feature_names
from sklearn.utils.validation import _num_features as num_features
from sklearn.utils.validation import _num_samples as num_samples

__all__ = [
    "HasMethods",
    "Interval",
    "Options",
    "StrOptions",
    "fit_context",
    "get_feature_names",
    "num_features",
    "num_samples",
]
