"""Targets that are classes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets

from skmtl._contracts import Array, Loss
from skmtl.data import (
    TaskRows,
    find_missing,
    read_array,
    read_class_labels,
    read_rows,
    refuse_lazy,
    refuse_pieces,
    refuse_zero_weight,
)
from skmtl.losses import Logistic, Multinomial, contrasts

from ._target import Sample, Target, cast_models, float_type


@dataclass(frozen=True)
class ClassTarget(Target):
    """Targets that are classes, with the logistic or the multinomial loss.

    Parameters
    ----------
    scope : {"all", "task"}
        Classes that a task may have: all, or only those of its rows.
    class_weight : {"balanced"}, mapping or None
        Factor of each class in the weights of the rows.
    takes_two : bool, default=False
        Whether more than two classes are refused.
    known : array-like of shape (n_classes,), default=None
        Classes that `y` may hold, such as those of an earlier batch; a batch may then
        lack some. None means the classes in `y`.
    """

    scope: str
    class_weight: str | Mapping[Any, float] | None
    takes_two: bool = False
    known: Any = None

    def read(self, estimator: Any, X: Any, y: Any, **given: Any) -> Sample:
        given = {**given, "class_weight": self.class_weight, "known": self.known}
        rows, classes = read_classes(estimator, X, y, **given)
        if self.takes_two and len(classes) > 2:
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"multiclass: {type(estimator).__name__} needs two classes, got "
                f"{len(classes)}. Use OneVsRestClassifier, JointFeatureClassifier or "
                "LowRankClassifier."
            )
        return Sample(rows, classes)

    def prepare(
        self, sample: Sample, smooths: bool
    ) -> tuple[TaskRows, Loss, "ClassTargets"]:
        n_classes = len(sample.known_classes)
        rows, targets = target_classes(sample.rows, n_classes, self.scope, smooths)
        loss: Loss = Logistic() if n_classes == 2 else Multinomial(n_classes)
        return rows, loss, targets

    def prepare_part(
        self, sample: Sample, targets: "ClassTargets", smooths: bool, part: TaskRows
    ) -> tuple[TaskRows, "ClassTargets"]:
        return part, targets.smooth_missing(part, smooths)

    def report_kind(self, sample: Sample) -> dict[str, Any]:
        classes, rows = sample.known_classes, sample.rows
        per_task = [classes] * len(rows.tasks)
        return {
            "classes_": per_task if rows.layout == "outputs" else classes,
            "task_classes_": find_classes(rows, len(classes)),
            "_scope": self.scope,
        }

    def shape(self, sample: Sample, models: Any, single: bool) -> dict[str, Any]:
        n_classes = len(sample.known_classes)
        if n_classes > 2:
            models = models.change_basis(contrasts(n_classes))
        values = cast_models(models, float_type(sample.rows.X))
        if single:
            values["coef_"] = values["coef_"][0]
            values["intercept_"] = values["intercept_"][0]
        elif n_classes == 2:
            values["coef_"] = values["coef_"][:, 0]
            values["intercept_"] = values["intercept_"][:, 0]
        if n_classes == 2:
            values["coef_shared_"] = values["coef_shared_"][0]
            values["intercept_shared_"] = values["intercept_shared_"][0]
        return values


@dataclass(frozen=True)
class ClassTargets:
    """Indicators of classes: 1 for the class of the row, else 0.

    A task that lacks a class has no finite intercept for it. One pseudo-row of weight 1
    with the overall class frequencies is added to such a task: its effect is to mix
    the targets of the task's rows with these frequencies.

    Parameters
    ----------
    shares : ndarray of shape (n_classes,)
        Share of each class in the weight of all rows.
    mix : ndarray of shape (n_tasks,)
        Fraction of each target that is replaced by the shares, 0 to 1.
    allowed : ndarray of shape (n_tasks, n_classes), dtype bool, or None, default=None
        Classes that a task may have; None means all.
    """

    shares: Array
    mix: Array
    allowed: Array | None = None

    def rows(self, codes: Array, tasks: Array) -> Array:
        """Return the targets of rows, NaN for classes that their task cannot have.

        Parameters
        ----------
        codes : ndarray of shape (n_stacked, n_rows)
            Class of each row.
        tasks : ndarray of shape (n_stacked,)
            Task of each stack.

        Returns
        -------
        ndarray of shape (n_stacked, n_rows, n_classes) or (n_stacked, n_rows, 1)
            The targets. With two classes, only those of the second.
        """
        n_classes = len(self.shares)
        first = 1 if n_classes == 2 else 0
        numbers = np.arange(first, n_classes)
        mix = self.mix[tasks][:, None, None]
        target: Array = (codes[:, :, None] == numbers) * (1 - mix)
        target = target + mix * self.shares[first:]
        if self.allowed is None:
            return target
        return np.where(self.allowed[tasks][:, None, first:], target, np.nan)

    def without_pseudo_rows(self) -> "ClassTargets":
        """Return the targets without pseudo-rows, to measure losses by."""
        return replace(self, mix=np.zeros_like(self.mix))

    def smooth_missing(self, rows: TaskRows, smooths: bool = False) -> "ClassTargets":
        """Add pseudo-rows to tasks that lack a class in some of the rows.

        Parameters
        ----------
        rows : TaskRows
            Some of the rows, such as the training rows of a fold, with codes of classes
            as targets.
        smooths : bool, default=False
            Whether to add them to a task that lacks a class even if others have it.

        Returns
        -------
        ClassTargets
            Targets of these rows.
        """
        totals = _sum_weights(rows, len(self.shares))
        found, pseudo = totals > 0, 1 / (totals.sum(axis=1) + 1)
        if not found.any(axis=0).all():
            return replace(self, mix=pseudo)
        if not smooths:
            return self
        if self.allowed is not None:
            none = ~found.any(axis=1, keepdims=True)
            return replace(self, allowed=found | none)
        return replace(self, mix=np.where(found.all(axis=1), 0.0, pseudo))


def read_classes(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    task_weight: str | Mapping[Any, float] | None = None,
    class_weight: str | Mapping[Any, float] | None = None,
    known: ArrayLike | None = None,
    reset: bool = True,
) -> tuple[TaskRows, Array]:
    """Check the training rows of a classifier, and group them by task.

    Parameters
    ----------
    estimator : estimator instance
        As in :func:`read_rows`.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Features, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Class of each row. If 2-d, columns are tasks, of classes 0 and 1, and NaN is not
        observed.
    task : array-like of shape (n_rows,), default=None
        Label of each row.
    sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_tasks)
        Weight of each row, or of each cell of a 2-d y; None means ones.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss.
    class_weight : {"balanced"} or mapping, default=None
        Factor of each class in the weights: a mapping from classes to numbers, or
        "balanced" to give all classes the same total weight. In a 2-d y, each column
        is balanced separately.
    known : array-like of shape (n_classes,), default=None
        Classes that `y` may hold; it may lack some. None means those in `y`.
    reset : bool, default=True
        Whether to record the columns of `X`; otherwise, compare them with the record.

    Returns
    -------
    rows : TaskRows
        Rows of each task, with positions in `classes` as targets.
    classes : ndarray of shape (n_classes,)
        Sorted classes.

    Examples
    --------
    >>> from sklearn.base import BaseEstimator
    >>> from skmtl.targets import read_classes
    >>> class Model(BaseEstimator):
    ...     task_column = 0
    >>> rows, classes = read_classes(Model(), [[7, 0.1], [7, 0.2]], ["yes", "no"])
    >>> classes.tolist(), rows.y
    (['no', 'yes'], array([1., 0.]))
    """
    refuse_pieces(X)
    classes, codes = _encode_classes(estimator, y, known)
    rows = read_rows(
        estimator,
        X,
        codes,
        task=task,
        sample_weight=sample_weight,
        task_weight=task_weight,
        reset=reset,
    )
    rows = rows.stacked()
    if rows.layout == "outputs":
        _check_indicators(rows.y)
    if known is not None:
        rows = _weigh_classes(rows, classes, class_weight)
        refuse_zero_weight(rows.weight)
        return rows, classes
    _check_several(estimator, rows, classes)
    rows = _weigh_classes(rows, classes, class_weight)
    _check_several(estimator, rows, classes)
    return rows, classes


def target_classes(
    rows: TaskRows, n_classes: int, scope: str = "all", smooths: bool = True
) -> tuple[TaskRows, ClassTargets]:
    """Return the targets of rows; tasks of one possible class get weight zero.

    Parameters
    ----------
    rows : TaskRows
        Rows of each task, with codes of classes as targets.
    n_classes : int
        Number of classes.
    scope : {"all", "task"}, default="all"
        Classes that a task may have: all, or only those of its rows.
    smooths : bool, default=True
        Whether tasks that lack a class get a pseudo-row.

    Returns
    -------
    rows : TaskRows
        The same rows, with weight zero in tasks that can have only one class.
    targets : ClassTargets
        Converts codes to targets.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import TaskRows
    >>> from skmtl.targets import target_classes
    >>> X, y, tasks = np.ones((3, 1)), np.array([0.0, 1.0, 1.0]), np.array([4, 5])
    >>> rows = TaskRows(X, None, y, None, np.array([0, 2, 3]), tasks)
    >>> target_classes(rows, 2)[1].rows(np.array([[1]]), np.array([1]))
    array([[[0.83333333]]])
    """
    totals = _sum_weights(rows, n_classes)
    shares = totals.sum(axis=0) / totals.sum()
    weight, found = totals.sum(axis=1), totals > 0
    lacking = found.sum(axis=1) < n_classes
    if scope == "all":
        mix = np.where(lacking & smooths, 1 / (weight + 1), 0.0)
        return rows, ClassTargets(shares, mix)
    if (found.sum(axis=1) < 2).all():
        raise ValueError(
            "class_scope='task' needs a task with rows of at least two classes, got "
            f"one class in each of {len(found)} tasks. Use class_scope='all'."
        )
    single = np.repeat(found.sum(axis=1) < 2, np.diff(rows.offsets))
    kept = np.ones(len(rows.y)) if rows.weight is None else rows.weight
    allowed = found | (found.sum(axis=1) == 0)[:, None]
    rows = replace(rows, weight=np.where(single, 0.0, kept))
    none = np.zeros(len(weight))
    return rows, ClassTargets(shares, none, allowed if n_classes > 2 else None)


def find_classes(rows: TaskRows, n_classes: int) -> Array:
    """Find the classes of each task's rows, including those of weight zero.

    Parameters
    ----------
    rows : TaskRows
        Rows of each task, with codes of classes as targets.
    n_classes : int
        Number of classes.

    Returns
    -------
    ndarray of shape (n_tasks, n_classes), dtype bool
        Whether the task has the class.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.data import TaskRows
    >>> from skmtl.targets import find_classes
    >>> X, y, tasks = np.ones((3, 1)), np.array([0.0, 1.0, 1.0]), np.array([4, 5])
    >>> rows = TaskRows(X, None, y, None, np.array([0, 2, 3]), tasks)
    >>> find_classes(rows, 2)
    array([[ True,  True],
           [False,  True]])
    """
    found: Array = _sum_weights(replace(rows, weight=None, task_weight=None), n_classes)
    return found > 0


def _sum_weights(rows: TaskRows, n_classes: int) -> Array:
    """Return the weight of each class in each task."""
    n_tasks = len(rows.tasks)
    codes = np.repeat(np.arange(n_tasks), np.diff(rows.offsets)) * n_classes
    codes = codes + rows.y.astype(np.intp)
    totals = np.bincount(codes, rows.weight, minlength=n_tasks * n_classes)
    return totals.reshape(n_tasks, n_classes)


def place_classes(labels: Array, classes: Array, name: str = "y") -> Array:
    """Return the position of each label among known classes.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,)
        Class of each row.
    classes : ndarray of shape (n_classes,)
        Known classes.
    name : str, default="y"
        Name of the labels in error messages.

    Returns
    -------
    ndarray of shape (n_rows,), dtype intp
        The positions.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.targets import place_classes
    >>> place_classes(np.array([3, 5, 3]), np.array([2, 3, 5]))
    array([1, 2, 1])
    """
    found, codes = np.unique(labels, return_inverse=True)
    places = {label: place for place, label in enumerate(classes.tolist())}
    new = [label for label in found.tolist() if label not in places]
    if new:
        raise ValueError(
            f"{name} must hold classes seen in the first batch, got others: {new[:5]}. "
            f"The classes are {classes[:5].tolist()}. Begin with all classes, or leave "
            "out such rows."
        )
    positions = np.array([places[label] for label in found.tolist()], dtype=np.intp)
    return positions[codes]


def _encode_classes(estimator: Any, y: Any, known: Any) -> tuple[Array, Any]:
    """Return the sorted classes, and the position of each target among them."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )
    refuse_lazy("y", y)
    values = read_array(y)
    if values.ndim > 1 and values.shape[1] > 1:
        _refuse_words(values)
        _check_known_indicators(known)
        return np.array([0, 1]), y
    labels = read_class_labels(values)
    check_classification_targets(labels)
    if known is not None:
        classes = _read_known(estimator, known)
        return classes, place_classes(labels, classes)
    classes, codes = np.unique(labels, return_inverse=True)
    return classes, codes


def _read_known(estimator: Any, known: Any) -> Array:
    """Check the classes that y may hold, and sort them."""
    classes: Array = np.unique(read_class_labels(known, "classes"))
    if len(classes) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs at least two classes, got classes="
            f"{classes.tolist()}. Name all classes that y may hold."
        )
    return classes


def _refuse_words(values: Array) -> None:
    """Raise an error if a 2-d target holds anything but numbers."""
    known = values[~find_missing(values)].tolist() if values.dtype == object else []
    invalid = [each for each in known if not isinstance(each, Real)]
    if invalid or values.dtype.kind in "USTmM":
        raise ValueError(_explain_indicators([*invalid, *values.ravel()][0]))


def _check_indicators(y: Array) -> None:
    invalid = y[(y != 0) & (y != 1)]
    if len(invalid):
        raise ValueError(_explain_indicators(float(invalid[0])))


def _check_known_indicators(known: Any) -> None:
    labels = [] if known is None else read_class_labels(known, "classes").tolist()
    invalid = [label for label in labels if label not in (0, 1)]
    if invalid:
        raise ValueError(_explain_indicators(invalid[0]))


def _explain_indicators(invalid: Any) -> str:
    return (
        "A 2-d y must hold 0, 1 and NaN, as each column is a task of two classes, got "
        f"{invalid!r}. For other classes, give each cell a row of its own, with a task "
        "column; also for cross_val_predict(method='predict_proba'), which treats NaN "
        "as a class."
    )


def _check_several(estimator: Any, rows: TaskRows, classes: Array) -> None:
    """Raise an error if rows with weight have only one class."""
    kept = rows.y if rows.weight is None else rows.y[rows.weight > 0]
    found = np.unique(kept).astype(int)
    if len(found) < 2:
        raise ValueError(
            f"{type(estimator).__name__} needs rows of at least two classes with "
            f"weight above 0, got one class: {classes[found].tolist()}."
        )


def _weigh_classes(rows: TaskRows, classes: Array, class_weight: Any) -> TaskRows:
    """Multiply the weights of rows by those of their classes."""
    if class_weight is None:
        return rows
    weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
    codes = rows.y.astype(np.intp)
    if rows.layout == "outputs" and isinstance(class_weight, str):
        factors = _balance_columns(rows)
    else:
        factors = _class_factors(class_weight, classes, codes, weight)[codes]
    return replace(rows, weight=weight * factors)


def _class_factors(
    class_weight: Any, classes: Array, codes: Array, weight: Array
) -> Array:
    """Return the factor of each class, 1 for classes without one."""
    if not isinstance(class_weight, str):
        given = [class_weight.get(label, 1.0) for label in classes.tolist()]
        return _check_factors(given)
    factors, positions = np.ones(len(classes)), np.unique(codes)
    factors[positions] = compute_class_weight(
        class_weight, classes=positions, y=codes, sample_weight=weight
    )
    return factors


def _balance_columns(rows: TaskRows) -> Array:
    """Return the factor of each cell that balances the classes of its column."""
    totals = _sum_weights(rows, 2)
    halves = totals.sum(axis=1, keepdims=True) / 2
    factors: Array = np.ones(totals.shape)
    np.divide(halves, totals, out=factors, where=totals > 0)
    task = np.repeat(np.arange(len(totals)), np.diff(rows.offsets))
    return factors[task, rows.y.astype(np.intp)]


def _check_factors(given: list[Any]) -> Array:
    """Check the factors of the classes."""
    invalid = [each for each in given if not _is_factor(each)]
    if invalid:
        raise ValueError(
            f"class_weight must give numbers, 0 or more, got {invalid[0]!r}. Use 1 for "
            "classes that keep their weight."
        )
    return np.array(given, dtype=float)


def _is_factor(value: Any) -> bool:
    return isinstance(value, Real) and 0 <= float(value) < np.inf
