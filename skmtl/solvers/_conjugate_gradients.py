"""Positive semidefinite systems by conjugate gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg, sparse

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite, apply, diagonals, invert

_MAX_ITER = 2000


def solve_coupled_blocks(
    mass: Array, precision: Any, right: Array, tol: float = 1e-11
) -> tuple[Array, float]:
    """Solve a block system coupled by the edges of any graph.

    The system is ``mass_v x_v + sum_u precision_vu x_u = right_v``. The preconditioner
    is the sum of the inverses of the diagonal blocks, and a correction that is constant
    on each connected component. If edges are strong, the blocks alone converge slowly
    along these constants.

    Parameters
    ----------
    mass : ndarray of shape (n_nodes, size, size)
        Positive semidefinite matrices.
    precision : CSR matrix of shape (n_nodes, n_nodes)
        Positive semidefinite matrix over nodes.
    right : ndarray of shape (n_nodes, size)
        Right-hand sides.
    tol : float, default=1e-11
        Stop at this norm of the residual relative to the right-hand side.

    Returns
    -------
    solution : ndarray of shape (n_nodes, size)
        The solution.
    residual : float
        Norm of the residual, relative to that of the right-hand side.
    """
    if not right.any():
        return np.zeros_like(right), 0.0

    def multiply(x: Array) -> Array:
        return apply(mass, x) + precision @ x

    precondition = _two_level_preconditioner(mass, precision)
    solution, _ = conjugate_gradients(multiply, right, precondition, tol, _MAX_ITER)
    residual = norm(right - multiply(solution)) / norm(right)
    return solution, float(residual)


def conjugate_gradients(
    multiply: Callable[[Array], Array],
    right: Array,
    precondition: Callable[[Array], Array],
    tol: float,
    max_iter: int,
) -> tuple[Array, int]:
    """Solve a linear system, given matrix-vector products.

    Parameters
    ----------
    multiply : callable
        Multiplies by the matrix, which must be positive semidefinite.
    right : ndarray
        Right-hand side, of any shape.
    precondition : callable
        Applies an approximate inverse, which must be positive definite.
    tol : float
        Stop at this norm of the residual relative to the right-hand side.
    max_iter : int
        Maximum number of products.

    Returns
    -------
    solution : ndarray
        The solution, in the shape of the right-hand side.
    n_iter : int
        Number of products.

    References
    ----------
    Hestenes, M. R., Stiefel, E. (1952). Methods of conjugate gradients for solving
    linear systems. Journal of Research of the National Bureau of Standards, 49(6),
    409-436. :doi:`10.6028/jres.049.044`
    """
    solution, residual = np.zeros_like(right), np.array(right, order="C")
    direction, product, limit = np.zeros_like(right), 1.0, tol * norm(right)
    for n_iter in range(max_iter):
        if norm(residual) <= limit:
            return solution, n_iter
        preconditioned = precondition(residual)
        previous, product = product, np.vdot(residual, preconditioned)
        if product <= 0:  # the rest is rounding error
            return solution, n_iter
        direction *= product / previous if n_iter else 0.0
        direction += preconditioned
        image = multiply(direction)
        length = product / np.vdot(direction, image)
        if not np.isfinite(length):  # the matrix is zero along the direction
            return solution, n_iter
        _add_multiple(length, direction, solution)
        _add_multiple(-length, image, residual)
    return solution, max_iter


def _add_multiple(factor, x, total):
    """Add a multiple of `x` to `total` in place."""
    linalg.blas.daxpy(x.ravel(), total.reshape(-1), a=factor)


def norm(x):
    """Return the Euclidean norm of an array of any shape."""
    return np.sqrt(np.vdot(x, x))


def _two_level_preconditioner(mass, precision):
    """Return a function that adds the solutions of blocks and of components."""
    block = np.array(np.broadcast_to(mass, (precision.shape[0], *mass.shape[1:])))
    diagonal = precision.diagonal()
    # Nodes without mass and edges get the identity, to be invertible.
    is_empty = (diagonals(block) == 0).all(axis=1) & (diagonal == 0)
    diagonals(block)[...] += (diagonal + is_empty)[:, None]
    inverse = invert(block)
    n_parts, part = sparse.csgraph.connected_components(precision, directed=False)
    members = sparse.csr_array(
        (np.ones(len(part)), (part, np.arange(len(part)))), shape=(n_parts, len(part))
    )
    coarse = (members @ block.reshape(len(block), -1)).reshape(n_parts, *mass.shape[1:])
    # Blocks hold the diagonal of the precision; a component needs the sum of all.
    excess = members @ (precision @ np.ones(len(part))) - members @ (
        diagonal + is_empty
    )
    diagonals(coarse)[...] += excess[:, None]
    factors = [Semidefinite(matrix) for matrix in coarse]

    def solve_coarse(x):
        summed = members @ x
        found = [f.solve(row) for f, row in zip(factors, summed, strict=True)]
        return np.stack(found)[part]

    def precondition(x):
        return apply(inverse, x) + solve_coarse(x)

    return precondition
