"""Losses of tasks, equal to those of ``skmtl.losses``, in groups of equal kinds."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from skmtl.losses import contrasts


@dataclass(frozen=True)
class TaskGroup:
    """Tasks with the same kind of loss and the same number of outputs.

    Parameters
    ----------
    kind : {"squared", "logistic", "poisson", "multinomial"}
        Kind of loss.
    n_outputs : int
        Number of raw predictions of a row.
    tasks : tuple of int
        The tasks.
    """

    kind: str
    n_outputs: int
    tasks: tuple[int, ...]


def group_tasks(kinds: Sequence[str], n_outputs: Sequence[int]) -> list[TaskGroup]:
    """Group tasks by the kind of loss and the number of outputs.

    Parameters
    ----------
    kinds : sequence of str
        Kind of loss of each task.
    n_outputs : sequence of int
        Number of raw predictions of each task.

    Returns
    -------
    list of TaskGroup
        The groups, in the order of their first tasks.
    """
    found: dict[tuple[str, int], list[int]] = {}
    for t, key in enumerate(zip(kinds, n_outputs, strict=True)):
        found.setdefault(key, []).append(t)
    return [TaskGroup(*key, tuple(tasks)) for key, tasks in found.items()]


class TaskLosses(nn.Module):
    """Weighted sums of the losses of each task's rows.

    Parameters
    ----------
    groups : sequence of TaskGroup
        Groups of tasks.
    """

    places: Tensor

    def __init__(self, groups: Sequence[TaskGroup]) -> None:
        super().__init__()
        self.groups = groups
        tasks = torch.tensor([t for group in groups for t in group.tasks])
        self.register_buffer("places", tasks.argsort(), persistent=False)

    def forward(
        self, y: Sequence[Tensor], z: Sequence[Tensor], weight: Sequence[Tensor]
    ) -> Tensor:
        """Return the sum of ``weight * loss`` of each task, (n_tasks,).

        Parameters
        ----------
        y : sequence of Tensor
            Targets of each group, (n_tasks, n_rows, n_targets); any finite number
            where a target is missing.
        z : sequence of Tensor
            Raw predictions of each group, (n_tasks, n_rows, n_outputs).
        weight : sequence of Tensor
            Weights of each group, (n_tasks, n_rows); zero where a target is missing.

        Returns
        -------
        Tensor of shape (n_tasks,)
            The sums.
        """
        sums = map(_sum_losses, self.groups, y, z, weight)
        return torch.cat(list(sums))[self.places]

    def lowest(self, y: Sequence[Tensor], weight: Sequence[Tensor]) -> Tensor:
        """Return the infimum of `forward` over raw predictions.

        A loss of counts may be negative. Weightings that need positive losses take the
        difference from this bound, which is half the deviance.

        Parameters
        ----------
        y : sequence of Tensor
            Targets of each group, (n_tasks, n_rows, n_targets).
        weight : sequence of Tensor
            Weights of each group, (n_tasks, n_rows).

        Returns
        -------
        Tensor of shape (n_tasks,)
            The bounds.
        """
        sums = [
            (each_weight * LOWEST[group.kind](each_y)).sum(-1)
            for group, each_y, each_weight in zip(self.groups, y, weight, strict=True)
        ]
        return torch.cat(sums)[self.places]


def _sum_losses(group: TaskGroup, y: Tensor, z: Tensor, weight: Tensor) -> Tensor:
    # A loss that overflows at a missing target would make the gradient NaN.
    z = z.masked_fill((weight == 0)[..., None], 0.0)
    return (weight * LOSSES[group.kind](y, z)).sum(-1)


def _squared(y: Tensor, z: Tensor) -> Tensor:
    return ((y - z).square() / 2).squeeze(-1)


def _logistic(y: Tensor, z: Tensor) -> Tensor:
    # If y is 0 or 1, one term is zero and the other loses no digits.
    logs = y * functional.logsigmoid(z) + (1 - y) * functional.logsigmoid(-z)
    return -logs.squeeze(-1)


def _poisson(y: Tensor, z: Tensor) -> Tensor:
    return (z.exp() - y * z).squeeze(-1)


def _multinomial(y: Tensor, z: Tensor) -> Tensor:
    basis = torch.as_tensor(contrasts(y.shape[-1]), dtype=z.dtype, device=z.device)
    scores = (z @ basis.T).masked_fill(y.isnan(), -torch.inf)
    y = y.nan_to_num()
    return -torch.where(y > 0, y * scores.log_softmax(-1), 0.0).sum(-1)


def _zero(y: Tensor) -> Tensor:
    return torch.zeros_like(y[..., 0])


def _entropy_of_two(y: Tensor) -> Tensor:
    return -(torch.xlogy(y, y) + torch.xlogy(1 - y, 1 - y)).squeeze(-1)


def _lowest_poisson(y: Tensor) -> Tensor:
    return (y - torch.xlogy(y, y)).squeeze(-1)


def _entropy(y: Tensor) -> Tensor:
    y = y.nan_to_num()
    return -torch.xlogy(y, y).sum(-1)


# Loss of each row, from targets (..., n_targets) and raw predictions (..., n_outputs).
LOSSES = {
    "squared": _squared,
    "logistic": _logistic,
    "poisson": _poisson,
    "multinomial": _multinomial,
}
# Infimum of the loss of each row over raw predictions, from targets.
LOWEST = {
    "squared": _zero,
    "logistic": _entropy_of_two,
    "poisson": _lowest_poisson,
    "multinomial": _entropy,
}
