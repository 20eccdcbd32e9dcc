"""Working responses of Newton steps, as rows of a squared loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array
from skmtl.problems.newton import Datafit

# Smallest curvature of a row, relative to the mean: the step of a flatter row is long.
_FLATTEST = 1e-8


@dataclass(frozen=True)
class WorkingRows:
    """Rows of the squared loss that approximates a loss near a solution.

    The loss of a row with raw prediction ``z``, gradient ``g`` and curvature ``h`` is
    ``h / 2 (z - g / h - x . w)^2`` up to third order. With several outputs, the
    curvature between them is ignored, each output of a task is a task of its own, and
    targets are differences from the centre's predictions.

    Parameters
    ----------
    data : TaskRows
        Rows with working responses as targets. Weights are curvatures times `scale`.
    scale : float
        Factor that makes the weights sum to those of the loss. Strengths for these rows
        are as many times those of the loss.
    fit_intercept : bool
        Whether tasks have an intercept.
    has_centre : bool
        Whether targets include the centre's predictions.
    """

    data: Any
    scale: float
    fit_intercept: bool
    has_centre: bool

    @classmethod
    def at(cls, datafit: Datafit, coefs: Array, centre: Array) -> WorkingRows:
        """Return the rows at a solution.

        Parameters
        ----------
        datafit : Datafit
            Losses of the rows, without a shift.
        coefs : ndarray of shape (n_tasks, n_outputs, n_columns)
            Coefficients and intercepts.
        centre : ndarray of shape (n_outputs, n_columns)
            Those of the centre.

        Returns
        -------
        WorkingRows
            The rows.
        """
        loss, n_outputs = datafit.loss, datafit.loss.n_outputs
        common = datafit.predict(np.broadcast_to(centre, coefs.shape))
        targets, weights = [], []
        stacks = zip(datafit.stacks(), datafit.predict(coefs), common, strict=True)
        for stack, z, shared in stacks:
            curvature = np.einsum("...kk->...k", loss.majorant(stack.y, z))
            floor = _FLATTEST * max(float(curvature.mean()), 1e-300)
            curvature = np.maximum(curvature, floor)
            step = np.nan_to_num(loss.gradient(stack.y, z)) / curvature
            targets.append(z - step - (shared if n_outputs > 1 else 0.0))
            weights.append(curvature * stack.weight[:, :, None])
        y, weight = datafit.flatten(targets), datafit.flatten(weights)
        total = n_outputs * datafit.task_totals.sum() / loss.mean_exposure
        scale = float(total / weight.sum())
        data = _of_outputs(datafit.data, y, scale * weight)
        return cls(data, scale, datafit.fit_intercept, n_outputs == 1)

    def scaled(self, pattern: Any, centre: Array) -> WorkingRows:
        """Return rows of scaled features, for which all strengths are equal.

        Parameters
        ----------
        pattern : ndarray of shape (n_features,) or None
            Relative strengths. Features of infinite strength are left out, with the
            centre's predictions from them.
        centre : ndarray of shape (n_outputs, n_columns)
            Coefficients of the centre.

        Returns
        -------
        WorkingRows
            The rows.
        """
        if pattern is None:
            return self
        X, y, own = self.data.X, self.data.y, np.isfinite(pattern)
        if self.has_centre and not own.all():
            common = X[:, ~own] @ centre[0, : len(own)][~own]
            y = y - common[self.data.rows]
        X = X[:, own] @ sparse.diags(1 / np.sqrt(pattern[own]))
        return replace(self, data=replace(self.data, X=X, y=y))

    @cached_property
    def moments(self) -> Any:
        """Moments of the rows, about zero without intercepts."""
        moments = self.data.moments()
        return moments if self.fit_intercept else moments.about_zero()


def _of_outputs(data, y, weight):
    """Return rows with one target, those of each output after the other."""
    n_rows, n_outputs = y.shape
    rows = np.arange(n_rows) if data.rows is None else data.rows
    ends = data.offsets[1:] + n_rows * np.arange(n_outputs)[:, None]
    n_tasks = len(data.tasks)
    return replace(
        data,
        rows=np.tile(rows, n_outputs),
        y=y.T.ravel(),
        weight=weight.T.ravel(),
        offsets=np.append(0, ends.ravel()),
        tasks=data.tasks if n_outputs == 1 else np.arange(n_tasks * n_outputs),
        task_weight=None,
        orders=(),
        groupings=(),
    )
