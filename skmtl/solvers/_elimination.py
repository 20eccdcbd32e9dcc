"""Block systems on graphs, eliminated node by node, many nodes at a time."""

from dataclasses import dataclass

import numpy as np

from skmtl._linalg import Semidefinite, apply, invert

# A node with more neighbours would make too many new edges.
_MOST_NEIGHBOURS = 2


@dataclass(frozen=True)
class Round:
    """Say which nodes leave a graph together; no two of them are adjacent.

    Parameters
    ----------
    nodes : ndarray of shape (n_nodes,)
        Nodes that leave.
    edges : ndarray of shape (n_ends,)
        Their edges, by position among the edges before the round.
    flipped : ndarray of shape (n_ends,), dtype bool
        Whether the node is the second end of the edge.
    owners : ndarray of shape (n_ends,)
        Position in `nodes` of each edge's node.
    neighbours : ndarray of shape (n_ends,)
        The other end of each edge.
    kept : ndarray of shape (n_kept,)
        Edges that stay, by position.
    pairs : ndarray of shape (n_pairs, 2)
        Positions in `edges` of the two edges of a node, whose neighbours are joined.
    targets : ndarray of shape (n_kept + n_pairs,)
        Position among the edges after the round of each edge kept or made.
    turned : ndarray of shape (n_pairs,), dtype bool
        Whether the edge made leads from the second neighbour to the first.
    after : ndarray of shape (n_after, 2)
        Edges after the round.
    """

    nodes: np.ndarray
    edges: np.ndarray
    flipped: np.ndarray
    owners: np.ndarray
    neighbours: np.ndarray
    kept: np.ndarray
    pairs: np.ndarray
    targets: np.ndarray
    turned: np.ndarray
    after: np.ndarray


def plan_elimination(edges, n_nodes):
    """Plan rounds that leave one node of each connected part of a graph.

    It works for chains, trees, rings, and whatever falls apart when nodes with at most
    two neighbours leave.

    Parameters
    ----------
    edges : ndarray of shape (n_edges, 2)
        Distinct edges, the smaller end first.
    n_nodes : int
        Number of nodes.

    Returns
    -------
    list of Round, or None
        The rounds; None if some nodes have too many neighbours to leave.
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
    ready = (degree > 0) & (degree <= _MOST_NEIGHBOURS)
    if not ready.any():
        return None
    # Of two adjacent nodes that are ready, the one of lower rank waits.
    rivals = edges[ready[edges].all(axis=1)]
    second_waits = rank[rivals[:, 0]] > rank[rivals[:, 1]]
    ready[np.where(second_waits, rivals[:, 1], rivals[:, 0])] = False
    leaves = ready[edges]
    own = np.flatnonzero(leaves.any(axis=1))
    flipped = leaves[own, 1]
    owner = np.where(flipped, edges[own, 1], edges[own, 0])
    order = np.argsort(owner, kind="stable")
    own, flipped, owner = own[order], flipped[order], owner[order]
    neighbours = np.where(flipped, edges[own, 0], edges[own, 1])
    nodes = np.flatnonzero(ready)
    twin = np.flatnonzero(owner[1:] == owner[:-1])
    pairs = np.stack([twin, twin + 1], axis=1)
    kept = np.flatnonzero(~leaves.any(axis=1))
    made = neighbours[pairs]
    turned = made[:, 0] > made[:, 1]
    after = np.vstack([edges[kept], np.sort(made, axis=1)])
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
        turned,
        after,
    )


def eliminate(rounds, mass, conductance, right):
    """Solve for nodes that are pulled to their neighbours.

    The system is ``mass_v x_v + sum_e C_e (x_v - x_u) = right_v`` over the edges ``e``
    from ``v`` to ``u``. When a node leaves, its mass and its right side pass to its
    neighbours, and its edges join them: every step adds terms of one sign, as in
    Grassmann, Taksar and Heyman's elimination, so that no strength costs digits.

    Parameters
    ----------
    rounds : list of Round
        A plan.
    mass : ndarray of shape (n_nodes, size, size)
        Positive semidefinite matrices.
    conductance : ndarray of shape (n_edges,)
        Strengths of the edges of the plan, positive.
    right : ndarray of shape (n_nodes, size)
        Right sides.

    Returns
    -------
    ndarray of shape (n_nodes, size)
        The solution, of least norm where it is not determined.

    References
    ----------
    Grassmann, W. K., Taksar, M. I., Heyman, D. P. (1985). Regenerative analysis and
    steady state distributions for Markov chains. Operations Research, 33(5), 1107-1116.
    :doi:`10.1287/opre.33.5.1107`
    """
    mass, right = mass.copy(), right.copy()
    flow = conductance[:, None, None] * np.eye(mass.shape[-1])
    steps = []
    for step in rounds:
        pull, flow = _leave(step, mass, flow, right)
        steps.append((step, pull))
    solution = np.zeros_like(right)
    last = np.ones(len(right), dtype=bool)
    for step in rounds:
        last[step.nodes] = False
    for node in np.flatnonzero(last):
        matrix = (mass[node] + mass[node].T) / 2
        solution[node] = Semidefinite(matrix).solve(right[node])
    for step, (inverse, pull) in reversed(steps):
        found = apply(inverse, right[step.nodes])
        pulled = np.matmul(pull, solution[step.neighbours][:, :, None])[:, :, 0]
        np.add.at(found, step.owners, pulled)
        solution[step.nodes] = found
    return solution


def _leave(step, mass, flow, right):
    """Pass on what the nodes of a round hold; return their pulls and the new edges."""
    out = flow[step.edges]
    out[step.flipped] = out[step.flipped].transpose(0, 2, 1)
    own_mass = mass[step.nodes]
    block = own_mass.copy()
    np.add.at(block, step.owners, out)
    inverse = invert((block + block.transpose(0, 2, 1)) / 2)
    pull = np.matmul(inverse[step.owners], out)
    passed = pull.transpose(0, 2, 1)
    np.add.at(mass, step.neighbours, np.matmul(passed, own_mass[step.owners]))
    own_right = right[step.nodes][step.owners]
    np.add.at(right, step.neighbours, np.matmul(passed, own_right[:, :, None])[:, :, 0])
    made = np.matmul(passed[step.pairs[:, 0]], out[step.pairs[:, 1]])
    made[step.turned] = made[step.turned].transpose(0, 2, 1)
    after = np.zeros((len(step.after), *flow.shape[1:]))
    np.add.at(after, step.targets, np.concatenate([flow[step.kept], made]))
    return (inverse, pull), after
