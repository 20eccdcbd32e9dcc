"""Squared losses of tasks as a smooth term, their intercepts eliminated."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skmtl._contracts import Array, Point
from skmtl.data import TaskMoments
from skmtl.problems.exact import TaskModels, unseen_model
from skmtl.problems.rows import MomentCurvature

from ._quadratic import QuadraticSmooth


def squared_loss(
    moments: TaskMoments,
    fit_intercept: bool = True,
    *,
    curvature: Any = None,
    alpha_ridge: float = 0.0,
    precision: Any = None,
) -> "SquaredLoss":
    """Pose the squared loss of tasks, ``n_tasks / N`` times half the squared errors.

    ``N`` is the total weight, and tasks without weight do not count.

    Parameters
    ----------
    moments : TaskMoments
        About the means, task weights applied.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    curvature : RowCurvature or MomentCurvature, default=None
        Scatters ``S_t`` of the features; None takes them from the moments.
    alpha_ridge : float, default=0.0
        Strength of the ridge.
    precision : {ndarray, sparse matrix} of shape (n_tasks, n_tasks), default=None
        Precision matrix of a coupling of the tasks; None means no coupling.

    Returns
    -------
    SquaredLoss
        The smooth term.
    """
    moments = moments if fit_intercept else moments.about_zero()
    scale = np.count_nonzero(moments.weight) / float(moments.weight.sum())
    if curvature is None:
        scatters: Any = moments.xx
        curvature = MomentCurvature(scatters)
    return SquaredLoss(moments, curvature, scale, alpha_ridge, precision)


@dataclass(frozen=True)
class SquaredLoss(QuadraticSmooth):
    """Squared errors of all tasks as a function of the coefficients.

    ``scale / 2 (sum_t ||y_t - X_t w_t||^2 + sum_j w_j' Q w_j) + alpha_ridge / 2
    ||W||^2`` with centred ``y_t`` and ``X_t``, and a precision matrix ``Q`` over tasks.
    Its gradient is ``scale (S_t w_t - X_t' y_t + (Q W)_t) + alpha_ridge w_t``, with the
    scatters ``S_t = X_t' X_t``.

    Parameters
    ----------
    moments : TaskMoments
        About the means, or about zero without intercepts; matrices are not needed.
    curvature : MomentCurvature or RowCurvature
        Scatters ``S_t`` of the features.
    scale : float
        Factor of the loss.
    alpha_ridge : float, default=0.0
        Strength of the ridge.
    precision : {ndarray, sparse matrix} of shape (n_tasks, n_tasks), default=None
        Precision matrix of a coupling of the tasks; None means no coupling.
    """

    moments: TaskMoments
    curvature: Any
    scale: float
    alpha_ridge: float = 0.0
    precision: Any = None

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the coefficients, (n_tasks, n_features)."""
        return self.moments.xy.shape

    @cached_property
    def _zero(self):
        value = self.scale / 2 * float(self.moments.yy.sum())
        return Point(np.zeros(self.shape), value, -self.scale * self.moments.xy)

    def at(self, W: Array) -> Point:
        """Return the Point at W, by one product with the scatters."""
        curved = self.curvature.curve(W)
        if self.precision is not None:
            curved = curved + self.precision @ W
        gradient = self.scale * (curved - self.moments.xy)
        if self.alpha_ridge:
            gradient = gradient + self.alpha_ridge * W
        return self._point(W, gradient)

    @cached_property
    def _lipschitz(self):
        bound = self.curvature.bound()
        if self.precision is not None:
            bound += float(abs(self.precision).sum(axis=0).max())
        return self.scale * bound + self.alpha_ridge

    def lipschitz(self) -> float:
        """Return an upper bound of the curvature in any direction."""
        return self._lipschitz

    def unpack(self, W: Array, shared: Array) -> Any:
        """Return the linear models of the tasks, and the one fitted to all rows.

        A task without weight gets the latter.

        Parameters
        ----------
        W : ndarray of shape (n_tasks, n_features)
            Coefficients.
        shared : ndarray of shape (n_tasks, n_features)
            Part of the coefficients that tasks share.

        Returns
        -------
        TaskModels
            Coefficients and intercepts.
        """
        seen = self.moments.weight > 0
        coef, intercept = unseen_model(self.moments, W, shared, self.curvature.curve)
        models = TaskModels(
            np.where(seen[:, None], W, coef),
            np.where(seen, self._intercepts(W), intercept),
            coef,
            intercept,
        )
        return models.add_output_axis()

    def _intercepts(self, W):
        return self.moments.y_mean - (self.moments.x_mean * W).sum(axis=1)
