"""A network of tasks in PyTorch, and the description that it is built from."""

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skmtl.neural_network import Head

from ._heads import Heads, ModuleHeads
from ._losses import TaskGroup, TaskLosses
from ._modules import MLP, PLE, CrossStitch, MMoE, ModuleNetworks, SoftSharing


@dataclass(frozen=True)
class Minibatch:
    """Rows with the targets and weights of all tasks.

    Parameters
    ----------
    x : Tensor of shape (n_rows, ...)
        Rows.
    y : list of Tensor of shape (n_some, n_rows, n_targets)
        Targets of the tasks of each head.
    weight : list of Tensor of shape (n_some, n_rows)
        Weights of these targets, zero where there is none.
    share : float, default=1.0
        Share of the batch in an epoch; its losses are divided by it.
    """

    x: Tensor
    y: list[Tensor]
    weight: list[Tensor]
    share: float = 1.0


class Restore(nn.Module):
    """Raw predictions in the units of the tasks of a head.

    Parameters
    ----------
    head : Head
        The head.
    """

    offset: Tensor
    unit: Tensor

    def __init__(self, head: Head) -> None:
        super().__init__()
        units: Any = head.units
        offset, unit = units.offset[:, None, :], units.unit[:, None, None]
        self.register_buffer("offset", torch.tensor(offset), persistent=False)
        self.register_buffer("unit", torch.tensor(unit), persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        return self.offset + self.unit * z


class TaskNet(nn.Module):
    """A trunk, and a head for each task.

    Parameters
    ----------
    trunk : nn.Module
        Computes the features of tasks, (1 or n_tasks, n_rows, n_features_out).
    heads : nn.Module
        Computes the raw predictions of each group of tasks from features.
    tasks : sequence of Head
        Losses and units of the groups.
    shape : tuple of int
        Shape of a row.
    """

    def __init__(
        self,
        trunk: nn.Module,
        heads: nn.Module,
        tasks: Sequence[Head],
        shape: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.trunk, self.heads, self.shape = trunk, heads, shape
        self.task_losses = TaskLosses(group_heads(tasks))
        self.restore = nn.ModuleList(
            nn.Identity() if head.is_standardised else Restore(head) for head in tasks
        )

    def features(self, x: Tensor) -> Tensor:
        """Return the features of tasks; of length one if all tasks share them."""
        found: Tensor = self.trunk(x.reshape(len(x), *self.shape))
        return found

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return predictions of each group, (n_some, n_rows, n_outputs)."""
        found: list[Tensor] = self.heads(self.features(x))
        return found

    def losses(self, batch: Minibatch) -> Tensor:
        """Return the weighted sum of the losses of each task, (n_tasks,)."""
        pairs = zip(self.restore, self(batch.x), strict=True)
        raw = [restore(z) for restore, z in pairs]
        found: Tensor = self.task_losses(batch.y, raw, batch.weight)
        return found

    def lowest(self, batch: Minibatch) -> Tensor:
        """Return the losses of perfect predictions, (n_tasks,)."""
        found: Tensor = self.task_losses.lowest(batch.y, batch.weight)
        return found

    def weights(self) -> Iterator[Tensor]:
        """Yield the parameters that `alpha` penalises.

        They have "weight" in their name and more than one axis, so that neither biases
        nor scales of a normalisation are penalised.
        """
        for name, each in self.named_parameters():
            if each.ndim > 1 and "weight" in name.rpartition(".")[2]:
                yield each

    def shared_parameters(self) -> list[Tensor]:
        """Return the trainable parameters of the trunk."""
        return [each for each in self.trunk.parameters() if each.requires_grad]

    def last_shared_weight(self) -> Tensor | None:
        """Return the last weight of the trunk, if it has one."""
        found = [each for each in self.shared_parameters() if each.ndim > 1]
        return found[-1] if found else None


def group_heads(heads: Sequence[Head]) -> list[TaskGroup]:
    """Return the groups of tasks of heads.

    Parameters
    ----------
    heads : sequence of Head
        Heads.

    Returns
    -------
    list of TaskGroup
        The groups.
    """
    return [
        TaskGroup(
            type(head.loss).__name__.lower(),
            head.loss.n_outputs,
            tuple(range(head.tasks.start, head.tasks.stop)),
        )
        for head in heads
    ]


@dataclass(frozen=True, eq=False)
class Architecture:
    """The description that a network is built from.

    Parameters
    ----------
    tasks : list
        Labels of the tasks, in the order of the heads.
    heads : tuple of Head
        Losses and units of groups of tasks.
    shape : tuple of int
        Shape of a row.
    trunk : callable, nn.Module or None
        Custom trunk.
    head : callable or None
        Makes a custom head.
    sharing : str
        Name of the sharing.
    hidden : tuple of int
        Number of units of each hidden layer, without a custom trunk.
    activation : str
        Activation of these layers.
    dropout : float
        Fraction of their units that are zero in a training step.
    n_experts : int
        Number of experts.
    """

    tasks: list[Any]
    heads: tuple[Head, ...]
    shape: tuple[int, ...]
    trunk: Any
    head: Any
    sharing: str
    hidden: tuple[int, ...]
    activation: str
    dropout: float
    n_experts: int

    @property
    def n_inputs(self) -> int:
        """Number of values of a row."""
        return prod(self.shape)

    @property
    def has_layers(self) -> bool:
        """Whether the trunk has layers."""
        return self.trunk is not None or bool(self.hidden)

    @property
    def ties_heads(self) -> bool:
        """Whether `soft_penalty` ties the heads, as nothing is below them."""
        return self.sharing == "soft" and not self.has_layers

    def build(self) -> TaskNet:
        """Return the network with initial parameters."""
        trunk = TRUNKS[self.sharing](self)
        n_features = self._count_features(trunk)
        groups = group_heads(self.heads)
        heads: nn.Module
        if self.head is None:
            heads = Heads(groups, n_features)
        else:
            heads = ModuleHeads(self.head, self.tasks, groups, n_features)
        return TaskNet(trunk, heads, self.heads, self.shape)

    def networks(self, n_networks: int) -> Any:
        """Return networks of equal shapes, each a trunk."""
        if self.trunk is None:
            sizes = self.n_inputs, self.hidden
            return MLP(*sizes, self.activation, self.dropout, n_networks)
        return ModuleNetworks(self._make_trunk() for _ in range(n_networks))

    def _make_trunk(self) -> nn.Module:
        if isinstance(self.trunk, nn.Module):
            return copy.deepcopy(self.trunk)
        made = self.trunk(self.n_inputs)
        if not isinstance(made, nn.Module):
            raise ValueError(
                "trunk must be a module, or a function of the number of features that "
                f"returns a module, got one that returns {type(made).__name__}."
            )
        return made

    def _count_features(self, trunk: nn.Module) -> int:
        """Return the number of features that a trunk computes for two rows of zeros."""
        rows = torch.zeros(2, *self.shape)
        try:
            with torch.no_grad():
                found = trunk.to(rows.dtype).eval()(rows)
        except ValueError:
            raise
        except Exception as error:
            raise ValueError(
                f"trunk must map rows of shape {tuple(rows.shape)} to features, but it "
                f"raises {type(error).__name__}: {error} Check its first layer, or "
                "give the shape of a row as input_shape."
            ) from error
        trunk.train()
        return int(found.shape[-1])


def _hard(of: Architecture) -> nn.Module:
    network: nn.Module = of.networks(1)
    return network


def _independent(of: Architecture) -> nn.Module:
    networks = of.networks(len(of.tasks))
    networks.copy_first()
    found: nn.Module = networks
    return found


def _soft(of: Architecture) -> nn.Module:
    return SoftSharing(of.networks(len(of.tasks)))


def _mmoe(of: Architecture) -> nn.Module:
    if isinstance(of.trunk, nn.Module):
        raise ValueError(
            "sharing='mmoe' needs a trunk that is a function, so that experts start "
            f"different, got a module: {type(of.trunk).__name__}. Pass a function of "
            "the number of features that returns a module."
        )
    return MMoE(of.networks(of.n_experts), of.n_inputs, len(of.tasks))


def _cross_stitch(of: Architecture) -> nn.Module:
    sizes = of.n_inputs, of.hidden, len(of.tasks)
    return CrossStitch(*sizes, of.activation, of.dropout)


def _ple(of: Architecture) -> nn.Module:
    sizes = of.n_inputs, of.hidden, len(of.tasks)
    return PLE(*sizes, of.activation, of.dropout)


# Makes the trunk of each sharing.
TRUNKS: dict[str, Callable[[Architecture], nn.Module]] = {
    "hard": _hard,
    "soft": _soft,
    "cross_stitch": _cross_stitch,
    "mmoe": _mmoe,
    "ple": _ple,
    "independent": _independent,
}
# Sharings that build their own trunk.
OF_PERCEPTRONS = "cross_stitch", "ple"
# Sharings with layers that all tasks share.
WITH_SHARED_LAYERS = "hard", "cross_stitch", "mmoe", "ple"


def read_state(net: nn.Module) -> dict[str, Any]:
    """Return a copy of the parameters and buffers of a network by name.

    Parameters
    ----------
    net : nn.Module
        The network.

    Returns
    -------
    dict of ndarray
        The state.
    """
    state = net.state_dict()
    return {name: each.detach().cpu().numpy().copy() for name, each in state.items()}


def write_state(net: nn.Module, state: dict[str, Any]) -> None:
    """Give a network the parameters and buffers of a state.

    Parameters
    ----------
    net : nn.Module
        The network.
    state : dict of ndarray
        The state.
    """
    net.load_state_dict(
        {name: torch.from_numpy(np.array(each)) for name, each in state.items()}
    )
