"""Base class of estimators that wrap any scikit-learn estimator."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.linear_model import Ridge
from sklearn.utils import Tags, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skmtl._compat import Documented
from skmtl.data import naming_columns

from ._fit import find_largest
from ._observations import read_query
from ._score import score_prediction


def _inner_has(name):
    """Make a check that raises AttributeError if the inner estimator lacks a method."""

    def check(wrapper):
        getattr(wrapper._get_inner(), name)
        return True

    return check


def without_task_column(wrapper, parameter):
    """Return a clone of a model of tasks that a wrapper has, for labels as task=."""
    model = getattr(wrapper, parameter)
    name = type(model).__name__
    if not has_fit_parameter(model, "task"):
        raise ValueError(
            f"{parameter} must be a model of tasks, whose fit accepts task=, got "
            f"{name}. Use PooledTasks({name}()) for one model of all tasks."
        )
    parameters, names = model.get_params(), parameter_names(model, "task_column")
    given = [each for each in names if parameters[each] is not None]
    if given and wrapper.task_column is None:
        raise ValueError(
            f"task_column must be set in {type(wrapper).__name__}, not only in its "
            f"{parameter}, got {name}({given[0]}={parameters[given[0]]!r}). Move it."
        )
    return clone(model).set_params(**dict.fromkeys(names))


def parameter_names(model, name):
    """Return the full names of a parameter of a model, or of the models it holds."""
    parameters = model.get_params()
    return [
        each
        for each in parameters
        if each == name or (name not in parameters and each.endswith(f"__{name}"))
    ]


def refuse_infinite(values, X):
    """Raise an error if predictions overflow."""
    if values.dtype.kind != "f" or np.isfinite(values).all():
        return
    row = int((~np.isfinite(values.reshape(len(values), -1)).all(axis=1)).argmax())
    name, size = find_largest(X)
    raise ValueError(
        f"Predictions must be finite, got {values[row]} for row {row}. The largest "
        f"feature of X is {size:.3g}, in column {name!r}. Leave out rows so far from "
        "the training rows, or rescale the column before fit."
    )


class TaskWrapper(Documented, MetaEstimatorMixin, BaseEstimator, ABC):
    """Predict and score with an inner estimator."""

    # What comparisons of models say of a gain.
    _shares_tasks: bool

    __metadata_request__fit = {"task": True}
    __metadata_request__predict = {"task": True}
    __metadata_request__predict_proba = {"task": True}
    __metadata_request__score = {"task": True}

    @abstractmethod
    def _call_methods(self, method, X, task):
        """Return the result of a method: an array, or a list of one per output."""

    def predict(self, X: Any, task: ArrayLike | None = None) -> NDArray[Any]:
        """Predict with the model of each row's task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        y : ndarray of shape (n_rows,) or (n_rows, n_tasks)
            Predictions; one column per task if `y` had one in `fit`.
        """
        values = self._call_methods("predict", X, task)
        return np.column_stack(values) if isinstance(values, list) else values

    @available_if(_inner_has("predict_proba"))
    def predict_proba(
        self, X: Any, task: ArrayLike | None = None
    ) -> NDArray[Any] | list[NDArray[Any]]:
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        probabilities : ndarray of shape (n_rows, n_classes)
            Columns in the order of `classes_`; a list with one such array per task if
            `y` had one column per task in `fit`.
        """
        return self._call_methods("predict_proba", X, task)

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> float:
        """Return the R2 of a regressor or the accuracy of a classifier.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if there was one in `fit`.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets or classes; NaN in a 2-d `y` means not observed.
        sample_weight : array-like of shape (n_rows,), default=None
            Weight of each row. None means ones.
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        score : float
            Score over all rows; for a 2-d `y` the mean of the scores of its columns.
            A column without labels is left out, for R2 also one with equal labels.
        """
        prediction = self.predict(X, task=task)
        return score_prediction(is_classifier(self), y, prediction, sample_weight)

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of the inner estimator, changed for data of several tasks."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self._get_inner())
        tags.estimator_type = inner.estimator_type
        tags.classifier_tags = inner.classifier_tags
        tags.regressor_tags = inner.regressor_tags
        tags.input_tags = inner.input_tags
        tags.target_tags = inner.target_tags
        tags.non_deterministic = inner.non_deterministic
        tags.target_tags.required = tags.target_tags.single_output = True
        tags.target_tags.multi_output = self.task_column is None
        if self.task_column is not None:
            tags.input_tags.categorical = tags.input_tags.string = True
        return tags

    def _get_inner(self):
        return Ridge() if self.estimator is None else self.estimator


class CloneWrapper(TaskWrapper):
    """Predict rows whose tasks are known by codes."""

    @abstractmethod
    def _call(self, method, X, codes):
        """Call a method of the fitted clones on rows with these task codes."""

    def _call_methods(self, method, X, task):
        check_is_fitted(self)
        with np.errstate(over="ignore", invalid="ignore"):
            X, codes = read_query(self, X, task)
            with naming_columns(X):
                if codes is not None:
                    result = self._call(method, X, codes)
                else:
                    result = self._call_for_outputs(method, X)
        for values in result if isinstance(result, list) else [result]:
            refuse_infinite(values, X)
        return result

    def _call_for_outputs(self, method, X):
        """Call a method for each column of a 2-d target."""
        codes = np.zeros(X.shape[0], dtype=np.intp)
        return [self._call(method, X, codes + t) for t in range(self.n_tasks_)]
