"""The contract of targets: how they are read, and how models of them are reported."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Loss

from ._finite import cast


@dataclass(frozen=True)
class Sample:
    """Rows of tasks, and the facts about their targets that models need.

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
    """

    rows: Any
    classes: np.ndarray | None = None
    mean_exposure: float = 1.0
    kinds: Any = None


class Target(ABC):
    """The kind of the targets: numbers, classes or counts."""

    @abstractmethod
    def read(self, estimator: Any, X: Any, y: Any, **given: Any) -> Sample:
        """Check the user's data and return the rows of each task."""

    @abstractmethod
    def prepare(self, sample: Sample, smooths: bool) -> tuple[Any, Loss, Any]:
        """Return rows, loss and targets to fit.

        With `smooths`, targets of tasks whose intercepts would diverge are smoothed.
        """

    def check_units(self, rows: Any) -> None:
        """Warn of targets in different units, if targets have units."""
        return

    def report(self, sample: Sample, models: Any, fit: Any) -> Mapping[str, Any]:
        """Return fitted attributes of this kind of target, by name."""
        return self.report_kind(sample)

    def report_kind(self, sample: Sample) -> Mapping[str, Any]:
        """Return those attributes that do not depend on the fit."""
        return {}

    @abstractmethod
    def shape(self, sample: Sample, models: Any, single: bool) -> Mapping[str, Any]:
        """Return coefficients and intercepts by attribute.

        With `single`, those of the only task, which was not declared.
        """

    def shape_parts(
        self, sample: Sample, parts: Mapping[str, Any], single: bool
    ) -> Mapping[str, Any]:
        """Return parts of the coefficients by attribute, as `shape` does."""
        dtype = float_type(sample.rows.X)
        return {
            name: cast(part[0] if single else part, dtype)
            for name, part in parts.items()
        }


def float_type(X):
    """Return float32 for float32 data, else float64."""
    return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)


def cast_models(models, dtype):
    """Return coefficients and intercepts by attribute, in the dtype of the features."""
    return {
        "coef_": cast(models.coef, dtype),
        "intercept_": cast(models.intercept, dtype),
        "coef_shared_": cast(models.coef_shared, dtype),
        "intercept_shared_": cast(models.intercept_shared, dtype),
    }
