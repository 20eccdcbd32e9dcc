"""Tasks that pull each other to a shared centre."""

from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from ._strengths import Strengths
from ._sum import Summand


@dataclass(repr=False, eq=False)
class ToMean(BaseEstimator, Summand):
    """Keep every task near a shared centre.

    ``sum_tj alpha_j (w_tj - w_sj)^2 + alpha_shared ||w_s||^2 + alpha_intercept
    sum_t (b_t - b_s)^2``, the centre ``(w_s, b_s)`` being free.

    Parameters
    ----------
    alpha : float or array-like of shape (n_features,), default=1.0
        Strength of the pull to the centre, one or one per feature.
    alpha_shared : float, default=0.0
        Strength of the ridge on the centre; infinite fixes it at zero.
    alpha_intercept : float, default=0.0
        Strength that pulls the intercepts together: 0 leaves them free, infinity makes
        them one.

    Examples
    --------
    >>> from skmtl.couplings import ToMean
    >>> ToMean(alpha=1.0).precision(2)
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """

    alpha: object = 1.0
    alpha_shared: float = 0.0
    alpha_intercept: float = 0.0

    def strengths(self, n_tasks, n_features):
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
        if alpha.ndim:
            alpha, pattern = np.float64(1.0), alpha
        centre = np.full(n_features, float(self.alpha_shared))
        return Strengths(
            np.atleast_1d(alpha), pattern, centre, float(self.alpha_intercept)
        )

    def precision(self, n_tasks):
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
                "alpha must be one number where a coupling has one precision matrix "
                f"for all features, got shape {alpha.shape}. Give one number, or use "
                "MeanRegularizedRegressor."
            )
        total = n_tasks * alpha + self.alpha_shared
        return alpha * np.eye(n_tasks) - (alpha**2 / total if total > 0 else 0.0)

    def penalizes_intercepts(self):
        """Return whether intercepts are pulled, which `precision` does not say."""
        return self.alpha_intercept > 0
