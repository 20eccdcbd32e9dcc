"""Losses of several kinds as a smooth term of one matrix of coefficients."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.linalg import norm

from skmtl._contracts import Penalty, Point, Smooth
from skmtl._numbers import TINY
from skmtl.problems.newton import add_at

# Stands for a curvature without bound, in units of the one at zero.
_STEEP = 1e6


@dataclass(frozen=True)
class LossPerTask(Smooth):
    """Weigh the losses of tasks of several kinds: ``n_tasks / N`` times their sum.

    ``N`` is the total weight, and tasks without any do not count. A row of the variable
    is an output of a task: those of the first task come first. Its columns are the
    features, about their means in the task, and the level of the task.

    Parameters
    ----------
    parts : tuple of TasksOfOneLoss
        The tasks of each loss.
    """

    parts: tuple

    @cached_property
    def n_outputs(self):
        """Number of outputs of each task, (n_tasks,)."""
        sizes = {t: p.datafit.shape[1] for p in self.parts for t in p.places}
        return np.array([sizes[t] for t in range(len(sizes))])

    @property
    def shape(self):
        """Shape of the variable, (n_rows, n_features + 1)."""
        return int(self.n_outputs.sum()), self.parts[0].datafit.shape[2]

    @cached_property
    def scale(self):
        """Factor of the sum of the losses."""
        totals = [part.scale * part.datafit.task_totals for part in self.parts]
        return sum(map(np.count_nonzero, totals)) / sum(map(np.sum, totals))

    @cached_property
    def _pieces(self):
        """Each part, the rows of the variable that are its own, and its means."""
        first = np.cumsum(self.n_outputs) - self.n_outputs
        return [
            (part, first[part.places][:, None] + np.arange(part.datafit.shape[1]), mean)
            for part, mean in zip(self.parts, map(_mean, self.parts), strict=True)
        ]

    def at(self, W):
        """Return the Point at W, not finite where it overflows."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self._at(W)

    def _at(self, W):
        value, gradient = 0.0, np.empty(self.shape)
        for part, rows, mean in self._pieces:
            raw = part.predict(_about_zero(W[rows], mean))
            value += part.value(raw)
            slope = part.gradient(raw)
            slope[..., :-1] -= slope[..., -1:] * mean[:, None]
            gradient[rows] = slope
        return Point(W, self.scale * value, self.scale * gradient)

    @cached_property
    def curvature(self):
        """A bound of the curvature at zero."""
        bounds = [
            part.datafit.shape[1] * float(_bound(part, mean).max(initial=0.0))
            for part, _, mean in self._pieces
        ]
        return max(self.scale * max(bounds), TINY)

    def lipschitz(self):
        return _STEEP * self.curvature

    def dual_value(self, point, limit):
        # Levels are among the variables, so that residuals are not a dual variable.
        return -np.inf

    def unpack(self, W):
        """Return the coefficients and the levels of each task, at zero features.

        Parameters
        ----------
        W : ndarray of shape (n_rows, n_features + 1)
            Variable.

        Returns
        -------
        list of ndarray of shape (n_outputs, n_features + 1)
            Coefficients and, in the last column, the level.
        """
        tasks = [None] * len(self.n_outputs)
        for part, rows, mean in self._pieces:
            found = _about_zero(W[rows], mean + part.shift)
            for place, own in zip(part.places, found, strict=True):
                tasks[place] = own
        return tasks


@dataclass(frozen=True)
class FreeIntercepts(Penalty):
    """Penalise all columns of a variable but the last.

    Parameters
    ----------
    penalty : Penalty
        Penalty of the other columns.
    """

    penalty: Penalty

    def value(self, W):
        return self.penalty.value(W[:, :-1])

    def prox(self, W, step):
        return np.hstack([self.penalty.prox(W[:, :-1], step), W[:, -1:]])

    def optimality(self, smooth, point):
        """Return the gradient that is left at a point, relative to the one at zero."""
        W, step = point.variable, 1 / smooth.curvature
        left = norm(W - self.prox(W - step * point.gradient, step)) / step
        return float(left / max(norm(smooth.zero().gradient), TINY))


def _about_zero(variable, mean):
    """Return variables whose level is that of features of zero, not of their mean."""
    level = variable[..., -1] - (variable[..., :-1] * mean[:, None]).sum(axis=-1)
    return np.concatenate([variable[..., :-1], level[..., None]], axis=-1)


def _mean(part):
    """Return the mean of the features in each task, (n_tasks, n_features)."""
    total = _sum(part, lambda stack: stack.X)
    weight = part.datafit.task_totals[:, None]
    return total / np.where(weight > 0, weight, 1.0)


def _bound(part, mean):
    """Return the total weight of each task, or the trace of its scatter if larger."""
    squares = _sum(part, lambda stack: (stack.X - mean[stack.tasks][:, None]) ** 2)
    return part.scale * np.maximum(squares.sum(axis=1), part.datafit.task_totals)


def _sum(part, read):
    """Sum over the rows of each task what is read from stacks, weighted."""
    n_tasks, _, n_columns = part.datafit.shape
    total = np.zeros((n_tasks, n_columns - 1))
    for stack in part.datafit.dense_stacks():
        sums = np.matmul(stack.weight[:, None], read(stack))[:, 0]
        add_at(total, stack.tasks, sums)
    return total
