"""Squared losses of some features, from Gram matrices or from rows."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from skmtl._contracts import Array, Point
from skmtl._linalg import apply, diagonals
from skmtl._numbers import TINY
from skmtl.solvers import BlockQuadratic

from ._shrunk import GramSolver, RowSolver, ShrunkLosses, multiply

# Largest number of features per block: their Hessian fits in the L2 cache.
_BLOCK = 96
# Largest ratio of curvatures within a block, as its features share a step length.
_UNLIKE = 8.0


class SquaredBlocks(BlockQuadratic):
    """Squared losses plus a ridge, for block methods.

    Parameters
    ----------
    right : ndarray of shape (n_tasks, n_features)
        Right side of the normal equations: the negative gradient at zero.
    start : float
        Value at zero.
    ridge : float
        Strength of the ridge.
    """

    right: Array
    start: float
    ridge: float

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the coefficients, (n_tasks, n_features)."""
        return self.right.shape

    @cached_property
    def blocks(self) -> list[slice]:
        """Slices of the features, in order."""
        return cut(self.scales)

    @property
    def is_ordered(self) -> bool:
        """Whether curvatures are similar, or features are sorted by curvature."""
        return not is_unlike(self.scales) or bool((np.diff(self.scales) >= 0).all())

    @property
    @abstractmethod
    def diagonal(self) -> Array:
        """Largest curvature along each feature, without the ridge."""

    @cached_property
    def scales(self) -> Array:
        """Largest curvature along each feature."""
        return self.diagonal + self.ridge

    def zero(self) -> Point:
        """Return the Point at zero."""
        return Point(np.zeros(self.shape), self.start, -self.right)

    def at(self, W: Array) -> Point:
        """Return the Point at W."""
        return self.point(W, self.state_at(W))

    def point(self, W: Array, state: Array) -> Point:
        """Return the Point at W."""
        gradient = self.block_gradient(W, state, slice(0, self.shape[1]))
        change = float(np.vdot(W, gradient)) - float(np.vdot(W, self.right))
        value = self.start + change / 2
        return Point(W, max(float(value), 0.0), gradient)

    def _value(self, W, quadratic):
        """Return the value, at least zero, given ``sum_t w_t' H_t w_t``."""
        quadratic = quadratic + self.ridge * np.vdot(W, W)
        return max(self.start + float(quadratic / 2 - np.vdot(W, self.right)), 0.0)

    def shrunk(self, variances: Array) -> ShrunkLosses | None:
        """Minimise the losses plus ``1/2 sum_j ||W[:, j]||^2 / variances_j``."""
        solver = self._solver(variances / (1 + self.ridge * variances))
        if solver is None:
            return None
        return ShrunkLosses(solver, self.right, self.start, self.ridge, variances)

    def _solver(self, variances: Array) -> Any:
        """Return what solves for given variances; None if that is slow."""
        return None

    def lipschitz(self) -> float:
        """Return an upper bound on the curvature in any direction."""
        return float(self.scales.sum())

    def dual_value(self, point: Point, limit: float) -> float:
        """Return the largest dual value among multiples of the residuals at a point."""
        along = 2 * self.start - np.vdot(point.variable, self.right)
        multiple = np.clip(along / max(2 * point.value, TINY), -limit, limit)
        return float(multiple * along - multiple**2 * point.value)


class GramBlocks(SquaredBlocks):
    """Squared losses from the Hessians of the tasks.

    The state is the product of the Hessians and the variable, without the ridge.

    Parameters
    ----------
    hessians : ndarray of shape (n_tasks or 1, n_features, n_features)
        Hessians, without the ridge.
    right : ndarray of shape (n_tasks, n_features)
        Right side of the normal equations.
    start : float
        Value at zero.
    ridge : float
        Strength of the ridge.
    """

    is_compact = True

    def __init__(
        self, hessians: Array, right: Array, start: float, ridge: float
    ) -> None:
        self.hessians = hessians
        self.right = right
        self.start = start
        self.ridge = ridge

    def restrict(self, features: Array) -> "GramBlocks":
        """Return the losses of some features."""
        hessians = self.hessians[:, features[:, None], features]
        return GramBlocks(hessians, self.right[:, features], self.start, self.ridge)

    def _solver(self, variances):
        return GramSolver(self.hessians, variances)

    @cached_property
    def diagonal(self) -> Array:
        """Largest curvature along each feature, without the ridge."""
        return diagonals(self.hessians).max(axis=0)

    def state_at(self, W: Array) -> Array:
        """Return the state at W."""
        return apply(self.hessians, W)

    def value_at(self, W: Array, state: Array) -> float:
        """Return the value at W without its gradient."""
        return self._value(W, np.vdot(W, state))

    def block_gradient(self, W: Array, state: Array, block: slice) -> Array:
        """Return the gradient along the features of a block."""
        return state[:, block] - self.right[:, block] + self.ridge * W[:, block]

    def update(self, state: Array, block: slice, step: Array) -> None:
        """Update the state in place after a step of a block."""
        state += multiply(step, self.hessians[:, block])

    def hessian(self, block: slice) -> Array:
        """Return the Hessian within a block."""
        return _add_ridge(self.hessians[:, block, block], self.ridge)


class RowBlocks(SquaredBlocks):
    """Squared losses from rows, which are fewer than features.

    The state is the predictions of all rows, concatenated.

    Parameters
    ----------
    stacks : list of (tasks, X)
        Tasks, and their rows (n_stacked or 1, n_rows, n_features).
    scale : ndarray of shape (n_tasks, 1) or (1, 1)
        Factor of each task's loss.
    right : ndarray of shape (n_tasks, n_features)
        Right side of the normal equations.
    start : float
        Value at zero.
    ridge : float
        Strength of the ridge.
    """

    is_compact = False

    def __init__(
        self,
        stacks: Sequence[tuple[Any, Array]],
        scale: Array,
        right: Array,
        start: float,
        ridge: float,
    ) -> None:
        self.stacks = stacks
        self.scale = scale
        self.right = right
        self.start = start
        self.ridge = ridge
        sizes = [len(right[tasks]) * X.shape[1] for tasks, X in stacks]
        self._ends = np.cumsum([0, *sizes])

    def restrict(self, features: Array) -> SquaredBlocks:
        """Return the losses of some features, from Gram matrices if these are few."""
        stacks = [(tasks, X[:, :, features]) for tasks, X in self.stacks]
        right = self.right[:, features]
        return choose_blocks(stacks, self.scale, right, self.start, self.ridge)

    @cached_property
    def diagonal(self) -> Array:
        """Largest curvature along each feature, without the ridge."""
        largest = np.zeros(self.shape[1])
        for tasks, X in self.stacks:
            squares = self._scale(tasks) * np.einsum("tij,tij->tj", X, X)
            np.maximum(largest, squares.max(axis=0), out=largest)
        return largest

    @cached_property
    def _roots(self):
        """Stacks of rows times root scales."""
        return [
            (tasks, X * np.sqrt(self._scale(tasks))[:, None])
            for tasks, X in self.stacks
        ]

    def _solver(self, variances):
        return RowSolver(self._roots, variances)

    def _scale(self, tasks):
        return self.scale if len(self.scale) == 1 else self.scale[tasks]

    def _parts(self, state):
        """Yield the tasks, the rows and the predictions of each stack."""
        spans = pairwise(self._ends)
        for (tasks, X), (a, b) in zip(self.stacks, spans, strict=True):
            yield tasks, X, state[a:b].reshape(-1, X.shape[1])

    def state_at(self, W: Array) -> Array:
        """Return the state at W."""
        state = np.zeros(self._ends[-1])
        self.update(state, slice(0, self.shape[1]), W)
        return state

    def value_at(self, W: Array, state: Array) -> float:
        """Return the value at W without its gradient."""
        squares = 0.0
        for tasks, _, part in self._parts(state):
            squares += (self._scale(tasks)[:, 0] * (part * part).sum(axis=1)).sum()
        return self._value(W, squares)

    def block_gradient(self, W: Array, state: Array, block: slice) -> Array:
        """Return the gradient along the features of a block."""
        gradient = self.ridge * W[:, block] - self.right[:, block]
        for tasks, X, part in self._parts(state):
            gradient[tasks] += self._scale(tasks) * multiply(part, X[:, :, block])
        return gradient

    def update(self, state: Array, block: slice, step: Array) -> None:
        """Update the state in place after a step of a block."""
        for tasks, X, part in self._parts(state):
            part += multiply(step[tasks], X[:, :, block].transpose(0, 2, 1))

    def hessian(self, block: slice) -> Array:
        """Return the Hessian within a block."""
        stacks = [(tasks, X[:, :, block]) for tasks, X in self.stacks]
        return _add_ridge(scatters(stacks, self.scale), self.ridge)


def choose_blocks(
    stacks: Sequence[tuple[Any, Array]],
    scale: Array,
    right: Array,
    start: float,
    ridge: float,
) -> SquaredBlocks:
    """Return GramBlocks if tasks have as many rows as features, on average.

    Parameters
    ----------
    stacks, scale, right, start, ridge
        As in RowBlocks.

    Returns
    -------
    GramBlocks or RowBlocks
        The losses.
    """
    n_rows = sum(len(X) * X.shape[1] for _, X in stacks)
    n_designs = sum(len(X) for _, X in stacks)
    if right.shape[1] * n_designs <= n_rows:
        return GramBlocks(scatters(stacks, scale), right, start, ridge)
    return RowBlocks(stacks, scale, right, start, ridge)


def scatters(stacks, scale):
    """Return the Hessians of the tasks, a single one if there is a single block."""
    _, X = stacks[0]
    n_tasks = sum(len(X) for _, X in stacks)
    if n_tasks == 1:
        return scale[:, :, None] * (X.transpose(0, 2, 1) @ X)
    hessians = np.empty((n_tasks, X.shape[2], X.shape[2]))
    for tasks, X in stacks:
        hessians[tasks] = X.transpose(0, 2, 1) @ X
    hessians *= scale[:, :, None]
    return hessians


def cut(scales):
    """Cut features into blocks of bounded size and of similar curvatures.

    If curvatures are not similar, features must be sorted by them.
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
    """Return whether curvatures differ too much for one step length."""
    return scales.max(initial=0.0) > _UNLIKE * scales.min(initial=np.inf)


def _add_ridge(matrices, ridge):
    return matrices + ridge * np.eye(matrices.shape[1]) if ridge else matrices
