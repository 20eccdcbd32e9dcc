"""Total variation steps on any network, for many columns at once.

The dual, ``min 1/2 ||V - D'u||^2`` over flows ``|u| <= threshold`` along the edges, is
solved by an interior point method whose systems have one row per task. Then tasks with
free flow between them are made equal, exactly.

Kim, S.-J., Koh, K., Boyd, S., Gorinevsky, D. (2009). l1 trend filtering. SIAM Review,
51(2), 339-360. :doi:`10.1137/070690274`
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

_MAX_ITER = 100
# Complementarity to stop at, relative to the largest deviation and flow.
_ACCURACY = 1e-13
# Flows are curved by this at least, so that no system is singular.
_LEAST_CURVE = 1e-11
# How much of the way to the nearest bound is gone, and of complementarity kept.
_REACH, _CENTRING = 0.995, 0.1
# A flow this near to its bound, relative to it, is at it.
_AT_BOUND = 1e-6
# Rounding in a cost, relative to it.
_ROUNDING = 1e-14


def fuse_network(V, first, last, threshold, n_hidden=0):
    """Minimise ``1/2 ||W - V||^2 + threshold sum |W[first] - W[last]|`` per column.

    The last `n_hidden` nodes are not in V and W.
    """
    centre = V.mean(axis=0)
    scale = np.abs(V - centre).max(axis=0, initial=0.0)
    scale = np.where(scale > 0, scale, 1.0)
    # Flows never need more than the sum of all deviations.
    bound = np.minimum(threshold, 2.0 * len(V) * scale) / scale
    deviations = np.ascontiguousarray(((V - centre) / scale).T)
    deviations = np.pad(deviations, [(0, 0), (0, n_hidden)])
    network = _Network(first, last, len(V) + n_hidden, n_hidden)
    fused = network.fuse(deviations, bound[:, None])[:, : len(V)]
    return centre + scale * fused.T


@dataclass(frozen=True)
class _Network:
    """Edges between nodes; arrays have a row per column of coefficients.

    The last nodes are hidden: their net flow is zero.
    """

    first: np.ndarray
    last: np.ndarray
    n_tasks: int
    n_hidden: int = 0

    @cached_property
    def _seen(self):
        return (np.arange(self.n_tasks) < self.n_tasks - self.n_hidden).astype(float)

    @cached_property
    def _incidence(self):
        edges = np.arange(len(self.first))
        shape = (len(edges), self.n_tasks)
        leaves = sparse.csr_array((np.ones(len(edges)), (edges, self.first)), shape)
        enters = sparse.csr_array((np.ones(len(edges)), (edges, self.last)), shape)
        return leaves - enters

    def differences(self, W):
        return W[:, self.first] - W[:, self.last]

    def divergence(self, flow):
        """Return what flows into each task: the transpose of `differences`."""
        return flow @ self._incidence

    def stiffness(self, weight):
        """Return the identity on visible nodes plus the weighted graph Laplacian."""
        matrices = np.zeros((len(weight), self.n_tasks, self.n_tasks))
        matrices[:, self.first, self.last] = -weight
        matrices[:, self.last, self.first] = -weight
        diagonal = np.einsum("ctt->ct", matrices)
        diagonal += self._seen - matrices.sum(axis=2)
        return matrices

    def fuse(self, V, threshold):
        flow, rough = self._flow(V, threshold)
        exact = self._merge(V, flow, threshold, rough)
        cost = self._cost(rough, V, threshold)
        # Equal but for rounding is as good, and equal tasks stay equal.
        good = self._cost(exact, V, threshold) <= cost + _ROUNDING * (1 + cost)
        return np.where(good[:, None], exact, rough)

    def _cost(self, W, V, threshold):
        jumps = np.abs(self.differences(W)).sum(axis=1)
        off = self._seen * (W - V) ** 2
        return off.sum(axis=1) / 2 + threshold[:, 0] * jumps

    def _values(self, V, flow, hidden):
        """Return the values of visible nodes, given the flows, and of hidden ones."""
        return self._seen * (V - self.divergence(flow)) + hidden

    def _flow(self, V, threshold):
        """Return the flows, and the values of the nodes."""
        flow, hidden = np.zeros((len(V), len(self.first))), np.zeros_like(V)
        price = np.ones((2, *flow.shape))
        room = np.broadcast_to(threshold, price.shape).copy()
        for _ in range(_MAX_ITER):
            slack = (price * room).mean(axis=(0, 2))
            (open_,) = np.nonzero(slack > _ACCURACY * threshold[:, 0])
            if not len(open_):
                break
            target = _CENTRING * slack[open_, None]
            part = flow[open_], price[:, open_], room[:, open_]
            values = self._values(V[open_], flow[open_], hidden[open_])
            step, price_step, moved = self._newton(values, *part, target)
            ways = np.stack([step, -step])
            rates = np.maximum(ways / part[2], -price_step / part[1])
            length = _REACH / rates.max(axis=(0, 2), initial=_REACH)[:, None]
            flow[open_] += length * step
            hidden[open_] += length * moved
            price[:, open_] += length * price_step
            room[:, open_] -= length * ways
        return flow, self._values(V, flow, hidden)

    def _newton(self, values, flow, price, room, target):
        """Return the Newton step of flows, prices and hidden nodes."""
        curve = np.maximum((price / room).sum(axis=0), _LEAST_CURVE)
        slope = self.differences(values)
        slope += target / room[1] - target / room[0]
        pushed = self.divergence(slope / curve)
        pushed += (1 - self._seen) * self.divergence(flow)
        given = np.linalg.solve(self.stiffness(1 / curve), pushed[:, :, None])[:, :, 0]
        step = (slope - self.differences(given)) / curve
        way = np.stack([step, -step])
        hidden = (self._seen - 1) * given
        return step, (target + price * way) / room - price, hidden

    def _merge(self, V, flow, threshold, rough):
        """Give tasks that free flows connect one value, the best for these groups."""
        free = np.abs(flow) < (1 - _AT_BOUND) * threshold
        group = self._groups(free)
        at_bound = np.where(free, 0.0, np.sign(flow) * threshold)
        pulled = V - self.divergence(at_bound)
        place = group + self.n_tasks * np.arange(len(V))[:, None]
        total = np.bincount(place.ravel(), pulled.ravel(), minlength=V.size)
        seen = np.broadcast_to(self._seen, V.shape).ravel()
        count = np.bincount(place.ravel(), seen, minlength=V.size)
        merged = (total / np.maximum(count, 1))[place]
        return np.where(count[place] > 0, merged, rough)

    def _groups(self, free):
        """Name each task after the first of the tasks that free edges lead to."""
        group = np.tile(np.arange(self.n_tasks), (len(free), 1))
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
