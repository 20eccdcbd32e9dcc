"""The warning of fits that have not converged."""

import warnings

from sklearn.exceptions import ConvergenceWarning


def warn_of_convergence(fit):
    """Warn if a fit has not converged.

    Parameters
    ----------
    fit : Fit
        The fit.
    """
    if fit.converged:
        return
    warnings.warn(
        f"After {fit.n_iter} iterations the relative {fit.measure} is "
        f"{fit.optimality:.1e}, and tol asks for {fit.tol:.1e}. {fit.remedy}",
        ConvergenceWarning,
        stacklevel=2,
    )
