"""The contract of sharings: which layers before the heads tasks have in common."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from skmtl._contracts import Array

from ._batches import Batch
from ._layers import Arrays, Layers

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Sizes:
    """Numbers that a sharing is made from.

    Parameters
    ----------
    n_tasks : int
        Number of tasks.
    n_inputs : int
        Number of features of X.
    hidden : tuple of int
        Number of units of each hidden layer.
    activation : str
        Name of the activation.
    n_experts : int
        Number of experts.
    encodes_tasks : bool
        Whether the labels of the tasks are inputs.
    """

    n_tasks: int
    n_inputs: int
    hidden: tuple[int, ...]
    activation: str
    n_experts: int = 1
    encodes_tasks: bool = False

    @property
    def layers(self) -> tuple[int, ...]:
        """Number of inputs, then of units of each hidden layer."""
        return self.n_inputs, *self.hidden

    @property
    def n_encoded(self) -> int:
        """Number of tasks whose labels are inputs."""
        return self.n_tasks if self.encodes_tasks else 0


class Sharing(ABC):
    """Layers that map inputs to the features of tasks."""

    # Layers with most of the parameters.
    layers: Layers

    @classmethod
    @abstractmethod
    def of(cls, sizes: Sizes) -> "Sharing":
        """Make the sharing for given sizes."""

    def weights(self) -> Shapes:
        """Return the shapes of the parameters that `alpha` penalises."""
        return self.layers.weights()

    def biases(self) -> Shapes:
        """Return the shapes of the other parameters."""
        return self.layers.biases()

    def tied(self) -> list[str]:
        """Return the names of parameters that `soft_penalty` ties across tasks."""
        return []

    @abstractmethod
    def start(self, params: Arrays, rng: Any) -> None:
        """Set the initial parameters; all others are zero."""

    @abstractmethod
    def forward(self, params: Arrays, batch: Batch) -> tuple[Any, Any]:
        """Return the features of tasks, and a tape for `backward`."""

    @abstractmethod
    def backward(
        self, params: Arrays, gradient: Arrays, batch: Batch, tape: Any, outputs: Array
    ) -> None:
        """Write the gradient of all parameters, given that in the features."""


def refuse_no_layers(sizes: Sizes, name: str) -> None:
    """Raise an error if a sharing that needs hidden layers has none."""
    if not sizes.hidden:
        raise ValueError(
            f"sharing={name!r} needs at least one hidden layer, got "
            "hidden_layer_sizes=(). Use 'hard' or 'soft' for linear models."
        )


def refuse_encoding(sizes: Sizes, name: str) -> None:
    """Raise an error if the labels of tasks are inputs of a task's own layers."""
    if sizes.encodes_tasks:
        raise ValueError(
            f"task_encoding=True needs layers that tasks share, got sharing={name!r}, "
            "where every task has biases of its own. Use task_encoding=False."
        )
