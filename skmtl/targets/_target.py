"""The contract of targets: how to read them, and how to report their models."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array, Loss

from ._overflow import cast


@dataclass(frozen=True)
class Sample:
    """Rows of tasks, with facts about their targets.

    Parameters
    ----------
    rows : TaskData
        Rows of the tasks.
    classes : ndarray of shape (n_classes,), default=None
        Sorted classes, if targets are classes.
    mean_exposure : float, default=1.0
        Mean exposure of a row, if targets are counts.
    kinds : list, default=None
        The kind of each task's target, if kinds differ.
    scales : TargetScales, default=None
        Scales by which targets are divided in the fit; None for none.
    """

    rows: Any
    classes: Array | None = None
    mean_exposure: float = 1.0
    kinds: Any = None
    scales: Any = None

    @property
    def known_classes(self) -> Array:
        """The sorted classes, where targets are classes."""
        assert self.classes is not None
        return self.classes


class Target(ABC):
    """The kind of the targets: numbers, classes, counts, or one kind per task."""

    @abstractmethod
    def read(self, estimator: Any, X: Any, y: Any, **given: Any) -> Sample:
        """Check the user's data and return the rows of each task."""

    @abstractmethod
    def prepare(self, sample: Sample, smooths: bool) -> tuple[Any, Loss, Any]:
        """Return the rows, the loss, and the conversion of targets, None if not needed.

        With `smooths`, add pseudo-rows to tasks, to keep their intercepts finite.
        """

    def prepare_part(
        self, sample: Sample, targets: Any, smooths: bool, part: Any
    ) -> tuple[Any, Any]:
        """Return a part of the prepared rows, such as a fold, and its targets.

        A task may lack targets in the part that it has in all rows; with `smooths`, it
        gets pseudo-rows too.
        """
        return part, targets

    def try_scales(
        self, sample: Sample, option: Any, has_intercept: bool
    ) -> list[Sample]:
        """Return the rows with the scales of targets to try, the simplest first."""
        return [sample]

    def check_units(self, rows: Any) -> None:
        """Warn if tasks have targets in different units."""
        return

    def check_size(self, rows: Any) -> None:
        """Raise an error if targets are too small to choose strengths by them."""
        return

    def report(self, sample: Sample, models: Any, fit: Any) -> Mapping[str, Any]:
        """Return the fitted attributes of this kind of target, by name."""
        return self.report_kind(sample)

    def report_kind(self, sample: Sample) -> Mapping[str, Any]:
        """Return the attributes of `report` that do not depend on the fit."""
        return {}

    @abstractmethod
    def shape(self, sample: Sample, models: Any, single: bool) -> Mapping[str, Any]:
        """Return coefficients and intercepts by attribute, in their public shapes.

        With `single`, no task was declared, and the axis of tasks is dropped.
        """

    def shape_parts(
        self, sample: Sample, parts: Mapping[str, Any], single: bool
    ) -> Mapping[str, Any]:
        """Return parts of the coefficients by attribute, in their public shapes."""
        dtype = float_type(sample.rows.X)
        return {
            name: cast(part[0] if single else part, dtype)
            for name, part in parts.items()
        }


def float_type(X: Any) -> np.dtype[Any]:
    """Return float32 for float32 data, else float64."""
    return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)


def cast_models(models: Any, dtype: np.dtype[Any]) -> dict[str, Array]:
    """Return coefficients and intercepts by attribute, in a dtype."""
    return {
        "coef_": cast(models.coef, dtype),
        "intercept_": cast(models.intercept, dtype),
        "coef_shared_": cast(models.coef_shared, dtype),
        "intercept_shared_": cast(models.intercept_shared, dtype),
    }
