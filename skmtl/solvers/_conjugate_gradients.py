"""Block systems on any graph, by conjugate gradients."""

import numpy as np
from scipy import sparse

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
        Norm of the residual at which to stop, relative to the right side's.

    Returns
    -------
    solution : ndarray of shape (n_nodes, size)
        The solution.
    residual : float
        Norm of the residual, relative to the right side's.
    """
    solution, size = np.zeros_like(right), np.linalg.norm(right)
    if size == 0:
        return solution, 0.0

    def multiply(x):
        return apply(mass, x) + precision @ x

    precondition = _two_levels(mass, precision)
    left, direction, slope = right.copy(), np.zeros_like(right), 1.0
    for _ in range(_MAX_ITER):
        step = precondition(left)
        before, slope = slope, np.vdot(left, step)
        if np.linalg.norm(left) <= tol * size or slope <= 0:
            break
        direction = step + (slope / before if direction.any() else 0.0) * direction
        image = multiply(direction)
        length = slope / np.vdot(direction, image)
        solution += length * direction
        left -= length * image
    residual = np.linalg.norm(right - multiply(solution)) / size
    return solution, float(residual)


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
