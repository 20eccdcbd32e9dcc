"""Non-negative weights of models, from their predictions of held-out rows."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

# Weights are shrunk to the first model as if by this many rows.
_PRIOR_ROWS = 20.0
_TINY = np.finfo(np.float64).tiny
_MAX_STEPS = 1000
_TOL = 1e-8


def weigh_numbers(
    predictions: NDArray[np.floating],
    y: NDArray[np.floating],
    weight: NDArray[np.floating],
) -> NDArray[np.floating]:
    """Find weights of least squared error, non-negative and of sum 1.

    With the differences ``D`` of the other models from the first, minimises
    ``||y - p_1 - D u||^2 + ridge ||u||^2`` over ``u >= 0`` with ``sum(u) <= 1``.

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
    """
    root = np.sqrt(weight / weight.max())
    D = ((predictions[1:] - predictions[0]) * root).T
    rest = (y - predictions[0]) * root
    G, q = D.T @ D, D.T @ rest
    size = np.trace(G) / max(len(G), 1)
    if not size > 0:
        return np.eye(len(predictions))[0]
    n_rows = (root**2).sum()
    G = G / size + _PRIOR_ROWS / n_rows * np.eye(len(G))
    root_G = np.linalg.cholesky(G).T
    target = np.linalg.solve(root_G.T, q / size)
    return _solve_simplex(root_G, target)


def _solve_simplex(A, b):
    """Minimise ``||A u - b||`` over ``u >= 0`` of sum 1 or less; prepend the rest."""
    heavy = 1e4 * np.abs(A).max()
    slack = np.zeros((len(A), 1))
    rows = np.vstack([np.hstack([slack, A]), np.full((1, 1 + A.shape[1]), heavy)])
    found = nnls(rows, np.append(b, heavy))[0]
    return found / found.sum()


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

    The prior adds rows that only the first model predicts.
    """
    prior = _PRIOR_ROWS * np.eye(len(likelihood))[0]
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
