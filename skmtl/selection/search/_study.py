"""Inputs of a search for strengths."""

from dataclasses import dataclass
from typing import Any

from skmtl._contracts import Loss


@dataclass(frozen=True)
class Study:
    """Rows and loss of a fit, for a search that chooses its strengths.

    Parameters
    ----------
    rows : TaskData
        Rows of the tasks.
    loss : Loss
        Loss of a row.
    fit_intercept : bool
        Whether tasks have an intercept.
    targets : ClassTargets or None
        Converts the targets of rows to those of the loss.
    X, y, task, exposure : object
        Arguments of `fit`, for splitters and scorers.
    make_model : callable
        Makes a fitted estimator of TaskModels, for scorers.
    prepare_part : callable
        Returns a part of the rows, and its targets, to fit models to.
    tol : float, default=1e-6
        Tolerance of the solver.
    max_iter : int, default=None
        Largest number of iterations of the solver.
    """

    rows: Any
    loss: Loss
    fit_intercept: bool
    targets: Any
    X: Any
    y: Any
    task: Any
    exposure: Any
    make_model: Any
    prepare_part: Any
    tol: float = 1e-6
    max_iter: int | None = None
