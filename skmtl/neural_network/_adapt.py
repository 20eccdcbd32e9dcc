"""The head of a new task from few rows, on features that do not change."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from scipy.linalg import pinvh, svd

from skmtl._contracts import Array, Loss
from skmtl._linalg import EPS
from skmtl._numbers import INFINITE
from skmtl.couplings import Strengths
from skmtl.data import TaskRows
from skmtl.problems.exact import has_few_rows, solve_moments, solve_rows
from skmtl.solvers import Newton, NewtonObjective
from skmtl.targets import target_classes

from ._design import encode
from ._heads import Head, Units
from ._network import Network

# Axis of the tasks in the parameters of a network with one trunk.
_TASK_AXES = {"head_weight": 0, "head_bias": 0, "log_variance": 0, "trunk_encoding": 1}
# Predicted decrease, relative to the loss of the mean head, and number of steps.
_NEWTON = Newton(tol=1e-13, max_iter=1000)


@dataclass(frozen=True)
class HeadRows:
    """Rows of a new task.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Features that the heads multiply.
    y : ndarray of shape (n_rows, n_targets)
        Targets of the loss.
    weight : ndarray of shape (n_rows,)
        Weights.
    """

    features: Array
    y: Array
    weight: Array


@dataclass(frozen=True)
class HeadPrior:
    """Mean of the heads of known tasks, in the units of a new task.

    Parameters
    ----------
    weight : ndarray of shape (n_outputs, n_features)
        Mean of the output weights.
    bias : ndarray of shape (n_outputs,)
        Mean of the biases.
    spread : ndarray of shape (n_features,)
        Variance of the tasks' weights, the mean over outputs; 0 with one task.
    units : Units
        Units of the new task.
    factor : float
        Factor of the new task's loss.
    """

    weight: Array
    bias: Array
    spread: Array
    units: Units
    factor: float

    @classmethod
    def of(cls, head: Head, params: Mapping[str, Array]) -> Self:
        """Return the mean of heads: the model that predicts unseen tasks."""
        weight, bias = (each.astype(float) for each in head.read(params))
        units, n_tasks = head.units, len(weight)
        if units is None:
            ones = np.ones(n_tasks)
            units = Units(np.zeros_like(bias), ones, ones)
        mean = mean_units(units)
        weight = units.unit[:, None, None] / mean.unit * weight
        bias = (units.offset - mean.offset + units.unit[:, None] * bias) / mean.unit
        centre = weight.mean(axis=0)
        squares = ((weight - centre) ** 2).sum(axis=0) / max(n_tasks - 1, 1)
        scale = mean.unit[0] ** 2 if head.loss.is_quadratic else mean.scale[0]
        spread = squares.mean(axis=0)
        return cls(centre, bias.mean(axis=0), spread, mean, float(1 / scale))

    @property
    def unit(self) -> float:
        """Unit of the raw predictions of the new task."""
        return float(self.units.unit[0])

    def raw(self, features: Array) -> Array:
        """Return the raw predictions of the mean head, (n_rows, n_outputs)."""
        z = features @ self.weight.T + self.bias
        found: Array = self.units.offset + self.unit * z
        return found


def mean_units(units: Units) -> Units:
    """Return the mean units of tasks as those of one; 1 if all targets are constant."""
    mean = units.offset.mean(axis=0, keepdims=True)
    unit, scale = (each.mean() or 1.0 for each in (units.unit, units.scale))
    return Units(mean, np.array([unit]), np.array([scale]))


def estimate_strength(
    prior: HeadPrior, rows: HeadRows, noise: float, alpha: float
) -> float:
    """Estimate the strength of the penalty on a head's distance from the mean head.

    It is the noise divided by the variance of the known tasks' weights. Features are
    weighted by their squares in the new rows, so that units of the trunk that are
    zero do not reduce the variance. The ridge of the fit shrinks the heads and thereby
    this variance, so its strength `alpha` is an upper bound.

    Parameters
    ----------
    prior : HeadPrior
        Mean and variance of the known heads.
    rows : HeadRows
        Rows of the new task.
    noise : float
        Variance of the residuals.
    alpha : float
        Strength of the ridge in the fit; 0 for none.

    Returns
    -------
    float
        The strength, perhaps infinite.
    """
    squares = rows.weight @ rows.features**2
    varied = squares @ prior.spread
    strength = max(noise, EPS) * squares.sum() / varied if varied > 0 else np.inf
    return float(min(strength, alpha or np.inf))


def solve_head(
    loss: Loss, prior: HeadPrior, rows: HeadRows, strength: float
) -> tuple[Array, Array]:
    """Return the weights and biases of a head regularised towards the mean head.

    They minimise ``factor sum_i weight_i loss(y_i, raw_i) + strength / 2 ||v -
    v_mean||^2`` with the raw predictions ``offset + unit (v . f_i + b)``.

    Parameters
    ----------
    loss : Loss
        Loss of a row.
    prior : HeadPrior
        The mean head.
    rows : HeadRows
        Rows of the new task.
    strength : float
        Strength of the penalty; infinite for the mean weights.

    Returns
    -------
    weight : ndarray of shape (n_outputs, n_features)
        Weights.
    bias : ndarray of shape (n_outputs,)
        Biases.
    """
    squares = rows.weight @ rows.features**2
    strength = min(strength, INFINITE * max(squares.max(initial=0.0), 1.0))
    solve = _solve_squared if loss.is_quadratic else _solve_convex
    weight, bias = solve(loss, prior, rows, strength)
    return prior.weight + weight, prior.bias + bias


def _solve_squared(
    loss: Loss, prior: HeadPrior, rows: HeadRows, strength: float
) -> tuple[Array, Array]:
    """Return the differences from the mean head, exactly."""
    n_rows, n_features = rows.features.shape
    y = (rows.y - prior.raw(rows.features))[:, 0] / prior.unit
    ends, tasks = np.array([0, n_rows]), np.zeros(1, dtype=np.intp)
    data = TaskRows(rows.features, None, y, rows.weight, ends, tasks)
    pattern, fixed = np.ones(n_features), np.full(n_features, np.inf)
    strengths = Strengths(np.array([strength]), pattern, fixed, 0.0, True)
    if has_few_rows(data):
        fit = solve_rows(data, strengths)
    else:
        fit = solve_moments(data.moments(), strengths)
    return fit.coef, fit.intercept


def _solve_convex(
    loss: Loss, prior: HeadPrior, rows: HeadRows, strength: float
) -> tuple[Array, Array]:
    """Return the differences from the mean head, by Newton's method.

    The penalty does not change with a rotation of the features, so they are replaced by
    at most as many as there are rows.
    """
    left, singular, basis = svd(rows.features, full_matrices=False)
    design = np.column_stack([left * singular, np.ones(len(left))])
    ridge = np.append(np.full(len(singular), strength), 0.0)
    weight, raw = prior.factor * rows.weight, prior.raw(rows.features)
    objective = HeadLosses(loss, rows.y, weight, raw, prior.unit * design, ridge)
    start = np.zeros((loss.n_outputs, len(ridge)))
    found = _NEWTON.minimize(objective, start).variable
    return found[:, :-1] @ basis, found[:, -1]


@dataclass(frozen=True)
class HeadPoint:
    """A difference from the mean head, with its objective.

    Parameters
    ----------
    variable : ndarray of shape (n_outputs, n_columns)
        The difference.
    raw : ndarray of shape (n_rows, n_outputs)
        Raw predictions.
    value : float
        The objective.
    """

    variable: Array
    raw: Array
    value: float


@dataclass(frozen=True)
class HeadLosses(NewtonObjective):
    """Losses of the rows of one task, plus a ridge penalty.

    Parameters
    ----------
    loss : Loss
        Loss of a row.
    y : ndarray of shape (n_rows, n_targets)
        Targets of the loss.
    weight : ndarray of shape (n_rows,)
        Weights.
    offset : ndarray of shape (n_rows, n_outputs)
        Raw predictions at zero.
    design : ndarray of shape (n_rows, n_columns)
        Features.
    ridge : ndarray of shape (n_columns,)
        Strength of the ridge on each column of the variable.
    """

    loss: Loss
    y: Array
    weight: Array
    offset: Array
    design: Array
    ridge: Array

    @property
    def unit(self) -> float:
        """Value at zero."""
        return float(self.weight @ self.loss.value(self.y, self.offset))

    def at(self, variable: Array) -> HeadPoint:
        raw = self.offset + self.design @ variable.T
        losses = float(self.weight @ self.loss.value(self.y, raw))
        penalty = float((self.ridge * variable**2).sum()) / 2
        return HeadPoint(variable, raw, losses + penalty)

    def gradient(self, point: HeadPoint) -> Array:
        slopes = self.weight[:, None] * self.loss.gradient(self.y, point.raw)
        found: Array = slopes.T @ self.design + self.ridge * point.variable
        return found

    def factor(self, point: HeadPoint) -> Callable[[Array], Array]:
        curvature = self.weight[:, None, None] * self.loss.hessian(self.y, point.raw)
        blocks = np.einsum(
            "nab,nj,nk->ajbk", curvature, self.design, self.design, optimize=True
        )
        size = point.variable.size
        hessian = blocks.reshape(size, size)
        ridge = np.tile(self.ridge, self.loss.n_outputs)
        np.fill_diagonal(hessian, hessian.diagonal() + ridge)
        # Pseudo-inverse: biases of classes that a task cannot have are not determined.
        inverse = pinvh(hessian)
        return lambda gradient: (inverse @ gradient.ravel()).reshape(gradient.shape)

    def line(self, point: HeadPoint, step: Array) -> Callable[[float], HeadPoint]:
        return lambda length: self.at(point.variable + length * step)


def encode_numbers(loss: Loss, y: Array, weight: Array, mean: Array) -> Array:
    """Return numbers or counts as targets of the loss.

    If all counts are zero, one pseudo-row of weight 1 with the predicted mean is added;
    without it the bias would diverge.
    """
    if loss.has_log_link and not (weight * y).any():
        y = y + mean / (weight.sum() + 1)
    return y[:, None]


def encode_classes(sample: Any, scope: str, loss: Loss, mean: Array) -> Array:
    """Return classes as targets of the loss.

    If a class is missing, one pseudo-row of weight 1 with the predicted frequencies is
    added; without it the biases would diverge.
    """
    n_classes, rows = len(sample.known_classes), sample.rows
    shares = mean if n_classes > 2 else np.array([1 - mean[0], mean[0]])
    targets = replace(target_classes(rows, n_classes, scope)[1], shares=shares)
    return encode(targets, loss, rows.y, np.zeros(len(rows.y), dtype=np.intp))


def insert_task(
    named: Mapping[str, Array], place: int, new: Mapping[str, Array]
) -> dict[str, Array]:
    """Insert a task into parameters: given ones, or the mean of the other tasks.

    Parameters
    ----------
    named : mapping of ndarray
        Parameters of a network with one trunk, by name.
    place : int
        Position of the new task.
    new : mapping of ndarray
        Parameters of the new task.

    Returns
    -------
    dict of ndarray
        The parameters with one more task.
    """
    found = dict(named)
    for name in named.keys() & _TASK_AXES:
        array, axis = named[name], _TASK_AXES[name]
        values = new.get(name, array.mean(axis=axis))
        found[name] = np.insert(array, place, values, axis=axis)
    return found


def insert_head(network: Network, place: int, units: Units) -> Network:
    """Return a network with one trunk and one more task.

    Parameters
    ----------
    network : Network
        The network.
    place : int
        Position of the new task.
    units : Units
        Units of the new task.

    Returns
    -------
    Network
        The network with one more task; a learnt factor of its loss has the mean share.
    """
    n_tasks, (head,) = network.n_tasks + 1, network.heads
    every = slice(0, n_tasks)
    if head.units is not None:
        pairs = zip(_parts(head.units), _parts(units), strict=True)
        units = Units(*(np.insert(old, place, new, axis=0) for old, new in pairs))
        head = replace(head, units=units)
    trunk: Any = network.sharing
    if trunk.layers.n_encoded:
        trunk = replace(trunk, layers=replace(trunk.layers, n_encoded=n_tasks))
    shares = network.shares
    if shares is not None:
        shares = np.insert(shares, place, shares.mean()) / (1 + shares.mean())
    return replace(
        network,
        sharing=trunk,
        layers=replace(network.layers, n_copies=n_tasks),
        heads=(replace(head, tasks=every, places=every),),
        shares=shares,
    )


def _parts(units: Units) -> tuple[Array, Array, Array]:
    return units.offset, units.unit, units.scale
