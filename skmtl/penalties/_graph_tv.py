"""Proximal step of total variation on any network, for many columns at once.

An interior point method solves the dual, ``min 1/2 ||V - D'u||^2`` over flows
``|u| <= threshold`` along the edges. Its linear systems have one row per node. Then
nodes that are connected by flows below the threshold are made exactly equal.

Kim, S.-J., Koh, K., Boyd, S., Gorinevsky, D. (2009). l1 trend filtering. SIAM Review,
51(2), 339-360. :doi:`10.1137/070690274`
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

_MAX_ITER = 100
# Stop at this complementarity, relative to the largest deviation and flow.
_ACCURACY = 1e-13
# Smallest curvature of a flow, so that no system is singular.
_MIN_CURVATURE = 1e-11
# Largest step, relative to the distance to the nearest bound; and complementarity after
# the step that is the target, relative to the one before it.
_STEP_FRACTION, _CENTRING = 0.995, 0.1
# A flow within this relative distance of its bound counts as at the bound.
_AT_BOUND = 1e-6
# Relative rounding error of a cost.
_ROUNDING = 1e-14


def fuse_network(V, first, last, threshold, n_hidden=0):
    """Minimise ``1/2 ||W - V||^2 + threshold sum |W[first] - W[last]|`` per column.

    The network has `n_hidden` further nodes after those of V and W.
    """
    centre = V.mean(axis=0)
    scale = np.abs(V - centre).max(axis=0, initial=0.0)
    scale = np.where(scale > 0, scale, 1.0)
    # No flow exceeds the sum of all deviations.
    bound = np.minimum(threshold, 2.0 * len(V) * scale) / scale
    deviations = np.ascontiguousarray(((V - centre) / scale).T)
    deviations = np.pad(deviations, [(0, 0), (0, n_hidden)])
    network = _Network(first, last, len(V) + n_hidden, n_hidden)
    fused = network.fuse(deviations, bound[:, None])[:, : len(V)]
    return centre + scale * fused.T


@dataclass(frozen=True)
class _Network:
    """Edges between nodes; arrays have one row per column of coefficients.

    The last `n_hidden` nodes are hidden: their net flow is zero.
    """

    first: np.ndarray
    last: np.ndarray
    n_nodes: int
    n_hidden: int = 0

    @cached_property
    def _visible(self):
        return (np.arange(self.n_nodes) < self.n_nodes - self.n_hidden).astype(float)

    @cached_property
    def _incidence(self):
        edges = np.arange(len(self.first))
        shape = (len(edges), self.n_nodes)
        leaves = sparse.csr_array((np.ones(len(edges)), (edges, self.first)), shape)
        enters = sparse.csr_array((np.ones(len(edges)), (edges, self.last)), shape)
        return leaves - enters

    def differences(self, W):
        return W[:, self.first] - W[:, self.last]

    def divergence(self, flow):
        """Return the net flow out of each node, the transpose of `differences`."""
        return flow @ self._incidence

    def system(self, weight):
        """Return the identity on visible nodes plus the weighted graph Laplacian."""
        matrices = np.zeros((len(weight), self.n_nodes, self.n_nodes))
        matrices[:, self.first, self.last] = -weight
        matrices[:, self.last, self.first] = -weight
        diagonal = np.einsum("ctt->ct", matrices)
        diagonal += self._visible - matrices.sum(axis=2)
        return matrices

    def fuse(self, V, threshold):
        flow, approximate = self._solve_dual(V, threshold)
        merged = self._merge(V, flow, threshold, approximate)
        cost = self._cost(approximate, V, threshold)
        # Prefer equal values if the costs are equal up to rounding.
        good = self._cost(merged, V, threshold) <= cost + _ROUNDING * (1 + cost)
        return np.where(good[:, None], merged, approximate)

    def _cost(self, W, V, threshold):
        jumps = np.abs(self.differences(W)).sum(axis=1)
        misfit = self._visible * (W - V) ** 2
        return misfit.sum(axis=1) / 2 + threshold[:, 0] * jumps

    def _values(self, V, flow, hidden):
        """Return the values of all nodes, computed from the flows for visible ones."""
        return self._visible * (V - self.divergence(flow)) + hidden

    def _solve_dual(self, V, threshold):
        """Return the flows, and the values of the nodes."""
        flow, hidden = np.zeros((len(V), len(self.first))), np.zeros_like(V)
        # Slacks of the bounds ``flow <= threshold`` and ``-flow <= threshold``.
        multiplier = np.ones((2, *flow.shape))
        slack = np.broadcast_to(threshold, multiplier.shape).copy()
        for _ in range(_MAX_ITER):
            gap = (multiplier * slack).mean(axis=(0, 2))
            (unsolved,) = np.nonzero(gap > _ACCURACY * threshold[:, 0])
            if not len(unsolved):
                break
            target = _CENTRING * gap[unsolved, None]
            part = flow[unsolved], multiplier[:, unsolved], slack[:, unsolved]
            values = self._values(V[unsolved], flow[unsolved], hidden[unsolved])
            step, multiplier_step, hidden_step = self._newton(values, *part, target)
            slack_loss = np.stack([step, -step])
            rates = np.maximum(slack_loss / part[2], -multiplier_step / part[1])
            largest = rates.max(axis=(0, 2), initial=_STEP_FRACTION)[:, None]
            length = _STEP_FRACTION / largest
            flow[unsolved] += length * step
            hidden[unsolved] += length * hidden_step
            multiplier[:, unsolved] += length * multiplier_step
            slack[:, unsolved] -= length * slack_loss
        return flow, self._values(V, flow, hidden)

    def _newton(self, values, flow, multiplier, slack, target):
        """Return the Newton steps of flows, multipliers and hidden nodes."""
        curvature = np.maximum((multiplier / slack).sum(axis=0), _MIN_CURVATURE)
        slope = self.differences(values)
        slope += target / slack[1] - target / slack[0]
        right = self.divergence(slope / curvature)
        right += (1 - self._visible) * self.divergence(flow)
        system = self.system(1 / curvature)
        node_step = np.linalg.solve(system, right[:, :, None])[:, :, 0]
        step = (slope - self.differences(node_step)) / curvature
        slack_loss = np.stack([step, -step])
        hidden_step = (self._visible - 1) * node_step
        multiplier_step = (target + multiplier * slack_loss) / slack - multiplier
        return step, multiplier_step, hidden_step

    def _merge(self, V, flow, threshold, approximate):
        """Set each group of nodes that free flows connect to its mean."""
        free = np.abs(flow) < (1 - _AT_BOUND) * threshold
        group = self._groups(free)
        at_bound = np.where(free, 0.0, np.sign(flow) * threshold)
        shifted = V - self.divergence(at_bound)
        place = group + self.n_nodes * np.arange(len(V))[:, None]
        total = np.bincount(place.ravel(), shifted.ravel(), minlength=V.size)
        visible = np.broadcast_to(self._visible, V.shape).ravel()
        count = np.bincount(place.ravel(), visible, minlength=V.size)
        mean = (total / np.maximum(count, 1))[place]
        return np.where(count[place] > 0, mean, approximate)

    def _groups(self, free):
        """Return the first node of each node's group; free edges connect groups."""
        group = np.tile(np.arange(self.n_nodes), (len(free), 1))
        columns, edges = np.nonzero(free)
        first, last = (columns, self.first[edges]), (columns, self.last[edges])
        changed = True
        while changed:
            least = np.minimum(group[first], group[last])
            before = group.copy()
            np.minimum.at(group, first, least)
            np.minimum.at(group, last, least)
            changed = not np.array_equal(group, before)
        return group
