"""Tasks coupled to a shared centre."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skmtl._contracts import Array

from ._rotation import Rotation
from ._strengths import Strengths
from ._sum import Summand

# Number of axes of a precision matrix.
_MATRIX = 2


@dataclass(repr=False, eq=False)
class ToMean(BaseEstimator, Summand):
    """Quadratic penalty that keeps tasks near a shared centre.

    ``sum_tj alpha_j (w_tj - w_sj)^2 + alpha_shared ||w_s||^2 + alpha_intercept
    sum_t (b_t - b_s)^2``, minimised over the centre ``(w_s, b_s)``.

    Parameters
    ----------
    alpha : float, array-like of shape (n_features,) or a matrix, default=1.0
        Strength of the penalty on differences from the centre, one for all features or
        one per feature; or a precision matrix over the coefficients and the intercept,
        of shape (n_features + 1, n_features + 1).
    alpha_shared : float, default=0.0
        Strength of the ridge on the centre; infinite fixes it at zero.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts: 0 for none, infinite
        for one shared intercept.

    Examples
    --------
    >>> from skmtl.couplings import ToMean
    >>> ToMean(alpha=1.0).precision(2)
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """

    alpha: ArrayLike = 1.0
    alpha_shared: float = 0.0
    alpha_intercept: float = 0.0

    def strengths(self, n_tasks: int, n_features: int) -> Strengths:
        """Return the strengths as arrays.

        Parameters
        ----------
        n_tasks, n_features : int
            Shape of the coefficients.

        Returns
        -------
        Strengths
            The strengths.
        """
        alpha, pattern = np.asarray(self.alpha, dtype=float), np.ones(n_features)
        rotation, intercept = None, float(self.alpha_intercept)
        if alpha.ndim == _MATRIX:
            rotation, alpha, intercept = Rotation.of_precision(alpha, n_features)
        if alpha.ndim:
            alpha, pattern = np.ones(1), alpha
        centre = np.full(n_features, float(self.alpha_shared))
        return Strengths(
            np.atleast_1d(alpha), pattern, centre, intercept, rotation=rotation
        )

    def precision(self, n_tasks: int) -> Array:
        """Return the precision matrix over tasks of one feature, centre eliminated.

        Parameters
        ----------
        n_tasks : int
            Number of tasks.

        Returns
        -------
        ndarray of shape (n_tasks, n_tasks)
            ``alpha I - alpha^2 / (n_tasks alpha + alpha_shared) 1 1'``.
        """
        alpha = np.asarray(self.alpha, dtype=float)
        if alpha.ndim:
            raise ValueError(
                "alpha must be one number, as all features share the precision matrix, "
                f"got shape {alpha.shape}. Pass one number, or use "
                "MeanRegularizedRegressor."
            )
        total = n_tasks * alpha + self.alpha_shared
        return alpha * np.eye(n_tasks) - (alpha**2 / total if total > 0 else 0.0)

    def penalizes_intercepts(self) -> bool:
        """Return whether intercepts are penalised, which `precision` does not show."""
        return self.alpha_intercept > 0 or np.ndim(self.alpha) == _MATRIX
