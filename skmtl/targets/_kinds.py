"""What the target of one task of several kinds is: a number, or a class."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, softmax
from sklearn.metrics import d2_log_loss_score, d2_tweedie_score, r2_score

from skmtl._linalg import EPS
from skmtl.data import join_label
from skmtl.losses import Logistic, Multinomial, Poisson, Squared, contrasts

from ._finite import cast
from ._mixed import read_labels, read_mixed, read_numbers
from ._target import Sample, Target, float_type

# Losses of classes, and how many these may be.
CLASSES = {"logistic": 2, "multinomial": np.inf}
LOSSES = ("squared", "poisson", *CLASSES)


@dataclass(frozen=True)
class PerTaskTarget(Target):
    """Targets of one kind per task.

    Parameters
    ----------
    losses : mapping
        Name of the loss of each task, by label.
    """

    losses: object

    def read(self, estimator, X, y, **given):
        rows, cells = read_mixed(estimator, X, y, **given)
        values = np.split(cells[rows.y.astype(np.intp)], rows.offsets[1:-1])
        kinds, y = read_kinds(self.losses, rows.tasks.tolist(), values)
        return Sample(replace(rows, y=y), kinds=kinds)

    def prepare(self, sample, smooths):
        return sample.rows, [kind.loss for kind in sample.kinds], sample.kinds

    def shape(self, sample, models, single):
        labels, dtype = sample.rows.tasks.tolist(), float_type(sample.rows.X)
        pairs = zip(labels, sample.kinds, models, strict=True)
        models = {label: cast(kind.turn(model), dtype) for label, kind, model in pairs}
        return {
            "coef_": {k: model[..., :-1] for k, model in models.items()},
            "intercept_": {k: model[..., -1][()] for k, model in models.items()},
        }

    def describe(self, sample, models):
        """Return the fitted attributes of models, one per task."""
        labels = sample.rows.tasks.tolist()
        kinds = dict(zip(labels, sample.kinds, strict=True))
        return {
            "tasks_": sample.rows.tasks,
            "n_tasks_": len(labels),
            "classes_": {k: o.classes for k, o in kinds.items() if o.name in CLASSES},
            **self.shape(sample, models, single=False),
            "_outcomes": kinds,
        }


def read_kinds(losses, labels, values):
    """Return the outcome of each task, and the targets of all as numbers."""
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
    names = [losses[label] for label in labels]
    outcomes = list(map(_read_outcome, names, labels, values))
    pairs = zip(outcomes, values, strict=True)
    return outcomes, np.concatenate([outcome.read(each) for outcome, each in pairs])


def _read_outcome(name, label, values):
    """Return the outcome of a task, from its loss's name and its targets."""
    if name not in CLASSES:
        return Number(label, name)
    classes = np.unique(read_labels(values, label))
    if len(classes) > CLASSES[name]:
        raise ValueError(
            f"The target of task {label!r} must have two classes, as its loss is "
            f"{name!r}, got {len(classes)}: {classes[:5].tolist()}. Take 'multinomial'."
        )
    return Class(label, name, classes)


class TargetKind(ABC):
    """Turn what is observed of a task into numbers, and raw predictions back."""

    @property
    @abstractmethod
    def loss(self):
        """What a sample costs."""

    @abstractmethod
    def read(self, values):
        """Return targets as numbers, or as codes of classes."""

    @abstractmethod
    def turn(self, raw):
        """Return coefficients, (n_outputs, ...), as they are reported."""

    @abstractmethod
    def predict(self, raw):
        """Return predictions in the units of the target."""

    @abstractmethod
    def explain(self, values, raw, weight):
        """Return the fraction of deviance explained, NaN where there is none."""


@dataclass(frozen=True)
class Number(TargetKind):
    """A number, whose mean is predicted."""

    label: object
    name: str
    classes = None

    @property
    def loss(self):
        return Squared() if self.name == "squared" else Poisson()

    def read(self, values):
        numbers = read_numbers(values, self.label, self.name)
        if self.name == "poisson" and numbers.min(initial=0.0) < 0:
            raise ValueError(
                f"The target of task {self.label!r} must be 0 or more, as its loss is "
                f"'poisson', got {numbers.min()}. Take 'squared'."
            )
        return numbers

    def turn(self, raw):
        return raw[0]

    def predict(self, raw):
        return self.loss.mean(raw)

    def explain(self, values, raw, weight):
        y, mean = self.read(values), self.predict(raw)
        if len(np.unique(y)) < 2 or np.isnan(mean).any():
            return np.nan
        if self.name == "squared":
            return r2_score(y, mean, sample_weight=weight)
        mean = np.maximum(mean, EPS)  # as scikit-learn has it for probabilities
        return d2_tweedie_score(y, mean, sample_weight=weight, power=1)


@dataclass(frozen=True)
class Class(TargetKind):
    """One class of several, whose probabilities are predicted."""

    label: object
    name: str
    classes: np.ndarray

    @property
    def loss(self):
        n_classes = len(self.classes)
        return Logistic() if n_classes < 3 else Multinomial(n_classes)

    def read(self, values):
        labels = read_labels(values, self.label)
        return np.searchsorted(self.classes, labels).astype(float)

    def turn(self, raw):
        n_classes = len(self.classes)
        if n_classes < 2:
            return np.zeros_like(raw[0])
        return raw[0] if n_classes == 2 else contrasts(n_classes) @ raw

    def probabilities(self, raw):
        """Return the probability of each class, (n_samples, n_classes)."""
        if len(self.classes) < 2:
            return np.ones((len(raw), len(self.classes)), dtype=raw.dtype)
        if len(self.classes) == 2:
            return np.stack([expit(-raw), expit(raw)], axis=1)
        return softmax(raw, axis=1)

    def predict(self, raw):
        if not len(self.classes):
            return np.full(len(raw), None)
        return self.classes[self.probabilities(raw).argmax(axis=1)]

    def explain(self, values, raw, weight):
        y, found = read_labels(values, self.label), self.probabilities(raw)
        labels = np.union1d(self.classes, y)
        if len(np.unique(y)) < 2 or not len(self.classes):
            return np.nan
        every = np.zeros((len(y), len(labels)))
        every[:, np.searchsorted(labels, self.classes)] = found
        return d2_log_loss_score(y, every, sample_weight=weight, labels=labels)
