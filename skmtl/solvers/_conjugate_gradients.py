"""Positive semidefinite systems by conjugate gradients."""

import numpy as np
from scipy import linalg, sparse

from skmtl._linalg import Semidefinite, apply, diagonals, invert

_MAX_ITER = 2000


def pull_together(mass, precision, right, tol=1e-11):
    """Solve for nodes that are pulled to their neighbours, on any graph.

    The system is ``mass_v x_v + sum_u precision_vu x_u = right_v``. It is
    preconditioned by the blocks on the diagonal, and by what the connected parts have
    in common, which a strong pull leaves to be found.

    Parameters
    ----------
    mass : ndarray of shape (n_nodes, size, size)
        Positive semidefinite matrices.
    precision : CSR matrix of shape (n_nodes, n_nodes)
        Positive semidefinite matrix over nodes.
    right : ndarray of shape (n_nodes, size)
        Right sides.
    tol : float, default=1e-11
        Stop at this norm of the residual relative to the right side.

    Returns
    -------
    solution : ndarray of shape (n_nodes, size)
        The solution.
    residual : float
        Norm of the residual, relative to the right side's.
    """
    if not right.any():
        return np.zeros_like(right), 0.0

    def multiply(x):
        return apply(mass, x) + precision @ x

    solution, _ = conjugate_gradients(
        multiply, right, _two_levels(mass, precision), tol, _MAX_ITER
    )
    residual = norm(right - multiply(solution)) / norm(right)
    return solution, float(residual)


def conjugate_gradients(multiply, right, precondition, tol, max_iter):
    """Solve a linear system, given matrix-vector products.

    Parameters
    ----------
    multiply : callable
        Multiplies by the matrix, which must be positive semidefinite.
    right : ndarray
        Right side, of any shape.
    precondition : callable
        Applies an approximate inverse, which must be positive definite.
    tol : float
        Stop at this norm of the residual relative to the right side.
    max_iter : int
        Maximum number of products.

    Returns
    -------
    solution : ndarray
        The solution, in the shape of the right side.
    n_iter : int
        Number of products.

    References
    ----------
    Hestenes, M. R., Stiefel, E. (1952). Methods of conjugate gradients for solving
    linear systems. Journal of Research of the National Bureau of Standards, 49(6),
    409-436. :doi:`10.6028/jres.049.044`
    """
    solution, left = np.zeros_like(right), np.array(right, order="C")
    direction, slope, enough = np.zeros_like(right), 1.0, tol * norm(right)
    for n_iter in range(max_iter):
        if norm(left) <= enough:
            return solution, n_iter
        step = precondition(left)
        before, slope = slope, np.vdot(left, step)
        if slope <= 0:  # the rest is rounding error
            return solution, n_iter
        direction *= slope / before if n_iter else 0.0
        direction += step
        image = multiply(direction)
        length = slope / np.vdot(direction, image)
        if not np.isfinite(length):  # the matrix is flat along the direction
            return solution, n_iter
        _add(length, direction, solution)
        _add(-length, image, left)
    return solution, max_iter


def _add(factor, x, total):
    """Add a multiple to an array in place."""
    linalg.blas.daxpy(x.ravel(), total.reshape(-1), a=factor)


def norm(x):
    """Return the Euclidean norm of an array of any shape."""
    return np.sqrt(np.vdot(x, x))


def _two_levels(mass, precision):
    """Return the preconditioner: the sum of blocks' and connected parts' solutions."""
    block = np.array(np.broadcast_to(mass, (precision.shape[0], *mass.shape[1:])))
    diagonal = precision.diagonal()
    lost = (diagonals(block) == 0).all(axis=1) & (diagonal == 0)
    diagonals(block)[...] += (diagonal + lost)[:, None]
    inverse = invert(block)
    n_parts, part = sparse.csgraph.connected_components(precision, directed=False)
    members = sparse.csr_array(
        (np.ones(len(part)), (part, np.arange(len(part)))), shape=(n_parts, len(part))
    )
    common = (members @ block.reshape(len(block), -1)).reshape(n_parts, *mass.shape[1:])
    inner = members @ (precision @ np.ones(len(part))) - members @ (diagonal + lost)
    diagonals(common)[...] += inner[:, None]
    parts = [Semidefinite(matrix) for matrix in common]

    def coarse(x):
        summed = members @ x
        found = np.stack([s.solve(row) for s, row in zip(parts, summed, strict=True)])
        return found[part]

    def precondition(x):
        return apply(inverse, x) + coarse(x)

    return precondition
