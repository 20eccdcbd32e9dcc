"""Soft sharing and independent networks: a tower per task."""

from dataclasses import dataclass
from typing import Any, Self

from skmtl._contracts import Array

from ._batches import Batch
from ._layers import Arrays, PerTask
from ._sharing import Sharing, Sizes, refuse_encoding


@dataclass(frozen=True)
class IndependentTowers(Sharing):
    """A network per task, and nothing shared: the baseline.

    Parameters
    ----------
    layers : PerTask
        The towers.
    """

    layers: PerTask

    @classmethod
    def of(cls, sizes: Sizes) -> Self:
        refuse_encoding(sizes, "soft" if cls is SoftSharing else "independent")
        return cls(PerTask("tower", sizes.n_tasks, sizes.layers, sizes.activation))

    def start(self, params: Arrays, rng: Any) -> None:
        self.layers.start(params, rng, different=False)

    def forward(self, params: Arrays, batch: Batch) -> tuple[Any, Any]:
        return self.layers.forward(params, batch, batch.X)

    def backward(
        self, params: Arrays, gradient: Arrays, batch: Batch, tape: Any, outputs: Array
    ) -> None:
        self.layers.backward(params, gradient, batch, tape, outputs, to_inputs=False)


@dataclass(frozen=True)
class SoftSharing(IndependentTowers):
    """A tower per task, near the mean of all towers."""

    def tied(self) -> list[str]:
        # A network without hidden layers is its output layer; its biases are free.
        return self.layers.names() if len(self.layers) else ["head_weight"]
