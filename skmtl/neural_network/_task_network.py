"""Base classes of networks of tasks, whatever library trains them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmtl._contracts import Array, Loss
from skmtl.base import TaskClassifier, TaskMixedModel, TaskModel, TaskRegressor
from skmtl.losses import contrasts
from skmtl.targets import CountTarget, NumericTarget, Sample, Target, predict_finite

from ._design import Encode, Observations, design_heads, encode
from ._heads import Head


class FittedHeads(ABC):
    """A trained network: raw predictions in the units of the tasks."""

    # Position in the network of each task.
    places: Array

    @property
    @abstractmethod
    def heads(self) -> Sequence[Head]:
        """Groups of tasks, in the order of the network."""

    @abstractmethod
    def trunk(self, X: Any, codes: Array | None) -> Array:
        """Return the outputs of the trunk, (n_rows, n_features)."""

    @abstractmethod
    def of_codes(self, X: Any, codes: Array, head: int = 0) -> Array:
        """Return raw predictions of rows by the head of each row's task.

        An unseen task, with code -1, gets the mean of all tasks' predictions.
        """

    @abstractmethod
    def of_all(self, X: Any) -> Array:
        """Return raw predictions of rows by every task, (n_rows, n_tasks, n_outputs).

        All tasks must have the same loss.
        """


@dataclass(frozen=True)
class Reading:
    """Rows of tasks, and the heads that their targets need.

    Parameters
    ----------
    rows : TaskData
        Rows of the tasks.
    seen : Observations
        Their targets.
    order : ndarray of shape (n_tasks,), dtype intp
        The tasks in the order of the heads.
    heads : tuple of Head
        Heads of groups of tasks with the same loss.
    encode : callable
        Returns the targets of the loss.
    """

    rows: Any
    seen: Observations
    order: Array
    heads: tuple[Head, ...]
    encode: Encode

    @property
    def is_shared(self) -> bool:
        """Whether a row may have targets of several tasks."""
        return bool(self.rows.layout == "outputs")


class TaskNetwork(TaskModel):
    """Networks of tasks, whatever library trains them."""

    hidden_layer_sizes: Any
    sharing: str

    @property
    @abstractmethod
    def _has_units(self) -> bool:
        """Whether every task has units of its own."""

    @property
    @abstractmethod
    def _has_trunk(self) -> bool:
        """Whether the fitted network has a trunk that all tasks share."""

    @abstractmethod
    def _fitted(self) -> FittedHeads:
        """Return the trained network."""

    def _prepare(
        self, target: Target, sample: Sample
    ) -> tuple[Any, list[Loss], Encode]:
        """Return the rows, the loss of each task, and a function for their targets."""
        rows, loss, targets = target.prepare(sample, smooths=True)
        return rows, [loss] * len(rows.tasks), partial(encode, targets)

    def _read_heads(self, target: Target, sample: Sample) -> Reading:
        """Return the targets of the tasks and their heads."""
        places = np.arange(len(sample.rows.tasks))
        seen = Observations.of(sample.rows, places)
        _refuse_empty(seen, sample.rows.tasks)
        rows, losses, encode = self._prepare(target, sample)
        seen = seen if rows is sample.rows else Observations.of(rows, places)
        order, heads = design_heads(seen, losses, self._has_units)
        return Reading(rows, seen, order, heads, encode)

    def shared_features(self, X: Any, task: Any = None) -> Array:
        """Return the outputs of the trunk, the features that all heads share.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            Outputs of the last hidden layer before the heads. They depend on the task
            only with `task_encoding`.
        """
        check_is_fitted(self)
        if not self._has_trunk:
            raise ValueError(
                "shared_features needs a trunk that all tasks share: sharing='hard' "
                f"with hidden layers, got sharing={self.sharing!r} and "
                f"hidden_layer_sizes={self.hidden_layer_sizes!r}."
            )
        X, codes = self._read_queries(X, task)
        return self._fitted().trunk(X, codes)


class NetworkRegressor(TaskNetwork, TaskRegressor):
    """Networks of tasks with numbers or counts."""

    loss: str
    normalize_y: bool

    @property
    def _has_units(self) -> bool:
        return self.normalize_y

    def _target(self) -> Target:
        return NumericTarget() if self.loss == "squared" else CountTarget()

    def _raw(self, X: Any, codes: Array | None) -> Array:
        fitted = self._fitted()
        if codes is not None:
            return fitted.of_codes(X, codes)[:, 0]
        raw = fitted.of_all(X)[:, :, 0]
        return raw[:, 0] if self._layout == "single" else raw

    def _predictions(self, X: Any, codes: Array | None) -> Array:
        loss = self._fitted().heads[0].loss
        return loss.mean(self._raw(X, codes))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags


class NetworkClassifier(TaskNetwork, TaskClassifier):
    """Networks of tasks with classes."""

    _has_units = False

    def _raw(self, X: Any, codes: Array | None) -> Array:
        fitted = self._fitted()
        if codes is None and self._layout == "outputs":
            return fitted.of_all(X)[:, :, 0]
        codes = np.zeros(X.shape[0], dtype=np.intp) if codes is None else codes
        return _read_scores(fitted.of_codes(X, codes))


class NetworkMixedModel(TaskNetwork, TaskMixedModel):
    """Networks of tasks with numbers, counts or classes."""

    normalize_y: bool

    @property
    def _has_units(self) -> bool:
        return self.normalize_y

    def _prepare(
        self, target: Target, sample: Sample
    ) -> tuple[Any, list[Loss], Encode]:
        losses = [kind.loss for kind in sample.kinds]
        return sample.rows, losses, partial(encode, None)

    def _raw_of_task(self, X: Any, rows: Array, label: Any) -> Array:
        fitted = self._fitted()
        task = self.tasks_.tolist().index(label)
        ends = [head.tasks.stop for head in fitted.heads]
        head = int(np.searchsorted(ends, fitted.places[task], side="right"))
        codes = np.full(len(rows), task)
        return predict_finite(
            lambda some: _read_scores(fitted.of_codes(some, codes, head)), X[rows], rows
        )


def _read_scores(raw: Array) -> Array:
    """Return one score per row, or a score per class if there are more than two."""
    n_outputs = raw.shape[1]
    if n_outputs == 1:
        return raw[:, 0]
    scores: Array = raw @ contrasts(n_outputs + 1).T.astype(raw.dtype)
    return scores


def read_sizes(sizes: Any, name: str) -> tuple[int, ...]:
    """Return the numbers of units of layers.

    Parameters
    ----------
    sizes : int or array-like of shape (n_layers,)
        Numbers of units.
    name : str
        Name of the parameter, for error messages.

    Returns
    -------
    tuple of int
        The numbers.
    """
    array = np.atleast_1d(np.asarray(sizes if np.size(sizes) else [], dtype=object))
    is_size = [isinstance(each, int | np.integer) and each > 0 for each in array]
    if array.ndim != 1 or not all(is_size):
        raise ValueError(
            f"{name} must be a list of positive integers, one per layer, got {sizes!r}."
        )
    return tuple(int(each) for each in array)


def _refuse_empty(seen: Observations, labels: Array) -> None:
    """Raise an error if a task has no target with weight."""
    totals = np.bincount(seen.tasks, seen.weight, len(labels))
    empty = labels[totals <= 0].tolist()
    if empty:
        raise ValueError(
            "Every task must have a target with weight above 0, got none for "
            f"{empty[:5]}. Leave these tasks out."
        )
