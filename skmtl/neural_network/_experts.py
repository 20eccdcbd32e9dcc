"""Mixture of experts: trunks that each task mixes with its own gate."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import softmax

from skmtl._contracts import Array

from ._batches import Batch
from ._layers import Arrays, Copies
from ._sharing import Shapes, Sharing, Sizes, refuse_no_layers


@dataclass(frozen=True)
class MixtureOfExperts(Sharing):
    """Experts for all tasks, mixed for each task and row by a gate.

    Parameters
    ----------
    layers : Copies
        The experts.
    n_tasks : int
        Number of tasks.
    """

    layers: Copies
    n_tasks: int

    @classmethod
    def of(cls, sizes: Sizes) -> Self:
        refuse_no_layers(sizes, "mmoe")
        n_experts, n_encoded = sizes.n_experts, sizes.n_encoded
        experts = "expert", n_experts, sizes.layers, sizes.activation, n_encoded
        return cls(Copies(*experts), sizes.n_tasks)

    def weights(self) -> Shapes:
        shape = self.n_tasks, self.layers.n_copies, self.layers.sizes[0]
        return {**super().weights(), "gate_weight": shape}

    def biases(self) -> Shapes:
        shape = self.n_tasks, self.layers.n_copies
        return {**super().biases(), "gate_bias": shape}

    def start(self, params: Arrays, rng: Any) -> None:
        # Gates start at zero, so that tasks mix all experts equally.
        self.layers.start(params, rng, different=True)

    def forward(self, params: Arrays, batch: Batch) -> tuple[Any, Any]:
        experts, tape = self.layers.forward(params, batch)
        logits = batch.apply(params["gate_weight"], batch.X)
        shares = softmax(logits + batch.spread(params["gate_bias"]), axis=-1)
        return batch.mix(shares, experts), (experts, tape, shares)

    def backward(
        self, params: Arrays, gradient: Arrays, batch: Batch, tape: Any, outputs: Array
    ) -> None:
        experts, layers, shares = tape
        of_shares, of_experts = batch.mix_gradient(shares, experts, outputs)
        mean = (shares * of_shares).sum(axis=-1, keepdims=True)
        logits = shares * (of_shares - mean)
        gradient["gate_weight"][:] = batch.weight_gradient(
            logits, batch.X, self.n_tasks
        )
        gradient["gate_bias"][:] = batch.sums(logits, self.n_tasks)
        experts = np.ascontiguousarray(of_experts)
        self.layers.backward(params, gradient, batch, layers, experts)
