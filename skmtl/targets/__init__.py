"""Targets: numbers, classes, counts, or one kind per task."""

from ._classes import ClassTargets, find_classes, read_classes, target_classes
from ._counts import read_counts, read_exposure
from ._kinds import CLASSES, read_outcomes
from ._mixed import read_labels, read_mixed, read_numbers

__all__ = [
    "CLASSES",
    "ClassTargets",
    "find_classes",
    "read_classes",
    "read_counts",
    "read_exposure",
    "read_labels",
    "read_mixed",
    "read_numbers",
    "read_outcomes",
    "target_classes",
]
