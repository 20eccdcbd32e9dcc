"""Leave-one-out errors without leaving anything out."""

import numpy as np

# A row with more leverage than this alone determines its fit.
_FULL = 1 - 1e-14


def left_out_errors(data, posterior):
    """Return the weighted mean of squared leave-one-out errors of a fit.

    Parameters
    ----------
    data : TaskData
        The rows of the fit.
    posterior : Posterior
        The fit and its uncertainty.

    Returns
    -------
    float
        Mean squared error of rows predicted by a fit without them.
    """
    fit, total = posterior.fit, 0.0
    for group in data.weighted_groups():
        coef = fit.coef[group.tasks][:, :, None]
        left = group.y - np.matmul(group.X, coef)[:, :, 0]
        left = left - fit.intercept[group.tasks][:, None]
        leverage = group.weight * posterior.variance(group.X, group.tasks)
        total += (group.weight * leave_out(left, leverage) ** 2).sum()
    return total / fit.moments.weight.sum()


def leave_out(left, leverage):
    """Return the residuals of rows left out; 0 for a row that no other can predict.

    Such is the only row of a task with a free intercept, whatever the strengths.
    """
    predicted = leverage < _FULL
    return np.divide(left, 1 - leverage, out=np.zeros_like(left), where=predicted)
