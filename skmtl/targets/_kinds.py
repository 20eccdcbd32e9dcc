"""Kinds of targets of single tasks: numbers and classes."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit, softmax
from sklearn.metrics import d2_log_loss_score, d2_tweedie_score, r2_score

from skmtl._contracts import Array, Loss
from skmtl._linalg import EPS
from skmtl.data import join_label
from skmtl.losses import Logistic, Multinomial, Poisson, Squared, contrasts

from ._classes import place_classes
from ._mixed import read_labels, read_mixed, read_numbers
from ._overflow import cast
from ._recognise import recognise_losses
from ._target import Sample, Target, float_type

# Largest number of classes of each loss of classes.
CLASSES: dict[str, float] = {"logistic": 2, "multinomial": np.inf}
LOSSES = ("squared", "poisson", *CLASSES)


@dataclass(frozen=True)
class PerTaskTarget(Target):
    """Targets of one kind per task.

    With the losses "auto", the rows of a task with weight decide its loss:

    - strings, booleans and pandas categories are classes: "logistic" for one or two
      classes, "multinomial" for more;
    - whole numbers of exactly two distinct values are classes too: "logistic";
    - all other numbers, and tasks without rows: "squared".

    Counts, and more than two classes that are numbers, must be asked for by name.

    Parameters
    ----------
    losses : mapping or "auto"
        Name of the loss of each task, by label.
    known : mapping, default=None
        Kinds of the tasks of an earlier batch, by label: the targets of these tasks are
        read by them. None if there is no earlier batch.
    """

    losses: Mapping[Hashable, str] | str
    known: Mapping[Hashable, "TargetKind"] | None = None

    def read(self, estimator: Any, X: Any, y: Any, **given: Any) -> Sample:
        rows, cells = read_mixed(estimator, X, y, **given)
        values = np.split(cells[rows.y.astype(np.intp)], rows.offsets[1:-1])
        labels = rows.tasks.tolist()
        losses = self.losses
        if isinstance(losses, str):
            losses = recognise_losses(losses, y, labels, values)
        kinds, targets = read_kinds(losses, labels, values, self.known)
        return Sample(replace(rows, y=targets), kinds=kinds)

    def prepare(self, sample: Sample, smooths: bool) -> tuple[Any, Any, Any]:
        return sample.rows, [kind.loss for kind in sample.kinds], sample.kinds

    def shape(self, sample: Sample, models: Any, single: bool) -> dict[str, Any]:
        labels, dtype = sample.rows.tasks.tolist(), float_type(sample.rows.X)
        pairs = zip(labels, sample.kinds, models, strict=True)
        found = {
            label: cast(kind.report_models(model), dtype)
            for label, kind, model in pairs
        }
        return {
            "coef_": {k: model[..., :-1] for k, model in found.items()},
            "intercept_": {k: model[..., -1][()] for k, model in found.items()},
        }

    def describe(self, sample: Sample, models: Sequence[Array]) -> dict[str, Any]:
        """Return the fitted attributes of one model per task."""
        return {
            "tasks_": sample.rows.tasks,
            "n_tasks_": len(sample.rows.tasks),
            **self.report_kind(sample),
            **self.shape(sample, models, single=False),
        }

    def report_kind(self, sample: Sample) -> dict[str, Any]:
        labels = sample.rows.tasks.tolist()
        kinds = dict(zip(labels, sample.kinds, strict=True))
        return {"classes_": _classes_of(kinds), "_kinds": kinds}


def _classes_of(kinds: Mapping[Hashable, Any]) -> dict[Hashable, Array]:
    """Return the classes of each task that has classes, by label."""
    return {k: kind.classes for k, kind in kinds.items() if kind.name in CLASSES}


def read_kinds(
    losses: Mapping[Hashable, str],
    labels: list[Any],
    values: list[Array],
    known: Mapping[Hashable, "TargetKind"] | None = None,
) -> tuple[list["TargetKind"], Array]:
    """Return the kind of each task's target, and all targets as numbers.

    Tasks with a known kind keep it.
    """
    losses = _check_losses(losses, labels)
    known = {} if known is None else known
    pairs = list(zip(labels, values, strict=True))
    kinds = [
        known[label] if label in known else _read_kind(losses[label], label, each)
        for label, each in pairs
    ]
    read = [kind.read(each) for kind, each in zip(kinds, values, strict=True)]
    return kinds, np.concatenate(read)


def _check_losses(
    losses: Mapping[Hashable, str], labels: list[Any]
) -> dict[Hashable, str]:
    """Return the name of the loss of each task, by label."""
    losses = {join_label(label): loss for label, loss in losses.items()}
    missing = [label for label in labels if label not in losses]
    if missing:
        raise ValueError(
            f"losses must have one entry for each of the {len(labels)} tasks, got none "
            f"for {missing[:5]}. Add these labels, each with one of {list(LOSSES)}."
        )
    wrong = {label: losses[label] for label in labels if losses[label] not in LOSSES}
    if wrong:
        raise ValueError(
            f"losses must map each label to one of {list(LOSSES)}, got {wrong}."
        )
    return losses


def _read_kind(name: str, label: Any, values: Array) -> "TargetKind":
    """Return the kind of a task's target, from the name of its loss and its values."""
    if name not in CLASSES:
        return Number(label, name)
    classes = np.unique(read_labels(values, label))
    if len(classes) > CLASSES[name]:
        raise ValueError(
            f"The target of task {label!r} must have two classes, as its loss is "
            f"{name!r}, got {len(classes)}: {classes[:5].tolist()}. Use 'multinomial'."
        )
    return Class(label, name, classes)


class TargetKind(ABC):
    """The kind of one task's target: conversion to numbers and from raw predictions."""

    label: Any
    # Name of the loss.
    name: str
    classes: Array | None

    @property
    @abstractmethod
    def loss(self) -> Loss:
        """Loss of a row."""

    @abstractmethod
    def read(self, values: Array) -> Array:
        """Return targets as numbers, or as codes of classes."""

    @abstractmethod
    def report_models(self, models: Array) -> Array:
        """Return models, (n_outputs, ...), in the shape of `coef_`."""

    @abstractmethod
    def predict(self, raw: Array) -> Array:
        """Return predictions in the units of the target."""

    @abstractmethod
    def score(self, values: Array, raw: Array, weight: Array | None) -> float:
        """Return the fraction of deviance explained, NaN for a constant target."""


@dataclass(frozen=True)
class Number(TargetKind):
    """A number or a count; its mean is predicted."""

    label: Any
    name: str
    classes = None

    @property
    def loss(self) -> Loss:
        return Squared() if self.name == "squared" else Poisson()

    def read(self, values: Array) -> Array:
        numbers = read_numbers(values, self.label, self.name)
        if self.name == "poisson" and numbers.min(initial=0.0) < 0:
            raise ValueError(
                f"The target of task {self.label!r} must be 0 or more, as its loss is "
                f"'poisson', got {numbers.min()}. Use 'squared'."
            )
        return numbers

    def report_models(self, models: Array) -> Array:
        only: Array = models[0]
        return only

    def predict(self, raw: Array) -> Array:
        return self.loss.mean(raw)

    def score(self, values: Array, raw: Array, weight: Array | None) -> float:
        y, mean = self.read(values), self.predict(raw)
        if len(np.unique(y)) < 2 or np.isnan(mean).any():
            return np.nan
        if self.name == "squared":
            return float(r2_score(y, mean, sample_weight=weight))
        mean = np.maximum(mean, EPS)  # as scikit-learn clips probabilities
        return float(d2_tweedie_score(y, mean, sample_weight=weight, power=1))


@dataclass(frozen=True)
class Class(TargetKind):
    """A class; the most probable one is predicted."""

    label: Any
    name: str
    classes: Array

    @property
    def loss(self) -> Loss:
        n_classes = len(self.classes)
        return Logistic() if n_classes < 3 else Multinomial(n_classes)

    def read(self, values: Array) -> Array:
        labels = read_labels(values, self.label)
        name = f"The target of task {self.label!r}"
        return place_classes(labels, self.classes, name).astype(float)

    def report_models(self, models: Array) -> Array:
        n_classes, first = len(self.classes), models[0]
        found: Array = contrasts(n_classes) @ models if n_classes > 2 else first
        return np.zeros_like(first) if n_classes < 2 else found

    def probabilities(self, raw: Array) -> Array:
        """Return the probability of each class, (n_samples, n_classes)."""
        if len(self.classes) < 2:
            return np.ones((len(raw), len(self.classes)), dtype=raw.dtype)
        if len(self.classes) == 2:
            return np.stack([expit(-raw), expit(raw)], axis=1)
        found: Array = softmax(raw, axis=1)
        return found

    def predict(self, raw: Array) -> Array:
        if not len(self.classes):
            return np.full(len(raw), None)
        found: Array = self.classes[self.probabilities(raw).argmax(axis=1)]
        return found

    def score(self, values: Array, raw: Array, weight: Array | None) -> float:
        y, found = read_labels(values, self.label), self.probabilities(raw)
        labels = np.union1d(self.classes, y)
        if len(np.unique(y)) < 2 or not len(self.classes):
            return np.nan
        every = np.zeros((len(y), len(labels)))
        every[:, np.searchsorted(labels, self.classes)] = found
        return float(d2_log_loss_score(y, every, sample_weight=weight, labels=labels))
