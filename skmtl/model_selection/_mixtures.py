"""Non-negative weights of models, from their predictions of held-out rows."""

import numpy as np
from numpy.linalg import norm
from numpy.typing import NDArray
from scipy.linalg import solve
from scipy.optimize import nnls

# Weights of the other models are normal around zero, with a variance of one over this.
_PRIOR_PRECISION = 50.0
# Weights for the log loss and the deviance are shrunk to the first model as if by so
# many rows that only this one predicts. A single row excludes a weight of zero, and
# forty of them nearly all other models.
_PRIOR_EVENTS = 1.0
# Relative ridge, for models with the same predictions.
_SINGULAR = 1e-8
# Errors beyond this many standard deviations count linearly, Huber's usual value: with
# normal errors, the variance of the weights is 5 % larger than that of least squares.
_HUBER = 1.345
# Standard deviation of a normal variable, relative to its median absolute value.
_CONSISTENT = 1.4826
# Smallest standard deviation of the noise, relative to the root mean squared error.
_LEAST_NOISE = 0.1
_MAX_HUBER_STEPS = 50
_TINY = np.finfo(np.float64).tiny
_MAX_STEPS = 1000
_TOL = 1e-8


def weigh_numbers(
    predictions: NDArray[np.floating],
    y: NDArray[np.floating],
    weight: NDArray[np.floating],
) -> NDArray[np.floating]:
    """Find weights of least Huber loss, non-negative and of sum 1.

    With the differences ``D`` of the other models from the first, minimises
    ``sum_i v_i (y_i - p_1i - D_i u)^2 + 50 s^2 ||u||^2`` over ``u >= 0`` with
    ``sum(u) <= 1``. The penalty is that of a normal prior, so models that predict
    nearly the same, relative to the noise, leave the weight with the first. Rows with a
    residual beyond ``1.345 s`` have weights ``v_i`` that decrease with it, as in
    Huber's regression, so that a few large errors do not decide. The standard deviation
    ``s`` of the noise is 1.4826 times the median absolute error of the model for which
    this is smallest, but at least a tenth of the smallest root mean squared error.

    Parameters
    ----------
    predictions : ndarray of shape (n_models, n_targets)
        Predictions of held-out targets.
    y : ndarray of shape (n_targets,)
        Targets.
    weight : ndarray of shape (n_targets,)
        Weights of the targets.

    Returns
    -------
    ndarray of shape (n_models,)
        Weights.

    References
    ----------
    Huber, P. J. (1964). Robust estimation of a location parameter. The Annals of
    Mathematical Statistics, 35(1), 73-101. :doi:`10.1214/aoms/1177703732`
    """
    if len(predictions) == 1:
        return np.ones(1)
    weight = weight / weight.max()
    errors = np.abs(y - predictions)
    medians = [_find_median(each, weight) for each in errors]
    # Where half of the rows are predicted exactly, the median is a rounding error.
    least = np.sqrt(np.average(errors**2, axis=1, weights=weight)).min()
    noise = max(_CONSISTENT * min(medians), _LEAST_NOISE * least)
    ridge, limit = _PRIOR_PRECISION * noise**2, _HUBER * noise
    found = _weigh_squares(predictions, y, weight, ridge)
    for _ in range(_MAX_HUBER_STEPS if limit > 0 else 0):
        errors = np.abs(y - found @ predictions)
        reduced = weight * limit / np.maximum(errors, limit)
        previous, found = found, _weigh_squares(predictions, y, reduced, ridge)
        if np.abs(found - previous).max() < _TOL:
            break
    return found


def _weigh_squares(predictions, y, weight, ridge):
    """Return the weights of least squared error with a ridge penalty."""
    root = np.sqrt(weight)
    D = ((predictions[1:] - predictions[0]) * root).T
    rest = (y - predictions[0]) * root
    scale = norm(D, axis=0)
    scale[scale == 0] = 1.0
    D = D / scale
    penalty = np.diag(ridge / scale**2 + _SINGULAR)
    factor = np.linalg.cholesky(D.T @ D + penalty).T
    others = _solve_below(factor, solve(factor.T, D.T @ rest), 1 / scale) / scale
    return np.append(1 - others.sum(), others).clip(min=0)


def _find_median(values, weight):
    """Return the weighted median."""
    order = np.argsort(values)
    shares = np.cumsum(weight[order])
    return values[order[np.searchsorted(shares, shares[-1] / 2)]]


def _solve_below(A, b, cost):
    """Minimise ``||A u - b||`` over ``u >= 0`` with ``cost @ u <= 1``."""
    heavy = 1e4 / cost.max()
    rest = np.append(np.zeros(len(A)), heavy)
    rows = np.column_stack([np.vstack([A, heavy * cost]), rest])
    return nnls(rows, np.append(b, heavy))[0][:-1]


def weigh_classes(
    predictions: NDArray[np.floating],
    y: NDArray[np.intp],
    weight: NDArray[np.floating],
) -> NDArray[np.floating]:
    """Find weights of least log loss of the mixed probabilities, of sum 1.

    Expectation-maximisation of a mixture with fixed components, whose likelihood is
    concave in the weights.

    Parameters
    ----------
    predictions : ndarray of shape (n_models, n_targets, n_classes)
        Probabilities of held-out targets.
    y : ndarray of shape (n_targets,), dtype intp
        Positions of the classes.
    weight : ndarray of shape (n_targets,)
        Weights of the targets.

    Returns
    -------
    ndarray of shape (n_models,)
        Weights.
    """
    likelihood = np.take_along_axis(predictions, y[None, :, None], axis=2)[..., 0]
    likelihood = np.maximum(likelihood, np.finfo(np.float64).eps)
    return _maximise(likelihood, weight / weight.max(), np.zeros(len(likelihood)))


def weigh_counts(
    predictions: NDArray[np.floating],
    y: NDArray[np.floating],
    weight: NDArray[np.floating],
) -> NDArray[np.floating]:
    """Find weights of least Poisson deviance of the mixed means, of sum 1.

    The same expectation-maximisation: each event comes from one of the models.

    Parameters
    ----------
    predictions : ndarray of shape (n_models, n_targets)
        Positive predictions of held-out targets.
    y : ndarray of shape (n_targets,)
        Counts, 0 or more.
    weight : ndarray of shape (n_targets,)
        Weights of the targets.

    Returns
    -------
    ndarray of shape (n_models,)
        Weights.
    """
    weight = weight / weight.max()
    return _maximise(predictions, weight * y, predictions @ weight)


def _maximise(likelihood, weight, totals):
    """Maximise ``sum_i weight_i log(w @ likelihood)_i - w @ totals`` over shares ``w``.

    The prior adds an event that only the first model predicts.
    """
    prior = _PRIOR_EVENTS * np.eye(len(likelihood))[0]
    shares = np.full(len(likelihood), 1 / len(likelihood))
    for _ in range(_MAX_STEPS):
        mixed = np.maximum(shares @ likelihood, _TINY)
        expected = shares * (likelihood @ (weight / mixed)) + prior
        previous, shares = shares, _share_out(expected, totals)
        if np.abs(shares - previous).max() < _TOL:
            break
    return shares


def _share_out(expected, totals):
    """Maximise ``sum_k expected_k log(w_k) - w_k totals_k`` over shares ``w``.

    ``w_k = expected_k / (totals_k + multiplier)``, with the multiplier of sum 1.
    """
    used = expected > 0
    found, totals = expected[used], totals[used]
    # Newton's method from below, where it is monotone, as the sum is convex.
    multiplier = (found - totals).max()
    for _ in range(_MAX_STEPS):
        terms = found / (totals + multiplier)
        step = (terms.sum() - 1) / (terms / (totals + multiplier)).sum()
        multiplier += step
        if step <= _TOL * found.sum():
            break
    shares = np.zeros(len(expected))
    shares[used] = found / (totals + multiplier)
    return shares / shares.sum()
