"""Losses of several kinds as a smooth term of one matrix of coefficients."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.linalg import norm

from skmtl._contracts import Array, Penalty, Point, Smooth
from skmtl._numbers import TINY
from skmtl.problems.newton import add_at

# Upper bound on the curvature, relative to that at zero: losses of counts have none,
# and steps are adaptive.
_UNBOUNDED = 1e6


@dataclass(frozen=True)
class LossPerTask(Smooth):
    """Losses that differ between tasks, ``n_tasks / N sum_t loss_t(w_t, b_t)``.

    ``N`` is the total weight, and tasks without weight do not count. A row of the
    variable is an output of a task: those of the first task come first. Its last column
    is the intercept; features are centred within the task.

    Parameters
    ----------
    parts : tuple of TasksOfOneLoss
        The tasks of each loss.
    """

    parts: tuple

    @cached_property
    def n_outputs(self) -> Array:
        """Number of outputs of each task, (n_tasks,)."""
        sizes = {t: p.datafit.shape[1] for p in self.parts for t in p.places}
        return np.array([sizes[t] for t in range(len(sizes))])

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the variable, (n_rows, n_features + 1)."""
        return int(self.n_outputs.sum()), self.parts[0].datafit.shape[2]

    @cached_property
    def scale(self) -> float:
        """Factor of the sum of the losses."""
        totals = [part.scale * part.datafit.task_totals for part in self.parts]
        return sum(map(np.count_nonzero, totals)) / sum(map(np.sum, totals))

    @cached_property
    def _pieces(self):
        """Each part with its rows of the variable and its means of the features."""
        first = np.cumsum(self.n_outputs) - self.n_outputs
        return [
            (part, first[part.places][:, None] + np.arange(part.datafit.shape[1]), mean)
            for part, mean in zip(self.parts, map(_mean, self.parts), strict=True)
        ]

    def at(self, W: Array) -> Point:
        """Return the Point at W; it is not finite if it overflows."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self._at(W)

    def _at(self, W):
        value, gradient = 0.0, np.empty(self.shape)
        for part, rows, mean in self._pieces:
            raw = part.predict(_uncentre(W[rows], mean))
            value += part.value(raw)
            slope = part.gradient(raw)
            slope[..., :-1] -= slope[..., -1:] * mean[:, None]
            gradient[rows] = slope
        return Point(W, self.scale * value, self.scale * gradient)

    @cached_property
    def curvature(self) -> float:
        """Upper bound of the curvature at zero."""
        bounds = [
            part.datafit.shape[1] * float(_bound(part, mean).max(initial=0.0))
            for part, _, mean in self._pieces
        ]
        return max(self.scale * max(bounds), TINY)

    def lipschitz(self) -> float:
        return _UNBOUNDED * self.curvature

    def dual_value(self, point: Point, limit: float) -> float:
        # Intercepts are variables, so residuals are not dual feasible.
        return -np.inf

    def unpack(self, W: Array) -> list[Array]:
        """Return the coefficients and intercepts of each task.

        Parameters
        ----------
        W : ndarray of shape (n_rows, n_features + 1)
            The variable.

        Returns
        -------
        list of ndarray of shape (n_outputs, n_features + 1)
            Coefficients and, in the last column, intercepts.
        """
        tasks: list[Any] = [None] * len(self.n_outputs)
        for part, rows, mean in self._pieces:
            found = _uncentre(W[rows], mean + part.shift)
            for place, own in zip(part.places, found, strict=True):
                tasks[place] = own
        return tasks


@dataclass(frozen=True)
class FreeIntercepts(Penalty):
    """Penalty on all columns of a variable but the last, the intercepts.

    Parameters
    ----------
    penalty : Penalty
        Penalty on the other columns.
    """

    penalty: Penalty

    def value(self, W: Array) -> float:
        return self.penalty.value(W[:, :-1])

    def prox(self, W: Array, step: float) -> Array:
        return np.hstack([self.penalty.prox(W[:, :-1], step), W[:, -1:]])

    def optimality(self, smooth: Any, point: Point) -> float:
        """Return the proximal gradient at a point, relative to the gradient at zero."""
        W, step = point.variable, 1 / smooth.curvature
        residual = norm(W - self.prox(W - step * point.gradient, step)) / step
        return float(residual / max(norm(smooth.zero().gradient), TINY))


def _uncentre(variable, mean):
    """Convert intercepts for centred features to those for the original features."""
    intercept = variable[..., -1] - (variable[..., :-1] * mean[:, None]).sum(axis=-1)
    return np.concatenate([variable[..., :-1], intercept[..., None]], axis=-1)


def _mean(part):
    """Return the mean of the features in each task, (n_tasks, n_features)."""
    total = _sum(part, lambda stack: stack.X)
    weight = part.datafit.task_totals[:, None]
    return total / np.where(weight > 0, weight, 1.0)


def _bound(part, mean):
    """Return the larger of the weight and the trace of the scatter of each task."""
    squares = _sum(part, lambda stack: (stack.X - mean[stack.tasks][:, None]) ** 2)
    return part.scale * np.maximum(squares.sum(axis=1), part.datafit.task_totals)


def _sum(part, read):
    """Return weighted sums, over the rows of each task, of values read from stacks."""
    n_tasks, _, n_columns = part.datafit.shape
    total = np.zeros((n_tasks, n_columns - 1))
    for stack in part.datafit.dense_stacks():
        sums = np.matmul(stack.weight[:, None], read(stack))[:, 0]
        add_at(total, stack.tasks, sums)
    return total
