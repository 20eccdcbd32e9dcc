"""Output layers of tasks, in groups of equal losses."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ._losses import TaskGroup
from ._modules import StackedLinear, scatter


class Heads(nn.Module):
    """A linear output layer per task, computed together for each group of tasks.

    The layers of a group start from equal parameters.

    Parameters
    ----------
    groups : sequence of TaskGroup
        Groups of tasks.
    n_features : int
        Number of features of the trunk.
    """

    def __init__(self, groups: Sequence[TaskGroup], n_features: int) -> None:
        super().__init__()
        self.groups = groups
        self.layers = nn.ModuleList(
            StackedLinear(len(group.tasks), n_features, group.n_outputs)
            for group in groups
        )
        layer: Any
        for layer in self.layers:
            layer.repeat_first()

    def forward(self, features: Tensor) -> list[Tensor]:
        """Return the raw predictions of each group, (n_tasks, n_rows, n_outputs).

        Parameters
        ----------
        features : Tensor of shape (1 or n_tasks, n_rows, n_features)
            Features, of length one if all tasks share them.

        Returns
        -------
        list of Tensor
            Raw predictions, a tensor per group.
        """
        return [
            layer(_of_tasks(features, group.tasks))
            for layer, group in zip(self.layers, self.groups, strict=True)
        ]

    def penalty(self) -> Tensor:
        """Return ``sum_t ||v_t - mean||^2`` over the weights of equal heads."""
        weights: list[Tensor] = [layer.get_parameter("weight") for layer in self.layers]
        return scatter(torch.cat(weights))


class ModuleHeads(nn.Module):
    """Output layers that the user wrote, a module per task.

    Parameters
    ----------
    make : callable
        Called with a task's label, the number of features and the number of outputs;
        returns a module that maps (n_rows, n_features) to (n_rows, n_outputs).
    tasks : sequence
        Labels of the tasks.
    groups : sequence of TaskGroup
        Groups of tasks.
    n_features : int
        Number of features of the trunk.
    """

    def __init__(
        self,
        make: Callable[[Any, int, int], nn.Module],
        tasks: Sequence[Any],
        groups: Sequence[TaskGroup],
        n_features: int,
    ) -> None:
        super().__init__()
        self.labels, self.groups = tasks, groups
        n_outputs = {t: group.n_outputs for group in groups for t in group.tasks}
        self.heads = nn.ModuleList(
            make(task, n_features, n_outputs[t]) for t, task in enumerate(tasks)
        )

    def forward(self, features: Tensor) -> list[Tensor]:
        """Return the raw predictions of each group, (n_tasks, n_rows, n_outputs).

        Parameters
        ----------
        features : Tensor of shape (1 or n_tasks, n_rows, n_features)
            Features, of length one if all tasks share them.

        Returns
        -------
        list of Tensor
            Raw predictions, a tensor per group.
        """
        per_task = features.expand(len(self.heads), -1, -1)
        return [
            torch.stack([self._apply_head(t, per_task[t], group) for t in group.tasks])
            for group in self.groups
        ]

    def _apply_head(self, t: int, features: Tensor, group: TaskGroup) -> Tensor:
        found = self.heads[t](features)
        wanted = (len(features), group.n_outputs)
        if tuple(getattr(found, "shape", ())) != wanted:
            got = getattr(found, "shape", type(found).__name__)
            raise ValueError(
                f"head must return a tensor of shape {wanted} for {wanted[0]} rows of "
                f"task {self.labels[t]!r}, got {got}. Its last layer needs "
                f"{wanted[1]} outputs."
            )
        return found


def _of_tasks(features: Tensor, tasks: Sequence[int]) -> Tensor:
    """Return the features of some tasks, without a copy if all tasks are wanted."""
    if len(features) in (1, len(tasks)):
        return features
    return features[list(tasks)]
