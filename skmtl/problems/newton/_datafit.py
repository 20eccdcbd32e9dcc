"""The losses of all rows, as a function of coefficients and intercepts."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse

from skmtl._contracts import Loss
from skmtl._linalg import column_sizes, refuse_huge
from skmtl._memory import is_large, refuse_large
from skmtl.data import TaskRows

# Centre features with a larger mean, in standard deviations: enough for accuracy, and
# sparse features stay sparse.
_OFFSET = 10.0
# With a larger mean, coefficients would have fewer than about six digits.
_FARTHEST = 1e5
# Columns with a smaller relative variation are constant up to rounding.
_CONSTANT = 1e-13


@dataclass(frozen=True)
class Stack:
    """Rows of tasks that have equally many, with the targets that their loss reads.

    Parameters
    ----------
    tasks : ndarray of shape (n_stacked,)
        Task of each piece; a task of many rows comes in several.
    X : ndarray of shape (n_stacked, n_rows, n_features) or None
        Features; None if they stay sparse.
    y : ndarray of shape (n_stacked, n_rows, n_targets)
        Targets.
    weight : ndarray of shape (n_stacked, n_rows)
        Weights, those of the tasks included.
    rows : ndarray of shape (n_stacked, n_rows)
        Position of each row's observation.
    """

    tasks: np.ndarray
    X: np.ndarray | None
    y: np.ndarray
    weight: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True)
class Datafit:
    """Sum the losses of all rows.

    It is ``sum_i weight_i loss(y_i, x_i . w_t + b_t)``. The variable is an array
    (n_tasks, n_outputs, n_columns), whose columns are the features, and the intercept
    as the last where there is one. Raw predictions are kept beside it, a stack of tasks
    each: they are linear in the variable, so that moving along a line reads no rows.

    Features far from zero cost accuracy: the Hessian loses digits with the square of
    the mean in standard deviations. With free intercepts, a `shift` is therefore
    subtracted from the features, and ``shift_t . w_t`` is added to a task's intercept.

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
    shift : ndarray of shape (n_tasks or 1, n_features), default=None
        Subtracted from the features of each task; None means zeros.
    """

    data: TaskRows
    loss: Loss
    fit_intercept: bool = True
    targets: object = None
    shift: np.ndarray | None = None

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
        if sparse.issparse(X):
            refuse_large(8 * X.shape[0] * X.shape[1], f"{X.shape[1]:,} dense columns")
            X = X.toarray()
        shift = None if self.shift is None else self.shift[:, features]
        return replace(self, data=replace(self.data, X=X), shift=shift)

    def about_means(self, common=False):
        """Return the same datafit with features far from zero centred.

        Parameters
        ----------
        common : bool, default=False
            Whether all tasks have the same shift.

        Returns
        -------
        Datafit
            The datafit; unchanged if there are no intercepts, or no features to centre.
        """
        if not self._has_offsets or not self._reaches_far(common):
            return self
        mean, spread = self._measure(common)
        shift = np.where(np.abs(mean) > _OFFSET * spread, mean, 0.0)
        return replace(self, shift=shift)

    @property
    def _has_offsets(self):
        """Whether features may be far from zero; very sparse ones are not."""
        return self.fit_intercept and not self._stays_sparse

    @np.errstate(over="ignore", invalid="ignore")
    def _reaches_far(self, common):
        """Return whether any feature may need centring, by one pass over the rows."""
        squares = self._average(_with_squares, common)
        mean, square = np.split(squares, 2, axis=1)
        # Cancellation is harmless here: it only affects features far from zero.
        return bool((mean**2 > (_OFFSET / 2) ** 2 * (square - mean**2)).any())

    def refuse_far(self):
        """Refuse features too far from zero to penalise intercepts accurately."""
        if not self._has_offsets:
            return
        mean, spread = (values[0] for values in self._measure(common=True))
        varies = spread > _CONSTANT * np.abs(mean)
        ratio = np.abs(mean) / np.where(varies, spread, np.inf)
        if ratio.max(initial=0.0) > _FARTHEST:
            worst = int(ratio.argmax())
            raise ValueError(
                "Features must be near zero if alpha_intercept is above 0, got a mean "
                f"of {mean[worst]:.3g} and a standard deviation of {spread[worst]:.3g} "
                f"in feature {worst}. Subtract its mean from the column, or set "
                "alpha_intercept=0."
            )

    @np.errstate(over="ignore", invalid="ignore")
    def _measure(self, common):
        """Return means and standard deviations, one row per task or one for all.

        The mean is corrected by the mean deviation, and is exact for constants.
        """
        mean = self._average(lambda stack: stack.X, common)
        step = self._average(
            lambda stack: stack.X - _of_tasks(mean, stack.tasks), common
        )
        square = self._average(
            lambda stack: (stack.X - _of_tasks(mean, stack.tasks)) ** 2, common
        )
        return mean + step, np.sqrt(np.maximum(square - step**2, 0.0))

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
        if self._stays_sparse:
            return self._gather(slopes)
        n_tasks, _, n_columns = self.shape
        total = np.zeros((n_tasks, slopes[0].shape[-1], n_columns))
        for stack, slope in zip(self.stacks(), slopes, strict=True):
            add_at(total, stack.tasks, self._pull_back(stack, slope))
        return total

    @property
    def basis(self):
        """Scores of classes per output, (n_classes, n_outputs), or None."""
        return self.loss.basis

    @property
    def n_data(self):
        """Number of feature values in memory."""
        X = self.data.X
        return X.nnz if sparse.issparse(X) else len(self.data.y) * X.shape[1]

    @cached_property
    def iterates(self):
        """Whether the Hessians of all tasks are too large to form."""
        n_tasks, n_outputs, n_columns = self.shape
        return is_large(n_tasks * (n_outputs * n_columns) ** 2, self.n_data)

    @cached_property
    def _stays_sparse(self):
        """Whether rows are too many and too sparse to be made dense in blocks."""
        n_rows, n_features = len(self.data.y), self.data.X.shape[1]
        return sparse.issparse(self.data.X) and is_large(
            n_rows * n_features, self.n_data
        )

    @cached_property
    def _block(self):
        """The rows as one operator; rows of zero weight are empty."""
        block, weight = self.data.block(ones=self.fit_intercept), self.data.weight
        if weight is None or weight.all():
            return block
        return block.times((weight > 0).astype(float))

    def _gather(self, slopes):
        """Return the gradient of sparse rows, given derivatives by raw predictions."""
        return self._block.pull_back(self._flatten(slopes))

    def _flatten(self, parts):
        """Return values of stacks in the order of the observations."""
        flat = np.empty((len(self.data.y), *parts[0].shape[2:]))
        for stack, part in zip(self.stacks(), parts, strict=True):
            flat[stack.rows] = part
        return flat

    def along(self, raw):
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
        curved = [
            self.loss.majorant_product(stack.y, z)
            for stack, z in zip(self.stacks(), raw, strict=True)
        ]

        basis = self.basis

        def multiply(variable):
            scores = variable if basis is None else basis @ variable
            moves = self.predict(scores)
            parts = zip(self.stacks(), curved, moves, strict=True)
            change = self.adjoint(
                [curve(move) * s.weight[:, :, None] for s, curve, move in parts]
            )
            return change if basis is None else basis.T @ change

        return multiply

    def diagonals(self, raw):
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
        bends = [
            self.loss.majorant_diagonal(stack.y, z) * stack.weight[:, :, None]
            for stack, z in zip(self.stacks(), raw, strict=True)
        ]
        if self._stays_sparse:
            flat, n_features = self._flatten(bends), self.data.X.shape[1]
            first = self._block.pull_back(flat)
            second = self._block.squared.pull_back(flat)
            total = first[..., n_features:]
            if not self.fit_intercept:
                total = np.zeros((*first.shape[:2], 1))
            return total, first[..., :n_features], second[..., :n_features]
        n_outputs = bends[0].shape[-1]
        n_tasks = self.n_tasks
        first = np.zeros((n_tasks, n_outputs, self.data.X.shape[1]))
        second, total = np.zeros_like(first), np.zeros((n_tasks, n_outputs, 1))
        for stack, bend in zip(self.stacks(), bends, strict=True):
            bend = bend.swapaxes(1, 2)
            add_at(total, stack.tasks, bend.sum(axis=2, keepdims=True))
            add_at(first, stack.tasks, np.matmul(bend, stack.X))
            add_at(second, stack.tasks, np.matmul(bend, stack.X**2))
        return total, first, second

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
        return replace(self, targets=self.targets.smooth_missing(self.data))

    @cached_property
    def _held(self):
        if self._stays_sparse:
            return list(self._read(features=False))
        return None if sparse.issparse(self.data.X) else list(self._read())

    @cached_property
    def most_curved(self):
        """Return a bound of any entry of a task's Hessian, for curvatures up to 1."""
        X = self.data.X.data if sparse.issparse(self.data.X) else self.data.X
        largest = max(float(X.max(initial=1.0)), -float(X.min(initial=0.0)))
        if self.shift is not None:
            sizes = (np.abs(stack.X).max(initial=1.0) for stack in self.stacks())
            largest = max(sizes, default=1.0)
        return float(self.task_totals.max()) * largest * largest

    def refuse_huge(self):
        """Raise an error if products of features and targets overflow."""
        X, total = self.data.X, float(self.task_totals.max())
        sizes = column_sizes(X)
        with np.errstate(over="ignore"):
            squares = total * np.asarray(sizes, dtype=float) ** 2
            refuse_huge(squares, total * np.abs(self.data.y).max(initial=0.0) ** 2)

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
        """Return the rows in stacks; a sparse X is made dense stack by stack.

        If there are very many rows, they stay sparse, and stacks have no features.
        """
        return self._read() if self._held is None else self._held

    def dense_stacks(self):
        """Return the rows in stacks with features."""
        return self._read() if self._stays_sparse else self.stacks()

    def _read(self, features=True):
        for group in self.data.weighted_groups(features):
            y = group.y[:, :, None]
            if self.targets is not None:
                y = self.targets.rows(group.y, group.tasks)
            if self.shift is not None:
                group = replace(group, X=group.X - self._shifts(group.tasks))
            X = _drop(group) if features else None
            yield Stack(group.tasks, X, y, group.weight, group.rows)

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
        return move_levels(tasks, self.shift, sign)

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

    def gradient(self, raw):
        """Return the gradient, in the shape of the variable."""
        pairs = zip(self.stacks(), raw, strict=True)
        return self.adjoint(
            [self.loss.gradient(s.y, z) * s.weight[:, :, None] for s, z in pairs]
        )

    def curve(self, raw):
        """Return the Hessian of each task, its rows being outputs by columns."""
        n_tasks, n_outputs, n_columns = self.shape
        size = n_outputs * n_columns
        what = f"{n_tasks:,} Hessians of {size:,} x {size:,} numbers"
        refuse_large(24 * n_tasks * size**2, what)
        curved = np.zeros((n_tasks, n_outputs, n_columns, n_outputs, n_columns))
        for stack, z in self.with_features(raw):
            add_at(curved, stack.tasks, self._curve(stack, z))
        return curved.reshape(n_tasks, size, size)

    def with_features(self, raw):
        """Return pairs of stacks with features, and raw predictions."""
        raw = self._regroup(raw) if self._stays_sparse else raw
        return zip(self.dense_stacks(), raw, strict=True)

    def _regroup(self, raw):
        """Yield raw predictions of dense stacks."""
        flat = self._flatten(raw)
        for group in self.data.groups(features=True):
            yield flat[group.rows]

    def _pull_back(self, stack, slope):
        inner = np.matmul(slope.swapaxes(1, 2), stack.X)
        return self._append(inner, slope.sum(axis=1)[:, :, None])

    def _append(self, inner, last):
        return np.concatenate([inner, last], axis=-1) if self.fit_intercept else inner

    def _curve(self, stack, z):
        """Return the Hessians of a stack, output by output."""
        bend = self.loss.majorant(stack.y, z) * stack.weight[:, :, None, None]
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


def move_levels(tasks, shift, sign):
    """Convert intercepts to shifted (1) or original (-1) features."""
    if shift is None:
        return tasks
    moved = tasks.copy()
    moved[..., -1] += sign * (tasks[..., :-1] * shift[:, None]).sum(axis=-1)
    return moved


def _of_tasks(values, tasks):
    """Return values of tasks as stacks of one row; a single row serves all tasks."""
    return values[tasks if len(values) > 1 else np.zeros_like(tasks)][:, None]


def _with_squares(stack):
    """Return features and their squares side by side."""
    return np.concatenate([stack.X, stack.X**2], axis=2)


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
