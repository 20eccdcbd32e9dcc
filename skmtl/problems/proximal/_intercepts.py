"""Intercepts that minimise the loss of each task at fixed coefficients."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from skmtl._contracts import Array, Loss
from skmtl._linalg import EPS
from skmtl._linalg import join_first_axes as flat

# Stop after a Newton step this short, absolute or relative to the intercept: steps
# converge quadratically, so the next one would be lost in rounding.
_SHORT, _ROUNDING = 1e-6, 8 * EPS
# Also stop at a gradient this small: it stops a diverging intercept.
_FLAT = 1e-11
_MAX_STEPS = 100
# Ridge on the Hessians, relative to their trace and absolute: scores of classes that a
# task lacks have no curvature, and rounding would move them.
_RIDGE, _LEAST_RIDGE = 1e-9, 1e-140


@dataclass(frozen=True)
class FlatRows:
    """Rows of all tasks as flat arrays, in the order of the stacks of a datafit.

    Losses of rows are elementwise, so one flat array takes one call where stacks of
    many sizes would take a call each.

    Parameters
    ----------
    loss : Loss
        Loss of a row.
    y : ndarray of shape (n_rows, n_targets)
        Targets.
    weight : ndarray of shape (n_rows,)
        Weights.
    tasks : ndarray of shape (n_pieces,)
        Task of each piece of rows; a large task has several pieces.
    shapes : list of tuple (n_stacked, n_rows)
        Number of pieces in each stack, and of rows in each of them.
    n_tasks : int
        Number of tasks.
    """

    loss: Loss
    y: np.ndarray
    weight: np.ndarray
    tasks: np.ndarray
    shapes: list
    n_tasks: int

    @classmethod
    def of(cls, datafit, scale):
        """Return the rows of a datafit, their weights multiplied by a scale."""
        stacks = list(datafit.stacks())
        return cls(
            datafit.loss,
            np.concatenate([flat(stack.y) for stack in stacks]),
            scale * np.concatenate([stack.weight.ravel() for stack in stacks]),
            np.concatenate([stack.tasks for stack in stacks]),
            [stack.weight.shape for stack in stacks],
            datafit.n_tasks,
        )

    @cached_property
    def _sizes(self):
        """Number of rows of each piece."""
        return np.concatenate([np.full(*shape) for shape in self.shapes])

    @cached_property
    def _starts(self):
        """First row of each piece."""
        return np.cumsum(self._sizes) - self._sizes

    @cached_property
    def _spans(self):
        """First and last row of each stack."""
        return list(pairwise(np.cumsum([0, *map(np.prod, self.shapes)]).tolist()))

    @cached_property
    def task_of_row(self):
        """Task of each row."""
        return np.repeat(self.tasks, self._sizes)

    @cached_property
    def totals(self):
        """Weight of each task, (n_tasks,)."""
        return self.sum(self.weight)

    def join(self, parts):
        """Return values of stacks as one flat array."""
        return np.concatenate([flat(part) for part in parts])

    def split(self, values):
        """Return views of flat values in the shapes of the stacks."""
        return [
            values[start:stop].reshape(*shape, *values.shape[1:])
            for (start, stop), shape in zip(self._spans, self.shapes, strict=True)
        ]

    def sum(self, values: Array) -> Array:
        """Return the sums of values of rows by task, a row per task."""
        total: Array = np.zeros((self.n_tasks, *values.shape[1:]))
        sums = np.add.reduceat(values, self._starts, axis=0)
        if self._is_whole:
            total[self.tasks] = sums
        else:
            np.add.at(total, self.tasks, sums)
        return total

    @cached_property
    def _is_whole(self):
        """Whether every task has one piece."""
        return len(np.unique(self.tasks)) == len(self.tasks)

    def value(self, raw: Array) -> float:
        """Return the sum of the losses, infinite if it overflows."""
        with np.errstate(over="ignore", invalid="ignore"):
            total = self._total(self.loss.value(self.y, raw))
        return total if np.isfinite(total) else np.inf

    def conjugate(self, slope: Array) -> float:
        """Return the sum of the conjugates, given a dual variable per row."""
        return self._total(self.loss.conjugate(self.y, slope))

    def _total(self, costs):
        """Sum the costs of rows with a weight; those of others may be infinite."""
        used = self.weight > 0
        return float(self.weight[used] @ costs[used])

    def fit_intercepts(self, linear: Array, start: Array) -> Array:
        """Return the intercepts that minimise the loss at fixed coefficients.

        Newton steps ``d`` are shortened to ``log(1 + |d|)``. These descend without a
        line search if third derivatives are at most second ones in size, as for
        logistic and multinomial losses. A log link has a formula instead.

        Parameters
        ----------
        linear : ndarray of shape (n_rows, n_outputs)
            Raw predictions without intercepts.
        start : ndarray of shape (n_tasks, n_outputs)
            Initial intercepts.

        Returns
        -------
        ndarray of shape (n_tasks, n_outputs)
            The intercepts.
        """
        if self.loss.has_log_link:
            return self._match_means(linear, start)
        intercepts = start
        for _ in range(_MAX_STEPS):
            step, slope = self._step(linear + intercepts[self.task_of_row])
            intercepts = intercepts + step
            least = np.maximum(_SHORT, _ROUNDING * np.abs(intercepts))
            if not ((np.abs(step) > least) & (np.abs(slope) > _FLAT)).any():
                break
        return intercepts

    def _match_means(self, linear, start):
        """Return the intercepts at which predicted means equal those of the targets."""
        used = self.weight > 0
        top = np.full((self.n_tasks, linear.shape[1]), -np.inf)
        np.maximum.at(top, self.task_of_row[used], linear[used])
        top = np.where(np.isfinite(top), top, 0.0)
        weight = self.weight[:, None]
        with np.errstate(over="ignore"):
            means = np.exp(linear - top[self.task_of_row])
        means = np.where(used[:, None], means, 0.0)
        predicted, observed = self.sum(weight * means), self.sum(weight * self.y)
        found = (predicted > 0) & (observed > 0)
        ratio = np.divide(observed, predicted, out=np.ones_like(predicted), where=found)
        return np.where(found, np.log(ratio) - top, start)

    def _step(self, raw):
        """Return shortened Newton steps, and the gradients per unit of weight."""
        unit = np.where(self.totals > 0, self.totals, 1.0)[:, None]
        weight = self.weight[:, None]
        slope = self.sum(weight * self.loss.gradient(self.y, raw)) / unit
        hessian = self.sum(weight[:, None] * self.loss.hessian(self.y, raw))
        hessian = hessian / unit[:, None]
        ridge = _RIDGE * np.trace(hessian, axis1=1, axis2=2) + _LEAST_RIDGE
        hessian = hessian + ridge[:, None, None] * np.eye(hessian.shape[1])
        step = -np.linalg.solve(hessian, slope[:, :, None])[:, :, 0]
        # A unit step changes the gap between two class scores by at most sqrt(2).
        length = np.sqrt(2) * np.linalg.norm(step, axis=1)
        return step * _shortening(length)[:, None], slope


def _shortening(length):
    """Return ``log(1 + length) / length``."""
    return np.log1p(length) / np.where(length > 0, length, 1.0) + (length == 0)
