"""Multi-layer perceptrons of several tasks: numbers, classes, and both together."""

from collections.abc import Callable, Mapping
from functools import partial
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmtl._compat import Interval, StrOptions
from skmtl._contracts import Array, Loss
from skmtl.base import (
    CLASS_CONSTRAINTS,
    COMMON_CONSTRAINTS,
    NONNEGATIVE,
    POSITIVE,
    TaskClassifier,
    TaskMixedModel,
    TaskRegressor,
)
from skmtl.losses import contrasts
from skmtl.targets import (
    ClassTarget,
    ClassTargets,
    CountTarget,
    NumericTarget,
    PerTaskTarget,
    Sample,
    Target,
    predict_finite,
)

from ._design import Encode, encode
from ._layers import ACTIVATIONS
from ._network_model import NetworkModel
from ._sharings import SHARINGS

_COUNT = [Interval(Integral, 1, None, closed="left")]
NETWORK_CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", *_COUNT],
    "head_hidden_layer_sizes": ["array-like", *_COUNT],
    "sharing": [StrOptions(set(SHARINGS))],
    "task_column": COMMON_CONSTRAINTS["task_column"],
    "task_weight": COMMON_CONSTRAINTS["task_weight"],
    "task_encoding": ["boolean"],
    "weighting": [StrOptions({"fixed", "uncertainty"})],
    "alpha": NONNEGATIVE,
    "soft_penalty": NONNEGATIVE,
    "head_penalty": NONNEGATIVE,
    "n_experts": _COUNT,
    "activation": [StrOptions(set(ACTIVATIONS))],
    "solver": [StrOptions({"auto", "lbfgs", "adam"})],
    "batch_size": [StrOptions({"auto"}), *_COUNT],
    "learning_rate_init": POSITIVE,
    "max_iter": _COUNT,
    "tol": NONNEGATIVE,
    "n_iter_no_change": _COUNT,
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "warm_start": ["boolean"],
    "random_state": ["random_state"],
    "callback": [callable, None],
}


class MultiTaskMLPRegressor(NetworkModel, TaskRegressor):
    """A neural network for several regression tasks."""

    _parameter_constraints = {
        **NETWORK_CONSTRAINTS,
        "handle_unknown": COMMON_CONSTRAINTS["handle_unknown"],
        "loss": [StrOptions({"squared", "poisson"})],
        "normalize_y": ["boolean"],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | ArrayLike = (100,),
        *,
        head_hidden_layer_sizes: int | ArrayLike = (),
        sharing: str = "hard",
        loss: str = "squared",
        alpha: float = 1.0,
        soft_penalty: float = 1.0,
        head_penalty: float = 0.0,
        n_experts: int = 4,
        activation: str = "relu",
        task_column: str | int | list[Any] | None = None,
        task_encoding: bool = False,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        weighting: str = "fixed",
        normalize_y: bool = True,
        solver: str = "auto",
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        random_state: Any = None,
        callback: Callable[..., Any] | None = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.head_hidden_layer_sizes = head_hidden_layer_sizes
        self.sharing = sharing
        self.loss = loss
        self.alpha = alpha
        self.soft_penalty = soft_penalty
        self.head_penalty = head_penalty
        self.n_experts = n_experts
        self.activation = activation
        self.task_column = task_column
        self.task_encoding = task_encoding
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.weighting = weighting
        self.normalize_y = normalize_y
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state
        self.callback = callback

    @property
    def _has_units(self) -> bool:
        return self.normalize_y

    def _target(self) -> Target:
        return NumericTarget() if self.loss == "squared" else CountTarget()

    def _target_of_later_batch(self) -> Target:
        counts = CountTarget(may_be_zero=True)
        return NumericTarget() if self.loss == "squared" else counts

    def _raw(self, X: Any, codes: Array | None) -> Array:
        fitted = self._fitted()
        if codes is not None:
            return fitted.of_codes(X, codes)[:, 0]
        raw = fitted.of_all(X)[:, :, 0]
        return raw[:, 0] if self._layout == "single" else raw

    def _predictions(self, X: Any, codes: Array | None) -> Array:
        loss = self._network.heads[0].loss
        return loss.mean(self._raw(X, codes))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags


class MultiTaskMLPClassifier(NetworkModel, TaskClassifier):
    """A neural network for several classification tasks."""

    _has_units = False
    _parameter_constraints = {
        **NETWORK_CONSTRAINTS,
        **CLASS_CONSTRAINTS,
        "handle_unknown": COMMON_CONSTRAINTS["handle_unknown"],
    }

    def __init__(
        self,
        hidden_layer_sizes: int | ArrayLike = (100,),
        *,
        head_hidden_layer_sizes: int | ArrayLike = (),
        sharing: str = "hard",
        alpha: float = 1.0,
        soft_penalty: float = 1.0,
        head_penalty: float = 0.0,
        n_experts: int = 4,
        activation: str = "relu",
        class_scope: str = "all",
        class_weight: str | Mapping[Any, float] | None = None,
        task_column: str | int | list[Any] | None = None,
        task_encoding: bool = False,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        weighting: str = "fixed",
        solver: str = "auto",
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        random_state: Any = None,
        callback: Callable[..., Any] | None = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.head_hidden_layer_sizes = head_hidden_layer_sizes
        self.sharing = sharing
        self.alpha = alpha
        self.soft_penalty = soft_penalty
        self.head_penalty = head_penalty
        self.n_experts = n_experts
        self.activation = activation
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.task_column = task_column
        self.task_encoding = task_encoding
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.weighting = weighting
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state
        self.callback = callback

    def _target_of_later_batch(self) -> Target:
        classes = [0, 1] if self._layout == "outputs" else self.classes_
        return ClassTarget(self.class_scope, self.class_weight, known=classes)

    def _prepare_later_batch(
        self, target: Target, sample: Sample
    ) -> tuple[Any, Encode]:
        n_classes = len(sample.known_classes)
        allowed = self.task_classes_ if self.class_scope == "task" else None
        allowed = allowed if n_classes > 2 else None
        shares = np.full(n_classes, 1 / n_classes)
        targets = ClassTargets(shares, np.zeros(self.n_tasks_), allowed)
        return sample.rows, partial(encode, targets)

    def _raw(self, X: Any, codes: Array | None) -> Array:
        fitted = self._fitted()
        if codes is None and self._layout == "outputs":
            return fitted.of_all(X)[:, :, 0]
        codes = np.zeros(X.shape[0], dtype=np.intp) if codes is None else codes
        raw = fitted.of_codes(X, codes)
        return raw[:, 0] if raw.shape[1] == 1 else raw @ contrasts(raw.shape[1] + 1).T


class MultiTaskMLP(NetworkModel, TaskMixedModel):
    """A neural network for tasks of numbers, counts and classes together."""

    _parameter_constraints = {
        **NETWORK_CONSTRAINTS,
        "losses": [StrOptions({"auto"}), Mapping],
        "normalize_y": ["boolean"],
    }

    def __init__(
        self,
        losses: str | Mapping[Any, str] = "auto",
        hidden_layer_sizes: int | ArrayLike = (100,),
        *,
        head_hidden_layer_sizes: int | ArrayLike = (),
        sharing: str = "hard",
        alpha: float = 1.0,
        soft_penalty: float = 1.0,
        head_penalty: float = 0.0,
        n_experts: int = 4,
        activation: str = "relu",
        task_column: str | int | list[Any] | None = None,
        task_encoding: bool = False,
        task_weight: str | Mapping[Any, float] | None = None,
        weighting: str = "fixed",
        normalize_y: bool = True,
        solver: str = "auto",
        batch_size: int | str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int = 200,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        random_state: Any = None,
        callback: Callable[..., Any] | None = None,
    ):
        self.losses = losses
        self.hidden_layer_sizes = hidden_layer_sizes
        self.head_hidden_layer_sizes = head_hidden_layer_sizes
        self.sharing = sharing
        self.alpha = alpha
        self.soft_penalty = soft_penalty
        self.head_penalty = head_penalty
        self.n_experts = n_experts
        self.activation = activation
        self.task_column = task_column
        self.task_encoding = task_encoding
        self.task_weight = task_weight
        self.weighting = weighting
        self.normalize_y = normalize_y
        self.solver = solver
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.random_state = random_state
        self.callback = callback

    @property
    def _has_units(self) -> bool:
        return self.normalize_y

    def _target_of_later_batch(self) -> Target:
        return PerTaskTarget(self.losses, known=self._kinds)

    def _prepare(
        self, target: Target, sample: Sample
    ) -> tuple[Any, list[Loss], Encode]:
        losses = [kind.loss for kind in sample.kinds]
        return sample.rows, losses, partial(encode, None)

    def _prepare_later_batch(
        self, target: Target, sample: Sample
    ) -> tuple[Any, Encode]:
        return sample.rows, partial(encode, None)

    def _raw_of_task(self, X: Any, rows: Array, label: Any) -> Array:
        fitted, network = self._fitted(), self._network
        task = self.tasks_.tolist().index(label)
        place = self._places[task]
        ends = [head.tasks.stop for head in network.heads]
        head = int(np.searchsorted(ends, place, side="right"))
        codes = np.full(len(rows), task)
        return predict_finite(
            lambda some: _drop_axis(fitted.of_codes(some, codes, head)), X[rows], rows
        )


def _drop_axis(raw: Array) -> Array:
    return raw[:, 0] if raw.shape[1] == 1 else raw
