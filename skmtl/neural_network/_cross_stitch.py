"""Cross-stitch networks: towers that exchange features after each layer."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from skmtl._contracts import Array

from ._batches import Batch
from ._layers import Arrays, Copies
from ._sharing import Shapes, Sharing, Sizes, refuse_no_layers

# Initial weight of a task's own features; the others share the rest.
_OWN = 0.9


@dataclass(frozen=True)
class CrossStitch(Sharing):
    """A tower per task, with features mixed across towers after each layer.

    Parameters
    ----------
    layers : Copies
        The towers.
    """

    layers: Copies

    @classmethod
    def of(cls, sizes: Sizes) -> Self:
        refuse_no_layers(sizes, "cross_stitch")
        n_tasks = sizes.n_tasks
        activation, n_encoded = sizes.activation, sizes.n_encoded
        return cls(Copies("tower", n_tasks, sizes.layers, activation, n_encoded))

    def biases(self) -> Shapes:
        n_tasks = self.layers.n_copies
        shape = len(self.layers), n_tasks, n_tasks
        return {**super().biases(), "stitch": shape}

    def start(self, params: Arrays, rng: Any) -> None:
        self.layers.start(params, rng, different=False)
        n_tasks = self.layers.n_copies
        others = (1 - _OWN) / max(n_tasks - 1, 1)
        own = _OWN if n_tasks > 1 else 1.0
        params["stitch"][:] = np.where(np.eye(n_tasks, dtype=bool), own, others)

    def forward(self, params: Arrays, batch: Batch) -> tuple[Any, Any]:
        features: Any = batch.X
        tape = []
        for number, stitch in enumerate(params["stitch"]):
            outputs = self.layers.layer(params, batch, features, number)
            tape.append((features, outputs))
            features = np.tensordot(stitch, outputs, 1)
        return batch.choose(features), tape

    def backward(
        self, params: Arrays, gradient: Arrays, batch: Batch, tape: Any, outputs: Array
    ) -> None:
        found: Any = batch.stack(outputs, self.layers.n_copies)
        for number in reversed(range(len(self.layers))):
            values, stitch = tape[number][1], params["stitch"][number]
            axes = [1, 2], [1, 2]
            gradient["stitch"][number] = np.tensordot(found, values, axes)
            found = np.tensordot(stitch.T, found, 1)
            found = self.layers.layer_gradient(
                params, gradient, batch, tape[number], found, number
            )
