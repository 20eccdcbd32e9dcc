"""Train the parameters of a network in PyTorch."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from skmtl._contracts import Array
from skmtl.neural_network import Progress, Trained, refuse_infinite

from ._feeds import CellFeed, Feed
from ._task_net import Minibatch, TaskNet, read_state
from ._weightings import Weighting


@dataclass(frozen=True)
class Penalties:
    """Penalties on the parameters of a network, divided by the weight of the rows.

    Parameters
    ----------
    alpha : float
        Strength of the ridge penalty on all weights.
    soft : float
        Strength of the penalty on differences between towers.
    head : float
        Strength of the penalty on differences between heads.
    custom : callable or None
        Returns the user's penalty on a network.
    total : float
        Weight of the rows.
    """

    alpha: float
    soft: float
    head: float
    custom: Callable[[nn.Module], Tensor] | None
    total: float

    def __call__(self, net: TaskNet) -> Tensor:
        """Return the sum of the penalties."""
        trunk: Any = net.trunk
        heads: Any = net.heads
        squares = [each.square().sum() for each in net.weights()]
        value = self.alpha / 2 * sum(squares, torch.zeros(()))
        if self.soft:
            value = value + self.soft / 2 * trunk.penalty()
        if self.head:
            value = value + self.head / 2 * heads.penalty()
        if self.custom is not None:
            value = value + self.custom(net)
        return value / self.total


class Descent(ABC):
    """Computes the gradient of a step from the losses of tasks."""

    @property
    @abstractmethod
    def needs_positive(self) -> bool:
        """Whether the losses are differences from those of perfect predictions."""

    @abstractmethod
    def check(self, batch: Minibatch) -> None:
        """Raise an error if a batch lacks a task that the descent needs."""

    @abstractmethod
    def parameters(self) -> Iterator[Any]:
        """Return further parameters that are trained."""

    @abstractmethod
    def report(self, places: Array) -> dict[str, Array]:
        """Return what was learnt of tasks, at given positions, by fitted attribute."""

    @abstractmethod
    def backward(self, net: TaskNet, losses: Tensor, penalty: Tensor) -> float:
        """Write the gradient, and return the objective."""


@dataclass(frozen=True)
class WeightedSum(Descent):
    """The gradient of a weighted sum of the losses.

    Parameters
    ----------
    weighting : Weighting
        The weights.
    tasks : list
        Labels of the tasks, in the order of the heads.
    """

    weighting: Weighting
    tasks: list[Any]

    @property
    def needs_positive(self) -> bool:
        return self.weighting.needs_positive

    def check(self, batch: Minibatch) -> None:
        if not self.weighting.needs_every_task:
            return
        has_rows = torch.cat([(each > 0).any(1) for each in batch.weight]).tolist()
        if not all(has_rows):
            label = self.tasks[has_rows.index(False)]
            raise ValueError(
                "A function as weighting needs a target of every task in each batch, "
                f"got a batch of {len(batch.x)} rows with none of task {label!r}. "
                "Raise batch_size, or use another weighting."
            )

    def parameters(self) -> Iterator[Any]:
        found: Iterator[Any] = self.weighting.parameters()
        return found

    def report(self, places: Array) -> dict[str, Array]:
        found = self.weighting.report().items()
        return {name: each.detach().cpu().numpy()[places] for name, each in found}

    def backward(self, net: TaskNet, losses: Tensor, penalty: Tensor) -> float:
        self.weighting.update(losses, net.last_shared_weight())
        value = self.weighting(losses) + penalty
        value.backward()
        return float(value.detach())


@dataclass(frozen=True)
class Aggregated(Descent):
    """For the trunk, a combination of the gradients of the losses.

    Parameters
    ----------
    aggregator : callable
        Combines gradients, (n_tasks, n_parameters).
    """

    aggregator: Callable[[Tensor], Tensor]
    needs_positive = False

    def check(self, batch: Minibatch) -> None:
        return

    def parameters(self) -> Iterator[Any]:
        return iter(())

    def report(self, places: Array) -> dict[str, Array]:
        return {}

    def backward(self, net: TaskNet, losses: Tensor, penalty: Tensor) -> float:
        shared = net.shared_parameters()
        # A task without rows in the batch has no gradient to combine.
        gradients = [
            each
            for each in (_gradient(loss, shared) for loss in losses)
            if each.any() or len(losses) == 1
        ]
        value = losses.sum() + penalty
        value.backward()
        if gradients:
            J = torch.stack(gradients)
            change = self.aggregator(J) - J.sum(0)
            sizes = [each.numel() for each in shared]
            for each, part in zip(shared, change.split(sizes), strict=True):
                each.grad += part.view_as(each)
        return float(value.detach())


def _gradient(loss: Tensor, shared: list[Tensor]) -> Tensor:
    parts = torch.autograd.grad(loss, shared, retain_graph=True, materialize_grads=True)
    return torch.cat([part.flatten() for part in parts])


@dataclass(frozen=True)
class Trainer:
    """An optimiser of PyTorch, on minibatches.

    Parameters
    ----------
    make_optimizer : callable
        Makes the optimiser from parameters.
    make_scheduler : callable or None
        Makes the scheduler of the learning rate from the optimiser.
    max_iter : int
        Number of passes over the rows.
    """

    make_optimizer: Callable[[Any], Any]
    make_scheduler: Callable[[Any], Any] | None
    max_iter: int

    def train(
        self,
        net: TaskNet,
        feed: Feed,
        descent: Descent,
        penalties: Penalties,
        progress: Progress,
        rng: Any,
    ) -> Trained:
        """Train a network in place, and return its state."""
        trained = [*net.parameters(), *descent.parameters()]
        optimizer = self.make_optimizer(trained)
        make = self.make_scheduler
        scheduler = None if make is None else make(optimizer)
        stops = False
        while len(progress.losses) < self.max_iter and not stops:
            net.train()
            loss = 0.0
            for batch in feed.epoch(rng):
                optimizer.zero_grad()
                value = step(net, batch, descent, penalties)
                optimizer.step()
                loss += batch.share * value
            if scheduler is not None:
                scheduler.step()
            refuse_infinite(loss)
            state: Any = None if progress.validate is None else read_state(net)
            stops = progress.add(loss, state)
            stops = progress.is_interrupted() or stops
        end: Any = read_state(net)
        return progress.end(end, stops)


def step(
    net: TaskNet, batch: Minibatch, descent: Descent, penalties: Penalties
) -> float:
    """Write the gradient of a minibatch, and return its objective.

    Parameters
    ----------
    net : TaskNet
        The network.
    batch : Minibatch
        Rows.
    descent : Descent
        Computes the gradient.
    penalties : Penalties
        Penalties.

    Returns
    -------
    float
        The objective.
    """
    descent.check(batch)
    losses = net.losses(batch)
    if descent.needs_positive:
        losses = losses - net.lowest(batch)
    return descent.backward(net, losses / batch.share, penalties(net))


def evaluate(net: TaskNet, feed: CellFeed) -> float:
    """Return the loss of all rows.

    Parameters
    ----------
    net : TaskNet
        The network.
    feed : CellFeed
        The rows.

    Returns
    -------
    float
        The loss.
    """
    net.eval()
    with torch.no_grad():
        return sum(float(net.losses(batch).sum()) for batch in feed.blocks())


@contextmanager
def seeded(seed: int, device: Any) -> Iterator[None]:
    """Seed PyTorch's generators, and restore their states at the end.

    Parameters
    ----------
    seed : int
        The seed.
    device : torch.device
        Device that draws random numbers, besides the CPU.
    """
    is_cuda = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if is_cuda else []):
        torch.default_generator.manual_seed(seed)
        if is_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
