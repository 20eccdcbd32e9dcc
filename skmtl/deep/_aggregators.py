"""Aggregators: combine the gradients of tasks with respect to shared parameters.

Each maps the gradients, (n_tasks, n_parameters), to a combination of them. The weights
depend only on the inner products of the gradients.
"""

from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import brentq, nnls
from torch import Tensor

from skmtl._contracts import Array

# Combinations of gradients shorter than this, relative to `c ||g_mean||`, count as
# zero: a thousand times the square root of rounding errors of inner products.
_NEGLIGIBLE = 1e-5
# Lower bound on lengths of gradients, relative to the longest, so that quotients of
# lengths do not overflow.
_SHORTEST = 1e-150


def pcgrad(J: Tensor) -> Tensor:
    """Sum the gradients, each projected off those that it conflicts with.

    The order of projections is random, from the default generator of PyTorch.

    Parameters
    ----------
    J : Tensor of shape (n_tasks, n_parameters)
        Gradients of tasks.

    Returns
    -------
    Tensor of shape (n_parameters,)
        The combined gradient.

    References
    ----------
    Yu, T., Kumar, S., Gupta, A., Levine, S., Hausman, K. and Finn, C. (2020). Gradient
    surgery for multi-task learning. NeurIPS. :doi:`10.48550/arXiv.2001.06782`
    """
    return _combine(J, _projection_weights)


def mgda(J: Tensor) -> Tensor:
    """Return the shortest convex combination of the gradients.

    Parameters
    ----------
    J : Tensor of shape (n_tasks, n_parameters)
        Gradients of tasks.

    Returns
    -------
    Tensor of shape (n_parameters,)
        The combined gradient.

    References
    ----------
    Désidéri, J.-A. (2012). Multiple-gradient descent algorithm (MGDA) for
    multiobjective optimization. Comptes Rendus Mathematique, 350(5-6), 313-318.
    :doi:`10.1016/j.crma.2012.03.014`
    """
    return _combine(J, _shortest_weights)


def cagrad(J: Tensor, c: float = 0.5) -> Tensor:
    """Return the gradient near the mean with the largest decrease of the worst task.

    Maximises ``min_t <g_t, d>`` over ``||d - g_mean|| <= c ||g_mean||``. One task gives
    ``1 + c`` times its gradient.

    Parameters
    ----------
    J : Tensor of shape (n_tasks, n_parameters)
        Gradients of tasks.
    c : float, default=0.5
        Radius around the mean gradient, relative to its norm.

    Returns
    -------
    Tensor of shape (n_parameters,)
        The combined gradient.

    References
    ----------
    Liu, B., Liu, X., Jin, X., Stone, P. and Liu, Q. (2021). Conflict-averse gradient
    descent for multi-task learning. NeurIPS. :doi:`10.48550/arXiv.2110.14048`
    """
    return _combine(J, lambda G: _averse_weights(G, c))


# Named as in the parameter `aggregator`.
AGGREGATORS = {"pcgrad": pcgrad, "mgda": mgda, "cagrad": cagrad}


def _combine(J: Tensor, weigh: Callable[[Array], Array]) -> Tensor:
    """Combine the gradients with weights that depend on their inner products."""
    weights = weigh(_inner_products(J.detach()))
    return torch.as_tensor(weights, dtype=J.dtype, device=J.device) @ J


def _inner_products(J: Tensor) -> Array:
    """Return ``J J'`` up to a factor, in float64, without overflow."""
    sizes = torch.linalg.vector_norm(J, torch.inf, dim=1)
    sizes = sizes.clamp_min(torch.finfo(J.dtype).tiny)
    rows = J / sizes[:, None]
    sizes = (sizes / sizes.max()).cpu().double().numpy()
    products: Array = (rows @ rows.T).cpu().double().numpy()
    return products * np.outer(sizes, sizes)


def _projection_weights(G: Array) -> Array:
    total = np.zeros(len(G))
    for t in range(len(G)):
        weights = np.eye(len(G))[t]
        for other in torch.randperm(len(G)).tolist():
            product = G[other] @ weights
            if other != t and product < 0:
                weights[other] -= product / G[other, other]
        total += weights
    return total


def _shortest_weights(G: Array) -> Array:
    """Return the convex weights that minimise ``w' G w``.

    Up to their sum, they are the non-negative least squares solution of
    ``B D w = 0, sum w = 1``, where ``G = D B' B D`` and columns of B have length one.
    """
    lengths = np.sqrt(np.diag(G))
    lengths = np.maximum(lengths, _SHORTEST)
    values, vectors = np.linalg.eigh(G / lengths / lengths[:, None])
    B = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    # Lengths of at least one keep the sum of the weights near one.
    relative = lengths / lengths.min()
    A = np.vstack([B, 1 / relative])
    solution, _ = nnls(A, np.eye(len(A))[-1])
    weights = solution / relative
    return weights / weights.sum()


def _averse_weights(G: Array, c: float) -> Array:
    """Return the weights of ``g_mean + c ||g_mean|| g_w / ||g_w||``.

    The convex weights w minimise ``<g_mean, g_w> + c ||g_mean|| ||g_w||``. They are the
    shortest weights of gradients shifted by ``tau g_mean``, for the ``tau`` at which
    ``||g_w|| = c ||g_mean|| tau``.
    """
    n_tasks = len(G)
    mean = G.mean(axis=1)
    radius = c * np.sqrt(np.maximum(mean.mean(), 0.0))

    def solve(tau: float) -> tuple[Array, float]:
        shifted = G + tau * (mean + mean[:, None]) + tau**2 * mean.mean()
        w = _shortest_weights(shifted)
        return w, np.sqrt(np.maximum(w @ G @ w, 0.0))

    equal = np.full(n_tasks, 1 / n_tasks)
    lowest, highest = _NEGLIGIBLE, np.sqrt(G.diagonal().max()) / max(radius, 1e-300)
    if radius == 0 or solve(lowest)[1] <= radius * lowest:
        return equal
    tau = brentq(lambda tau: solve(tau)[1] - radius * tau, lowest, highest)
    w, length = solve(tau)
    return equal + radius / length * w
