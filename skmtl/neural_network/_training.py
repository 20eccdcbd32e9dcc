"""Train the parameters of a network: L-BFGS on all rows, Adam on batches of rows."""

import logging
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.exceptions import ConvergenceWarning

from skmtl._contracts import Array
from skmtl.solvers import Adam

from ._batches import Batch
from ._cells import Cells, Parts
from ._network import Network, Parameters, Strengths

_LOG = logging.getLogger("skmtl")
# L-BFGS evaluates the objective at most this many times per iteration on average.
_EVALUATIONS = 4
# L-BFGS stops at a gradient this small: its updates divide by differences of gradients.
_ZERO = 1e-12
# Status of SciPy's L-BFGS if it stops at the largest number of iterations.
_LIMIT = 1


@dataclass(frozen=True)
class Objective:
    """Losses of the training rows plus penalties, divided by the weight of the rows.

    Parameters
    ----------
    network : Network
        The network.
    cells : Cells
        Training rows.
    strengths : Strengths
        Strengths of the penalties, divided by the weight of the rows.
    """

    network: Network
    cells: Cells
    strengths: Strengths

    def evaluate(
        self,
        params: Parameters,
        gradient: Parameters,
        batch: tuple[Batch, Parts],
        factor: float = 1.0,
    ) -> float:
        """Return the objective of a batch, and write its gradient."""
        network = self.network
        gradient.vector[:] = 0.0
        value = network.objective(params.named, gradient.named, *batch, factor)
        return value + network.add_penalties(self.strengths, params, gradient)


@dataclass
class Progress:
    """Losses after each iteration, and when to stop.

    Parameters
    ----------
    validate : callable or None
        Returns the validation loss of parameters; None without early stopping.
    callback : callable or None
        Called with the iteration, the loss and the validation loss; stops if it
        returns True.
    patience : int
        Number of iterations in which the loss must fall by `tol`.
    tol : float
        Smallest decrease that counts.
    losses, validation_losses : list of float, default=[]
        The losses so far.
    best : ndarray or None, default=None
        Parameters with the lowest validation loss.
    """

    validate: Callable[[Array], float] | None
    callback: Callable[..., Any] | None
    patience: int
    tol: float
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    best: Array | None = None

    def add(self, loss: float, vector: Array) -> bool:
        """Record an iteration, and return whether the loss no longer falls."""
        self.losses.append(loss)
        watched = self.losses
        if self.validate is not None:
            watched = self.validation_losses
            watched.append(self.validate(vector))
            if watched[-1] <= min(watched):
                self.best = vector.copy()
        _LOG.info("iteration %d: loss %.6g", len(watched), watched[-1])
        before, last = watched[: -self.patience], watched[-self.patience :]
        return bool(before) and min(last) > min(before) - self.tol

    def end(
        self, vector: Array, converged: bool, state: Adam | None = None
    ) -> "Trained":
        """Return the result of a training that ends at given parameters."""
        best = vector if self.best is None else self.best
        return Trained(best, self.losses, self.validation_losses, converged, state)

    def is_interrupted(self) -> bool:
        """Call the callback, and return whether it stops the training."""
        if self.callback is None:
            return False
        watched = self.validation_losses[-1] if self.validation_losses else None
        return bool(self.callback(len(self.losses), self.losses[-1], watched))


@dataclass(frozen=True)
class Trained:
    """Trained parameters.

    Parameters
    ----------
    vector : ndarray of shape (n_parameters,)
        Parameters: with early stopping those with the lowest validation loss.
    losses, validation_losses : list of float
        The losses after each iteration.
    converged : bool
        Whether the training stopped before the largest number of iterations.
    state : Adam or None, default=None
        State of Adam, to continue from.
    """

    vector: Array
    losses: list[float]
    validation_losses: list[float]
    converged: bool
    state: Adam | None = None


class Trainer(ABC):
    """An algorithm that trains the parameters of a network."""

    name: ClassVar[str]

    @abstractmethod
    def train(
        self, objective: Objective, vector: Array, progress: Progress, rng: Any
    ) -> Trained:
        """Return trained parameters, from initial ones."""


@dataclass(frozen=True)
class LBFGS(Trainer):
    """SciPy's L-BFGS, on all rows.

    Parameters
    ----------
    max_iter : int
        Largest number of iterations.
    """

    max_iter: int
    name = "lbfgs"

    def train(
        self, objective: Objective, vector: Array, progress: Progress, rng: Any
    ) -> Trained:
        network, batch = objective.network, objective.cells.batch(None)
        dtype, gradient = vector.dtype, network.zeros(vector.dtype)

        def evaluate(x: Array) -> tuple[float, Array]:
            params = network.parameters(x.astype(dtype, copy=False))
            value = objective.evaluate(params, gradient, batch)
            return value, gradient.vector.astype(float)

        def watch(intermediate_result: OptimizeResult) -> None:
            found = intermediate_result.x.astype(dtype, copy=False)
            stops = progress.add(float(intermediate_result.fun), found)
            if progress.is_interrupted() or stops:
                raise StopIteration

        result = minimize(
            evaluate,
            vector.astype(float),
            jac=True,
            method="L-BFGS-B",
            callback=watch,
            options={
                "maxiter": self.max_iter,
                "maxfun": _EVALUATIONS * self.max_iter,
                "ftol": 0.0,
                "gtol": _ZERO,
            },
        )
        refuse_infinite(float(result.fun))
        if not progress.losses:  # the start is optimal
            progress.add(float(result.fun), vector)
        converged = result.status != _LIMIT
        return progress.end(result.x.astype(dtype), converged)


@dataclass(frozen=True)
class Stochastic(Trainer):
    """Adam on batches of rows.

    Parameters
    ----------
    learning_rate : float
        Size of a step.
    batch_size : int
        Number of rows of a batch.
    max_iter : int
        Number of passes over the rows.
    state : Adam or None, default=None
        State of earlier steps; None for none.
    """

    learning_rate: float
    batch_size: int
    max_iter: int
    state: Adam | None = None
    name = "adam"

    def train(
        self, objective: Objective, vector: Array, progress: Progress, rng: Any
    ) -> Trained:
        params = objective.network.parameters(vector.copy())
        adam = Adam.of(vector, self.learning_rate)
        if self.state is not None:
            adam = replace(self.state, learning_rate=self.learning_rate)
        stops = False
        while len(progress.losses) < self.max_iter and not stops:
            loss = self._pass(objective, params, adam, rng)
            refuse_infinite(loss)
            stops = progress.add(loss, params.vector) or progress.is_interrupted()
        return progress.end(params.vector, stops, adam)

    def _pass(
        self, objective: Objective, params: Parameters, adam: Adam, rng: Any
    ) -> float:
        """Step once per batch of rows; return the mean objective."""
        cells, total = objective.cells, 0.0
        gradient = objective.network.zeros(params.vector.dtype)
        order = rng.permutation(len(cells))
        for start in range(0, len(cells), self.batch_size):
            rows = order[start : start + self.batch_size]
            factor = len(cells) / len(rows)
            batch = cells.batch(rows)
            value = objective.evaluate(params, gradient, batch, factor)
            adam.step(params.vector, gradient.vector)
            total += value * len(rows)
        return total / len(cells)


def refuse_infinite(loss: float) -> None:
    """Raise an error if the training diverges."""
    if not np.isfinite(loss):
        raise ValueError(
            f"The training diverges: the loss must be finite, got {loss}. Scale the "
            "features, for example with make_task_pipeline(StandardScaler(), ...), or "
            "reduce learning_rate_init."
        )


def warn_of_iterations(trained: Trained, max_iter: int) -> None:
    """Warn that a training stopped at the largest number of iterations."""
    warnings.warn(
        f"The loss still falls after max_iter={max_iter} iterations: it is "
        f"{trained.losses[-1]:.6g}. Raise max_iter, or tol to stop earlier.",
        ConvergenceWarning,
        stacklevel=2,
    )
