"""The best intercepts of tasks, given what else is predicted."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmtl._contracts import Loss
from skmtl._linalg import EPS
from skmtl._linalg import join_first_axes as flat

# Newton doubles the digits: after a step this short, hardly any can be gained.
_SHORT, _ROUNDING = 1e-6, 8 * EPS
# Nor where the loss is so flat, as it is at last where a level runs off to infinity.
_FLAT = 1e-11
_MAX_STEPS = 100
# Hessians are raised by this share of their trace, so that rounding does not move what
# classes that cannot occur leave flat; and by what keeps steps finite.
_LIFT, _LEAST = 1e-9, 1e-140


@dataclass(frozen=True)
class RowList:
    """List the rows of all tasks one after the other, as their stacks come.

    Parameters
    ----------
    loss : Loss
        What a row costs.
    y : ndarray of shape (n_rows, n_targets)
        Targets.
    weight : ndarray of shape (n_rows,)
        Weights.
    tasks : ndarray of shape (n_pieces,)
        Task of each piece; a task may come in several.
    starts : ndarray of shape (n_pieces,)
        Where each piece begins.
    n_tasks : int
        Number of tasks.
    """

    loss: Loss
    y: np.ndarray
    weight: np.ndarray
    tasks: np.ndarray
    starts: np.ndarray
    n_tasks: int

    @classmethod
    def of(cls, datafit, scale):
        """Return the rows of a datafit, their weights multiplied by a scale."""
        stacks = list(datafit.stacks())
        tasks = np.concatenate([stack.tasks for stack in stacks])
        n_rows = [len(row) for stack in stacks for row in stack.weight]
        return cls(
            datafit.loss,
            np.concatenate([flat(stack.y) for stack in stacks]),
            scale * np.concatenate([stack.weight.ravel() for stack in stacks]),
            tasks,
            np.cumsum([0, *n_rows[:-1]]),
            datafit.n_tasks,
        )

    @cached_property
    def codes(self):
        """Task of each row."""
        return np.repeat(self.tasks, np.diff([*self.starts, len(self.weight)]))

    @cached_property
    def totals(self):
        """Weight of each task, (n_tasks,)."""
        return self._sum(self.weight)

    def _sum(self, values):
        """Sum the values of rows by task."""
        total = np.zeros((self.n_tasks, *values.shape[1:]))
        parts = np.add.reduceat(values, self.starts, axis=0)
        if self._is_whole:
            total[self.tasks] = parts
        else:
            np.add.at(total, self.tasks, parts)
        return total

    @cached_property
    def _is_whole(self):
        """Whether every task comes in one piece."""
        return len(np.unique(self.tasks)) == len(self.tasks)

    def value(self, raw):
        """Return the sum of the losses, infinite if it overflows."""
        with np.errstate(over="ignore", invalid="ignore"):
            total = self._total(self.loss.value(self.y, raw))
        return total if np.isfinite(total) else np.inf

    def conjugate(self, slope):
        """Return the sum of the conjugates at some slopes of the rows."""
        return self._total(self.loss.conjugate(self.y, slope))

    def _total(self, costs):
        """Sum the costs of rows that have a weight: those of others may be infinite."""
        used = self.weight > 0
        return float(self.weight[used] @ costs[used])

    def best(self, linear, begin):
        """Return the intercepts that fit best what a linear part leaves.

        Newton steps ``d`` are cut to a length of ``log(1 + |d|)``. These descend
        without a search where third derivatives are at most second ones, as they are
        for logistic, multinomial and Poisson losses.

        Parameters
        ----------
        linear : ndarray of shape (n_rows, n_outputs)
            Raw predictions without intercepts.
        begin : ndarray of shape (n_tasks, n_outputs)
            Where to begin.

        Returns
        -------
        levels : ndarray of shape (n_tasks, n_outputs)
            The intercepts.
        settled : bool
            Whether the steps came to an end.
        """
        if self.loss.has_log_link:
            return self._match_means(linear, begin), True
        levels = begin
        for _ in range(_MAX_STEPS):
            step, slope = self._step(linear + levels[self.codes])
            levels = levels + step
            least = np.maximum(_SHORT, _ROUNDING * np.abs(levels))
            if not ((np.abs(step) > least) & (np.abs(slope) > _FLAT)).any():
                return levels, True
        return levels, False

    def _match_means(self, linear, begin):
        """Return the intercepts at which predicted means equal those of the targets."""
        used = self.weight > 0
        top = np.full((self.n_tasks, linear.shape[1]), -np.inf)
        np.maximum.at(top, self.codes[used], linear[used])
        top = np.where(np.isfinite(top), top, 0.0)
        weight = self.weight[:, None]
        with np.errstate(over="ignore"):
            means = np.where(used[:, None], np.exp(linear - top[self.codes]), 0.0)
        total, wanted = self._sum(weight * means), self._sum(weight * self.y)
        found = (total > 0) & (wanted > 0)
        ratio = np.divide(wanted, total, out=np.ones_like(total), where=found)
        return np.where(found, np.log(ratio) - top, begin)

    def _step(self, raw):
        """Return Newton's steps, cut, and the slopes per weight."""
        unit = np.where(self.totals > 0, self.totals, 1.0)[:, None]
        weight = self.weight[:, None]
        slope = self._sum(weight * self.loss.gradient(self.y, raw)) / unit
        curved = self._sum(weight[:, None] * self.loss.hessian(self.y, raw))
        curved = curved / unit[:, None]
        lift = _LIFT * np.trace(curved, axis1=1, axis2=2) + _LEAST
        curved = curved + lift[:, None, None] * np.eye(curved.shape[1])
        step = -np.linalg.solve(curved, slope[:, :, None])[:, :, 0]
        # A contrast of length one tells two scores apart by up to the root of two.
        return step * _damp(np.sqrt(2) * np.linalg.norm(step, axis=1))[:, None], slope


def _damp(size):
    """Return ``log(1 + size) / size``."""
    return np.log1p(size) / np.where(size > 0, size, 1.0) + (size == 0)
