"""Warn of fits that have not converged."""

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning


def warn_of_convergence(fit: Any) -> None:
    """Warn if a fit has not converged.

    Parameters
    ----------
    fit : Fit
        A solved problem.
    """
    if fit.converged:
        return
    warnings.warn(
        f"After {fit.n_iter} iterations the relative {fit.measure} is "
        f"{fit.optimality:.1e}, above tol={fit.tol:.1e}. {fit.remedy}",
        ConvergenceWarning,
        stacklevel=2,
    )
