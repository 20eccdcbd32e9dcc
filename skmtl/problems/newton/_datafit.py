"""Sum of the losses of all rows, as a function of coefficients and intercepts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy import sparse

from skmtl._contracts import Array, Loss
from skmtl._linalg import column_sizes, refuse_huge
from skmtl._memory import is_large, refuse_large
from skmtl.data import TaskRows

# Centre features with a larger mean, in standard deviations: the Hessian then loses no
# more than two digits.
_OFFSET = 10.0
# Refuse a larger mean: coefficients would have fewer than about six correct digits.
_FARTHEST = 1e5
# Columns with a smaller relative variation are constant up to rounding.
_CONSTANT = 1e-13


@dataclass(frozen=True)
class Stack:
    """Rows of tasks, and their targets of the loss; rows of weight 0 are padding.

    Parameters
    ----------
    tasks : ndarray of shape (n_stacked,)
        Task of each piece; a task of many rows has several pieces.
    X : ndarray of shape (n_stacked, n_rows, n_features) or None
        Features; None if they stay sparse.
    y : ndarray of shape (n_stacked, n_rows, n_targets)
        Targets.
    weight : ndarray of shape (n_stacked, n_rows)
        Weights, task weights applied.
    rows : ndarray of shape (n_stacked, n_rows)
        Position of each row's observation.
    """

    tasks: np.ndarray
    X: Any
    y: np.ndarray
    weight: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Datafit:
    """Sum of the losses of all rows, ``sum_i weight_i loss(y_i, x_i . w_t + b_t)``.

    The variable has shape (n_tasks, n_outputs, n_columns). Its columns are the features
    and, last, the intercept if there is one. Methods read raw predictions, an array for
    each stack. They are linear in the variable, so that a line search reads no rows.

    Features far from zero cost accuracy: the Hessian loses digits with the square of
    the mean in standard deviations. With free intercepts, a `shift` is therefore
    subtracted from the features, and ``shift_t . w_t`` is added to a task's intercept.

    Parameters
    ----------
    data : TaskRows
        Rows of tasks.
    loss : Loss
        Loss of a row.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    targets : object, default=None
        Converts the targets in `data` to those of the loss; None leaves them.
    shift : ndarray of shape (n_tasks or 1, n_features), default=None
        Subtracted from the features of each task; None means zeros.
    """

    data: TaskRows
    loss: Loss
    fit_intercept: bool = True
    targets: Any = None
    shift: np.ndarray | None = None

    @property
    def n_tasks(self) -> int:
        """Number of tasks."""
        return len(self.data.tasks)

    @property
    def n_features(self) -> int:
        """Number of features."""
        X: Any = self.data.X
        return X.shape[1]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the variable, (n_tasks, n_outputs, n_columns)."""
        n_columns = self.n_features + self.fit_intercept
        return self.n_tasks, self.loss.n_outputs, n_columns

    def columns(self, features: Array) -> Self:
        """Return the losses as a function of some features, which become dense."""
        X: Any = self.data.X
        X = X[:, features]
        if sparse.issparse(X):
            refuse_large(8 * X.shape[0] * X.shape[1], f"{X.shape[1]:,} dense columns")
            X = X.toarray()
        shift = None if self.shift is None else self.shift[:, features]
        return replace(self, data=replace(self.data, X=X), shift=shift)

    def turned(self, rotation: Any) -> Self:
        """Return the losses of features in other coordinates, which are dense.

        Parameters
        ----------
        rotation : Rotation
            The coordinates.

        Returns
        -------
        Datafit
            The losses, with the rows of the tasks in their order.
        """
        X, rows = self.data.X, self.data.rows
        X = X if rows is None else X[rows]
        if sparse.issparse(X):
            what = f"{X.shape[0]:,} dense rows"
            refuse_large(8 * X.shape[0] * X.shape[1], what)
            X = X.toarray()
        data = replace(self.data, X=rotation.turn(X), rows=None)
        return replace(self, data=data)

    def about_means(self, common: bool = False) -> Self:
        """Return the same datafit with features far from zero centred.

        Parameters
        ----------
        common : bool, default=False
            Whether all tasks have the same shift.

        Returns
        -------
        Datafit
            The datafit, unchanged if there are no intercepts or no features to centre.
        """
        if not self._has_offsets or not self._reaches_far(common):
            return self
        mean, spread = self._measure(common)
        shift = np.where(np.abs(mean) > _OFFSET * spread, mean, 0.0)
        return replace(self, shift=shift) if shift.any() else self

    def about_zero(self) -> Self:
        """Return the same datafit without a shift, with the rows that it holds."""
        return self if self.shift is None else replace(self, shift=None)

    @property
    def _has_offsets(self):
        """Whether features may need centring; very sparse ones do not."""
        return self.fit_intercept and not self._stays_sparse

    @np.errstate(over="ignore", invalid="ignore")
    def _reaches_far(self, common):
        """Return whether any feature may need centring, by one pass over the rows."""
        squares = self._average(_with_squares, common)
        mean, square = np.split(squares, 2, axis=1)
        # Cancellation is harmless here: it only affects features far from zero.
        return bool((mean**2 > (_OFFSET / 2) ** 2 * (square - mean**2)).any())

    def refuse_far(self) -> None:
        """Raise an error if features are too far from zero to penalise intercepts."""
        if not self._has_offsets:
            return
        mean, spread = (values[0] for values in self._measure(common=True))
        varies = _exceeds_rounding(spread, mean)
        ratio = np.abs(mean) / np.where(varies, spread, np.inf)
        if ratio.max(initial=0.0) > _FARTHEST:
            worst = int(ratio.argmax())
            raise ValueError(
                "Features must be near zero if alpha_intercept is above 0, got a mean "
                f"of {mean[worst]:.3g} and a standard deviation of {spread[worst]:.3g} "
                f"in feature {worst}. Subtract its mean from the column, or set "
                "alpha_intercept=0."
            )

    @property
    def varies(self) -> Array:
        """Whether features vary beyond rounding; all of them without intercepts."""
        if not self._has_offsets:
            return np.ones(self.n_features, dtype=bool)
        mean, spread = (values[0] for values in self._measure(common=True))
        return _exceeds_rounding(spread, mean)

    @np.errstate(over="ignore", invalid="ignore")
    def _measure(self, common):
        """Return means and standard deviations, one row per task or one for all.

        The mean of the deviations corrects the mean, which is exact for constants.
        """
        mean = self._average(lambda stack: stack.X, common)
        deviation = self._average(
            lambda stack: stack.X - _of_tasks(mean, stack.tasks), common
        )
        square = self._average(
            lambda stack: (stack.X - _of_tasks(mean, stack.tasks)) ** 2, common
        )
        variance = np.maximum(square - deviation**2, 0.0)
        return mean + deviation, np.sqrt(variance)

    def _average(self, read, common):
        """Return weighted means of values read from stacks, (n_tasks or 1, any)."""
        total = 0.0
        for stack in self.stacks():
            sums = np.matmul(stack.weight[:, None], read(stack))[:, 0]
            if np.isscalar(total):
                total = np.zeros((self.n_tasks, sums.shape[1]))
            add_at(total, stack.tasks, sums)
        weight = self.task_totals[:, None]
        if common:
            total, weight = total.sum(axis=0)[None], weight.sum()[None, None]
        return total / np.where(weight > 0, weight, 1.0)

    def adjoint(self, slopes: list[Array]) -> Array:
        """Return the gradient, given weighted derivatives in raw predictions.

        Parameters
        ----------
        slopes : list of ndarray
            Weighted derivatives, in the shapes of raw predictions.

        Returns
        -------
        ndarray of shape (n_tasks, n_outputs, n_columns)
            The gradient.
        """
        if self._stays_sparse:
            return self._block.pull_back(self.flatten(slopes))
        n_tasks, _, n_columns = self.shape
        total = np.zeros((n_tasks, slopes[0].shape[-1], n_columns))
        for stack, slope in zip(self.stacks(), slopes, strict=True):
            add_at(total, stack.tasks, self.pull_back(stack, slope))
        return total

    @property
    def basis(self) -> Array | None:
        """Scores of classes per output, (n_classes, n_outputs), or None."""
        return self.loss.basis

    @property
    def n_data(self) -> int:
        """Number of feature values in memory."""
        X: Any = self.data.X
        return X.nnz if sparse.issparse(X) else len(self.data.y) * X.shape[1]

    @cached_property
    def iterates(self) -> bool:
        """Whether the Hessians of all tasks are too large to form."""
        n_tasks, n_outputs, n_columns = self.shape
        return is_large(n_tasks * (n_outputs * n_columns) ** 2, self.n_data)

    @cached_property
    def _stays_sparse(self):
        """Whether rows are too many and too sparse to be made dense in blocks."""
        n_rows, n_features = len(self.data.y), self.n_features
        return sparse.issparse(self.data.X) and is_large(
            n_rows * n_features, self.n_data
        )

    @cached_property
    def _block(self):
        """Linear operator of the rows; rows of zero weight are empty."""
        block, weight = self.data.block(ones=self.fit_intercept), self.data.weight
        if weight is None or weight.all():
            return block
        return block.times((weight > 0).astype(float))

    def flatten(self, parts: list[Array]) -> Array:
        """Return values of stacks in the order of the observations."""
        flat = np.empty((len(self.data.y), *parts[0].shape[2:]))
        for stack, part in zip(self.stacks(), parts, strict=True):
            is_first = np.diff(stack.rows, axis=1, prepend=-1) > 0  # not repeated
            flat[stack.rows[is_first]] = part[is_first]
        return flat

    def along(self, raw: list[Array]) -> Callable[[Array], Array]:
        """Return a Hessian-vector product for all tasks.

        Parameters
        ----------
        raw : list of ndarray
            Raw predictions at which the Hessian is evaluated.

        Returns
        -------
        callable
            Maps a variable to its Hessian-vector product.
        """
        products = [
            self.loss.majorant_product(stack.y, z)
            for stack, z in zip(self.stacks(), raw, strict=True)
        ]
        basis = self.basis

        def multiply(variable):
            scores = variable if basis is None else basis @ variable
            parts = zip(self.stacks(), products, self.predict(scores), strict=True)
            change = self.adjoint(
                [product(move) * s.weight[:, :, None] for s, product, move in parts]
            )
            return change if basis is None else basis.T @ change

        return multiply

    def diagonals(self, raw: list[Array]) -> tuple[Array, Array, Array]:
        """Return the diagonals of the Hessians, and their sums for centring.

        Parameters
        ----------
        raw : list of ndarray
            Raw predictions at which the Hessian is evaluated.

        Returns
        -------
        total, first, second : ndarray
            Curvature-weighted sums over the rows of each task: of ones (n_tasks,
            n_outputs, 1), of features, and of their squares (n_tasks, n_outputs,
            n_features). With several classes the outputs are their scores.
        """
        curvatures = [
            self.loss.majorant_diagonal(stack.y, z) * stack.weight[:, :, None]
            for stack, z in zip(self.stacks(), raw, strict=True)
        ]
        if self._stays_sparse:
            flat, n_features = self.flatten(curvatures), self.n_features
            first = self._block.pull_back(flat)
            second = self._block.squared.pull_back(flat)
            total = first[..., n_features:]
            if not self.fit_intercept:
                total = np.zeros((*first.shape[:2], 1))
            return total, first[..., :n_features], second[..., :n_features]
        n_outputs = curvatures[0].shape[-1]
        n_tasks = self.n_tasks
        first = np.zeros((n_tasks, n_outputs, self.n_features))
        second, total = np.zeros_like(first), np.zeros((n_tasks, n_outputs, 1))
        for stack, curvature in zip(self.stacks(), curvatures, strict=True):
            curvature = curvature.swapaxes(1, 2)
            add_at(total, stack.tasks, curvature.sum(axis=2, keepdims=True))
            add_at(first, stack.tasks, np.matmul(curvature, stack.X))
            add_at(second, stack.tasks, np.matmul(curvature, stack.X**2))
        return total, first, second

    def scatter(self, weights: list[Array]) -> Array:
        """Return the scatters ``sum_i weight_i x_i x_i'`` of the tasks.

        Parameters
        ----------
        weights : list of ndarray
            Weights of the rows of each stack, (n_stacked, n_rows).

        Returns
        -------
        ndarray of shape (n_tasks, n_columns, n_columns)
            The scatters, of the features and of ones for the intercept.
        """
        n_tasks, _, n_columns = self.shape
        total = np.zeros((n_tasks, n_columns, n_columns))
        for stack, weight in zip(self.stacks(), weights, strict=True):
            add_at(total, stack.tasks, self._scatter(stack.X, weight))
        return total

    @cached_property
    def task_totals(self) -> Array:
        """Total weight of each task, (n_tasks,)."""
        total = np.zeros(self.n_tasks)
        for stack in self.stacks():
            add_at(total, stack.tasks, stack.weight.sum(axis=1))
        return total

    def select(self, rows: Any) -> Self:
        """Return the losses of some rows of X."""
        return replace(self, data=self.data.select(rows))

    def smooth_missing(self) -> Self:
        """Return the losses with smoothed targets, which have a finite optimum."""
        if self.targets is None:
            return self
        return replace(self, targets=self.targets.smooth_missing(self.data))

    @cached_property
    def _held(self):
        if self._stays_sparse:
            return list(self._read(features=False))
        return None if sparse.issparse(self.data.X) else list(self._read())

    @cached_property
    def most_curved(self) -> float:
        """Upper bound of any entry of a Hessian, for losses with curvature up to 1."""
        X: Any = self.data.X
        X = X.data if sparse.issparse(X) else X
        largest = max(float(X.max(initial=1.0)), -float(X.min(initial=0.0)))
        if self.shift is not None:
            sizes = (np.abs(stack.X).max(initial=1.0) for stack in self.stacks())
            largest = max(sizes, default=1.0)
        return float(self.task_totals.max()) * largest * largest

    def refuse_huge(self) -> None:
        """Raise an error if products of features and targets overflow."""
        sizes, total = column_sizes(self.data.X), float(self.task_totals.max())
        with np.errstate(over="ignore"):
            squares = total * np.asarray(sizes, dtype=float) ** 2
            refuse_huge(squares, total * np.abs(self.data.y).max(initial=0.0) ** 2)

    def start(self) -> Array:
        """Return the variable that predicts the mean of each task.

        One pseudo-row of weight 1 with the mean of all tasks is added to each: a task
        may lack a class. It is zero without intercepts, and for a class that all lack.
        """
        start = np.zeros(self.shape)
        if self.fit_intercept:
            totals = self._sum_targets()
            whole = totals.sum(axis=0) / self.task_totals.sum()
            mean = (totals + whole) / (self.task_totals + 1)[:, None]
            with np.errstate(divide="ignore", invalid="ignore"):
                intercept = self.loss.link(mean)
            start[:, :, -1] = np.where(np.isfinite(intercept), intercept, 0.0)
        return start

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

    def stacks(self) -> Iterable[Stack]:
        """Return the rows in stacks; a sparse X is made dense stack by stack.

        Very many rows stay sparse, and their stacks have no features.
        """
        return self._read() if self._held is None else self._held

    def dense_stacks(self) -> Iterable[Stack]:
        """Return the rows in stacks with features."""
        return self._read() if self._stays_sparse else self.stacks()

    def _read(self, features=True):
        for group in self.data.weighted_groups(features):
            y = group.y[:, :, None]
            if self.targets is not None:
                y = self.targets.rows(group.y, group.tasks)
            if self.shift is not None:
                group = replace(group, X=group.X - self._shifts(group.tasks))
            X = self._clear_idle(group) if features else None
            yield Stack(group.tasks, X, y, group.weight, group.rows)

    def _clear_idle(self, group):
        """Return features with zeros in rows of no weight: their losses may overflow.

        Repeated rows of a stack are like their original.
        """
        idle = np.zeros(group.rows.shape, dtype=bool)
        if self.data.weight is not None:
            idle |= self.data.weight[group.rows] == 0
        if self.data.task_weight is not None:
            idle |= (self.data.task_weight[group.tasks] == 0)[:, None]
        return np.where(idle[:, :, None], 0.0, group.X) if idle.any() else group.X

    def _shifts(self, tasks):
        """Return the shifts of tasks, shaped for subtraction from their rows."""
        return _of_tasks(self.shift, tasks)

    # Whether one model can predict the rows of all tasks.
    has_common = True

    def move(self, tasks, sign):
        """Convert models of tasks to shifted (1) or original (-1) features.

        Parameters
        ----------
        tasks : ndarray of shape (n_tasks, n_outputs, n_columns)
            Coefficients and, last, intercepts.
        sign : {1, -1}
            Direction of the conversion.

        Returns
        -------
        ndarray of the same shape
            The converted models.
        """
        return move_intercepts(tasks, self.shift, sign)

    def predict(self, variable):
        """Return raw predictions, (n_stacked, n_rows, n_outputs) of each stack."""
        n_features = self.data.X.shape[1]
        if self._stays_sparse:
            flat = self._block.predict(variable)
            return [flat[stack.rows] for stack in self.stacks()]
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

    def gradient(self, raw: list[Array]) -> Array:
        """Return the gradient, in the shape of the variable."""
        pairs = zip(self.stacks(), raw, strict=True)
        return self.adjoint(
            [self.loss.gradient(s.y, z) * s.weight[:, :, None] for s, z in pairs]
        )

    def curve(self, raw: list[Array]) -> Array:
        """Return the Hessian of each task, (n_tasks, size, size).

        The Hessian is that of the loss's majorant; size is n_outputs * n_columns.
        """
        n_tasks, n_outputs, n_columns = self.shape
        size = n_outputs * n_columns
        what = f"{n_tasks:,} Hessians of {size:,} x {size:,} numbers"
        refuse_large(24 * n_tasks * size**2, what)
        hessians = np.zeros((n_tasks, n_outputs, n_columns, n_outputs, n_columns))
        for stack, z in self.with_features(raw):
            add_at(hessians, stack.tasks, self._curve(stack, z))
        return hessians.reshape(n_tasks, size, size)

    def with_features(self, raw: list[Array]) -> Iterable[tuple[Stack, Array]]:
        """Return pairs of a stack with features and its raw predictions."""
        raw = self._regroup(raw) if self._stays_sparse else raw
        return zip(self.dense_stacks(), raw, strict=True)

    def _regroup(self, raw):
        """Yield raw predictions of dense stacks."""
        flat = self.flatten(raw)
        for group in self.data.groups(features=True):
            yield flat[group.rows]

    def pull_back(self, stack: Stack, slope: Array) -> Array:
        """Return the gradient of each piece of a stack, given derivatives of rows."""
        inner = np.matmul(slope.swapaxes(1, 2), stack.X)
        return self._append(inner, slope.sum(axis=1)[:, :, None])

    def _append(self, inner, last):
        return np.concatenate([inner, last], axis=-1) if self.fit_intercept else inner

    def _curve(self, stack, z):
        """Return the Hessians of a stack, output by output."""
        weight = self.loss.majorant(stack.y, z) * stack.weight[:, :, None, None]
        n_outputs, n_columns = self.shape[1:]
        shape = n_outputs, n_columns, n_outputs, n_columns
        hessians = np.empty((len(stack.X), *shape))
        for k in range(n_outputs):
            for m in range(k + 1):
                block = self._scatter(stack.X, weight[:, :, k, m])
                hessians[:, k, :, m] = hessians[:, m, :, k] = block
        return hessians

    def _scatter(self, X, weight):
        """Return weighted scatters of features and ones, which are symmetric."""
        inner = np.matmul(X.swapaxes(1, 2), X * weight[:, :, None])
        if not self.fit_intercept:
            return inner
        n_features = X.shape[2]
        block = np.empty((len(X), n_features + 1, n_features + 1))
        block[:, :-1, :-1] = inner
        block[:, -1, :-1] = block[:, :-1, -1] = np.matmul(weight[:, None], X)[:, 0]
        block[:, -1, -1] = weight.sum(axis=1)
        return block


def _exceeds_rounding(spread, mean):
    """Return whether standard deviations are larger than rounding errors of means."""
    return spread > _CONSTANT * np.abs(mean)


def move_intercepts(tasks, shift, sign):
    """Convert intercepts to those of shifted (1) or original (-1) features."""
    if shift is None:
        return tasks
    moved = tasks.copy()
    moved[..., -1] += sign * (tasks[..., :-1] * shift[:, None]).sum(axis=-1)
    return moved


def _of_tasks(values, tasks):
    """Return values of tasks as stacks of one row; one row stands for all tasks."""
    return values[tasks if len(values) > 1 else np.zeros_like(tasks)][:, None]


def _with_squares(stack):
    """Return features and their squares side by side."""
    return np.concatenate([stack.X, stack.X**2], axis=2)


def add_at(total: Array, tasks: Array, parts: Array) -> None:
    """Add in place to the totals of tasks in ascending order, some of them repeated."""
    steps = tasks[1:] - tasks[:-1]
    if (steps == 1).all():
        total[tasks[0] : tasks[-1] + 1] += parts
    elif (steps > 0).all():
        total[tasks] += parts
    else:
        np.add.at(total, tasks, parts)
