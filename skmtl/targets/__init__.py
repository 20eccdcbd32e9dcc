"""Targets: numbers, classes, counts, or one kind per task."""

from ._classes import (
    ClassTarget,
    ClassTargets,
    find_classes,
    place_classes,
    read_classes,
    target_classes,
)
from ._counts import CountTarget, read_counts, read_exposure
from ._kinds import CLASSES, PerTaskTarget, read_kinds
from ._mixed import read_labels, read_mixed, read_numbers
from ._numbers import NumericTarget, OutlierTarget
from ._overflow import cast, check_finite, check_fit_is_finite, predict_finite
from ._scales import TargetScales, choose_scales, report_scales
from ._seen import seen_tasks
from ._spreads import Spreads
from ._target import Sample, Target, float_type
from ._variance_prior import VariancePrior

__all__ = [
    "CLASSES",
    "ClassTarget",
    "ClassTargets",
    "CountTarget",
    "NumericTarget",
    "OutlierTarget",
    "PerTaskTarget",
    "Sample",
    "Spreads",
    "Target",
    "TargetScales",
    "VariancePrior",
    "cast",
    "check_finite",
    "check_fit_is_finite",
    "choose_scales",
    "find_classes",
    "float_type",
    "place_classes",
    "predict_finite",
    "read_classes",
    "read_counts",
    "read_exposure",
    "read_kinds",
    "read_labels",
    "read_mixed",
    "read_numbers",
    "report_scales",
    "seen_tasks",
    "target_classes",
]
