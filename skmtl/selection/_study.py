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
    X, y, task : object
        Arguments of `fit`, for splitters and scorers.
    make_model : callable
        Makes a fitted estimator of TaskModels, for scorers.
    smooths : bool, default=False
        Whether to smooth the targets of tasks if their intercepts would diverge.
    smooth_part : callable, default=None
        Smooths some of the rows where an intercept would diverge; None for nothing.
    exposure : array-like of shape (n_rows,), default=None
        Exposure of each row, for scorers.
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
    make_model: Any
    smooths: bool = False
    smooth_part: Any = None
    exposure: Any = None
    tol: float = 1e-6
    max_iter: int | None = None
