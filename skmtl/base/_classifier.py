"""Base class of classifiers: fit, predict and score."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl._contracts import Array
from skmtl.data import (
    read_class_labels,
    read_numeric_target,
    read_sample_weight,
)
from skmtl.metrics import average_accuracy
from skmtl.targets import ClassTarget, Target, predict_finite

from ._task_model import TaskModel


def _has_scores(self: Any) -> bool:
    """Raise an error if a class may have no finite score, or if y was 2-d."""
    if vars(self).get("_scope", self.class_scope) == "task":
        raise AttributeError(
            "decision_function needs class_scope='all': with 'task' a class that a "
            "task lacks has no finite score. Use predict_proba."
        )
    if vars(self).get("_layout") == "outputs":
        raise AttributeError(
            "decision_function needs a 1-d y, got one column per task in fit. Use "
            "predict_proba, or a task column."
        )
    return True


class TaskClassifier(ClassifierMixin, TaskModel):
    """Classifiers of tasks, with the logistic or the multinomial loss."""

    class_scope: str
    class_weight: str | Mapping[Any, float] | None
    classes_: Any
    task_classes_: Array
    # Value of `class_scope` in `fit`.
    _scope: str

    __metadata_request__predict_proba = {"task": True}
    __metadata_request__predict_log_proba = {"task": True}
    __metadata_request__decision_function = {"task": True}

    # Whether more than two classes are refused.
    _takes_two_classes: ClassVar[bool] = False

    def _target(self) -> Target:
        two = self._takes_two_classes
        return ClassTarget(self.class_scope, self.class_weight, two)

    @abstractmethod
    def _raw(self, X: Any, codes: Array | None) -> Array:
        """Return scores of checked rows, infinite or NaN if they overflow."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self:
        """Learn all tasks together.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if `task_column` names one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Class of each row. If 2-d, columns are tasks, of classes 0 and 1, and NaN
            means not observed.
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

    def _predict_scores(self, X: Any, codes: Array | None) -> Array:
        """Return finite scores of checked rows, (n_samples[, n_scores])."""
        return predict_finite(lambda rows: self._raw(rows, codes), X)

    @available_if(_has_scores)
    def decision_function(self, X: Any, task: ArrayLike | None = None) -> Array:
        """Score the classes of each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Log-odds of the second of two classes; a score per class if there are more.
        """
        check_is_fitted(self)
        return self._predict_scores(*self._read_queries(X, task))

    def predict_proba(self, X: Any, task: ArrayLike | None = None) -> Any:
        """Predict the probability of each class with the model of each row's task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            Probabilities, in the order of `classes_`; one array per task if `fit` had a
            2-d y. Rows of unseen tasks are predicted with the shared part.
        """
        check_is_fitted(self)
        X, codes = self._read_queries(X, task)
        scores = self._predict_possible(X, codes)
        if self._layout == "outputs":
            return [_sigmoids(column) for column in scores.T]
        return _sigmoids(scores) if scores.ndim == 1 else softmax(scores, axis=1)

    def _predict_possible(self, X: Any, codes: Array | None) -> Array:
        """Return scores of checked rows, infinite for classes that a task lacks.

        The shape is (n_samples[, n_classes]), or (n_samples, n_tasks) for a 2-d y.
        """
        scores = self._predict_scores(X, codes)
        if self._layout == "outputs":
            return scores.reshape(len(scores), -1)
        if self._scope == "all" or codes is None:
            return scores
        every = np.ones((1, self.task_classes_.shape[1]), dtype=bool)
        known = np.where(codes < self.n_tasks_, codes, -1)
        allowed = np.concatenate([self.task_classes_, every])[known]
        infinity = np.asarray(np.inf, dtype=scores.dtype)
        if scores.ndim > 1:
            return np.where(allowed, scores, -infinity)
        single = allowed.sum(axis=1) == 1
        return np.where(single, np.where(allowed[:, 1], infinity, -infinity), scores)

    def predict_log_proba(self, X: Any, task: ArrayLike | None = None) -> Any:
        """Predict the logarithm of the probability of each class.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or list of them
            Logarithms of the probabilities, minus infinity for 0.
        """
        found = self.predict_proba(X, task)
        with np.errstate(divide="ignore"):
            if isinstance(found, list):
                return [np.log(each) for each in found]
            return np.log(found)

    def predict(self, X: Any, task: ArrayLike | None = None) -> Array:
        """Predict the class of each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_tasks)
            The most probable class; a column per task if `fit` had a 2-d y.
        """
        found = self.predict_proba(X, task)
        if isinstance(found, list):
            chosen = [
                classes[each.argmax(axis=1)]
                for classes, each in zip(self.classes_, found, strict=True)
            ]
            return np.stack(chosen, axis=1)
        predicted: Array = self.classes_[found.argmax(axis=1)]
        return predicted

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> float:
        """Return the accuracy of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Classes; NaN in a 2-d y is left out.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `predict`.

        Returns
        -------
        float
            Fraction of rows with the right class; with a 2-d y the mean of the
            fractions of its columns.
        """
        found = self.predict(X, task)
        weight = read_sample_weight(sample_weight, *found.shape)
        if self._layout != "outputs":
            y = read_class_labels(y)
            return float(accuracy_score(y, found, sample_weight=weight))
        return float(average_accuracy(read_numeric_target(self, y)[0], found, weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.task_column is None
        tags.classifier_tags.multi_class = not self._takes_two_classes
        return tags


def _sigmoids(scores: Array) -> Array:
    """Return the probabilities of two classes, each accurate where it is tiny."""
    return np.stack([expit(-scores), expit(scores)], axis=1)
