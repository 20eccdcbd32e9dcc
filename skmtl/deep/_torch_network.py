"""Base class of networks of tasks in PyTorch: fit, fit_loaders, and predictions."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, Self

import numpy as np
import torch
from sklearn.utils import check_random_state

from skmtl._compat import fit_context
from skmtl._contracts import Array
from skmtl._linalg import calculation
from skmtl.neural_network import (
    AllTasks,
    FittedHeads,
    Head,
    Progress,
    Reading,
    TaskNetwork,
    Trained,
    arrange_cells,
    read_sizes,
    warn_of_iterations,
)
from skmtl.targets import Sample, Target, float_type

from ._aggregators import AGGREGATORS
from ._feeds import (
    BATCHINGS,
    BLOCK,
    CellFeed,
    Feed,
    FirstPass,
    LoaderFeed,
    Place,
    alternate,
    make_codings,
    one_after_another,
    read_loaders,
)
from ._task_net import (
    OF_PERCEPTRONS,
    WITH_SHARED_LAYERS,
    Architecture,
    TaskNet,
    read_state,
    write_state,
)
from ._training import (
    Aggregated,
    Descent,
    Penalties,
    Trainer,
    WeightedSum,
    evaluate,
    seeded,
)
from ._weightings import Custom, Fixed, GradNorm, Uncertainty

# Rows of a batch by default, as in scikit-learn.
_BATCH = 200
# Momentum of the gradient descent "sgd", as in scikit-learn.
_MOMENTUM = 0.9
# Seed of the parameters of a rebuilt network, which its state replaces.
_ANY = 0
_LARGEST_SEED = np.iinfo(np.int32).max


@dataclass(frozen=True)
class FittedNet(FittedHeads):
    """A trained network, which is rebuilt from its description and its state.

    Parameters
    ----------
    architecture : Architecture
        Description of the network.
    state : dict of ndarray
        Its parameters and buffers by name.
    places : ndarray of shape (n_tasks,), dtype intp
        Position in the network of each task.
    device : torch.device
        Where predictions are computed.
    """

    architecture: Architecture
    state: dict[str, Array]
    places: Array
    device: Any

    @property
    def heads(self) -> Sequence[Head]:
        return self.architecture.heads

    def trunk(self, X: Any, codes: Array | None) -> Array:
        return np.concatenate(self._by_blocks(X, lambda net, x: net.features(x)[0]))

    def of_codes(self, X: Any, codes: Array, head: int = 0) -> Array:
        raw = self._of_head(X, head)
        unseen = codes < 0
        first = self.heads[head].tasks.start
        places = np.where(unseen, 0, self.places[codes] - first)
        found: Array = raw[places, np.arange(len(codes))]
        if unseen.any():
            found[unseen] = raw[:, unseen].mean(axis=0)
        return found

    def of_all(self, X: Any) -> Array:
        return self._of_head(X, 0).swapaxes(0, 1)[:, self.places]

    def _of_head(self, X: Any, head: int) -> Array:
        """Return raw predictions of rows by all tasks of a head."""
        blocks = self._by_blocks(X, lambda net, x: net(x)[head])
        z = np.concatenate(blocks, axis=1)
        return self.heads[head].restore(AllTasks(X), z)

    def _by_blocks(self, X: Any, run: Callable[[TaskNet, Any], Any]) -> list[Array]:
        floats = (each.dtype for each in self.state.values() if each.dtype.kind == "f")
        dtype = np.result_type(X.dtype, *floats)
        place = Place(self.device, _tensor_type(dtype))
        with seeded(_ANY, self.device):
            net = self.architecture.build()
        net.to(self.device, place.dtype).eval()
        write_state(net, self.state)
        with torch.no_grad():
            return [
                run(net, place.tensor(X[i : i + BLOCK])).cpu().numpy()
                for i in range(0, max(X.shape[0], 1), BLOCK)
            ]


def _tensor_type(dtype: Any) -> Any:
    return torch.float32 if dtype == np.float32 else torch.float64


class TorchNetwork(TaskNetwork):
    """Networks of tasks, trained by an optimiser of PyTorch."""

    trunk: Any
    activation: str
    dropout: float
    input_shape: Any
    head: Any
    alpha: float
    soft_penalty: float
    head_penalty: float
    penalty: Callable[..., Any] | None
    n_experts: int
    weighting: Any
    aggregator: Any
    batching: str
    optimizer: Any
    lr_scheduler: Callable[..., Any] | None
    device: str
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
    state_: dict[str, Array]
    loss_curve_: list[float]
    _architecture: Architecture
    _places: Array

    @property
    def _has_trunk(self) -> bool:
        return self._architecture.sharing == "hard" and self._architecture.has_layers

    def _fitted(self) -> FittedNet:
        device = _find_device(self.device)
        return FittedNet(self._architecture, self.state_, self._places, device)

    def _learn(
        self,
        target: Target,
        sample: Sample,
        given: Mapping[str, Any],
        search: Any = None,
    ) -> Mapping[str, Any]:
        """Train a network, and return the fitted attributes by name."""
        self._refuse_partial_batches(self.batching)
        read = self._read_heads(target, sample)
        X = read.rows.X
        architecture = self._describe(read, self._read_shape(X.shape[1]))
        rng = check_random_state(self.random_state)
        seed = rng.randint(_LARGEST_SEED)
        cells = arrange_cells(
            X, read.seen, read.order, read.heads, read.encode, read.is_shared
        )
        held = None
        if self.early_stopping:
            cells, held = cells.split(self.validation_fraction, rng)
        place = Place(_find_device(self.device), _tensor_type(float_type(X)))
        size = _BATCH if self.batch_size == "auto" else self.batch_size
        plan = read.heads, place, size, BATCHINGS[self.batching]
        watched = None if held is None else CellFeed(held, *plan)
        feed = CellFeed(cells, *plan)
        learnt = self._train(architecture, read, feed, place, rng, seed, watched)
        return {**learnt, **self._report_tasks(target, sample)}

    @fit_context(prefer_skip_nested_validation=True)
    def fit_loaders(self, loaders: Mapping[Any, Any]) -> Self:
        """Fit all tasks from one loader each, for data that do not fit into memory.

        The loaders are read once for the targets, which decide units and classes and
        must fit into memory, and then once per pass. A batch has rows of one task; a
        pass alternates over the loaders in proportion to their lengths, unless
        ``batching="sequential"``.

        Parameters
        ----------
        loaders : mapping
            For each task label a DataLoader, or another iterable that can be read
            several times. It yields pairs of rows (n_rows, ...) and targets (n_rows,).
            Rows of all loaders have one shape, `input_shape` if it is given.

        Returns
        -------
        self : object
            The fitted model. Methods that predict take rows of shape (n_samples,
            n_features) and `task`; reshape images by
            ``images.reshape(len(images), -1)``.
        """
        self._refuse_loaders()
        rng = check_random_state(self.random_state)
        seed = rng.randint(_LARGEST_SEED)
        device = _find_device(self.device)
        with seeded(seed, device):
            first = read_loaders(loaders)
        target = self._target()
        sample = _read_targets(self, target, first)
        with calculation(1):
            read = self._read_heads(target, sample)
            architecture = self._describe(read, self._check_shape(first.shape))
            place = Place(device, _tensor_type(first.dtype))
            feed = self._feed(loaders, first, read, place)
            learnt = self._train(architecture, read, feed, place, rng, seed)
        self._store(sample, {**learnt, **self._report_tasks(target, sample)})
        self.n_features_in_ = prod(first.shape)
        return self

    def _refuse_loaders(self) -> None:
        """Raise an error if a parameter does not fit loaders."""
        self._refuse_partial_batches("alternating")
        if self.task_column is not None:
            raise ValueError(
                "fit_loaders takes the tasks from the keys of loaders, so it needs "
                f"task_column=None, got {self.task_column!r}."
            )
        if self.early_stopping:
            raise ValueError(
                "early_stopping=True needs rows in memory, got loaders. Use fit, or a "
                "callback that returns True."
            )

    def _feed(
        self, loaders: Mapping[Any, Any], first: FirstPass, read: Reading, place: Place
    ) -> LoaderFeed:
        """Return the batches of loaders, in the order of the heads."""
        labels = read.rows.tasks[read.order].tolist()
        is_sequential = self.batching == "sequential"
        return LoaderFeed(
            [loaders[label] for label in labels],
            make_codings(read, first.values),
            [len(first.values[label]) for label in labels],
            [first.n_batches[label] for label in labels],
            read.heads,
            place,
            one_after_another if is_sequential else alternate,
        )

    def _describe(self, read: Reading, shape: tuple[int, ...]) -> Architecture:
        """Return the description of the network."""
        hidden = read_sizes(self.hidden_layer_sizes, "hidden_layer_sizes")
        _refuse_own_trunk(self.sharing, self.trunk)
        if self.sharing not in ("hard", "soft", "independent") and not (
            hidden or self.trunk is not None
        ):
            raise ValueError(
                f"sharing={self.sharing!r} needs at least one hidden layer, got "
                "hidden_layer_sizes=(). Use 'hard' or 'soft' for linear models."
            )
        architecture = Architecture(
            read.rows.tasks[read.order].tolist(),
            read.heads,
            shape,
            self.trunk,
            self.head,
            self.sharing,
            () if self.trunk is not None else hidden,
            self.activation,
            self.dropout,
            self.n_experts,
        )
        _refuse_ties(architecture, self.head_penalty)
        self._refuse_no_shared_layers(architecture)
        return architecture

    def _read_shape(self, n_features: int) -> tuple[int, ...]:
        """Return the shape of a row of X."""
        if self.input_shape is None:
            return (n_features,)
        shape = read_sizes(self.input_shape, "input_shape")
        if prod(shape) != n_features:
            raise ValueError(
                f"input_shape={shape} needs rows of {prod(shape)} features, got X with "
                f"{n_features} features besides the task. Flatten images to rows of "
                "pixels, as in images.reshape(len(images), -1)."
            )
        return shape

    def _check_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of a row of a loader."""
        if self.input_shape is None:
            return shape
        wanted = read_sizes(self.input_shape, "input_shape")
        if wanted != shape:
            raise ValueError(
                f"input_shape={wanted} must be the shape of the loaders' rows, got "
                f"{shape}. Leave it out."
            )
        return shape

    def _refuse_partial_batches(self, batching: str) -> None:
        """Raise an error if batches lack tasks whose losses are compared."""
        if batching == "joint":
            return
        weighting = self.weighting if isinstance(self.weighting, str) else "a function"
        compares = weighting not in ("fixed", "uncertainty")
        if self.aggregator is None and not compares:
            return
        name = f"weighting={self.weighting!r}" if compares else "aggregator"
        raise ValueError(
            f"{name} compares tasks in each batch, so it needs fit with "
            f"batching='joint', got batches of one task ({batching})."
        )

    def _refuse_no_shared_layers(self, architecture: Architecture) -> None:
        """Raise an error if gradients in shared layers are needed, and none exist."""
        if self.aggregator is not None and self.weighting != "fixed":
            raise ValueError(
                "aggregator combines gradients without weights, so it needs "
                f"weighting='fixed', got {self.weighting!r}."
            )
        needs = "aggregator" if self.aggregator is not None else "weighting='gradnorm'"
        is_needed = self.aggregator is not None or (
            isinstance(self.weighting, str) and self.weighting == "gradnorm"
        )
        shares = architecture.sharing in WITH_SHARED_LAYERS and architecture.has_layers
        if is_needed and not shares:
            raise ValueError(
                f"{needs} needs layers that tasks share: sharing one of "
                f"{list(WITH_SHARED_LAYERS)} with hidden layers, got "
                f"sharing={self.sharing!r}."
            )

    def _train(
        self,
        architecture: Architecture,
        read: Reading,
        feed: Feed,
        place: Place,
        rng: Any,
        seed: int,
        held: CellFeed | None = None,
    ) -> dict[str, Any]:
        """Train a network, and return its fitted attributes by name."""
        with seeded(seed, place.device):
            net = architecture.build()
            net.to(place.device, place.dtype)
            if self.warm_start and self._can_start(net, architecture):
                write_state(net, self.state_)
            descent = self._make_descent(read, place)
            validate = None if held is None else partial(_evaluate, net, held)
            patience, tol = self.n_iter_no_change, self.tol
            progress = Progress(validate, self.callback, patience, tol)
            penalties = self._make_penalties(architecture, read.seen.total())
            trainer = self._make_trainer()
            trained = trainer.train(net, feed, descent, penalties, progress, rng)
        if not trained.converged:
            warn_of_iterations(trained, self.max_iter)
        places = np.argsort(read.order)
        learnt = {"_architecture": architecture, "_places": places}
        return {**learnt, **_report(trained, places, descent)}

    def _can_start(self, net: TaskNet, architecture: Architecture) -> bool:
        """Return whether the last parameters fit the network and the tasks."""
        if "_architecture" not in vars(self):
            return False
        shapes = {name: each.shape for name, each in read_state(net).items()}
        same = shapes == {name: each.shape for name, each in self.state_.items()}
        return same and self._architecture.tasks == architecture.tasks

    def _make_penalties(self, architecture: Architecture, total: float) -> Penalties:
        soft = self.soft_penalty if self.sharing == "soft" else 0.0
        head = self.head_penalty + (soft if architecture.ties_heads else 0.0)
        soft = 0.0 if architecture.ties_heads else soft
        return Penalties(self.alpha, soft, head, self.penalty, total)

    def _make_descent(self, read: Reading, place: Place) -> Descent:
        if self.aggregator is not None:
            named = isinstance(self.aggregator, str)
            return Aggregated(
                AGGREGATORS[self.aggregator] if named else self.aggregator
            )
        labels = read.rows.tasks[read.order].tolist()
        totals = np.bincount(read.seen.tasks, read.seen.weight, len(labels))
        shares = torch.tensor(totals[read.order] / totals.sum())
        if isinstance(self.weighting, str):
            weighting = WEIGHTINGS[self.weighting](shares)
        else:
            weighting = Custom(copy.deepcopy(self.weighting))
        return WeightedSum(weighting.to(place.device, place.dtype), labels)

    def _make_trainer(self) -> Trainer:
        make = self.optimizer
        if isinstance(make, str):
            make = partial(OPTIMIZERS[make], self.learning_rate_init)
        return Trainer(make, self.lr_scheduler, self.max_iter)

    def _report_tasks(self, target: Target, sample: Sample) -> dict[str, Any]:
        labels = sample.rows.tasks
        return {
            "tasks_": labels,
            "n_tasks_": len(labels),
            **target.report_kind(sample),
        }


def _make_adam(rate: float, parameters: Any) -> Any:
    return torch.optim.Adam(parameters, lr=rate)


def _make_sgd(rate: float, parameters: Any) -> Any:
    return torch.optim.SGD(parameters, lr=rate, momentum=_MOMENTUM)


OPTIMIZERS = {"adam": _make_adam, "sgd": _make_sgd}
# Makes each weighting from the share of each task in the weight.
WEIGHTINGS: dict[str, Callable[[Any], Any]] = {
    "fixed": lambda shares: Fixed(),
    "uncertainty": Uncertainty,
    "gradnorm": lambda shares: GradNorm(len(shares)),
}


def _find_device(name: str) -> Any:
    """Return the device; "auto" is CUDA if there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def _evaluate(net: TaskNet, held: CellFeed, state: Any) -> float:
    return evaluate(net, held)


def _report(trained: Trained, places: Array, descent: Descent) -> dict[str, Any]:
    """Return the fitted attributes of a training by name."""
    state: Any = trained.vector
    learnt: dict[str, Any] = {
        "state_": state,
        "loss_": trained.losses[-1],
        "loss_curve_": trained.losses,
        "n_iter_": len(trained.losses),
    }
    if trained.validation_losses:
        learnt["validation_loss_curve_"] = trained.validation_losses
    if "trunk.stitch" in state:
        learnt["cross_stitch_"] = state["trunk.stitch"][:, places][:, :, places]
    return {**learnt, **descent.report(places)}


def _read_targets(model: TorchNetwork, target: Target, first: FirstPass) -> Sample:
    """Read the targets of loaders as those of rows without features."""
    values = list(first.values.values())
    if len({each.dtype.kind for each in values}) > 1:
        values = [each.astype(object) for each in values]
    y = np.concatenate(values)
    task = np.repeat(list(first.values), list(map(len, first.values.values())))
    X = np.zeros((len(y), 1), first.dtype)
    return target.read(model, X, y, task=task, task_weight=model.task_weight)


def _refuse_own_trunk(sharing: str, trunk: Any) -> None:
    """Raise an error if a sharing that builds its own trunk is given one."""
    if trunk is not None and sharing in OF_PERCEPTRONS:
        raise ValueError(
            f"sharing={sharing!r} builds its own layers, so it needs trunk=None, got "
            "one. Use hidden_layer_sizes, or 'hard', 'soft', 'mmoe' or 'independent'."
        )


def _refuse_ties(architecture: Architecture, head_penalty: float) -> None:
    """Raise an error if heads are tied that cannot be."""
    if not (head_penalty or architecture.ties_heads):
        return
    what = "head_penalty" if head_penalty else "soft_penalty without hidden layers"
    if architecture.head is not None:
        raise ValueError(
            f"{what} needs linear heads with weights to tie: head=None, got a function."
        )
    n_outputs = {head.loss.n_outputs for head in architecture.heads}
    if len(n_outputs) > 1:
        raise ValueError(
            f"{what} needs tasks with equally many raw predictions, got "
            f"{sorted(n_outputs)}. Use head_penalty=0."
        )
