"""Losses of several kinds on one scale, as one term of an objective."""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np

from skmtl._memory import is_large
from skmtl.data import TaskRows
from skmtl.targets import ClassTargets

from ._datafit import Datafit, move_levels

# Raw predictions of this size have means that are 0 or 1 to the last digit.
_CERTAIN = 1e3


@dataclass(frozen=True)
class TaskScale:
    """Say how the loss of a task is brought to the scale of all.

    The loss is divided by `scale`, the deviance per row of a constant prediction. The
    raw prediction is ``level + unit * z``: of ``z`` the loss has mean curvature one at
    zero. To the second order every task is then a squared loss whose target has
    variance one.

    Parameters
    ----------
    level : ndarray of shape (n_outputs,)
        Raw prediction of the best constant.
    scale : float
        Deviance per row of the best constant, zero if nothing is left to explain.
    unit : float
        Unit of raw predictions.
    """

    level: np.ndarray
    scale: float
    unit: float

    def restore(self, model):
        """Return a linear model in the units of raw predictions.

        Parameters
        ----------
        model : ndarray of shape (n_outputs, n_features + 1)
            Coefficients and, in the last column, the level.

        Returns
        -------
        ndarray of the same shape
            The same for raw predictions.
        """
        restored = self.unit * model
        # Means of 0 and 1 have infinite links; this far out they are as exact.
        limits = {"nan": np.nan, "posinf": _CERTAIN, "neginf": -_CERTAIN}
        restored[:, -1] += np.nan_to_num(self.level, **limits)
        return restored


def scale_of_task(loss, y, weight=None):
    """Return the TaskScale of a task.

    Parameters
    ----------
    loss : Loss
        What a sample costs.
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
    TaskScale(level=array([3.]), scale=4.0, unit=2.0)
    """
    if not len(y):
        return TaskScale(np.full(loss.n_outputs, np.nan), 0.0, 0.0)
    weight = np.ones(len(y)) if weight is None else weight
    mean = np.average(_spread(loss, y), axis=0, weights=weight)
    if np.ptp(y) == 0:
        with np.errstate(divide="ignore"):
            return TaskScale(loss.link(mean), 0.0, 0.0)
    level = loss.link(mean)
    scale = float(np.average(_deviance(loss, y, level), weights=weight))
    curved = loss.hessian(_spread(loss, y[:1]), level[None])[0]
    unit = np.sqrt(scale * loss.n_outputs / np.trace(curved))
    return TaskScale(level, scale, float(unit))


def _deviance(loss, y, level):
    """Return twice the loss of a constant, less that of a perfect prediction."""
    target, raw = _spread(loss, y), np.tile(level, (len(y), 1))
    best = -loss.conjugate(target, np.zeros_like(raw))
    return 2 * (loss.value(target, raw) - best)


def _spread(loss, y):
    """Return what the loss reads, (n_samples, n_targets)."""
    if loss.n_outputs == 1:
        return y[:, None]
    return np.eye(loss.n_outputs + 1)[y.astype(np.intp)]


@dataclass(frozen=True)
class TasksOfOneLoss:
    """Hold the tasks of one loss.

    Parameters
    ----------
    datafit : Datafit
        Losses of their rows, divided by their scales.
    places : ndarray of shape (n_some,)
        Which tasks they are.
    level : ndarray of shape (n_some, n_outputs)
        Raw predictions at zero.
    unit, scale : ndarray of shape (n_some,)
        Units of raw predictions, and what the losses are divided by.
    """

    datafit: Datafit
    places: np.ndarray
    level: np.ndarray
    unit: np.ndarray
    scale: np.ndarray

    @cached_property
    def n_stacks(self):
        """Number of stacks of rows."""
        return sum(1 for _ in self.datafit.stacks())

    @property
    def most_curved(self):
        """Return a bound of any entry of a Hessian, for curvatures up to 1."""
        return self.datafit.most_curved * float((self.unit**2).max())

    def predict(self, variable):
        """Return raw predictions above the level, of the variable of these tasks."""
        return self.datafit.predict(self._units * variable)

    def about_means(self):
        """Return the same objective with features far from zero centred."""
        return replace(self, datafit=self.datafit.about_means())

    @property
    def shift(self):
        """The shift of the features, to be spread over the tasks."""
        return 0.0 if self.datafit.shift is None else self.datafit.shift

    def lift(self, raw):
        """Return raw predictions with their level."""
        stacks = self.datafit.stacks()
        return [
            z + self.level[stack.tasks][:, None]
            for stack, z in zip(stacks, raw, strict=True)
        ]

    @cached_property
    def _least(self):
        """The sum of the losses of perfect predictions."""
        loss, total = self.datafit.loss, 0.0
        for stack in self.datafit.stacks():
            none = np.zeros((*stack.weight.shape, loss.n_outputs))
            total -= float((stack.weight * loss.conjugate(stack.y, none)).sum())
        return total

    def value(self, raw):
        """Return half the deviance of these tasks."""
        return self.datafit.value(self.lift(raw)) - self._least

    def gradient(self, raw):
        """Return the gradient of these tasks."""
        return self._units * self.datafit.gradient(self.lift(raw))

    def curve(self, raw):
        """Return the Hessians of these tasks."""
        return self._units**2 * self.datafit.curve(self.lift(raw))

    def along(self, raw):
        """Return what multiplies by the Hessians of these tasks."""
        multiply = self.datafit.along(self.lift(raw))
        return lambda variable: self._units * multiply(self._units * variable)

    def diagonals(self, raw):
        """Return diagonals of the Hessians, as a Datafit does."""
        found = self.datafit.diagonals(self.lift(raw))
        return [self._units**2 * each for each in found]

    @property
    def _units(self):
        return self.unit[:, None, None]


@dataclass(frozen=True)
class DatafitPerTask:
    """Sum the losses of tasks of several kinds, all with one output.

    It stands for a :class:`Datafit`, whose variable is here in the units of the tasks,
    and above their levels.

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
    def n_tasks(self):
        """Number of tasks."""
        return len(self.data.tasks)

    @property
    def shape(self):
        """Shape of the variable, (n_tasks, 1, n_columns)."""
        return self.n_tasks, 1, self.data.X.shape[1] + 1

    @cached_property
    def task_totals(self):
        """Total weight of each task, (n_tasks,)."""
        total = np.zeros(self.n_tasks)
        for part in self.parts:
            total[part.places] = part.datafit.task_totals
        return total

    def start(self):
        """Return a variable that predicts each task's mean."""
        return np.zeros(self.shape)

    def predict(self, variable):
        """Return raw predictions above the levels, of each stack of each part."""
        pairs = [(part, variable[part.places]) for part in self.parts]
        return [z for part, own in pairs for z in part.predict(own)]

    def about_means(self):
        """Return the same objective with features far from zero centred."""
        return replace(self, parts=tuple(part.about_means() for part in self.parts))

    @cached_property
    def shift(self):
        """The shift of each task's features; None means zeros."""
        if all(part.datafit.shift is None for part in self.parts):
            return None
        found = np.zeros((self.n_tasks, self.data.X.shape[1]))
        for part in self.parts:
            found[part.places] = part.shift
        return found

    def move(self, tasks, sign):
        """Convert models of tasks to shifted (1) or original (-1) features."""
        return move_levels(tasks, self.shift, sign)

    def predict_zero(self):
        """Return the raw predictions of the variable zero."""
        return [z for part in self.parts for z in part.datafit.predict_zero()]

    @property
    def most_curved(self):
        """Return a bound of any entry of a task's Hessian, for curvatures up to 1."""
        return max(part.most_curved for part in self.parts)

    def refuse_huge(self):
        """Refuse features so large that their products overflow."""
        for part in self.parts:
            part.datafit.refuse_huge()

    def value(self, raw):
        """Return half the deviance of all rows, infinite if it overflows."""
        return sum(part.value(some) for part, some in self._divide(raw))

    def gradient(self, raw):
        """Return the gradient, in the shape of the variable."""
        total = np.zeros(self.shape)
        for part, some in self._divide(raw):
            total[part.places] = part.gradient(some)
        return total

    def curve(self, raw):
        """Return the Hessian of each task."""
        n_columns = self.shape[2]
        curved = np.zeros((self.n_tasks, n_columns, n_columns))
        for part, some in self._divide(raw):
            curved[part.places] = part.curve(some)
        return curved

    @property
    def iterates(self):
        """Whether Hessians of all tasks would be too large to be formed."""
        n_tasks, _, n_columns = self.shape
        n_data = sum(part.datafit.n_data for part in self.parts)
        return is_large(n_tasks * n_columns**2, n_data)

    def along(self, raw):
        """Return what multiplies by the Hessians of all tasks, without these."""
        products = [(part, part.along(some)) for part, some in self._divide(raw)]

        def multiply(variable):
            total = np.zeros(self.shape)
            for part, product in products:
                total[part.places] = product(variable[part.places])
            return total

        return multiply

    def diagonals(self, raw):
        """Return diagonals of the Hessians, as a Datafit does."""
        n_tasks, _, n_columns = self.shape
        totals = [np.zeros((n_tasks, 1, size)) for size in (1, *2 * [n_columns - 1])]
        for part, some in self._divide(raw):
            for total, found in zip(totals, part.diagonals(some), strict=True):
                total[part.places] = found
        return totals

    def _divide(self, raw):
        """Return the raw predictions of each part beside it."""
        left = iter(raw)
        return [(part, list(islice(left, part.n_stacks))) for part in self.parts]


def group_by_loss(data, losses, standards):
    """Collect the tasks of each loss, on the scale of all.

    Parameters
    ----------
    data : TaskRows
        Rows of tasks, whose targets are numbers or codes of classes.
    losses : list of Loss
        Loss of each task.
    standards : list of TaskScale
        Scale of each task, positive.

    Returns
    -------
    tuple of TasksOfOneLoss
        The tasks of each loss.
    """
    kinds = {}
    for number, loss in enumerate(losses):
        kinds.setdefault(repr(loss), []).append(number)
    return tuple(
        _part(data, losses[places[0]], np.array(places), standards)
        for places in kinds.values()
    )


def _part(data, loss, places, standards):
    some = [standards[place] for place in places]
    level = np.array([standard.level for standard in some])
    unit = np.array([standard.unit for standard in some])
    scale = np.array([standard.scale for standard in some])
    rows = data.of_tasks(places)
    factors = np.ones(len(some)) if rows.task_weight is None else rows.task_weight
    rows = replace(rows, task_weight=factors / scale)
    targets = None if loss.n_outputs == 1 else _certain(loss.n_outputs + 1, len(some))
    datafit = Datafit(rows, loss, targets=targets)
    return TasksOfOneLoss(datafit, places, level, unit, scale)


def _certain(n_classes, n_tasks):
    """Return targets of one class each."""
    return ClassTargets(np.full(n_classes, 1 / n_classes), np.zeros(n_tasks))
