"""Levels, calibration and residuals of held-out predictions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmtl.inspection import TaskComparison

_MOST_RESIDUALS = 20
_FEWEST_ROWS = 5


@dataclass(frozen=True, eq=False)
class Levels:
    """Mean of the targets of each task, and of their predictions.

    Parameters
    ----------
    tasks : ndarray of shape (n_tasks,)
        Labels.
    n_rows : ndarray of shape (n_tasks,)
        Number of targets.
    observed, predicted : ndarray of shape (n_tasks,)
        Means of targets, and of held-out predictions.
    standard_error : ndarray of shape (n_tasks,)
        Standard error of `observed`, NaN for one row.
    overall : float
        Mean over all rows.
    label : str
        What the means are.
    """

    tasks: NDArray
    n_rows: NDArray[np.integer]
    observed: NDArray[np.floating]
    predicted: NDArray[np.floating]
    standard_error: NDArray[np.floating]
    overall: float
    label: str


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Targets and their held-out predictions, as numbers.

    For classes, targets are 1 where the class occurred and 0 elsewhere, and predictions
    are its probabilities. The class is the last of two, or else the most frequent one.

    Parameters
    ----------
    targets, predictions : ndarray of shape (n_targets,)
        Targets and predictions.
    codes : ndarray of shape (n_targets,), dtype intp
        Position of the task of each target.
    label : str
        What the targets are: the class, or "".
    is_class : bool
        Whether targets are classes.
    """

    targets: NDArray[np.floating]
    predictions: NDArray[np.floating]
    codes: NDArray[np.intp]
    label: str
    is_class: bool


def read_held_out(comparison: TaskComparison, model: str) -> HeldOut | None:
    """Return targets and predictions, or None if there are none as numbers."""
    if comparison.targets is None or comparison.codes is None:
        return None
    targets, answers = comparison.targets, comparison.predict_targets(model)
    label = ""
    if comparison.classes is not None:
        counts = np.bincount(targets, minlength=len(comparison.classes))
        chosen = 1 if len(counts) == len((0, 1)) else int(counts.argmax())
        targets, answers = targets == chosen, answers[:, chosen]
        label = str(comparison.classes[chosen])
    known = ~np.isnan(answers)
    return HeldOut(
        targets[known].astype(float),
        answers[known],
        comparison.codes[known],
        label,
        comparison.classes is not None,
    )


def measure_levels(comparison: TaskComparison, held: HeldOut, target: str) -> Levels:
    """Return the levels of the tasks that have held-out rows."""
    codes, n_tasks = held.codes, len(comparison.tasks)
    counts = np.bincount(codes, minlength=n_tasks)
    used = np.flatnonzero(counts)
    observed = _average(held.targets, codes, counts)
    centred = held.targets - observed[codes]
    squares = np.bincount(codes, centred**2, n_tasks)
    with np.errstate(invalid="ignore", divide="ignore"):
        standard_error = np.sqrt(squares / (counts - 1.0) / counts)
    return Levels(
        comparison.tasks[used],
        counts[used],
        observed[used],
        _average(held.predictions, codes, counts)[used],
        standard_error[used],
        float(held.targets.mean()),
        f"share of {held.label}" if held.is_class else f"mean {target}",
    )


def _average(values, codes, counts):
    sums = np.bincount(codes, values, len(counts))
    return np.divide(sums, counts, out=np.zeros(len(counts)), where=counts > 0)


def list_residuals(
    comparison: TaskComparison, held: HeldOut
) -> list[tuple[Any, NDArray[np.floating]]]:
    """Return the residuals of the tasks predicted worst, the worst first.

    Tasks with few rows are left out, unless all have few.
    """
    residuals = held.targets - held.predictions
    order = np.argsort(held.codes, kind="stable")
    codes, starts = np.unique(held.codes[order], return_index=True)
    parts = np.split(residuals[order], starts[1:])
    found = [(comparison.tasks[t], part) for t, part in zip(codes, parts, strict=True)]
    large = [each for each in found if len(each[1]) >= _FEWEST_ROWS] or found
    large.sort(key=lambda each: -float(np.mean(each[1] ** 2)))
    return large[:_MOST_RESIDUALS]
