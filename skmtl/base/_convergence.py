"""The warning of fits that have not converged."""

import warnings

from sklearn.exceptions import ConvergenceWarning


def warn_of_convergence(fit, tol):
    """Warn if a fit has not converged.

    Parameters
    ----------
    fit : Fit
        The fit.
    tol : float
        Tolerance that was asked for.
    """
    if fit.converged:
        return
    warnings.warn(
        f"The solver stopped after {fit.n_iter} iterations at a relative {fit.measure} "
        f"of {fit.optimality:.1e}, above tol={tol:.1e}. Raise max_iter, or scale the "
        "features.",
        ConvergenceWarning,
        stacklevel=2,
    )
