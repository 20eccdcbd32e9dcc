"""Base class of networks of tasks: fit, partial_fit, and predictions."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from skmtl._compat import fit_context
from skmtl._contracts import Array
from skmtl._linalg import calculation
from skmtl.data import find_tasks
from skmtl.solvers import Adam
from skmtl.targets import Sample, Target

from ._batches import AllTasks, Batch, OwnRows
from ._cells import Cells
from ._design import Encode, Observations, arrange_cells, encode
from ._heads import Head
from ._layers import PerTask
from ._network import Network, Strengths
from ._sharing import Sizes
from ._sharings import SHARINGS
from ._task_network import FittedHeads, TaskNetwork, read_sizes
from ._training import (
    LBFGS,
    Objective,
    Progress,
    Stochastic,
    Trained,
    Trainer,
    warn_of_iterations,
)

# Up to this many rows, L-BFGS takes less time than Adam and predicts as well:
# benchmarks/bench_neural.py --threshold.
_FEW_ROWS = 10_000
# Rows of a batch by default, as in scikit-learn.
_BATCH = 200
# Numbers per layer in a block of predictions for all tasks.
_BLOCK = 2**22


@dataclass(frozen=True)
class FittedNetwork(FittedHeads):
    """A trained network and its parameters.

    Parameters
    ----------
    network : Network
        The network.
    params : dict of ndarray
        Its parameters by name.
    places : ndarray of shape (n_tasks,), dtype intp
        Position in the network of each task.
    """

    network: Network
    params: dict[str, Array]
    places: Array

    @property
    def heads(self) -> Sequence[Head]:
        return self.network.heads

    def trunk(self, X: Any, codes: Array | None) -> Array:
        def run(batch: Batch) -> Array:
            found: Array = self.network.sharing.forward(self.params, batch)[0]
            return found

        if codes is None:
            return run(AllTasks(X))
        return self._by_codes(X, codes, run, lambda some: run(AllTasks(some)))

    def of_codes(self, X: Any, codes: Array, head: int = 0) -> Array:
        return self._by_codes(
            X,
            codes,
            lambda batch: self.network.raw(self.params, batch)[head],
            lambda some: self.of_all(some).mean(axis=1),
        )

    def _by_codes(
        self,
        X: Any,
        codes: Array,
        run: Callable[[Batch], Array],
        run_unseen: Callable[[Any], Array],
    ) -> Array:
        """Run rows of known tasks sorted by task, and rows of unseen tasks."""
        known, unseen = np.flatnonzero(codes >= 0), np.flatnonzero(codes < 0)
        places = self.places[codes[known]]
        order = np.argsort(places, kind="stable")
        rows = known[order]
        seen = run(OwnRows(X[rows], places[order]))
        found = np.empty((len(codes), *seen.shape[1:]), seen.dtype)
        found[rows] = seen
        if len(unseen):
            found[unseen] = run_unseen(X[unseen])
        return found

    def of_all(self, X: Any) -> Array:
        widest = max(self.network.sharing.layers.sizes)
        step = max(1, _BLOCK // (self.network.n_tasks * widest))
        blocks = [AllTasks(X[i : i + step]) for i in range(0, X.shape[0], step)]
        found = [self.network.raw(self.params, block)[0] for block in blocks]
        raw = np.concatenate([each.swapaxes(0, 1) for each in found])
        return raw[:, self.places]


def trains_by_batches(self: Any) -> bool:
    """Raise an error if the solver needs all rows."""
    if self.solver == "lbfgs":
        raise AttributeError(
            "partial_fit needs solver='adam' or 'auto', got 'lbfgs', which needs all "
            "rows."
        )
    return True


class NetworkModel(TaskNetwork):
    """Networks of tasks, trained by L-BFGS or Adam."""

    head_hidden_layer_sizes: Any
    task_encoding: bool
    weighting: str
    alpha: float
    soft_penalty: float
    head_penalty: float
    n_experts: int
    activation: str
    solver: str
    batch_size: Any
    learning_rate_init: float
    max_iter: int
    tol: float
    n_iter_no_change: int
    early_stopping: bool
    validation_fraction: float
    warm_start: bool
    random_state: Any
    callback: Callable[..., Any] | None
    # Fitted attributes.
    parameters_: dict[str, Array]
    loss_: float
    loss_curve_: list[float]
    _state: Adam | None
    _network: Network
    _places: Array
    _is_network = True

    @property
    def _shares_tasks(self) -> bool:  # type: ignore[override]
        return self.sharing != "independent"

    @abstractmethod
    def _target_of_later_batch(self) -> Target:
        """Return the kind of the targets of a batch after the first."""

    def _prepare_later_batch(
        self, target: Target, sample: Sample
    ) -> tuple[Any, Encode]:
        """Return the rows of a later batch, and a function for their targets."""
        rows, _, targets = target.prepare(sample, smooths=False)
        return rows, partial(encode, targets)

    def _learn(
        self,
        target: Target,
        sample: Sample,
        given: Mapping[str, Any],
        search: Any = None,
    ) -> Mapping[str, Any]:
        """Train a network, and return the fitted attributes by name."""
        network, places, cells, total = self._design(target, sample)
        rng = check_random_state(self.random_state)
        start = network.start(rng, cells.X.dtype).vector
        if self.warm_start and self._can_start(network, sample.rows.tasks):
            start = _join(self.parameters_, network).astype(start.dtype)
        trainer = self._trainer(cells)
        validate = None
        if self.early_stopping:
            cells, held = cells.split(self.validation_fraction, rng)
            validate = partial(_loss_of, network, held.batch(None))
        trained = self._train(network, cells, total, start, trainer, validate)
        if not trained.converged:
            warn_of_iterations(trained, self.max_iter)
        report = self._report(target, sample, network, trained, places)
        return {**report, "solver_": trainer.name}

    def _design(
        self, target: Target, sample: Sample
    ) -> tuple[Network, Array, Cells, float]:
        """Return the network, the places of tasks in it, the targets, their weight."""
        read = self._read_heads(target, sample)
        rows, seen, order, heads = read.rows, read.seen, read.order, read.heads
        self._check_encoding(rows.layout)
        shares = None
        if self.weighting == "uncertainty":
            shares = self._learnt_shares(seen, len(order))[order]
        network = self._build(len(order), rows.X.shape[1], heads, shares)
        cells = arrange_cells(rows.X, seen, order, heads, read.encode, read.is_shared)
        return network, np.argsort(order), cells, seen.total()

    def _learnt_shares(self, seen: Observations, n_tasks: int) -> Array:
        """Return the share of each task in the weight."""
        if self.solver == "lbfgs":
            raise ValueError(
                "weighting='uncertainty' needs solver='adam', got 'lbfgs', with which "
                "the weight of a task with few rows grows without bound as its "
                "training loss falls. Use solver='adam' or weighting='fixed'."
            )
        totals = np.bincount(seen.tasks, seen.weight, n_tasks)
        return totals / totals.sum()

    def _build(
        self, n_tasks: int, n_inputs: int, heads: Any, shares: Array | None
    ) -> Network:
        """Return the network that the parameters describe."""
        sizes = Sizes(
            n_tasks,
            n_inputs,
            read_sizes(self.hidden_layer_sizes, "hidden_layer_sizes"),
            self.activation,
            self.n_experts,
            self.task_encoding,
        )
        sharing = SHARINGS[self.sharing].of(sizes)
        own = read_sizes(self.head_hidden_layer_sizes, "head_hidden_layer_sizes")
        first = sizes.layers[-1]
        layers = PerTask("head_layer", n_tasks, (first, *own), self.activation)
        network = Network(sharing, layers, heads, shares)
        _refuse_unequal_heads(network, self.head_penalty)
        return network

    def _check_encoding(self, layout: str) -> None:
        if self.task_encoding and layout in ("outputs", "single"):
            raise ValueError(
                "task_encoding=True needs a task label for each row: a task_column or "
                "task=, got none. With a 2-d y, a row has no task of its own."
            )

    def _can_start(self, network: Network, labels: Array) -> bool:
        """Return whether the last parameters fit the network and the tasks."""
        if "_network" not in vars(self):
            return False
        same = self._network.shapes == network.shapes
        return same and np.array_equal(self.tasks_, labels)

    def _trainer(self, cells: Cells) -> Trainer:
        """Return the training algorithm."""
        is_small = len(cells) <= _FEW_ROWS and self.weighting == "fixed"
        if self.solver == "lbfgs" or (self.solver == "auto" and is_small):
            return LBFGS(self.max_iter)
        return self._stochastic(cells, self.max_iter)

    def _stochastic(
        self, cells: Cells, max_iter: int, state: Adam | None = None
    ) -> Stochastic:
        """Return Adam, from an earlier state if there is one."""
        size = _BATCH if self.batch_size == "auto" else self.batch_size
        size = min(size, len(cells))
        return Stochastic(self.learning_rate_init, size, max_iter, state)

    def _train(
        self,
        network: Network,
        cells: Cells,
        total: float,
        start: Array,
        trainer: Trainer,
        validate: Callable[[Array], float] | None = None,
    ) -> Trained:
        """Train parameters from a start."""
        strengths = Strengths(
            self.alpha / total, self.soft_penalty / total, self.head_penalty / total
        )
        progress = Progress(validate, self.callback, self.n_iter_no_change, self.tol)
        rng = check_random_state(self.random_state)
        objective = Objective(network, cells, strengths)
        return trainer.train(objective, start, progress, rng)

    def _report(
        self,
        target: Target,
        sample: Sample,
        network: Network,
        trained: Trained,
        places: Array,
    ) -> dict[str, Any]:
        """Return the fitted attributes of a training by name."""
        params = _split(network, trained.vector)
        learnt: dict[str, Any] = {
            "tasks_": sample.rows.tasks,
            "n_tasks_": len(sample.rows.tasks),
            "_places": places,
            **target.report_kind(sample),
            **self._report_training(network, params, places),
            "loss_": trained.losses[-1],
            "loss_curve_": trained.losses,
            "n_iter_": len(trained.losses),
            "_state": trained.state,
        }
        if trained.validation_losses:
            learnt["validation_loss_curve_"] = trained.validation_losses
        return learnt

    def _report_training(
        self, network: Network, params: dict[str, Array], places: Array
    ) -> dict[str, Any]:
        """Return the fitted attributes of parameters by name."""
        learnt: dict[str, Any] = {"parameters_": params, "_network": network}
        if "stitch" in params:
            learnt["cross_stitch_"] = params["stitch"][:, places][:, :, places]
        if "log_variance" in params:
            learnt["task_log_variances_"] = params["log_variance"][places]
        return learnt

    @available_if(trains_by_batches)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, task: Any = None
    ) -> Self:
        """Take one pass of Adam over a batch of rows.

        The first batch decides the tasks, their units and their classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features of the batch, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target of the batch.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `fit`.

        Returns
        -------
        self : object
            The model after the pass.
        """
        return self._pass(self._target(), X, y, sample_weight, task)

    def _pass(
        self, target: Target, X: Any, y: Any, sample_weight: Any, task: Any
    ) -> Self:
        """Take a pass over a batch; `target` reads the first one."""
        begun = "_network" in vars(self)
        target = self._target_of_later_batch() if begun else target
        given = {"sample_weight": sample_weight, "task": task, "reset": not begun}
        sample = target.read(self, X, y, task_weight=self.task_weight, **given)
        with calculation(_widest(self.hidden_layer_sizes)):
            if begun:
                return self._step(target, sample)
            return self._store(sample, self._first_pass(target, sample))

    def _first_pass(self, target: Target, sample: Sample) -> dict[str, Any]:
        """Return the fitted attributes after a pass over the first batch."""
        network, places, cells, total = self._design(target, sample)
        rng = check_random_state(self.random_state)
        start = network.start(rng, cells.X.dtype).vector
        trainer = self._stochastic(cells, max_iter=1)
        trained = self._train(network, cells, total, start, trainer)
        report = self._report(target, sample, network, trained, places)
        return {**report, "solver_": trainer.name}

    def _step(self, target: Target, sample: Sample) -> Self:
        """Take a pass over a later batch."""
        rows, encode = self._prepare_later_batch(target, sample)
        places = find_tasks(rows.tasks, self.tasks_)
        _refuse_new(rows.tasks[places < 0], self.tasks_)
        network, seen = self._network, Observations.of(rows, places)
        order, is_shared = np.argsort(self._places), rows.layout == "outputs"
        cells = arrange_cells(rows.X, seen, order, network.heads, encode, is_shared)
        start = _join(self.parameters_, network)
        state = None if self._state is None else self._state.copy()
        trainer = self._stochastic(cells, 1, state)
        trained = self._train(network, cells, seen.total(), start, trainer)
        losses = [*self.loss_curve_, *trained.losses]
        params = _split(network, trained.vector)
        report = self._report_training(network, params, self._places)
        for name, value in report.items():
            setattr(self, name, value)
        self.loss_, self.loss_curve_, self.n_iter_ = losses[-1], losses, len(losses)
        self._state = trained.state
        return self

    @property
    def _has_trunk(self) -> bool:
        return "trunk_bias_0" in self.parameters_

    def _fitted(self) -> FittedNetwork:
        return FittedNetwork(self._network, self.parameters_, self._places)


def _loss_of(network: Network, batch: Any, vector: Array) -> float:
    return network.loss(network.parameters(vector).named, *batch)


def _join(params: Mapping[str, Array], network: Network) -> Array:
    """Return parameters as a vector."""
    return np.concatenate([params[name].ravel() for name in network.shapes])


def _split(network: Network, vector: Array) -> dict[str, Array]:
    """Return copies of the parameters in a vector, by name."""
    named = network.parameters(vector).named
    return {name: each.copy() for name, each in named.items()}


def _refuse_unequal_heads(network: Network, head_penalty: float) -> None:
    """Raise an error if heads have different shapes but are tied."""
    ties = "head_weight" in network.sharing.tied()
    if (head_penalty or ties) and len({head.name for head in network.heads}) > 1:
        what, remedy = "head_penalty", "head_penalty=0"
        if ties:
            what, remedy = "sharing='soft' without hidden layers", "sharing='hard'"
        raise ValueError(
            f"{what} needs tasks with equally many raw predictions, got "
            f"{sorted({head.loss.n_outputs for head in network.heads})}. Use {remedy}."
        )


def _refuse_new(labels: Array, known: Array) -> None:
    """Raise an error if a later batch has tasks that the first lacked."""
    if len(labels):
        raise ValueError(
            f"The first batch decides the tasks: got rows of {labels[:5].tolist()}; "
            f"this model has {len(known)} tasks: {known[:5].tolist()}. Put a row of "
            "every task into the first batch, or add a new one with adapt."
        )


def _widest(sizes: Any) -> int:
    return int(np.max(sizes)) if np.size(sizes) else 1
