"""Squared losses restricted to some features: by Gram matrices, or by rows."""

from abc import abstractmethod
from functools import cached_property
from itertools import pairwise

import numpy as np

from skmtl._contracts import Point
from skmtl._linalg import apply, diagonals
from skmtl._numbers import TINY
from skmtl.solvers import BlockQuadratic

# Blocks of so many features keep their Hessians in the second-level cache.
_BLOCK = 96
# Features of a block share a step, so their curvatures must not differ by more.
_UNLIKE = 8.0


class SquaredBlocks(BlockQuadratic):
    """Hold what both kinds know: the gradient at zero, the value there, the ridge.

    Parameters
    ----------
    pulled : ndarray of shape (n_tasks, n_features)
        Negated gradient at zero.
    start : float
        Value at zero.
    ridge : float
        Strength of the quadratic pull to zero.
    """

    pulled: np.ndarray
    start: float
    ridge: float

    @property
    def shape(self):
        """Shape of the coefficients, (n_tasks, n_features)."""
        return self.pulled.shape

    @cached_property
    def blocks(self):
        """Slices of the features, in order."""
        return cut(self.scales)

    @property
    def is_ordered(self):
        """Whether curvatures are alike, or features come in their order."""
        return not is_unlike(self.scales) or bool((np.diff(self.scales) >= 0).all())

    @property
    @abstractmethod
    def diagonal(self):
        """Largest curvature along each feature, without the ridge."""

    @cached_property
    def scales(self):
        """Largest curvature along each feature."""
        return self.diagonal + self.ridge

    def zero(self):
        """Return the Point at zero."""
        return Point(np.zeros(self.shape), self.start, -self.pulled)

    def at(self, W):
        """Return the Point at W."""
        return self.point(W, self.state_at(W))

    def point(self, W, state):
        """Return the Point at W."""
        gradient = self.block_gradient(W, state, slice(0, self.shape[1]))
        value = self.start + (np.vdot(W, gradient) - np.vdot(W, self.pulled)) / 2
        return Point(W, max(float(value), 0.0), gradient)

    def _level(self, W, curved):
        """Return the value, not below zero however much of it is rounding."""
        curved = curved + self.ridge * np.vdot(W, W)
        return max(self.start + float(curved / 2 - np.vdot(W, self.pulled)), 0.0)

    def lipschitz(self):
        """Return an upper bound of the curvature in any direction."""
        return float(self.scales.sum())

    def dual_value(self, point, limit):
        """Return the largest dual value among multiples of the residuals at a point."""
        along = 2 * self.start - np.vdot(point.variable, self.pulled)
        multiple = np.clip(along / max(2 * point.value, TINY), -limit, limit)
        return float(multiple * along - multiple**2 * point.value)


class GramBlocks(SquaredBlocks):
    """A squared loss known by the Hessians of its tasks.

    Its state is the product of Hessians and variable, without the ridge.
    """

    is_compact = True

    def __init__(self, curved, pulled, start, ridge):
        self.curved = curved
        self.pulled = pulled
        self.start = start
        self.ridge = ridge

    def restrict(self, features):
        """Return the loss of some features."""
        curved = self.curved[:, features[:, None], features]
        return GramBlocks(curved, self.pulled[:, features], self.start, self.ridge)

    @cached_property
    def diagonal(self):
        """Largest curvature along each feature, without the ridge."""
        return diagonals(self.curved).max(axis=0)

    def state_at(self, W):
        """Return the state at W."""
        return apply(self.curved, W)

    def value_at(self, W, state):
        """Return the value at W without its gradient."""
        return self._level(W, np.vdot(W, state))

    def block_gradient(self, W, state, block):
        """Return the gradient along the features of a block."""
        return state[:, block] - self.pulled[:, block] + self.ridge * W[:, block]

    def update(self, state, block, step):
        """Move the state along with a step of a block."""
        state += multiply(step, self.curved[:, block])

    def hessian(self, block):
        """Return the Hessian within a block."""
        return _lift(self.curved[:, block, block], self.ridge)


class RowBlocks(SquaredBlocks):
    """A squared loss known by rows, which are fewer than features.

    Its state is the predictions of all rows, one after the other.

    Parameters
    ----------
    stacks : list of (tasks, X)
        Tasks, and their rows (n_stacked or 1, n_rows, n_features).
    scale : ndarray of shape (n_tasks, 1) or (1, 1)
        Factor of each task's loss.
    """

    is_compact = False

    def __init__(self, stacks, scale, pulled, start, ridge):
        self.stacks = stacks
        self.scale = scale
        self.pulled = pulled
        self.start = start
        self.ridge = ridge
        sizes = [len(pulled[tasks]) * X.shape[1] for tasks, X in stacks]
        self._ends = np.cumsum([0, *sizes])

    def restrict(self, features):
        """Return the loss of some features, by Grams if they are few."""
        stacks = [(tasks, X[:, :, features]) for tasks, X in self.stacks]
        pulled = self.pulled[:, features]
        return choose_blocks(stacks, self.scale, pulled, self.start, self.ridge)

    @cached_property
    def diagonal(self):
        """Largest curvature along each feature, without the ridge."""
        found = np.zeros(self.shape[1])
        for tasks, X in self.stacks:
            squares = np.einsum("tij,tij->tj", X, X)
            np.maximum(found, (self._scale(tasks) * squares).max(axis=0), out=found)
        return found

    def _scale(self, tasks):
        return self.scale if len(self.scale) == 1 else self.scale[tasks]

    def _parts(self, state):
        spans = pairwise(self._ends)
        for (tasks, X), (a, b) in zip(self.stacks, spans, strict=True):
            yield tasks, X, state[a:b].reshape(-1, X.shape[1])

    def state_at(self, W):
        """Return the state at W."""
        state = np.zeros(self._ends[-1])
        self.update(state, slice(0, self.shape[1]), W)
        return state

    def value_at(self, W, state):
        """Return the value at W without its gradient."""
        squares = 0.0
        for tasks, _, part in self._parts(state):
            squares += (self._scale(tasks)[:, 0] * (part * part).sum(axis=1)).sum()
        return self._level(W, squares)

    def block_gradient(self, W, state, block):
        """Return the gradient along the features of a block."""
        slope = self.ridge * W[:, block] - self.pulled[:, block]
        for tasks, X, part in self._parts(state):
            slope[tasks] += self._scale(tasks) * multiply(part, X[:, :, block])
        return slope

    def update(self, state, block, step):
        """Move the state along with a step of a block."""
        for tasks, X, part in self._parts(state):
            part += multiply(step[tasks], X[:, :, block].transpose(0, 2, 1))

    def hessian(self, block):
        """Return the Hessian within a block."""
        stacks = [(tasks, X[:, :, block]) for tasks, X in self.stacks]
        return _lift(scatters(stacks, self.scale), self.ridge)


def choose_blocks(stacks, scale, pulled, start, ridge):
    """Return a loss of rows, by Grams if features are fewer than the rows of a task."""
    n_rows = max(X.shape[1] for _, X in stacks)
    if pulled.shape[1] <= n_rows:
        return GramBlocks(scatters(stacks, scale), pulled, start, ridge)
    return RowBlocks(stacks, scale, pulled, start, ridge)


def scatters(stacks, scale):
    """Return the Hessians of tasks, or one for all if they share rows and scale."""
    _, X = stacks[0]
    n_tasks = sum(len(X) for _, X in stacks)
    if n_tasks == 1:
        return scale[:, :, None] * (X.transpose(0, 2, 1) @ X)
    curved = np.empty((n_tasks, X.shape[2], X.shape[2]))
    for tasks, X in stacks:
        curved[tasks] = X.transpose(0, 2, 1) @ X
    curved *= scale[:, :, None]
    return curved


def cut(scales):
    """Cut features into blocks of bounded size whose curvatures are alike.

    Features come in the order of their curvatures, if these are unlike.
    """
    ends, n_features = [0], len(scales)
    unlike = is_unlike(scales)
    while ends[-1] < n_features:
        rest = n_features - ends[-1]
        stop = ends[-1] + -(-rest // -(-rest // _BLOCK))
        if unlike:
            most = _UNLIKE * scales[ends[-1]]
            stop = min(stop, int(np.searchsorted(scales, most, side="right")))
        ends.append(max(stop, ends[-1] + 1))
    return [slice(a, b) for a, b in pairwise(ends)]


def is_unlike(scales):
    """Return whether curvatures differ so much that features must not share a step."""
    return scales.max(initial=0.0) > _UNLIKE * scales.min(initial=np.inf)


def multiply(rows, matrices):
    """Return ``rows_t A_t``; one matrix may serve all."""
    if len(matrices) == 1:
        return rows @ matrices[0]
    return np.matmul(rows[:, None], matrices)[:, 0]


def _lift(matrices, ridge):
    return matrices + ridge * np.eye(matrices.shape[1]) if ridge else matrices
