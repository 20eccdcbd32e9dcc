"""Sums of couplings."""

from dataclasses import dataclass
from typing import Any

from sklearn.base import BaseEstimator

from skmtl._contracts import Coupling


class Summand(Coupling):
    """Coupling to which others can be added with ``+``."""

    def __add__(self, other: Coupling) -> "Sum":
        """Return the Sum of both."""
        return Sum(self, other) if isinstance(other, Coupling) else NotImplemented


@dataclass(repr=False, eq=False)
class Sum(BaseEstimator, Summand):
    """Sum of two couplings: ``first + second``.

    Parameters
    ----------
    first, second : Coupling
        Couplings of the same tasks; they may be sums.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.couplings import Apart, Graph
    >>> pairs = Graph(np.array([[0.0, 1.0], [1.0, 0.0]]))
    >>> both = pairs + Apart(alpha=0.5)
    >>> both.precision(2)
    array([[ 1.5, -1. ],
           [-1. ,  1.5]])
    """

    first: Coupling
    second: Coupling

    def precision(self, n_tasks: int) -> Any:
        """Return the precision matrix over tasks of one feature, the sum of both.

        Parameters
        ----------
        n_tasks : int
            Number of tasks.

        Returns
        -------
        {ndarray, CSR matrix} of shape (n_tasks, n_tasks)
            Sparse if both are.
        """
        return self.first.precision(n_tasks) + self.second.precision(n_tasks)

    def penalizes_intercepts(self) -> bool:
        """Return whether intercepts are penalised, which `precision` does not show."""
        return self.first.penalizes_intercepts() or self.second.penalizes_intercepts()
