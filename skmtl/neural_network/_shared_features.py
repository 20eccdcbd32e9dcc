"""A transformer that returns the features that a network has learnt."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skmtl._compat import Documented, HasMethods, fit_context
from skmtl._contracts import Array
from skmtl.data import (
    LIBRARIES,
    append_columns,
    append_labels,
    as_table,
    is_instance,
    locate_task_column,
    name_task_columns,
    source_library,
    take_task_columns,
)

# Libraries of the output, where they differ from that of the input.
_OUTPUT_LIBRARIES = {"pyarrow": "pandas"}


class SharedFeatures(Documented, MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Transform rows to the features that the trunk of a network has learnt.

    In a pipeline, a linear model of several tasks can use these features. The output
    has the task column, if there is one, unchanged as its last column. A dataframe
    gives a dataframe with columns "shared0", "shared1" and so on, and the task column
    keeps its name. An array gives an array, and later steps find the task column at
    position -1.

    Parameters
    ----------
    estimator : estimator
        Network to clone, with a trunk that all tasks share:
        :class:`MultiTaskMLPRegressor`, :class:`MultiTaskMLPClassifier` or
        :class:`MultiTaskMLP` with ``sharing="hard"``.

    Attributes
    ----------
    estimator_ : estimator
        Clone, fitted to all rows.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MultiTaskMLPRegressor : Its method `shared_features` returns the same features.

    Notes
    -----
    In `fit_transform`, and so in the fit of a pipeline, the features of the training
    rows come from a network that was trained on the same rows and targets. A later step
    sees a closer relation between features and targets than on new rows: it chooses too
    little regularisation, and its scores on training rows are too high. Scores on
    held-out rows, such as `cross_val_score` of the whole pipeline, are not biased.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmtl.linear_model import MeanRegularizedRegressorCV
    >>> from skmtl.neural_network import MultiTaskMLPRegressor, SharedFeatures
    >>> rng = np.random.default_rng(0)
    >>> X = np.column_stack([rng.normal(size=(120, 2)), np.arange(120) % 4])
    >>> y = X[:, 2] + np.abs(X[:, 0])
    >>> network = MultiTaskMLPRegressor((8,), task_column=-1, random_state=0)
    >>> features = SharedFeatures(network).fit(X, y)
    >>> features.transform(X).shape
    (120, 9)
    >>> linear = MeanRegularizedRegressorCV(task_column=-1)
    >>> model = make_pipeline(features, linear).fit(X, y)
    >>> model.predict([[2.0, 0.0, 3.0]]).round(1)
    array([5.])
    """

    __metadata_request__fit = {"task": True}
    __metadata_request__transform = {"task": True}

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "shared_features"])],
    }

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self:
        """Fit a clone of the network.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if the network has one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        self._learn(X, y, sample_weight, task)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit_transform(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Any:
        """Fit a clone of the network, and return the features of the same rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if the network has one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        X_new : {ndarray, dataframe} of shape (n_samples, n_columns_new)
            Learnt features, then the task column if there is one.
        """
        table, features = self._learn(X, y, sample_weight, task)
        return self._join(table, features)

    def transform(self, X: Any, task: ArrayLike | None = None) -> Any:
        """Return the learnt features of rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        X_new : {ndarray, dataframe} of shape (n_samples, n_columns_new)
            Learnt features, then the task column if there is one.
        """
        check_is_fitted(self)
        table = as_table(X)
        validate_data(self, table, reset=False, skip_check_array=True)
        return self._join(table, self.estimator_.shared_features(table, task))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> Array:
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : array-like of shape (n_columns,), default=None
            Not used.

        Returns
        -------
        names : ndarray of str
            Names of the learnt features, then of the task column.
        """
        check_is_fitted(self)
        return np.array([*self._names(), *self._task_names], dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of the transformer, those of the network's X and y."""
        tags: Tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.non_deterministic = inner.non_deterministic
        return tags

    def _learn(
        self, X: Any, y: Any, sample_weight: Any, task: Any
    ) -> tuple[Any, Array]:
        """Fit a clone; return X as a table, and its learnt features."""
        table, model = as_table(X), clone(self.estimator)
        model.fit(table, y, sample_weight=sample_weight, task=task)
        features = model.shared_features(table, task)
        validate_data(self, table, skip_check_array=True)
        self._task_names = [*_take_labels(table, model.task_column)]
        self.estimator_, self._n_shared = model, features.shape[1]
        return table, features

    def _names(self) -> list[str]:
        return [f"shared{number}" for number in range(self._n_shared)]

    def _join(self, table: Any, values: Array) -> Any:
        """Append the task columns to the learnt features."""
        column = locate_task_column(self, table, self.estimator_.task_column)
        labels, library = _take_labels(table, column), source_library(table)
        if library is None:
            return append_labels(values, labels.values())
        index = table.index if is_instance(table, "pandas", "DataFrame") else None
        library = _OUTPUT_LIBRARIES.get(library, library)
        frame = LIBRARIES[library].make(values, self._names(), index)
        return append_columns(frame, labels)


def _take_labels(table: Any, task_column: Any) -> dict[str, Any]:
    """Return the task columns by name, without those in the index."""
    if task_column is None:
        return {}
    _, labels, positions = take_task_columns(table, task_column)
    names = name_task_columns(table, task_column, positions)
    found = zip(names, labels, positions, strict=True)
    return {name: each for name, each, position in found if position is not None}
