"""Base class of models of tasks with targets of several kinds."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl._contracts import Array
from skmtl.targets import (
    CLASSES,
    PerTaskTarget,
    Target,
    check_finite,
    read_mixed,
)

from ._task_model import TaskModel


def _has_classes(self: Any) -> bool:
    """Return True, or raise an error if no task has classes."""
    kinds = vars(self).get("_kinds", {}).values()
    names = {kind.name for kind in kinds}  # known after fit, or given
    if not names:
        auto = isinstance(self.losses, str)
        names = {*CLASSES} if auto else {*self.losses.values()}
    if CLASSES.keys().isdisjoint(names):
        raise AttributeError(
            "predict_proba needs a task of classes, with a loss among "
            f"{list(CLASSES)}, got numbers only. Use predict."
        )
    return True


def _common_dtype(dtypes: list[Any]) -> np.dtype[Any]:
    """Return a dtype that holds values of all dtypes without conversion."""
    kinds = {"number" if dtype.kind in "iuf" else dtype.kind for dtype in dtypes}
    return np.result_type(*dtypes) if len(kinds) == 1 else np.dtype(object)


class TaskMixedModel(TaskModel):
    """Models of tasks with numbers, counts or classes, each with its own loss."""

    losses: Any
    classes_: dict[Any, Array]
    _kinds: Mapping[Any, Any]

    __metadata_request__predict_proba = {"task": True}

    # The gate then marks unseen tasks, and `_refuse_unseen` raises the error.
    handle_unknown = "shared"

    def _target(self) -> Target:
        return PerTaskTarget(self.losses)

    @abstractmethod
    def _raw_of_task(self, X: Any, rows: Array, label: Any) -> Array:
        """Return raw predictions of some rows of X by the model of a task.

        They are NaN for a task without rows in `fit`.
        """

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, task: Any = None) -> Self:
        """Learn all tasks together.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if `task_column` names one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target of each row, a number or a class. If 2-d, columns are tasks, and NaN
            or None means not observed.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : object
            The fitted model.
        """
        return self._fit(X, y, sample_weight, task)

    def predict(self, X: Any, task: Any = None) -> Any:
        """Predict each row with the model of its task, in the units of the task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_tasks)
            Numbers and classes; a column per task if `fit` had a 2-d y. Floats if all
            tasks have numbers or numeric classes; the classes' dtype if all tasks have
            classes of one kind; else objects.
        """
        X, codes = self._read_known(X, task)
        parts = []
        for label, rows in self._find_rows(X, codes).items():
            parts.append((rows, self._mean(X, rows, label)))
        dtype = _common_dtype([part.dtype for _, part in parts])
        if self._layout == "outputs":
            return np.stack([part.astype(dtype) for _, part in parts], axis=1)
        found = np.empty(X.shape[0], dtype=dtype)
        for rows, part in parts:
            found[rows] = part
        return found

    def predict_frame(self, X: Any) -> Any:
        """Predict every task of a 2-d y, as a frame that keeps the types of columns.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_features)
            Features.

        Returns
        -------
        DataFrame of shape (n_samples, n_tasks)
            Numbers as floats and classes in the dtype of `classes_`; the index is that
            of X, if it has one.
        """
        import pandas as pd

        index = getattr(X, "index", None)
        X, _ = self._read_known(X, None)
        if self._layout != "outputs":
            raise ValueError(
                "predict_frame needs a model fitted to a 2-d y with a column per task, "
                "got one with a task label per row. Use predict."
            )
        columns = {}
        for label in self.tasks_.tolist():
            columns[label] = self._mean(X, np.arange(X.shape[0]), label)
        return pd.DataFrame(columns, index=index)

    @available_if(_has_classes)
    def predict_proba(self, X: Any, task: Any = None) -> Any:
        """Predict the probability of each class, for each task that has classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        dict of ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`, by the label of the task; NaN in
            rows of other tasks.
        """
        X, codes = self._read_known(X, task)
        rows, found = self._find_rows(X, codes), {}
        for label, classes in self.classes_.items():
            outcome, raw = self._read_outcome(X, rows[label], label)
            found[label] = np.full((X.shape[0], len(classes)), np.nan, raw.dtype)
            found[label][rows[label]] = outcome.probabilities(raw)
        return found

    def score(
        self, X: Any, y: Any, sample_weight: Any = None, task: Any = None
    ) -> float:
        """Return the mean over tasks of the fraction of deviance explained.

        It is R2 for a task with the loss "squared",
        :func:`~sklearn.metrics.d2_tweedie_score` of power 1 for "poisson", and
        :func:`~sklearn.metrics.d2_log_loss_score` for classes: 1 is perfect, 0 is as
        good as the best constant. Tasks with a constant target in `y` are left out.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target; NaN or None in a 2-d y is left out.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `predict`.

        Returns
        -------
        float
            The mean; NaN if all targets are constant.
        """
        check_is_fitted(self)
        data, cells = read_mixed(
            self, X, y, task=task, sample_weight=sample_weight, reset=False
        )
        labels = data.tasks.tolist()
        self._refuse_unseen("labels", [k for k in labels if k not in self._kinds])
        row = np.arange(len(data.y)) if data.rows is None else data.rows
        scores = []
        for number, label in enumerate(labels):
            part = slice(*data.offsets[number : number + 2])
            outcome, raw = self._read_outcome(data.X, row[part], label)
            values = cells[data.y[part].astype(np.intp)]
            weight = None if data.weight is None else data.weight[part]
            scores.append(outcome.score(values, raw, weight))
        known = np.array(scores)[~np.isnan(scores)]
        return float(known.mean()) if len(known) else np.nan

    def _read_known(self, X: Any, task: Any) -> tuple[Any, Array | None]:
        """Return features, and the task of each row if there are labels."""
        check_is_fitted(self)
        X, codes = self._read_queries(X, task)
        unseen: Any = [] if codes is None else np.flatnonzero(codes < 0)
        self._refuse_unseen("rows", unseen)
        return X, codes

    def _refuse_unseen(self, what: str, unseen: Any) -> None:
        if len(unseen):
            raise ValueError(
                f"Every task must be seen in fit, got {what} of others: "
                f"{np.asarray(unseen[:5]).tolist()}. This model has {self.n_tasks_} "
                f"tasks: {self.tasks_[:5].tolist()}. Without rows a task has neither "
                f"units nor classes: fit on rows of it, or leave it out."
            )

    def _find_rows(self, X: Any, codes: Array | None) -> dict[Any, Array]:
        """Return the rows of each task, by label."""
        labels = self.tasks_.tolist()
        if codes is None:
            return dict.fromkeys(labels, np.arange(X.shape[0]))
        order = np.argsort(codes, kind="stable")
        ends = np.cumsum(np.bincount(codes, minlength=len(labels)))
        return dict(zip(labels, np.split(order, ends[:-1]), strict=True))

    def _mean(self, X: Any, rows: Array, label: Any) -> Array:
        """Return predictions of some rows in the units of a task."""
        outcome, raw = self._read_outcome(X, rows, label)
        with np.errstate(over="ignore"):
            found: Array = outcome.predict(raw)
        if found.dtype.kind == "f" and np.isfinite(raw).all():
            check_finite(found, X[rows], rows)
        return found

    def _read_outcome(self, X: Any, rows: Array, label: Any) -> tuple[Any, Array]:
        """Return the kind of a task's target, and raw predictions of some rows."""
        return self._kinds[label], self._raw_of_task(X, rows, label)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
