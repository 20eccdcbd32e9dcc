"""Networks of tasks: the layers that they share, their heads, and the objective."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from skmtl._contracts import Array

from ._batches import Batch
from ._cells import Parts
from ._heads import Head
from ._layers import PerTask, draw_weights
from ._sharing import Shapes, Sharing


@dataclass(frozen=True)
class Strengths:
    """Strengths of the penalties, on the scale of a sum of losses.

    Parameters
    ----------
    alpha : float
        Strength of the ridge penalty on all weights.
    soft : float
        Strength of the penalty on differences between towers.
    head : float
        Strength of the penalty on differences between heads.
    """

    alpha: float = 0.0
    soft: float = 0.0
    head: float = 0.0


@dataclass(frozen=True)
class Parameters:
    """Parameters of a network, or their gradient.

    Parameters
    ----------
    vector : ndarray of shape (n_parameters,)
        All of them.
    named : dict of ndarray
        Views of the vector by name.
    """

    vector: Array
    named: dict[str, Array]


@dataclass(frozen=True)
class Network:
    """A network of several tasks, with its parameters in one vector.

    Parameters
    ----------
    sharing : Sharing
        Layers that map inputs to the features of tasks.
    layers : PerTask
        Hidden layers of the heads.
    heads : tuple of Head
        Output layers, in the order of the tasks.
    shares : ndarray of shape (n_tasks,) or None, default=None
        Weights of the tasks, with sum one, if factors of their losses are parameters.
    """

    sharing: Sharing
    layers: PerTask
    heads: tuple[Head, ...]
    shares: Array | None = None

    @property
    def n_tasks(self) -> int:
        """Number of tasks."""
        return self.layers.n_copies

    @cached_property
    def weights(self) -> Shapes:
        """Shapes of the parameters that `alpha` penalises."""
        outputs: Shapes = {}
        for head in self.heads:
            shape = head.places.stop, head.loss.n_outputs, self.layers.n_features
            outputs[head.name] = shape
        return {**self.sharing.weights(), **self.layers.weights(), **outputs}

    @cached_property
    def shapes(self) -> Shapes:
        """Shapes of all parameters in the order of the vector, weights first."""
        outputs = [name for name in self.weights if name.startswith("head_weight")]
        biases = {
            name.replace("weight", "bias"): self.weights[name][:2] for name in outputs
        }
        learnt: Shapes = {}
        if self.shares is not None:
            learnt = {"log_variance": (self.n_tasks,)}
        first = {**self.weights, **self.sharing.biases(), **self.layers.biases()}
        return {**first, **biases, **learnt}

    @cached_property
    def n_weights(self) -> int:
        """Number of parameters that `alpha` penalises."""
        return sum(map(prod, self.weights.values()))

    def parameters(self, vector: Array) -> "Parameters":
        """Return the parameters in a vector."""
        ends = np.cumsum([prod(shape) for shape in self.shapes.values()])
        parts = np.split(vector, ends[:-1])
        pairs = zip(self.shapes.items(), parts, strict=True)
        named = {name: part.reshape(shape) for (name, shape), part in pairs}
        return Parameters(vector, named)

    def zeros(self, dtype: Any) -> "Parameters":
        """Return parameters that are all zero."""
        size = sum(map(prod, self.shapes.values()))
        return self.parameters(np.zeros(size, dtype))

    def start(self, rng: Any, dtype: Any) -> "Parameters":
        """Return initial parameters; all tasks start from equal ones."""
        start = self.zeros(dtype)
        params = start.named
        self.sharing.start(params, rng)
        self.layers.start(params, rng, different=False)
        for name in params:
            if name.startswith("head_weight"):
                draw_weights(params[name], rng, self.layers.act.gain, different=False)
        return start

    def features(self, params: Any, batch: Batch) -> Any:
        """Return the features that the output layers multiply."""
        features, _ = self.sharing.forward(params, batch)
        return self.layers.forward(params, batch, features)[0]

    def raw(self, params: Any, batch: Batch) -> list[Array]:
        """Return the raw predictions of the tasks of each head."""
        parts = self._by_head(batch, self.features(params, batch))
        return [
            head.restore(some, head.raw(params, some, own)) for head, some, own in parts
        ]

    def _by_head(
        self, batch: Batch, features: Any
    ) -> Iterator[tuple[Head, Batch, Any]]:
        """Yield each head with the batch and the features of its tasks."""
        for head in self.heads:
            yield head, batch.of_tasks(head.tasks), batch.take(features, head.tasks)

    def loss(self, params: Any, batch: Batch, parts: Parts) -> float:
        """Return the weighted sum of the losses of a batch."""
        by_head, value = self._by_head(batch, self.features(params, batch)), 0.0
        for (head, some, own), (y, weight) in zip(by_head, parts, strict=True):
            z = _where_observed(head, weight, head.raw(params, some, own))
            value += float(np.vdot(weight, head.evaluate(some, y, z)[0]))
        return value

    def objective(
        self, params: Any, gradient: Any, batch: Batch, parts: Parts, factor: float = 1
    ) -> float:
        """Return `factor` times the losses of a batch, and write the gradient.

        If factors of the losses are parameters, the loss of a task is divided by its
        variance, and half its share times its log-variance is added. Losses are then
        differences from those of perfect predictions, because a negative loss at a
        small variance would have no lower bound.
        """
        features, tape = self.sharing.forward(params, batch)
        features, own_tape = self.layers.forward(params, batch, features)
        by_head, value, found = self._by_head(batch, features), 0.0, []
        for (head, some, own), (y, weight) in zip(by_head, parts, strict=True):
            z = _where_observed(head, weight, head.raw(params, some, own))
            losses, slope = head.evaluate(some, y, z)
            if self.shares is not None:
                losses = losses - head.least(some, y)
            weight = self._weigh(params, some, head, factor * weight)
            weighted = weight * losses
            value += float(weighted.sum())
            self._pull_variances(gradient, some, head, weighted)
            slope = (weight[..., None] * slope).astype(z.dtype, copy=False)
            found.append(head.backward(params, gradient, some, own, slope))
        outputs = self.layers.backward(
            params, gradient, batch, own_tape, batch.join(found)
        )
        self.sharing.backward(params, gradient, batch, tape, outputs)
        return value + self._add_variances(params, gradient)

    def _weigh(self, params: Any, batch: Batch, head: Head, weight: Array) -> Array:
        """Divide the weights of a head's tasks by their variances, if learnt."""
        if self.shares is None:
            return weight
        return weight * batch.spread(np.exp(-params["log_variance"][head.tasks]))

    def _pull_variances(
        self, gradient: Any, batch: Batch, head: Head, losses: Array
    ) -> None:
        if self.shares is not None:
            n_tasks = head.tasks.stop - head.tasks.start
            sums = batch.sums(losses[..., None], n_tasks)[:, 0]
            gradient["log_variance"][head.tasks] = -sums

    def _add_variances(self, params: Any, gradient: Any) -> float:
        if self.shares is None:
            return 0.0
        gradient["log_variance"] += self.shares / 2
        return float(self.shares @ params["log_variance"]) / 2

    def add_penalties(
        self, strengths: Strengths, params: "Parameters", gradient: "Parameters"
    ) -> float:
        """Return the penalties at the parameters, and add their gradient.

        Parameters
        ----------
        strengths : Strengths
            Strengths of the penalties.
        params, gradient : Parameters
            Parameters and gradient.

        Returns
        -------
        float
            Sum of the penalties.
        """
        weights = params.vector[: self.n_weights]
        value = strengths.alpha / 2 * float(weights @ weights)
        gradient.vector[: self.n_weights] += strengths.alpha * weights
        ties = dict.fromkeys(self.sharing.tied(), strengths.soft)
        if strengths.head:
            ties["head_weight"] = ties.get("head_weight", 0.0) + strengths.head
        for name, strength in ties.items():
            deviation = params.named[name] - params.named[name].mean(axis=0)
            value += strength / 2 * float(np.vdot(deviation, deviation))
            gradient.named[name] += strength * deviation
        return value


def _where_observed(head: Head, weight: Array, z: Array) -> Array:
    """Replace predictions without a target by zero, if their loss may overflow."""
    return np.where(weight[..., None] > 0, z, 0) if head.loss.has_log_link else z
