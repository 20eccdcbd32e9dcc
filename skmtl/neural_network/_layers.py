"""Dense layers: copies of them on all rows, or one per task on its rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from skmtl._contracts import Array

from ._batches import AllTasks, Batch

Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class Activation:
    """An elementwise function that overwrites its argument.

    Parameters
    ----------
    value : callable
        Computes the function in place.
    pull : callable
        Multiplies a gradient in place by the derivative, given the function's values.
    gain : float
        Square of the bound of uniform initial weights, times the sum of the numbers of
        inputs and outputs.
    """

    value: Callable[[Array], Array]
    pull: Callable[[Array, Array], Array]
    gain: float = 6.0


ACTIVATIONS = {
    "identity": Activation(lambda z: z, lambda a, d: d),
    "logistic": Activation(
        lambda z: expit(z, out=z), lambda a, d: np.multiply(d, a * (1 - a), out=d), 2.0
    ),
    "relu": Activation(
        lambda z: np.maximum(z, 0, out=z), lambda a, d: np.multiply(d, a > 0, out=d)
    ),
    "tanh": Activation(
        lambda z: np.tanh(z, out=z), lambda a, d: np.multiply(d, 1 - a * a, out=d)
    ),
}


@dataclass(frozen=True)
class Layers:
    """Consecutive dense layers.

    Parameters
    ----------
    name : str
        Prefix of the names of their parameters.
    n_copies : int
        Number of copies of the layers.
    sizes : tuple of int
        Number of inputs, then number of units of each layer.
    activation : str
        Name of the activation.
    """

    name: str
    n_copies: int
    sizes: tuple[int, ...]
    activation: str

    def __len__(self) -> int:
        return len(self.sizes) - 1

    @property
    def n_features(self) -> int:
        """Number of outputs of the last layer."""
        return self.sizes[-1]

    @property
    def act(self) -> Activation:
        """The activation."""
        return ACTIVATIONS[self.activation]

    def weights(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the weights by name."""
        pairs = zip(self.sizes, self.sizes[1:], strict=False)
        return {
            f"{self.name}_weight_{number}": (self.n_copies, n_out, n_in)
            for number, (n_in, n_out) in enumerate(pairs)
        }

    def biases(self) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the biases by name."""
        return {
            f"{self.name}_bias_{number}": (self.n_copies, size)
            for number, size in enumerate(self.sizes[1:])
        }

    def names(self) -> list[str]:
        """Return the names of all parameters."""
        return [*self.weights(), *self.biases()]

    def pair(self, values: Arrays, number: int) -> tuple[Array, Array]:
        """Return the weight and the bias of a layer."""
        name = self.name
        return values[f"{name}_weight_{number}"], values[f"{name}_bias_{number}"]

    def start(self, params: Arrays, rng: Any, different: bool) -> None:
        """Draw initial weights; copies are equal unless `different`."""
        for name in self.weights():
            draw_weights(params[name], rng, self.act.gain, different)

    def linear(self, params: Arrays, batch: Batch, features: Any, number: int) -> Array:
        """Return the outputs of one layer before the activation."""
        weight, bias = self.pair(params, number)
        outputs = batch.apply(weight, features)
        outputs += batch.spread(bias)
        return outputs

    def linear_gradient(
        self, gradient: Arrays, batch: Batch, features: Any, outputs: Array, number: int
    ) -> None:
        """Write the gradient of one layer, given that before the activation."""
        of_weight, of_bias = self.pair(gradient, number)
        of_weight[:] = batch.weight_gradient(outputs, features, self.n_copies)
        of_bias[:] = batch.sums(outputs, self.n_copies)

    def input_gradient(
        self, params: Arrays, batch: Batch, features: Any, outputs: Array, number: int
    ) -> Array:
        """Return the gradient in the inputs of one layer."""
        weight, _ = self.pair(params, number)
        return batch.feature_gradient(weight, outputs, features.ndim == 2)


def draw_weights(weight: Array, rng: Any, gain: float, different: bool) -> None:
    """Draw uniform initial weights of copies of a layer."""
    bound = np.sqrt(gain / sum(weight.shape[1:]))
    shape = weight.shape if different else (1, *weight.shape[1:])
    weight[:] = rng.uniform(-bound, bound, shape)


@dataclass(frozen=True)
class Copies(Layers):
    """Copies of layers on all rows: one trunk, several experts, or towers.

    Features have the shape (n_copies, n_rows, n_features).

    Parameters
    ----------
    n_encoded : int, default=0
        Number of tasks whose labels are additional inputs, one-hot encoded; 0 for none.
    """

    n_encoded: int = 0

    def weights(self) -> dict[str, tuple[int, ...]]:
        shapes = super().weights()
        if self.n_encoded and len(self):
            shape = self.n_copies, self.n_encoded, self.sizes[1]
            shapes[f"{self.name}_encoding"] = shape
        return shapes

    def start(self, params: Arrays, rng: Any, different: bool) -> None:
        for name in super().weights():
            draw_weights(params[name], rng, self.act.gain, different)

    def layer(self, params: Arrays, batch: Batch, features: Any, number: int) -> Array:
        """Return the outputs of one layer, (n_copies, n_rows, n_units)."""
        outputs = self.linear(params, AllTasks(batch.X), features, number)
        if number == 0 and self.n_encoded:
            outputs += batch.encoded(params[f"{self.name}_encoding"])
        return self.act.value(outputs)

    def layer_gradient(
        self,
        params: Arrays,
        gradient: Arrays,
        batch: Batch,
        tape: tuple[Any, Array],
        outputs: Array,
        number: int,
    ) -> Array | None:
        """Write the gradient of one layer, and return that in its inputs.

        The tape has the inputs and the outputs of the layer. The gradient in the inputs
        of the network is not needed.
        """
        features, values = tape
        every = AllTasks(batch.X)  # copies are computed on all rows, as tasks may be
        outputs = self.act.pull(values, outputs)
        self.linear_gradient(gradient, every, features, outputs, number)
        if number:
            return self.input_gradient(params, every, features, outputs, number)
        if self.n_encoded:
            for copy, part in zip(
                gradient[f"{self.name}_encoding"], outputs, strict=True
            ):
                copy[:] = batch.sums(part, self.n_encoded)
        return None

    def forward(self, params: Arrays, batch: Batch) -> tuple[Array, list[Any]]:
        """Return the features of all copies, and a tape for `backward`."""
        features, tape = batch.X, []
        for number in range(len(self)):
            outputs = self.layer(params, batch, features, number)
            tape.append((features, outputs))
            features = outputs
        return features, tape

    def backward(
        self, params: Arrays, gradient: Arrays, batch: Batch, tape: Any, outputs: Array
    ) -> None:
        """Write the gradient of all layers, given that in the features."""
        found: Any = outputs
        for number in reversed(range(len(self))):
            found = self.layer_gradient(
                params, gradient, batch, tape[number], found, number
            )


@dataclass(frozen=True)
class PerTask(Layers):
    """Layers per task, on the rows of the task; copies are tasks."""

    def forward(
        self, params: Arrays, batch: Batch, features: Any
    ) -> tuple[Any, list[Any]]:
        """Return the features of tasks, and a tape for `backward`."""
        tape = []
        for number in range(len(self)):
            outputs = self.act.value(self.linear(params, batch, features, number))
            tape.append((features, outputs))
            features = outputs
        return features, tape

    def backward(
        self,
        params: Arrays,
        gradient: Arrays,
        batch: Batch,
        tape: Any,
        outputs: Array,
        to_inputs: bool = True,
    ) -> Any:
        """Write the gradient of all layers; return that in the inputs, if requested."""
        for number in reversed(range(len(self))):
            features, values = tape[number]
            outputs = self.act.pull(values, outputs)
            self.linear_gradient(gradient, batch, features, outputs, number)
            if number or to_inputs:
                outputs = self.input_gradient(params, batch, features, outputs, number)
        return outputs
