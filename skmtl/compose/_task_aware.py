"""A transformer that leaves the task column alone."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import HasMethods, fit_context
from ..data._containers import as_table, column_names
from ._columns import append_columns, append_labels, library_of, make_frame
from ._observations import split_labels


class TaskAware(MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Transform every column but the one that holds the task.

    The task column comes out unchanged, as the last column. A frame gives a frame of
    the same library, in which the task column keeps its name, so that later steps find
    it; an array gives an array, where later steps find it at position -1. In a frame
    made from an array it is called "task".

    Parameters
    ----------
    transformer : transformer
        Transformer to be cloned; a Pipeline or a ColumnTransformer too.
    task_column : str or int
        Name or position of the column of X that holds the task, or name of a level of
        its pandas index, which then stays in the index.

    Attributes
    ----------
    transformer_ : transformer
        Fitted clone, which has seen all columns but the task column.
    n_features_in_ : int
        Number of columns of X, the task column among them.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if all are strings.

    See Also
    --------
    make_task_pipeline : Wrap all the transformers of a pipeline.

    Notes
    -----
    ``set_output(transform="pandas")`` or "polars" chooses the library of the output.
    A pyarrow Table gives a pandas frame.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skmtl.compose import TaskAware
    >>> X = np.array([[7, 1.0], [3, 3.0]])
    >>> scaler = TaskAware(StandardScaler(), task_column=0).fit(X)
    >>> scaler.transform(X)
    array([[-1.,  7.],
           [ 1.,  3.]])
    """

    _parameter_constraints = {
        "transformer": [HasMethods(["fit", "transform"])],
        "task_column": [str, Integral],
    }

    def __init__(self, transformer, *, task_column):
        self.transformer = transformer
        self.task_column = task_column

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Fit the transformer to the features.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features and the task column.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
            Targets, for transformers that use them.

        Returns
        -------
        self : TaskAware
            The fitted transformer.
        """
        features, _ = self._begin(X)
        self.transformer_.fit(features, y)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
        """Fit the transformer to the features, and transform them.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features and the task column.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
            Targets, for transformers that use them.

        Returns
        -------
        X_new : {ndarray, sparse matrix, dataframe}
            Transformed features, the task column last.
        """
        features, labels = self._begin(X)
        # Not fit().transform(): a TargetEncoder's own fit_transform is cross-fitted.
        return self._join(self.transformer_.fit_transform(features, y), labels, X)

    def transform(self, X):
        """Transform the features.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features and the task column.

        Returns
        -------
        X_new : {ndarray, sparse matrix, dataframe}
            Transformed features, the task column last.
        """
        check_is_fitted(self)
        table = as_table(X)
        validate_data(self, table, reset=False, skip_check_array=True)
        features, labels, _ = split_labels(self, table)
        return self._join(self.transformer_.transform(features), labels, X)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns that come out.

        Parameters
        ----------
        input_features : array-like of shape (n_columns,), default=None
            Names of the columns of X, where it has none of its own.

        Returns
        -------
        names : ndarray of str
            Names of the transformed features, then of the task column.
        """
        check_is_fitted(self)
        position = self._task_position
        if position is None:
            return self.transformer_.get_feature_names_out(input_features)
        if input_features is None:
            names = self.transformer_.get_feature_names_out()
        else:
            kept = np.delete(np.asarray(input_features, dtype=object), position)
            names = self.transformer_.get_feature_names_out(kept)
        return np.append(np.asarray(names, dtype=object), self._task_name)

    def __sklearn_tags__(self):
        """Return the tags of the inner transformer, for tables with labels in them."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.input_tags.categorical = tags.input_tags.string = True
        tags.non_deterministic = inner.non_deterministic
        return tags

    def _begin(self, X):
        """Prepare an unfitted clone, and split what it is fitted on."""
        table = as_table(X)
        validate_data(self, table, skip_check_array=True)
        features, labels, _ = split_labels(self, table)
        self._input_library = library_of(table)
        self._task_position, self._task_name = self._describe_task(table)
        self.transformer_ = clone(self.transformer)
        library = self._output_library()
        if library is not None and hasattr(self.transformer_, "set_output"):
            self.transformer_.set_output(transform=library)
        return features, labels

    def _describe_task(self, table):
        """Return position and name of the task column; no position in an index."""
        names = column_names(table)
        if isinstance(self.task_column, str):
            found = self.task_column in names
            return names.index(self.task_column) if found else None, self.task_column
        position = int(self.task_column) % table.shape[1]
        return position, "task" if names is None else str(names[position])

    def _output_library(self):
        """Return the library of the frames that come out, None for arrays."""
        mine = getattr(self, "_sklearn_output_config", {})
        asked = mine.get("transform", get_config()["transform_output"])
        if asked != "default":
            return asked
        return "pandas" if self._input_library == "pyarrow" else self._input_library

    def _join(self, values, labels, X):
        """Put the task column behind the transformed features."""
        library = self._output_library()
        if library is not None and library_of(values) != library:
            values = self._frame(library, values, X)
        if self._task_position is None:
            return values  # the labels are in the index
        if library_of(values) is None:
            return append_labels(values, labels)
        return append_columns(values, {self._task_name: labels})

    def _frame(self, library, values, X):
        """Make a frame of what came from a transformer that makes none itself."""
        if issparse(values):
            raise ValueError(
                f"{type(self.transformer).__name__} must return a dense array, to be "
                f"put in a {library} frame with the task column, got a sparse matrix. "
                f"Make it return a dense one, or pass X as an array."
            )
        names = [f"x{j}" for j in range(values.shape[1])]
        if hasattr(self.transformer_, "get_feature_names_out"):
            names = self.transformer_.get_feature_names_out()
        index = X.index if library_of(X) == "pandas" else None
        return make_frame(library, values, names, index)
