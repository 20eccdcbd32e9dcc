"""Variances of tasks with few rows, shrunk towards a typical one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, polygamma

from skmtl._contracts import Array


@dataclass(frozen=True)
class VariancePrior:
    """Log-normal distribution of variances across tasks, estimated from them.

    A sum of ``d`` squares with variance ``v`` has ``log(sum / 2) - digamma(d / 2)`` as
    an unbiased estimate of ``log v``, with variance ``trigamma(d / 2)``.

    Parameters
    ----------
    log_common : float
        Mean of the log variances.
    between : float
        Variance of the log variances, beyond that of their estimates.

    References
    ----------
    Smyth, G. K. (2004). Linear models and empirical Bayes methods for assessing
    differential expression in microarray experiments. Statistical Applications in
    Genetics and Molecular Biology, 3(1). :doi:`10.2202/1544-6115.1027`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.targets import VariancePrior
    >>> prior = VariancePrior.of(np.array([40.0, 4000.0]), np.array([40.0, 40.0]))
    >>> prior.shrink(np.array([1.0, 1.0]), np.array([1e9, 1.0])).round(1)
    array([1. , 2.1])
    """

    log_common: float
    between: float

    @classmethod
    def of(cls, squares: Array, freedom: Array) -> VariancePrior:
        """Estimate the distribution.

        Parameters
        ----------
        squares : ndarray of shape (n_tasks,)
            Sum of squares of each task, positive.
        freedom : ndarray of shape (n_tasks,)
            Their degrees of freedom, positive.

        Returns
        -------
        VariancePrior
            The distribution; that of a single task has no variance.
        """
        logs = np.log(squares / 2) - digamma(freedom / 2)
        errors = polygamma(1, freedom / 2)
        between = _variance_between(logs, errors) if len(logs) > 1 else 0.0
        common = np.average(logs, weights=1 / (between + errors))
        return cls(float(common), between)

    @property
    def common(self) -> float:
        """Variance of a typical task."""
        return float(np.exp(self.log_common))

    def shrink(self, variances: Array, freedom: Array) -> Array:
        """Shrink variances to the common one, most with few degrees of freedom.

        Parameters
        ----------
        variances : ndarray of shape (n_tasks,)
            Variances, positive.
        freedom : ndarray of shape (n_tasks,)
            Their degrees of freedom, positive.

        Returns
        -------
        ndarray of shape (n_tasks,)
            Estimates of the tasks' variances given the distribution.
        """
        errors, own = polygamma(1, freedom / 2), np.log(variances)
        share = errors / (self.between + errors)
        shrunk: Array = np.exp(own + share * (self.log_common - own))
        return shrunk


def _variance_between(values: Array, errors: Array) -> float:
    """Return the variance of values beyond the variances of their errors."""
    weight = 1 / errors
    mean = np.average(values, weights=weight)
    excess = weight @ (values - mean) ** 2 - (len(values) - 1)
    total = weight.sum()
    room = total - weight @ weight / total
    return max(0.0, float(excess / room))
