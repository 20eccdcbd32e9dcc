"""What linear classifiers of tasks do alike: read classes, keep, predict, score."""

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from scipy.special import expit, softmax
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import StrOptions, fit_context
from skmtl._linalg import calculation
from skmtl.data import (
    multiply_rows,
    read_class_labels,
    read_numeric_target,
    read_sample_weight,
)
from skmtl.losses import Logistic, Multinomial, contrasts
from skmtl.metrics import average_accuracy
from skmtl.problems.newton import Datafit
from skmtl.targets import find_classes, read_classes, target_classes

from ._constraints import COMMON_CONSTRAINTS
from ._finite import cast, predict_finite
from ._regressor import TaskModel, float_type

CLASSIFIER_CONSTRAINTS = {
    "class_scope": [StrOptions({"all", "task"})],
    "class_weight": [StrOptions({"balanced"}), Mapping, None],
    **COMMON_CONSTRAINTS,
}


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


class ClassModel(ClassifierMixin, TaskModel):
    """Read classes of tasks in any layout, and predict with the model of each."""

    __metadata_request__predict_proba = {"task": True}
    __metadata_request__predict_log_proba = {"task": True}
    __metadata_request__decision_function = {"task": True}

    def _softens(self):
        """Return whether nothing holds the intercepts, so that some are infinite."""
        return self.fit_intercept

    @abstractmethod
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

    def _read(self, X, y, sample_weight, task):
        return read_classes(
            self,
            X,
            y,
            task=task,
            sample_weight=sample_weight,
            task_weight=self.task_weight,
            class_weight=self.class_weight,
        )

    def _pose_rows(self, data, n_classes):
        """Return the losses of rows of classes."""
        soften = self._softens()
        rows, targets = target_classes(data, n_classes, self.class_scope, soften)
        loss = Logistic() if n_classes == 2 else Multinomial(n_classes)
        return Datafit(rows, loss, self.fit_intercept, targets)

    def _describe(self, models, data, classes):
        """Return what models say of classes, in the shapes of the layout."""
        n_classes = len(classes)
        if n_classes > 2:
            models = models.turn(contrasts(n_classes))
        learnt = self._linear(models, data, n_classes)
        if data.layout == "outputs":
            classes = [classes] * len(data.tasks)
        found = find_classes(data, n_classes)
        return {"classes_": classes, "task_classes_": found, **learnt}

    def _linear(self, models, data, n_classes):
        """Return the attributes that hold the linear models of tasks."""
        dtype = float_type(data.X)
        values = {
            "coef_": models.coef,
            "intercept_": models.intercept,
            "coef_shared_": models.coef_shared,
            "intercept_shared_": models.intercept_shared,
        }
        values = {name: cast(value, dtype) for name, value in values.items()}
        if data.layout == "single":
            values["coef_"] = values["coef_"][0]
            values["intercept_"] = values["intercept_"][0]
        elif n_classes == 2:
            values["coef_"] = values["coef_"][:, 0]
            values["intercept_"] = values["intercept_"][:, 0]
        if n_classes == 2:
            values["coef_shared_"] = values["coef_shared_"][0]
            values["intercept_shared_"] = values["intercept_shared_"][0]
        return {"tasks_": data.tasks, "n_tasks_": len(data.tasks), **values}

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
        return tags


class TaskClassifier(ClassModel):
    """Learn the models of all tasks from the losses of their rows."""

    @abstractmethod
    def _learn(self, datafit, data):
        """Return the models of the tasks, and what else was learnt, by name."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, task=None):
        data, classes = self._read(X, y, sample_weight, task)
        with calculation(data.X.shape[1]):
            learnt = self._learn_classes(data, classes)
        return self._keep(data, learnt)

    def _learn_classes(self, data, classes):
        """Return everything that a fit teaches."""
        models, about = self._learn(self._pose_rows(data, len(classes)), data)
        return {**self._describe(models, data, classes), **about}


def _of_two(scores):
    """Return the probabilities of two classes, each without a difference."""
    return np.stack([expit(-scores), expit(scores)], axis=1)
