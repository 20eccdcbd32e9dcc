"""The losses of all rows, as a function of coefficients and intercepts."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from skmtl._contracts import Loss
from skmtl._linalg import refuse_huge
from skmtl.data import TaskRows


@dataclass(frozen=True)
class Stack:
    """Rows of tasks that have equally many, with the targets that their loss reads.

    Parameters
    ----------
    tasks : ndarray of shape (n_stacked,)
        Task of each piece; a task of many rows comes in several.
    X : ndarray of shape (n_stacked, n_rows, n_features)
        Features.
    y : ndarray of shape (n_stacked, n_rows, n_targets)
        Targets.
    weight : ndarray of shape (n_stacked, n_rows)
        Weights, those of the tasks included.
    """

    tasks: np.ndarray
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Datafit:
    """Sum the losses of all rows.

    It is ``sum_i weight_i loss(y_i, x_i . w_t + b_t)``. The variable is an array
    (n_tasks, n_outputs, n_columns), whose columns are the features, and the intercept
    as the last where there is one. Raw predictions are kept beside it, a stack of tasks
    each: they are linear in the variable, so that moving along a line reads no rows.

    Parameters
    ----------
    data : TaskRows
        Rows of tasks.
    loss : Loss
        What a sample costs.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    targets : object, default=None
        Turns the numbers that `data` holds into targets of the loss; None takes them
        as they are.
    """

    data: TaskRows
    loss: Loss
    fit_intercept: bool = True
    targets: object = None

    @property
    def n_tasks(self):
        """Number of tasks."""
        return len(self.data.tasks)

    @property
    def shape(self):
        """Shape of the variable, (n_tasks, n_outputs, n_columns)."""
        n_columns = self.data.X.shape[1] + self.fit_intercept
        return self.n_tasks, self.loss.n_outputs, n_columns

    def columns(self, features):
        """Return the losses as they depend on some features, whose rows are dense."""
        X = self.data.X[:, features]
        X = X.toarray() if sparse.issparse(X) else X
        return replace(self, data=replace(self.data, X=X))

    def adjoint(self, slopes):
        """Return the gradient, given derivatives in raw predictions, weights applied.

        Parameters
        ----------
        slopes : list of ndarray
            Of the shapes of raw predictions.

        Returns
        -------
        ndarray of shape (n_tasks, n_outputs, n_columns)
            The gradient.
        """
        total = np.zeros(self.shape)
        for stack, slope in zip(self.stacks(), slopes, strict=True):
            add_at(total, stack.tasks, self._pull_back(stack, slope))
        return total

    def scatter(self, weights):
        """Return products of columns, weighted row by row.

        Parameters
        ----------
        weights : list of ndarray
            Weights of the rows of each stack, (n_stacked, n_rows).

        Returns
        -------
        ndarray of shape (n_tasks, n_columns, n_columns)
            The products.
        """
        n_tasks, _, n_columns = self.shape
        total = np.zeros((n_tasks, n_columns, n_columns))
        for stack, weight in zip(self.stacks(), weights, strict=True):
            add_at(total, stack.tasks, self._scatter(stack.X, weight))
        return total

    @cached_property
    def task_totals(self):
        """Total weight of each task, (n_tasks,)."""
        total = np.zeros(self.n_tasks)
        for stack in self.stacks():
            add_at(total, stack.tasks, stack.weight.sum(axis=1))
        return total

    def select(self, rows):
        """Return the same on some rows of X."""
        return replace(self, data=self.data.select(rows))

    def learnable(self):
        """Return the same with targets that the loss can be learnt from."""
        if self.targets is None:
            return self
        return replace(self, targets=self.targets.learnable(self.data))

    @cached_property
    def _held(self):
        return None if sparse.issparse(self.data.X) else list(self._read())

    @cached_property
    def most_curved(self):
        """Return a bound of any entry of a task's Hessian, for curvatures up to 1."""
        X = self.data.X.data if sparse.issparse(self.data.X) else self.data.X
        largest = max(float(X.max(initial=1.0)), -float(X.min(initial=0.0)))
        return float(self.task_totals.max()) * largest * largest

    def refuse_huge(self):
        """Refuse features so large that their products overflow."""
        refuse_huge(np.array([self.most_curved]))

    def start(self):
        """Return a variable that predicts each task's mean, zero without intercept.

        The mean is drawn to that of all tasks by the weight of one row, as a task may
        lack a class. Where all tasks do, nothing predicts it, and it is zero too.
        """
        begin = np.zeros(self.shape)
        if self.fit_intercept:
            totals = self._sum_targets()
            whole = totals.sum(axis=0) / self.task_totals.sum()
            mean = (totals + whole) / (self.task_totals + 1)[:, None]
            with np.errstate(divide="ignore", invalid="ignore"):
                level = self.loss.link(mean)
            begin[:, :, -1] = np.where(np.isfinite(level), level, 0.0)
        return begin

    def _sum_targets(self):
        """Return the weighted sum of the targets of each task."""
        parts = [
            (stack.tasks, np.nan_to_num(stack.weight[:, :, None] * stack.y).sum(axis=1))
            for stack in self.stacks()
        ]
        totals = np.zeros((self.n_tasks, parts[0][1].shape[1]))
        for tasks, sums in parts:
            add_at(totals, tasks, sums)
        return totals

    def stacks(self):
        """Return the rows in stacks; those of a sparse X are made dense in passing."""
        return self._read() if self._held is None else self._held

    def _read(self):
        for group in self.data.weighted_groups():
            y = group.y[:, :, None]
            if self.targets is not None:
                y = self.targets.rows(group.y, group.tasks)
            yield Stack(group.tasks, _drop(group), y, group.weight)

    def predict(self, variable):
        """Return raw predictions, (n_stacked, n_rows, n_outputs) of each stack."""
        n_features = self.data.X.shape[1]
        raw = []
        for stack in self.stacks():
            own = variable[stack.tasks].swapaxes(1, 2)
            z = np.matmul(stack.X, own[:, :n_features])
            raw.append(z + own[:, n_features:] if self.fit_intercept else z)
        return raw

    def predict_zero(self):
        """Return the raw predictions of the variable zero."""
        n_outputs = self.loss.n_outputs
        return [np.zeros((*stack.weight.shape, n_outputs)) for stack in self.stacks()]

    def value(self, raw):
        """Return the sum of the losses, infinite if it overflows."""
        total = 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            for stack, z in zip(self.stacks(), raw, strict=True):
                cost = self.loss.value(stack.y, z)
                total += float((stack.weight * cost).sum())
        return total if np.isfinite(total) else np.inf

    def gradient(self, raw):
        """Return the gradient, in the shape of the variable."""
        total = np.zeros(self.shape)
        for stack, z in zip(self.stacks(), raw, strict=True):
            add_at(total, stack.tasks, self._slope(stack, z))
        return total

    def curve(self, raw):
        """Return the Hessian of each task, its rows being outputs by columns."""
        n_tasks, n_outputs, n_columns = self.shape
        curved = np.zeros((n_tasks, n_outputs, n_columns, n_outputs, n_columns))
        for stack, z in zip(self.stacks(), raw, strict=True):
            add_at(curved, stack.tasks, self._curve(stack, z))
        size = n_outputs * n_columns
        return curved.reshape(n_tasks, size, size)

    def _slope(self, stack, z):
        slope = self.loss.gradient(stack.y, z) * stack.weight[:, :, None]
        return self._pull_back(stack, slope)

    def _pull_back(self, stack, slope):
        inner = np.matmul(slope.swapaxes(1, 2), stack.X)
        return self._append(inner, slope.sum(axis=1)[:, :, None])

    def _append(self, inner, last):
        return np.concatenate([inner, last], axis=-1) if self.fit_intercept else inner

    def _curve(self, stack, z):
        """Return the Hessians of a stack, output by output."""
        bend = self.loss.bend(stack.y, z) * stack.weight[:, :, None, None]
        n_outputs, n_columns = self.shape[1:]
        curved = np.empty((len(stack.X), n_outputs, n_columns, n_outputs, n_columns))
        for k in range(n_outputs):
            for m in range(k + 1):
                block = self._scatter(stack.X, bend[:, :, k, m])
                curved[:, k, :, m] = curved[:, m, :, k] = block
        return curved

    def _scatter(self, X, weight):
        """Return weighted products of columns, which are symmetric."""
        bent = X * weight[:, :, None]
        inner = np.matmul(X.swapaxes(1, 2), bent)
        if not self.fit_intercept:
            return inner
        n_features = X.shape[2]
        block = np.empty((len(X), n_features + 1, n_features + 1))
        block[:, :-1, :-1] = inner
        block[:, -1, :-1] = block[:, :-1, -1] = np.matmul(weight[:, None], X)[:, 0]
        block[:, -1, -1] = weight.sum(axis=1)
        return block


def _drop(group):
    """Return features, zero in rows of no weight, whose losses may overflow."""
    idle = group.weight == 0
    return np.where(idle[:, :, None], 0.0, group.X) if idle.any() else group.X


def add_at(total, tasks, parts):
    """Add to the totals of tasks in rising order, of which some may come twice."""
    steps = np.diff(tasks)
    if (steps == 1).all():
        total[tasks[0] : tasks[-1] + 1] += parts
    elif (steps > 0).all():
        total[tasks] += parts
    else:
        np.add.at(total, tasks, parts)
