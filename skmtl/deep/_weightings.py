"""Weightings: one loss of all tasks from the losses of tasks."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Weighting(nn.Module, ABC):
    """Combine the losses of tasks, perhaps with parameters that are learnt.

    Parameters of this module are minimised together with those of the network.
    """

    # Whether losses must not be negative.
    needs_positive = True
    # Whether all tasks must have rows in every batch.
    needs_every_task = False

    @abstractmethod
    def forward(self, losses: Tensor) -> Tensor:
        """Return the total loss.

        Parameters
        ----------
        losses : Tensor of shape (n_tasks,)
            Losses of tasks, with their weights; zero for a task without rows.

        Returns
        -------
        Tensor of shape ()
            The total.
        """

    def update(self, losses: Tensor, shared: Any) -> None:
        """Adapt the weights before a step.

        Parameters
        ----------
        losses : Tensor of shape (n_tasks,)
            Losses of tasks, with their graph.
        shared : Tensor or None
            Weight of the last shared layer; None without shared layers.
        """
        return

    def report(self) -> dict[str, Tensor]:
        """Return what was learnt of each task, by fitted attribute."""
        return {}


class Fixed(Weighting):
    """The sum of the losses."""

    needs_positive = False

    def forward(self, losses: Tensor) -> Tensor:
        return losses.sum()


class Custom(Weighting):
    """A function of the losses that the user wrote.

    Parameters
    ----------
    function : callable
        Maps losses (n_tasks,) to their total, such as a scalarizer of torchjd.
    """

    needs_every_task = True

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, losses: Tensor) -> Tensor:
        return self.function(losses)


class Uncertainty(Weighting):
    """Weights by the noise of tasks: ``sum_t exp(-s_t) L_t + a_t s_t / 2``.

    The log-variances ``s_t`` are learnt. Losses must not be negative, else they have
    no minimum.

    Parameters
    ----------
    task_weight : Tensor of shape (n_tasks,)
        Weights ``a_t`` that the losses ``L_t`` contain.

    Attributes
    ----------
    log_variance : Parameter of shape (n_tasks,)
        The log-variances.

    References
    ----------
    Kendall, A., Gal, Y. and Cipolla, R. (2018). Multi-task learning using uncertainty
    to weigh losses for scene geometry and semantics. CVPR.
    :doi:`10.1109/CVPR.2018.00781`
    """

    task_weight: Tensor

    def __init__(self, task_weight: Tensor) -> None:
        super().__init__()
        self.register_buffer("task_weight", task_weight)
        self.log_variance = nn.Parameter(torch.zeros_like(task_weight))

    def forward(self, losses: Tensor) -> Tensor:
        s = self.log_variance
        return (torch.exp(-s) * losses + self.task_weight * s / 2).sum()

    def report(self) -> dict[str, Tensor]:
        return {"task_log_variances_": self.log_variance}


class GradNorm(Weighting):
    """Weights that balance the norms of the gradients of tasks by their progress.

    Each step moves the weighted norms ``G_t`` towards ``mean(G) (r_t / mean(r))^c``,
    where ``r_t`` is the loss of task t divided by its first loss. Losses must not be
    negative.

    Parameters
    ----------
    n_tasks : int
        Number of tasks.
    asymmetry : float, default=1.5
        The exponent ``c``. A large one favours tasks that learn slowly.
    step : float, default=0.025
        Size of the steps of the logarithms of the weights.

    Attributes
    ----------
    log_weight : Tensor of shape (n_tasks,)
        Logarithms of the weights, up to a constant.

    References
    ----------
    Chen, Z., Badrinarayanan, V., Lee, C.-Y. and Rabinovich, A. (2018). GradNorm:
    Gradient normalization for adaptive loss balancing in deep multitask networks.
    ICML. :doi:`10.48550/arXiv.1711.02257`
    """

    log_weight: Tensor
    first: Tensor

    def __init__(
        self, n_tasks: int, asymmetry: float = 1.5, step: float = 0.025
    ) -> None:
        super().__init__()
        self.asymmetry, self.step = asymmetry, step
        self.register_buffer("log_weight", torch.zeros(n_tasks))
        self.register_buffer("first", torch.full((n_tasks,), torch.nan))

    def weights(self) -> Tensor:
        """Return the weights of tasks, which sum to n_tasks."""
        return len(self.log_weight) * self.log_weight.softmax(0)

    def forward(self, losses: Tensor) -> Tensor:
        return self.weights() @ losses

    def update(self, losses: Tensor, shared: Any) -> None:
        norms = gradient_norms(losses, shared)
        losses = losses.detach()
        # Tasks without rows in the batch have no gradient.
        known = (norms > 0) & (losses > 0)
        if not known.any():
            return
        self.first = torch.where(known & self.first.isnan(), losses, self.first)
        rates = (losses / self.first)[known]
        self.log_weight = self.log_weight - self.step * self._slope(norms, rates, known)

    def _slope(self, norms: Tensor, rates: Tensor, known: Tensor) -> Tensor:
        """Return the derivative of ``sum_t |G_t - target_t|``, targets held fixed."""
        start = self.log_weight.clone().requires_grad_()
        weighted = (len(start) * start.softmax(0) * norms)[known]
        pace = (rates / rates.mean()) ** self.asymmetry
        distance = (weighted - weighted.mean().detach() * pace).abs().sum()
        (slope,) = torch.autograd.grad(distance, start)
        return slope


def gradient_norms(losses: Tensor, shared: Tensor) -> Tensor:
    """Return the norm of the gradient of each loss with respect to a parameter.

    Parameters
    ----------
    losses : Tensor of shape (n_tasks,)
        Losses, with their graph, which is kept.
    shared : Tensor
        The parameter.

    Returns
    -------
    Tensor of shape (n_tasks,)
        The norms.
    """
    gradients = [
        torch.autograd.grad(loss, shared, retain_graph=True, materialize_grads=True)
        for loss in losses
    ]
    return torch.stack([gradient.norm() for (gradient,) in gradients])
