"""Block systems on graphs, solved by eliminating many nodes at a time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skmtl._contracts import Array
from skmtl._linalg import Semidefinite, apply, invert

# Eliminating a node with more neighbours would add more edges than it removes.
_MAX_NEIGHBOURS = 2


@dataclass(frozen=True)
class Round:
    """Nodes that are eliminated together; no two of them are adjacent.

    Parameters
    ----------
    nodes : ndarray of shape (n_nodes,)
        The eliminated nodes.
    edges : ndarray of shape (n_ends,)
        Their edges, by position among the edges before the round.
    flipped : ndarray of shape (n_ends,), dtype bool
        Whether the node is the second end of the edge.
    owners : ndarray of shape (n_ends,)
        Position in `nodes` of each edge's node.
    neighbours : ndarray of shape (n_ends,)
        The other end of each edge.
    kept : ndarray of shape (n_kept,)
        Edges without an eliminated node, by position.
    pairs : ndarray of shape (n_pairs, 2)
        Positions in `edges` of the two edges of a node; a new edge joins their
        neighbours.
    targets : ndarray of shape (n_kept + n_pairs,)
        Position among the edges after the round of each kept or new edge.
    pair_flipped : ndarray of shape (n_pairs,), dtype bool
        Whether the new edge leads from the second neighbour to the first.
    after : ndarray of shape (n_after, 2)
        Edges after the round.
    """

    nodes: Array
    edges: Array
    flipped: Array
    owners: Array
    neighbours: Array
    kept: Array
    pairs: Array
    targets: Array
    pair_flipped: Array
    after: Array


def plan_elimination(edges: Array, n_nodes: int) -> list[Round] | None:
    """Plan rounds that leave one node of each connected component of a graph.

    A plan exists for chains, trees, rings, and all graphs that can be reduced by
    eliminating nodes with at most two neighbours.

    Parameters
    ----------
    edges : ndarray of shape (n_edges, 2)
        Distinct edges, the smaller end first.
    n_nodes : int
        Number of nodes.

    Returns
    -------
    list of Round, or None
        The rounds; None if some nodes have too many neighbours.
    """
    rank = np.random.default_rng(0).permutation(n_nodes)
    rounds = []
    while len(edges):
        found = _plan_round(edges, rank)
        if found is None:
            return None
        rounds.append(found)
        edges = found.after
    return rounds


def _plan_round(edges, rank):
    degree = np.bincount(edges.ravel(), minlength=len(rank))
    ready = (degree > 0) & (degree <= _MAX_NEIGHBOURS)
    if not ready.any():
        return None
    # Of two adjacent candidates, only the one of higher rank is eliminated in this
    # round.
    rivals = edges[ready[edges].all(axis=1)]
    second_waits = rank[rivals[:, 0]] > rank[rivals[:, 1]]
    ready[np.where(second_waits, rivals[:, 1], rivals[:, 0])] = False
    eliminated = ready[edges]
    own = np.flatnonzero(eliminated.any(axis=1))
    flipped = eliminated[own, 1]
    owner = np.where(flipped, edges[own, 1], edges[own, 0])
    order = np.argsort(owner, kind="stable")
    own, flipped, owner = own[order], flipped[order], owner[order]
    neighbours = np.where(flipped, edges[own, 0], edges[own, 1])
    nodes = np.flatnonzero(ready)
    twin = np.flatnonzero(owner[1:] == owner[:-1])
    pairs = np.stack([twin, twin + 1], axis=1)
    kept = np.flatnonzero(~eliminated.any(axis=1))
    new = neighbours[pairs]
    pair_flipped = new[:, 0] > new[:, 1]
    after = np.vstack([edges[kept], np.sort(new, axis=1)])
    after, targets = np.unique(after, axis=0, return_inverse=True)
    owners = np.searchsorted(nodes, owner)
    return Round(
        nodes,
        own,
        flipped,
        owners,
        neighbours,
        kept,
        pairs,
        targets.reshape(-1),
        pair_flipped,
        after,
    )


def eliminate(
    rounds: Sequence[Round], mass: Array, conductance: Array, right: Array
) -> Array:
    """Solve a block system coupled by the edges of a graph, by a plan.

    The system is ``mass_v x_v + sum_e C_e (x_v - x_u) = right_v`` over the edges ``e``
    from ``v`` to ``u``. Eliminating a node passes its mass and its right-hand side to
    its neighbours, and joins them by an edge. As in the elimination of Grassmann,
    Taksar and Heyman, every step adds terms of one sign, so strong edges cause no
    cancellation.

    Parameters
    ----------
    rounds : list of Round
        A plan.
    mass : ndarray of shape (n_nodes, size, size)
        Positive semidefinite matrices.
    conductance : ndarray of shape (n_edges,)
        Strengths of the edges of the plan, positive.
    right : ndarray of shape (n_nodes, size)
        Right-hand sides.

    Returns
    -------
    ndarray of shape (n_nodes, size)
        The solution, of minimum norm where it is not unique.

    References
    ----------
    Grassmann, W. K., Taksar, M. I., Heyman, D. P. (1985). Regenerative analysis and
    steady state distributions for Markov chains. Operations Research, 33(5), 1107-1116.
    :doi:`10.1287/opre.33.5.1107`
    """
    mass, right = mass.copy(), right.copy()
    edge_blocks = conductance[:, None, None] * np.eye(mass.shape[-1])
    eliminated = []
    for round_ in rounds:
        factors, edge_blocks = _eliminate_round(round_, mass, edge_blocks, right)
        eliminated.append((round_, factors))
    solution = np.zeros_like(right)
    remains = np.ones(len(right), dtype=bool)
    for round_ in rounds:
        remains[round_.nodes] = False
    for node in np.flatnonzero(remains):
        matrix = (mass[node] + mass[node].T) / 2
        solution[node] = Semidefinite(matrix).solve(right[node])
    for round_, (inverse, influence) in reversed(eliminated):
        found = apply(inverse, right[round_.nodes])
        neighbours = solution[round_.neighbours][:, :, None]
        np.add.at(found, round_.owners, np.matmul(influence, neighbours)[:, :, 0])
        solution[round_.nodes] = found
    return solution


def _eliminate_round(round_, mass, edge_blocks, right):
    """Add nodes' mass and right-hand side to their neighbours', in place.

    Return the nodes' inverse blocks and the influence of each neighbour, and the
    matrices of the edges after the round.
    """
    out = edge_blocks[round_.edges]
    out[round_.flipped] = out[round_.flipped].transpose(0, 2, 1)
    own_mass = mass[round_.nodes]
    block = own_mass.copy()
    np.add.at(block, round_.owners, out)
    inverse = invert((block + block.transpose(0, 2, 1)) / 2)
    influence = np.matmul(inverse[round_.owners], out)
    passed = influence.transpose(0, 2, 1)
    np.add.at(mass, round_.neighbours, np.matmul(passed, own_mass[round_.owners]))
    own_right = right[round_.nodes][round_.owners][:, :, None]
    np.add.at(right, round_.neighbours, np.matmul(passed, own_right)[:, :, 0])
    new = np.matmul(passed[round_.pairs[:, 0]], out[round_.pairs[:, 1]])
    new[round_.pair_flipped] = new[round_.pair_flipped].transpose(0, 2, 1)
    after = np.zeros((len(round_.after), *edge_blocks.shape[1:]))
    kept_and_new = np.concatenate([edge_blocks[round_.kept], new])
    np.add.at(after, round_.targets, kept_and_new)
    return (inverse, influence), after
