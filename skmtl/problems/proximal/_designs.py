"""Squared losses that can be restricted to some features, for working sets."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from skmtl._contracts import Array, Point
from skmtl._linalg import apply
from skmtl._numbers import FEW_FEATURES, PADDING
from skmtl.data import TaskMoments
from skmtl.problems.rows import (
    GramBlocks,
    MomentCurvature,
    SparseDesign,
    choose_blocks,
    keeps_sparse,
    multiply,
    stays_sparse,
)
from skmtl.solvers import Restrictable

from ._squared_loss import SquaredLoss, squared_loss

# Numbers of a block of columns that is centred at a time, 8 MB: bounds the memory.
_CHUNK = 2**20


@dataclass(frozen=True)
class RestrictableLoss(Restrictable):
    """Squared loss whose Hessian can be formed for a few features.

    Parameters
    ----------
    loss : SquaredLoss
        The loss, without a precision matrix; its `curvature` is one of the designs.
    """

    loss: SquaredLoss

    @property
    def moments(self) -> TaskMoments:
        """Moments of the tasks."""
        return self.loss.moments

    @property
    def scale(self) -> float:
        """Factor of the sum of squares."""
        return self.loss.scale

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the coefficients, (n_tasks, n_features)."""
        return self.loss.shape

    def zero(self) -> Point:
        """Return the Point at zero."""
        return self.loss.zero()

    def at(self, W: Array) -> Point:
        """Return the Point at W."""
        return self.loss.at(W)

    def lipschitz(self) -> float:
        """Return an upper bound of the curvature in any direction."""
        return self.loss.lipschitz()

    def dual_value(self, point: Point, limit: float) -> float:
        """Return the largest dual value among multiples of the residuals at a point."""
        return self.loss.dual_value(point, limit)

    def unpack(self, *parts: Array) -> Any:
        """Return the linear models of the tasks, as the loss does."""
        return self.loss.unpack(*parts)

    def restrict(self, features: Array) -> Any:
        """Return the loss of some features, a BlockQuadratic."""
        loss, zero = self.loss, self.loss.zero()
        right, start = -zero.gradient[:, features], zero.value
        return loss.curvature.blocks(
            features, loss.scale, right, start, loss.alpha_ridge
        )


@dataclass(frozen=True)
class MomentDesign:
    """Scatters ``S_t`` of the features, (n_tasks or 1, n_features, n_features)."""

    xx: np.ndarray

    def curve(self, W):
        """Return ``S_t w_t`` of every task."""
        return apply(self.xx, W)

    def bound(self):
        """Return an upper bound on the eigenvalues of a scatter."""
        return MomentCurvature(self.xx).bound()

    def blocks(self, features, scale, right, start, ridge):
        """Return the loss of some features."""
        curved = scale * self.xx[:, features[:, None], features]
        return GramBlocks(curved, right, start, ridge)


@dataclass(frozen=True)
class StackedDesign:
    """Rows of tasks that do not share them, fewer than features.

    Parameters
    ----------
    stacks : list of (tasks, X)
        Tasks, and their rows (n_stacked, n_rows, n_features), centred if there are
        intercepts, scaled by root weights, padded with zeros.
    """

    stacks: list

    def curve(self, W):
        """Return ``S_t w_t`` of every task."""
        used = np.flatnonzero(W.any(axis=0))
        curved = np.zeros_like(W)
        if len(used):
            for tasks, X in self.stacks:
                few = X[:, :, used].transpose(0, 2, 1)
                curved[tasks] = multiply(multiply(W[tasks][:, used], few), X)
        return curved

    def bound(self):
        """Return an upper bound on the eigenvalues of a scatter."""
        squares = (X @ X.transpose(0, 2, 1) for _, X in self.stacks)
        return max(MomentCurvature(square).bound() for square in squares)

    def blocks(self, features, scale, right, start, ridge):
        """Return the loss of some features."""
        stacks = [(tasks, X[:, :, features]) for tasks, X in self.stacks]
        scales = np.full((len(right), 1), scale)
        return choose_blocks(stacks, scales, right, start, ridge)


@dataclass(frozen=True)
class SharedDesign:
    """One design for all tasks; products centre it, so that it is never copied.

    Parameters
    ----------
    X : {ndarray, CSR matrix} of shape (n_rows, n_features)
        Features as they are.
    x_mean : ndarray of shape (n_features,)
        Means of the features, subtracted from every row; zeros without intercepts.
    weight : ndarray of shape (n_rows,)
        Weights.
    factor : ndarray of shape (n_tasks,) or None
        Factor of each task's loss; None means ones.
    """

    X: object
    x_mean: np.ndarray
    weight: np.ndarray
    factor: np.ndarray | None

    def columns(self, features):
        """Return some features, centred and scaled by root weights."""
        some = self._take(features)
        some -= self.x_mean[features]
        some *= np.sqrt(self.weight)[:, None]
        return some

    def _take(self, features):
        if sparse.issparse(self.X):
            return self.X[:, features].toarray()
        return np.take(self.X, features, axis=1)

    def scatter_with(self, rows):
        """Return weighted products of rows (n_any, n_rows) with centred features."""
        rows = rows * self.weight
        return rows @ self.X - np.outer(rows.sum(axis=1), self.x_mean)

    def curve(self, W):
        """Return ``S_t w_t`` of every task."""
        used = np.flatnonzero(W.any(axis=0))
        if not len(used):
            return np.zeros_like(W)
        some = self.X[:, used] if sparse.issparse(self.X) else self._take(used)
        fitted = W[:, used] @ some.T - (W[:, used] @ self.x_mean[used])[:, None]
        curved = self.scatter_with(np.asarray(fitted))
        return curved if self.factor is None else curved * self.factor[:, None]

    def bound(self):
        """Return an upper bound on the eigenvalues of a scatter, its trace."""
        n_rows, n_features = self.X.shape
        step, total = max(1, _CHUNK // max(n_rows, 1)), 0.0
        for start in range(0, n_features, step):
            some = np.arange(start, min(start + step, n_features))
            total += (self.columns(some) ** 2).sum()
        factor = 1.0 if self.factor is None else self.factor.max()
        return float(total * factor)

    def blocks(self, features, scale, right, start, ridge):
        """Return the loss of some features."""
        stacks = [(slice(None), self.columns(features)[None])]
        factor = np.ones(1) if self.factor is None else self.factor
        return choose_blocks(stacks, scale * factor[:, None], right, start, ridge)


def restrictable_moments(
    moments: TaskMoments, fit_intercept: bool = True, alpha_ridge: float = 0.0
) -> RestrictableLoss:
    """Pose the squared loss of moments for restriction to some features.

    Parameters
    ----------
    moments : TaskMoments
        About the means, with scatters, task weights applied.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    alpha_ridge : float, default=0.0
        Strength of the ridge.

    Returns
    -------
    RestrictableLoss
        The loss.
    """
    loss = squared_loss(moments, fit_intercept, alpha_ridge=alpha_ridge)
    return RestrictableLoss(replace(loss, curvature=MomentDesign(loss.curvature.xx)))


def restrictable_rows(
    data: Any, fit_intercept: bool = True, alpha_ridge: float = 0.0
) -> RestrictableLoss:
    """Pose the squared loss of rows for restriction to some features.

    A square matrix of all features is never formed.

    Parameters
    ----------
    data : TaskData
        Rows of tasks; task weights are applied.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    alpha_ridge : float, default=0.0
        Strength of the ridge.

    Returns
    -------
    RestrictableLoss
        The loss.
    """
    if keeps_sparse(data):
        data = data.stacked()
        moments = data.moments(curvature=False)
        moments = moments if fit_intercept else moments.about_zero()
        design: Any = SparseDesign(data, fit_intercept)
    elif data.shares_rows:
        moments, design = _read_shared(data, fit_intercept)
    else:
        moments = data.moments(curvature=False)
        moments = moments if fit_intercept else moments.about_zero()
        design = StackedDesign(_stack(data, fit_intercept))
    loss = squared_loss(moments, curvature=design, alpha_ridge=alpha_ridge)
    return RestrictableLoss(loss)


def reads_rows(data: Any) -> bool:
    """Return whether the loss is faster to pose from rows than from moments.

    Parameters
    ----------
    data : TaskData
        Rows of tasks.

    Returns
    -------
    bool
        Whether rows are fewer than features, or scatters are too large.
    """
    n_features = data.X.shape[1]
    if stays_sparse(data):
        return True
    return n_features > FEW_FEATURES and data.mean_rows() < n_features


def _read_shared(data, fit_intercept):
    """Return moments without scatters, and the design that does not copy X."""
    X, Y = data.X, np.asarray(data.Y, dtype=float)
    X = X.astype(float, copy=False)
    n_rows, n_tasks = Y.shape
    weight = np.ones(n_rows) if data.weight is None else data.weight
    total = weight.sum()
    share = weight / total * fit_intercept
    x_mean, y_mean = np.asarray(share @ X), share @ Y
    centred = np.ascontiguousarray((Y - y_mean).T)
    design = SharedDesign(X, x_mean, weight, data.task_weight)
    moments = TaskMoments(
        data.tasks,
        np.full(n_tasks, total),
        x_mean[None],
        y_mean,
        None,
        design.scatter_with(centred),
        (weight * centred * centred).sum(axis=1),
        data.orders,
    )
    return _weighted(moments, data.task_weight), design


def _weighted(moments, factor):
    """Apply task weights to moments about shared means."""
    if factor is None:
        return moments
    return replace(
        moments,
        weight=moments.weight * factor,
        xy=moments.xy * factor[:, None],
        yy=moments.yy * factor,
    )


def _stack(data, centred):
    """Return stacks of tasks with about equally many rows, padded with zeros."""
    sizes = np.diff(data.offsets)
    stacks, place = [], {}
    for tasks in _group_by_size(sizes):
        shape = (len(tasks), max(sizes[tasks].max(), 1), data.X.shape[1])
        stacks.append((tasks, np.zeros(shape)))
        place |= dict(zip(tasks, stacks[-1][1], strict=True))
    for tasks, rows in data.roots(centred)[1]:
        for task, own in zip(tasks, rows, strict=True):
            place[task][: len(own)] = own
    if len(stacks) == 1:
        return [(slice(None), stacks[0][1])]
    return stacks


def _group_by_size(sizes):
    """Return groups of tasks, each in order, with sizes within the padding factor."""
    groups = []
    for task in np.argsort(sizes, kind="stable"):
        if not groups or sizes[task] > PADDING * sizes[groups[-1][0]]:
            groups.append([])
        groups[-1].append(task)
    return [np.sort(group) for group in groups]
