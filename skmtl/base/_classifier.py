"""Base class of classifiers: fit, predict and score."""

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl.data import (
    multiply_rows,
    read_class_labels,
    read_numeric_target,
    read_sample_weight,
)
from skmtl.metrics import average_accuracy
from skmtl.targets import ClassTarget, predict_finite

from ._task_model import TaskModel


def _has_scores(self):
    """Say why there are no scores of classes that cannot occur, or of outputs."""
    if self.class_scope == "task":
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
    """Classifiers of tasks."""

    __metadata_request__predict_proba = {"task": True}
    __metadata_request__predict_log_proba = {"task": True}
    __metadata_request__decision_function = {"task": True}

    # Whether there must not be more than two classes.
    _takes_two_classes = False

    def _target(self):
        two = self._takes_two_classes
        return ClassTarget(self.class_scope, self.class_weight, two)

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, task=None):
        """Learn all tasks together.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if `task_column` names one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Class of each row. If 2-d, columns are tasks, of classes 0 and 1, and NaN
            means not observed.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : object
            The fitted model.
        """
        return self._fit(X, y, sample_weight, task)

    def _raw(self, X, codes):
        """Return scores of rows that have been checked, (n_samples[, n_scores])."""
        return predict_finite(lambda rows: self._calculate(rows, codes), X)

    def _calculate(self, X, codes):
        """Return scores, infinite or NaN where they overflow."""
        if codes is None:
            scores = X @ self.coef_.T + self.intercept_
            return scores[:, 0] if self.coef_.shape[0] == 1 else scores
        coef, level = self._models_at(codes)
        level = level[codes]
        if coef.ndim == 2:
            return multiply_rows(X, coef, codes) + level
        columns = [multiply_rows(X, part, codes) for part in coef.swapaxes(0, 1)]
        return np.stack(columns, axis=1) + level

    @available_if(_has_scores)
    def decision_function(self, X, task=None):
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
        return self._raw(*self._read_queries(X, task))

    def predict_proba(self, X, task=None):
        """Predict the probability of each class with the model of a row's task.

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
            2-d y. Rows of tasks never seen are predicted with the shared part.
        """
        check_is_fitted(self)
        X, codes = self._read_queries(X, task)
        scores = self._raw(X, codes)
        if self._layout == "outputs":
            scores = scores.reshape(len(scores), -1)
            return [_of_two(column) for column in scores.T]
        found = _of_two(scores) if scores.ndim == 1 else softmax(scores, axis=1)
        if self.class_scope == "all" or codes is None:
            return found
        return self._within(found, scores, codes)

    def _within(self, found, scores, codes):
        """Return probabilities among the classes of each row's task."""
        every = np.ones((1, found.shape[1]), dtype=bool)
        known = np.where(codes < self.n_tasks_, codes, -1)
        allowed = np.concatenate([self.task_classes_, every])[known]
        if scores.ndim == 1:
            single = allowed.sum(axis=1) == 1
            return np.where(single[:, None], allowed, found).astype(found.dtype)
        return softmax(np.where(allowed, scores, -np.inf), axis=1)

    def predict_log_proba(self, X, task=None):
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
            Logarithms of what `predict_proba` returns, minus infinity for 0.
        """
        found = self.predict_proba(X, task)
        with np.errstate(divide="ignore"):
            if isinstance(found, list):
                return [np.log(each) for each in found]
            return np.log(found)

    def predict(self, X, task=None):
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
        return self.classes_[found.argmax(axis=1)]

    def score(self, X, y, sample_weight=None, task=None):
        """Return the accuracy of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Classes; NaN in a 2-d y is left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `predict`.

        Returns
        -------
        float
            Share of rows whose class is right; with a 2-d y the mean of the shares of
            its columns.
        """
        found = self.predict(X, task)
        weight = read_sample_weight(sample_weight, len(found))
        if self._layout != "outputs":
            return accuracy_score(read_class_labels(y), found, sample_weight=weight)
        return average_accuracy(read_numeric_target(self, y)[0], found, weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = self.task_column is None
        tags.classifier_tags.multi_class = not self._takes_two_classes
        return tags


def _of_two(scores):
    """Return the probabilities of two classes, each without a difference."""
    return np.stack([expit(-scores), expit(scores)], axis=1)
