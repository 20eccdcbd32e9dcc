"""Losses that differ between tasks, each in units of its task's deviance."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array, Loss
from skmtl._memory import is_large
from skmtl.data import TaskRows
from skmtl.targets import ClassTargets

from ._datafit import Datafit, move_intercepts

# Replaces infinite raw predictions, of means 0 and 1: exp(-1e3) is zero in floats.
_CERTAIN = 1e3


@dataclass(frozen=True)
class TaskScale:
    """Scale of the loss of a task: ``loss(y, offset + unit * z) / scale``.

    The variable predicts ``z``. The loss is divided by the deviance per row of a
    constant, and has mean curvature one at ``z = 0``: to second order, every task is a
    squared loss with a target of variance one.

    Parameters
    ----------
    offset : ndarray of shape (n_outputs,)
        Raw prediction of the best constant.
    scale : float
        Deviance per row of the best constant, zero for constant targets.
    unit : float
        Unit of raw predictions.
    """

    offset: np.ndarray
    scale: float
    unit: float

    @property
    def finite_offset(self) -> Array:
        """The offset, with large numbers instead of infinite ones."""
        return np.nan_to_num(self.offset, nan=np.nan, posinf=_CERTAIN, neginf=-_CERTAIN)

    def restore(self, model: Array) -> Array:
        """Convert a linear model of ``z`` to one of raw predictions.

        Parameters
        ----------
        model : ndarray of shape (n_outputs, n_features + 1)
            Coefficients and, in the last column, intercepts.

        Returns
        -------
        ndarray of shape (n_outputs, n_features + 1)
            The model of raw predictions.
        """
        restored = self.unit * model
        restored[:, -1] += self.finite_offset
        return restored


def scale_of_task(loss: Loss, y: Array, weight: Array | None = None) -> TaskScale:
    """Return the scale of the loss of a task.

    Parameters
    ----------
    loss : Loss
        Loss of a row.
    y : ndarray of shape (n_samples,)
        Targets: numbers, or codes of classes.
    weight : ndarray of shape (n_samples,), default=None
        Weights; None means ones.

    Returns
    -------
    TaskScale
        The scale.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.losses import Squared
    >>> from skmtl.problems.newton import scale_of_task
    >>> scale_of_task(Squared(), np.array([1.0, 5.0]))
    TaskScale(offset=array([3.]), scale=4.0, unit=2.0)
    """
    if not len(y):
        return TaskScale(np.full(loss.n_outputs, np.nan), 0.0, 0.0)
    weight = np.ones(len(y)) if weight is None else weight
    mean = np.average(_read_targets(loss, y), axis=0, weights=weight)
    if np.ptp(y) == 0:
        with np.errstate(divide="ignore"):
            return TaskScale(loss.link(mean), 0.0, 0.0)
    offset = loss.link(mean)
    scale = float(np.average(_deviance(loss, y, offset), weights=weight))
    hessian = loss.hessian(_read_targets(loss, y[:1]), offset[None])[0]
    unit = np.sqrt(scale * loss.n_outputs / np.trace(hessian))
    return TaskScale(offset, scale, float(unit))


def _deviance(loss, y, offset):
    """Return twice the loss of a constant minus that of perfect predictions."""
    target, raw = _read_targets(loss, y), np.tile(offset, (len(y), 1))
    best = -loss.conjugate(target, np.zeros_like(raw))
    return 2 * (loss.value(target, raw) - best)


def _read_targets(loss, y):
    """Return the targets of the loss, (n_samples, n_targets)."""
    if loss.n_outputs == 1:
        return y[:, None]
    return np.eye(loss.n_outputs + 1)[y.astype(np.intp)]


@dataclass(frozen=True)
class TasksOfOneLoss:
    """Losses of the tasks of one kind.

    ``sum_i weight_i loss(y_i, offset_t + unit_t z_i) / scale_t``, minus the losses of
    perfect predictions: half the deviance.

    Parameters
    ----------
    datafit : Datafit
        Losses of their rows, divided by their scales.
    places : ndarray of shape (n_some,)
        Indices of the tasks.
    offset : ndarray of shape (n_some, n_outputs)
        Raw predictions at zero.
    unit, scale : ndarray of shape (n_some,)
        Units of raw predictions, and scales of the losses.
    """

    datafit: Datafit
    places: np.ndarray
    offset: np.ndarray
    unit: np.ndarray
    scale: np.ndarray

    @cached_property
    def n_stacks(self) -> int:
        """Number of stacks of rows."""
        return sum(1 for _ in self.datafit.stacks())

    @property
    def most_curved(self) -> float:
        """Upper bound of any entry of a Hessian, for losses with curvature up to 1."""
        return self.datafit.most_curved * float((self.unit**2).max())

    def predict(self, variable: Array) -> list[Array]:
        """Return raw predictions minus their offset, of the variable of these tasks."""
        return self.datafit.predict(self._units * variable)

    def about_means(self) -> Self:
        """Return the same losses with features far from zero centred."""
        return replace(self, datafit=self.datafit.about_means())

    @property
    def shift(self) -> Any:
        """Shift of the features, (n_some, n_features), or zero."""
        return 0.0 if self.datafit.shift is None else self.datafit.shift

    def add_offset(self, raw: list[Array]) -> list[Array]:
        """Return raw predictions plus their offset."""
        stacks = self.datafit.stacks()
        return [
            z + self.offset[stack.tasks][:, None]
            for stack, z in zip(stacks, raw, strict=True)
        ]

    @cached_property
    def _least(self):
        """Sum of the losses of perfect predictions."""
        loss, total = self.datafit.loss, 0.0
        for stack in self.datafit.stacks():
            zeros = np.zeros((*stack.weight.shape, loss.n_outputs))
            total -= float((stack.weight * loss.conjugate(stack.y, zeros)).sum())
        return total

    def value(self, raw: list[Array]) -> float:
        """Return half the deviance of these tasks."""
        return self.datafit.value(self.add_offset(raw)) - self._least

    def gradient(self, raw: list[Array]) -> Array:
        """Return the gradient of these tasks."""
        return self._units * self.datafit.gradient(self.add_offset(raw))

    def curve(self, raw: list[Array]) -> Array:
        """Return the Hessians of these tasks."""
        return self._units**2 * self.datafit.curve(self.add_offset(raw))

    def along(self, raw: list[Array]) -> Callable[[Array], Array]:
        """Return a function that multiplies by the Hessians of these tasks."""
        multiply = self.datafit.along(self.add_offset(raw))
        return lambda variable: self._units * multiply(self._units * variable)

    def diagonals(self, raw: list[Array]) -> list[Array]:
        """Return the diagonals of the Hessians as :meth:`Datafit.diagonals` does."""
        found = self.datafit.diagonals(self.add_offset(raw))
        return [self._units**2 * each for each in found]

    @property
    def _units(self):
        return self.unit[:, None, None]


@dataclass(frozen=True)
class DatafitPerTask:
    """Losses that differ between tasks, all with one output.

    It has the interface of a :class:`Datafit`; its variable is in the units of the
    tasks, and predicts differences from their offsets.

    Parameters
    ----------
    data : TaskRows
        Rows of all tasks.
    parts : tuple of TasksOfOneLoss
        The tasks of each loss.
    """

    data: TaskRows
    parts: tuple
    fit_intercept = True
    # Tasks have different units, so none can predict another.
    has_common = False
    basis = None

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
        """Shape of the variable, (n_tasks, 1, n_columns)."""
        return self.n_tasks, 1, self.n_features + 1

    @cached_property
    def task_totals(self) -> Array:
        """Total weight of each task, (n_tasks,)."""
        total = np.zeros(self.n_tasks)
        for part in self.parts:
            total[part.places] = part.datafit.task_totals
        return total

    def start(self) -> Array:
        """Return the variable that predicts the mean of each task, zero."""
        return np.zeros(self.shape)

    def predict(self, variable: Array) -> list[Array]:
        """Return raw predictions minus their offsets, of each stack of each part."""
        pairs = [(part, variable[part.places]) for part in self.parts]
        return [z for part, own in pairs for z in part.predict(own)]

    def about_means(self) -> Self:
        """Return the same losses with features far from zero centred."""
        return replace(self, parts=tuple(part.about_means() for part in self.parts))

    @cached_property
    def shift(self) -> Array | None:
        """Shift of the features of each task; None means zeros."""
        if all(part.datafit.shift is None for part in self.parts):
            return None
        found = np.zeros((self.n_tasks, self.n_features))
        for part in self.parts:
            found[part.places] = part.shift
        return found

    def move(self, tasks: Array, sign: int) -> Array:
        """Convert models of tasks to centred (1) or original (-1) features."""
        return move_intercepts(tasks, self.shift, sign)

    def predict_zero(self) -> list[Array]:
        """Return the raw predictions of the variable zero."""
        return [z for part in self.parts for z in part.datafit.predict_zero()]

    @property
    def most_curved(self) -> float:
        """Upper bound of any entry of a Hessian, for losses with curvature up to 1."""
        return max(part.most_curved for part in self.parts)

    def refuse_huge(self) -> None:
        """Raise an error if products of features and targets overflow."""
        for part in self.parts:
            part.datafit.refuse_huge()

    def value(self, raw: list[Array]) -> float:
        """Return half the deviance of all rows, infinite if it overflows."""
        return sum(part.value(some) for part, some in self._divide(raw))

    def gradient(self, raw: list[Array]) -> Array:
        """Return the gradient, in the shape of the variable."""
        total = np.zeros(self.shape)
        for part, some in self._divide(raw):
            total[part.places] = part.gradient(some)
        return total

    def curve(self, raw: list[Array]) -> Array:
        """Return the Hessian of each task."""
        n_columns = self.shape[2]
        hessians = np.zeros((self.n_tasks, n_columns, n_columns))
        for part, some in self._divide(raw):
            hessians[part.places] = part.curve(some)
        return hessians

    @property
    def iterates(self) -> bool:
        """Whether the Hessians of all tasks are too large to form."""
        n_tasks, _, n_columns = self.shape
        n_data = sum(part.datafit.n_data for part in self.parts)
        return is_large(n_tasks * n_columns**2, n_data)

    def along(self, raw: list[Array]) -> Callable[[Array], Array]:
        """Return a Hessian-vector product for all tasks."""
        products = [(part, part.along(some)) for part, some in self._divide(raw)]

        def multiply(variable):
            total = np.zeros(self.shape)
            for part, product in products:
                total[part.places] = product(variable[part.places])
            return total

        return multiply

    def diagonals(self, raw: list[Array]) -> list[Array]:
        """Return the diagonals of the Hessians as :meth:`Datafit.diagonals` does."""
        n_tasks, _, n_columns = self.shape
        totals = [np.zeros((n_tasks, 1, size)) for size in (1, *2 * [n_columns - 1])]
        for part, some in self._divide(raw):
            for total, found in zip(totals, part.diagonals(some), strict=True):
                total[part.places] = found
        return totals

    def _divide(self, raw):
        """Return each part with its raw predictions."""
        rest = iter(raw)
        return [(part, list(islice(rest, part.n_stacks))) for part in self.parts]


def group_by_loss(
    data: TaskRows, losses: list[Loss], scales: list[TaskScale]
) -> tuple[TasksOfOneLoss, ...]:
    """Group tasks by their loss, and scale the losses.

    Parameters
    ----------
    data : TaskRows
        Rows of tasks, whose targets are numbers or codes of classes.
    losses : list of Loss
        Loss of each task.
    scales : list of TaskScale
        Scale of each task, positive.

    Returns
    -------
    tuple of TasksOfOneLoss
        The tasks of each loss.
    """
    kinds: dict[str, list[int]] = {}
    for number, loss in enumerate(losses):
        kinds.setdefault(repr(loss), []).append(number)
    return tuple(
        _part(data, losses[places[0]], np.array(places), scales)
        for places in kinds.values()
    )


def _part(data, loss, places, scales):
    some = [scales[place] for place in places]
    offset = np.array([each.offset for each in some])
    unit = np.array([each.unit for each in some])
    scale = np.array([each.scale for each in some])
    rows = data.of_tasks(places)
    factors = np.ones(len(some)) if rows.task_weight is None else rows.task_weight
    rows = replace(rows, task_weight=factors / scale)
    targets = None if loss.n_outputs == 1 else _one_hot(loss.n_outputs + 1, len(some))
    datafit = Datafit(rows, loss, targets=targets)
    return TasksOfOneLoss(datafit, places, offset, unit, scale)


def _one_hot(n_classes, n_tasks):
    """Return a converter of codes to indicators of classes, without smoothing."""
    return ClassTargets(np.full(n_classes, 1 / n_classes), np.zeros(n_tasks))
