"""Hard sharing: one trunk for all tasks."""

from dataclasses import dataclass
from typing import Any, Self

from skmtl._contracts import Array

from ._batches import Batch
from ._layers import Arrays, Copies
from ._sharing import Sharing, Sizes


@dataclass(frozen=True)
class HardSharing(Sharing):
    """One trunk for all tasks, and a head per task.

    Parameters
    ----------
    layers : Copies
        The trunk.
    """

    layers: Copies

    @classmethod
    def of(cls, sizes: Sizes) -> Self:
        trunk = Copies("trunk", 1, sizes.layers, sizes.activation, sizes.n_encoded)
        return cls(trunk)

    def start(self, params: Arrays, rng: Any) -> None:
        self.layers.start(params, rng, different=False)

    def forward(self, params: Arrays, batch: Batch) -> tuple[Any, Any]:
        features, tape = self.layers.forward(params, batch)
        return (features[0] if len(self.layers) else features), tape

    def backward(
        self, params: Arrays, gradient: Arrays, batch: Batch, tape: Any, outputs: Array
    ) -> None:
        self.layers.backward(params, gradient, batch, tape, outputs[None])
