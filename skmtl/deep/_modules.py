"""Trunks: networks that compute features of tasks from rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

# Named as in scikit-learn.
ACTIVATIONS = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "identity": torch.positive,
}


class Trunk(nn.Module, ABC):
    """The part of a network below the output layers."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """Return the features of tasks.

        Parameters
        ----------
        x : Tensor of shape (n_rows, ...)
            Rows.

        Returns
        -------
        Tensor of shape (1, n_rows, n_features_out) or (n_tasks, n_rows, n_features_out)
            The features; of length one if all tasks share them.
        """

    def penalty(self) -> Tensor:
        """Return the penalty on differences between tasks, at strength one."""
        return torch.zeros(())


class Networks(Trunk):
    """Separate networks of equal shapes, applied to the same rows.

    One network is hard sharing: all tasks share its features. One network per task is
    independent tasks.
    """

    n_networks: int

    @abstractmethod
    def stacked_parameters(self) -> Iterator[Tensor]:
        """Yield each parameter of all networks, (n_networks, ...)."""

    @abstractmethod
    def copy_first(self) -> None:
        """Give all networks the parameters of the first."""


class StackedLinear(nn.Module):
    """Linear layers of several networks, in one product of stacked matrices.

    The initial parameters have scikit-learn's distribution, which is Glorot's.

    Parameters
    ----------
    n_networks : int
        Number of networks.
    n_inputs : int
        Number of inputs of each.
    n_outputs : int
        Number of outputs of each.
    gain : float, default=6.0
        Factor of the variance of the initial parameters.
    """

    def __init__(
        self, n_networks: int, n_inputs: int, n_outputs: int, gain: float = 6.0
    ) -> None:
        super().__init__()
        bound = (gain / (n_inputs + n_outputs)) ** 0.5
        weight = torch.empty(n_networks, n_outputs, n_inputs)
        bias = torch.empty(n_networks, 1, n_outputs)
        self.weight = nn.Parameter(weight.uniform_(-bound, bound))
        self.bias = nn.Parameter(bias.uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Map (n_networks, n_rows, n_inputs) to (n_networks, n_rows, n_outputs).

        An input of length one on the first axis is used by all networks.
        """
        return x @ self.weight.mT + self.bias

    def repeat_first(self, n_first: int = 1) -> None:
        """Repeat the parameters of the first networks in all others."""
        with torch.no_grad():
            for each in self.parameters():
                n_times = len(each) // n_first
                each.copy_(each[:n_first].repeat(n_times, 1, 1))


def _make_gates(n_gates: int, n_inputs: int, n_experts: int) -> StackedLinear:
    """Return gates that give all experts equal shares at first."""
    gates = StackedLinear(n_gates, n_inputs, n_experts)
    with torch.no_grad():
        for each in gates.parameters():
            each.zero_()
    return gates


class Dense(nn.Module):
    """Linear layers of several networks, with an activation and dropout."""

    def __init__(
        self,
        n_networks: int,
        n_inputs: int,
        n_outputs: int,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        gain = 2.0 if activation == "logistic" else 6.0
        self.linear = StackedLinear(n_networks, n_inputs, n_outputs, gain)
        self.activation = activation
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return self.dropout(ACTIVATIONS[self.activation](self.linear(x)))


class MLP(Networks):
    """Multilayer perceptrons, computed together.

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_layer_sizes : sequence of int
        Number of units of each layer.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of each layer.
    dropout : float, default=0.0
        Fraction of the units that are zero in a training step.
    n_networks : int, default=1
        Number of networks.
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        activation: str = "relu",
        dropout: float = 0.0,
        n_networks: int = 1,
    ) -> None:
        super().__init__()
        self.n_networks = n_networks
        self.layers = nn.Sequential(
            *(
                Dense(n_networks, n_inputs, n_outputs, activation, dropout)
                for n_inputs, n_outputs in pairwise([n_features, *hidden_layer_sizes])
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x.flatten(1)[None])

    def stacked_parameters(self) -> Iterator[Tensor]:
        return self.parameters()

    def copy_first(self) -> None:
        layer: Any
        for layer in self.layers:
            layer.linear.repeat_first()


class ModuleNetworks(Networks):
    """Networks that the user wrote, one module each.

    Parameters
    ----------
    modules : iterable of nn.Module
        Modules of equal shapes that map (n_rows, ...) to (n_rows, n_features_out).
    """

    def __init__(self, modules: Iterable[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(modules)
        self.n_networks = len(self.networks)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([_features(network(x), len(x)) for network in self.networks])

    def stacked_parameters(self) -> Iterator[Tensor]:
        parameters = zip(*(each.parameters() for each in self.networks), strict=True)
        return map(torch.stack, parameters)

    def copy_first(self) -> None:
        state = self.networks[0].state_dict()
        for each in self.networks[1:]:
            each.load_state_dict(state)


def _features(found: Tensor, n_rows: int) -> Tensor:
    """Return the output of a user's trunk if it has one row of features per row."""
    shape = tuple(getattr(found, "shape", ()))
    if len(shape) != 2 or shape[0] != n_rows:
        got = shape if isinstance(found, Tensor) else type(found).__name__
        raise ValueError(
            f"trunk must return a tensor of shape ({n_rows}, n_features_out) for "
            f"{n_rows} rows, got {got}. End it with nn.Flatten(), for example."
        )
    return found


class SoftSharing(Trunk):
    """A network per task, with a penalty on differences between their parameters.

    The networks start from equal parameters.

    Parameters
    ----------
    networks : Networks
        A network per task.

    References
    ----------
    Evgeniou, T. and Pontil, M. (2004). Regularized multi-task learning. KDD.
    :doi:`10.1145/1014052.1014067`
    """

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        networks.copy_first()
        self.networks = networks

    def forward(self, x: Tensor) -> Tensor:
        return self.networks(x)

    def penalty(self) -> Tensor:
        """Return ``sum_t ||theta_t - mean||^2`` over the networks' parameters."""
        parts = [scatter(each) for each in self.networks.stacked_parameters()]
        return sum(parts, super().penalty())


def scatter(stacked: Tensor) -> Tensor:
    """Return the sum of squared distances from the mean along the first axis."""
    return (stacked - stacked.mean(0)).square().sum()


class MMoE(Trunk):
    """Experts that all tasks share, mixed by a softmax gate per task.

    Parameters
    ----------
    experts : Networks
        The experts.
    n_inputs : int
        Number of values of a row, the inputs of the gates.
    n_tasks : int
        Number of tasks.

    References
    ----------
    Ma, J., Zhao, Z., Yi, X., Chen, J., Hong, L. and Chi, E. H. (2018). Modeling task
    relationships in multi-task learning with multi-gate mixture-of-experts. KDD.
    :doi:`10.1145/3219819.3220007`
    """

    def __init__(self, experts: Networks, n_inputs: int, n_tasks: int) -> None:
        super().__init__()
        self.experts = experts
        self.gates = _make_gates(n_tasks, n_inputs, experts.n_networks)

    def forward(self, x: Tensor) -> Tensor:
        return _mix(self.gates(x.flatten(1)[None]), self.experts(x))


class CrossStitch(Trunk):
    """A perceptron per task; each layer's outputs are mixed linearly between tasks.

    The perceptrons start from equal parameters.

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_layer_sizes : sequence of int
        Number of units of each layer.
    n_tasks : int
        Number of tasks.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of each layer.
    dropout : float, default=0.0
        Fraction of the units that are zero in a training step.

    Attributes
    ----------
    stitch : Parameter of shape (n_layers, n_tasks, n_tasks)
        Share of the outputs of each task (last axis) in the features of each task.

    References
    ----------
    Misra, I., Shrivastava, A., Gupta, A. and Hebert, M. (2016). Cross-stitch networks
    for multi-task learning. CVPR. :doi:`10.1109/CVPR.2016.433`
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        n_tasks: int,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            Dense(n_tasks, n_inputs, n_outputs, activation, dropout)
            for n_inputs, n_outputs in pairwise([n_features, *hidden_layer_sizes])
        )
        layer: Any
        for layer in self.layers:
            layer.linear.repeat_first()
        start = _initial_stitch(n_tasks).repeat(len(self.layers), 1, 1)
        self.stitch = nn.Parameter(start)

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)[None]
        for layer, stitch in zip(self.layers, self.stitch, strict=True):
            x = torch.tensordot(stitch, layer(x), 1)
        return x


def _initial_stitch(n_tasks: int) -> Tensor:
    """Return nine tenths of the own outputs, and equal shares of the others."""
    if n_tasks == 1:
        return torch.ones(1, 1)
    return torch.full((n_tasks, n_tasks), 0.1 / (n_tasks - 1)).fill_diagonal_(0.9)


class PLE(Trunk):
    """Progressive layered extraction: shared and own experts in every layer.

    Parameters
    ----------
    n_features : int
        Number of features.
    hidden_layer_sizes : sequence of int
        Number of units of each expert of a layer.
    n_tasks : int
        Number of tasks.
    activation : {"relu", "tanh", "logistic", "identity"}, default="relu"
        Activation of each layer.
    dropout : float, default=0.0
        Fraction of the units that are zero in a training step.
    n_shared : int, default=2
        Number of shared experts of a layer.
    n_own : int, default=1
        Number of experts of each task in a layer.

    References
    ----------
    Tang, H., Liu, J., Zhao, M. and Gong, X. (2020). Progressive layered extraction
    (PLE): A novel multi-task learning (MTL) model for personalized recommendations.
    RecSys. :doi:`10.1145/3383313.3412236`
    """

    def __init__(
        self,
        n_features: int,
        hidden_layer_sizes: Sequence[int],
        n_tasks: int,
        activation: str = "relu",
        dropout: float = 0.0,
        n_shared: int = 2,
        n_own: int = 1,
    ) -> None:
        super().__init__()
        sizes = [n_features, *hidden_layer_sizes]
        self.layers = nn.ModuleList(
            _Extraction(
                n_inputs, n_outputs, n_tasks, activation, dropout, n_shared, n_own
            )
            for n_inputs, n_outputs in pairwise(sizes)
        )
        # The last layer has no successor that needs shared features.
        self.shared_gates = nn.ModuleList(
            _make_gates(1, n_inputs, n_shared + n_tasks * n_own)
            for n_inputs in sizes[:-2]
        )

    def forward(self, x: Tensor) -> Tensor:
        own = shared = x.flatten(1)[None]
        *inner, last = self.layers
        for layer, gate in zip(inner, self.shared_gates, strict=True):
            own, experts = layer(own, shared)
            shared = _mix(gate(shared), experts)
        return last(own, shared)[0]


class _Extraction(nn.Module):
    """One layer of progressive layered extraction."""

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        n_tasks: int,
        activation: str,
        dropout: float,
        n_shared: int,
        n_own: int,
    ) -> None:
        super().__init__()
        self.n_tasks, self.n_shared, self.n_own = n_tasks, n_shared, n_own
        self.shared = Dense(n_shared, n_inputs, n_outputs, activation, dropout)
        self.own = Dense(n_tasks * n_own, n_inputs, n_outputs, activation, dropout)
        if n_own:
            self.own.linear.repeat_first(n_own)
        self.gates = _make_gates(n_tasks, n_inputs, n_shared + n_own)

    def forward(self, own: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features of tasks, and the outputs of all experts."""
        per_task = own.expand(self.n_tasks, -1, -1)
        of_all = self.shared(shared)
        of_tasks = self.own(per_task.repeat_interleave(self.n_own, dim=0))
        shares = self.gates(own).softmax(-1)
        features = torch.einsum("tie,eih->tih", shares[..., : self.n_shared], of_all)
        features = features + torch.einsum(
            "tie,teih->tih",
            shares[..., self.n_shared :],
            of_tasks.unflatten(0, (self.n_tasks, self.n_own)),
        )
        return features, torch.cat([of_all, of_tasks])


def _mix(scores: Tensor, experts: Tensor) -> Tensor:
    """Average the experts' outputs, with weights from the scores of the gates."""
    return torch.einsum("tie,eih->tih", scores.softmax(-1), experts)
