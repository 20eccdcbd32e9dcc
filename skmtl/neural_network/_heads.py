"""Heads: a linear output layer per task, in groups of tasks with the same loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import Array, Loss
from skmtl.problems import scale_of_task
from skmtl.targets import VariancePrior

from ._batches import Batch
from ._layers import Arrays

# Equal targets of fewer rows than this may be equal by chance.
_FEW_ROWS = 10


@dataclass(frozen=True)
class Units:
    """Units of the tasks of a group, with ``loss(y, offset + unit * z) / scale``.

    Parameters
    ----------
    offset : ndarray of shape (n_some, n_outputs)
        Raw predictions of the best constants.
    unit : ndarray of shape (n_some,)
        Units of raw predictions, zero for tasks with a constant target.
    scale : ndarray of shape (n_some,)
        Deviance per row of the best constants.
    """

    offset: Array
    unit: Array
    scale: Array

    @classmethod
    def of(cls, loss: Loss, targets: Sequence[Array], weights: Sequence[Array]) -> Any:
        """Measure the units of tasks from their targets and weights."""
        scales = [
            scale_of_task(loss, y[w > 0], w[w > 0])
            for y, w in zip(targets, weights, strict=True)
        ]
        _refuse_overflow([each.unit for each in scales], targets)
        return cls(
            np.array([each.finite_offset for each in scales]),
            np.array([each.unit for each in scales]),
            np.array([each.scale for each in scales]),
        )

    def moderated(self, weights: Sequence[Array], total: float) -> "Units":
        """Draw the variances of tasks with few rows to those of all tasks.

        This is the empirical Bayes estimate of variances that are log-normal across
        tasks: it changes nothing if tasks have many rows, or very different units. A
        task of few equal targets gets the common variance or, if no task has one, the
        variance of all targets, `total`.
        """
        sizes = np.array([each.sum() for each in weights])
        known = (sizes > 1) & (self.scale > 0)
        few = ~known & (sizes < _FEW_ROWS)
        if known.sum() < 2:
            scale = np.where(few, self.scale[known].sum() or total, self.scale)
            return Units(self.offset, np.sqrt(scale), scale)
        squares, freedom = self.scale[known] * sizes[known], sizes[known] - 1
        prior = VariancePrior.of(squares, freedom)
        scale = self.scale.copy()
        scale[few] = prior.common
        scale[known] = prior.shrink(self.scale[known], freedom)
        return Units(self.offset, np.sqrt(scale), scale)

    def standardise(self, y: Array, codes: Array) -> Array:
        """Return targets that are numbers, (n_rows,), in the units of their tasks."""
        unit = np.where(self.unit > 0, self.unit, 1.0)
        return (y - self.offset[codes, 0]) / unit[codes]

    def factors(self) -> Array:
        """Return the factor of each task's loss, zero for constant targets."""
        varies = self.scale > 0
        return np.where(varies, 1 / np.where(varies, self.scale, 1.0), 0.0)


@dataclass(frozen=True)
class Head:
    """Heads of consecutive tasks with the same loss.

    Parameters
    ----------
    loss : Loss
        Loss of a row.
    tasks : slice
        Position of the tasks among all.
    name : str
        Name of their weights, which tasks with as many outputs share.
    places : slice
        Position of the tasks in these weights.
    units : Units or None, default=None
        Units of the tasks; None if raw predictions have none.
    """

    loss: Loss
    tasks: slice
    name: str
    places: slice
    units: Units | None = None

    @property
    def is_standardised(self) -> bool:
        """Whether targets are standardised, so that training needs no units."""
        return self.units is None or self.loss.is_quadratic

    def read(self, values: Arrays) -> tuple[Array, Array]:
        """Return the weights and biases of these tasks, or their gradients."""
        bias = self.name.replace("weight", "bias")
        return values[self.name][self.places], values[bias][self.places]

    def raw(self, params: Arrays, batch: Batch, features: Any) -> Array:
        """Return predictions ``z``, in the shape of the batch's outputs."""
        weight, bias = self.read(params)
        z = batch.apply(weight, features)
        z += batch.spread(bias)
        return z

    def restore(self, batch: Batch, z: Array) -> Array:
        """Convert predictions ``z`` to raw predictions in the units of the tasks."""
        if self.units is None:
            return z
        unit = self.units.unit[:, None].astype(z.dtype)
        return batch.spread(self.units.offset.astype(z.dtype)) + batch.spread(unit) * z

    def evaluate(self, batch: Batch, y: Array, z: Array) -> tuple[Array, Array]:
        """Return the loss of each row, and its derivatives with respect to ``z``."""
        if self.is_standardised:
            return self.loss.value(y, z), self.loss.gradient(y, z)
        units: Any = self.units
        raw = self.restore(batch, z)
        factor = units.factors()[:, None].astype(z.dtype)
        value = self.loss.value(y, raw) * batch.spread(factor)[..., 0]
        slope = batch.spread(factor * units.unit[:, None].astype(z.dtype))
        return value, self.loss.gradient(y, raw) * slope

    def least(self, batch: Batch, y: Array) -> Array:
        """Return the loss of each row at the best raw prediction of that row."""
        zeros = np.zeros((*y.shape[:-1], self.loss.n_outputs), y.dtype)
        value = -self.loss.conjugate(y, zeros)
        if self.is_standardised:
            return value
        units: Any = self.units
        factor = units.factors()[:, None].astype(y.dtype)
        least: Array = value * batch.spread(factor)[..., 0]
        return least

    def backward(
        self, params: Arrays, gradient: Arrays, batch: Batch, features: Any, z: Array
    ) -> Array:
        """Write the gradient of the heads; return that in the features."""
        weight, bias = self.read(params)
        of_weight, of_bias = self.read(gradient)
        of_weight[:] = batch.weight_gradient(z, features, len(weight))
        of_bias[:] = batch.sums(z, len(bias))
        return batch.feature_gradient(weight, z, features.ndim == 2)


def _refuse_overflow(units: Sequence[float], targets: Sequence[Array]) -> None:
    """Raise an error if the variance of a task's target overflows."""
    if not np.isfinite(units).all():
        largest = max(float(np.abs(y).max(initial=0.0)) for y in targets)
        raise ValueError(
            "Every task must have a target of finite variance, but it overflows: the "
            f"largest absolute value of y is {largest:.3g}. Divide y by it."
        )


def group_tasks(losses: Sequence[Loss]) -> tuple[Array, list[tuple[Loss, slice]]]:
    """Return an order of tasks in which those with the same loss are adjacent.

    Parameters
    ----------
    losses : sequence of Loss
        Loss of each task.

    Returns
    -------
    order : ndarray of shape (n_tasks,), dtype intp
        Tasks in this order: those with fewer outputs first.
    groups : list of (Loss, slice)
        Each loss, and the range of its tasks in this order.
    """
    kinds = [(loss.n_outputs, type(loss).__name__) for loss in losses]
    order = np.array(sorted(range(len(losses)), key=lambda task: kinds[task]))
    starts = [
        i for i, t in enumerate(order) if not i or kinds[t] != kinds[order[i - 1]]
    ]
    stops = [*starts[1:], len(order)]
    pairs = zip(starts, stops, strict=True)
    return order, [(losses[order[i]], slice(i, j)) for i, j in pairs]


def make_heads(
    groups: Sequence[tuple[Loss, slice]], units: Sequence[Units | None]
) -> tuple[Head, ...]:
    """Return the heads of groups of tasks; those with as many outputs share weights."""
    first: dict[int, int] = {}
    heads = []
    for (loss, tasks), each in zip(groups, units, strict=True):
        start = first.setdefault(loss.n_outputs, tasks.start)
        name = "head_weight" if len(first) == 1 else f"head_weight_{len(first) - 1}"
        places = slice(tasks.start - start, tasks.stop - start)
        heads.append(Head(loss, tasks, name, places, each))
    return tuple(heads)
