"""Tasks without a coupling, each with its own ridge."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skmtl._contracts import Array

from ._strengths import Strengths
from ._sum import Summand


@dataclass(repr=False, eq=False)
class Apart(BaseEstimator, Summand):
    """Ridge of every task, without coupling: ``sum_t alpha_t ||w_t||^2``.

    Parameters
    ----------
    alpha : float or array-like of shape (n_tasks,), default=1.0
        Strength, one for all tasks or one per task.

    Examples
    --------
    >>> from skmtl.couplings import Apart
    >>> Apart(alpha=[1.0, 2.0]).precision(2)
    array([[1., 0.],
           [0., 2.]])
    """

    alpha: ArrayLike = 1.0

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
        alpha = np.atleast_1d(np.asarray(self.alpha, dtype=float))
        centre = np.full(n_features, np.inf)
        return Strengths(alpha, np.ones(n_features), centre, 0.0)

    def precision(self, n_tasks: int) -> Array:
        """Return the precision matrix over tasks of one feature.

        Parameters
        ----------
        n_tasks : int
            Number of tasks.

        Returns
        -------
        ndarray of shape (n_tasks, n_tasks)
            A diagonal matrix.
        """
        return np.diag(np.broadcast_to(np.asarray(self.alpha, float), (n_tasks,)))
