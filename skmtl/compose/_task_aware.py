"""A transformer that leaves the task column unchanged."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skmtl._compat import Documented, HasMethods, fit_context
from skmtl.data import (
    LIBRARIES,
    SparseTable,
    append_columns,
    append_labels,
    as_table,
    is_instance,
    library_of,
    locate_task_column,
    name_task_columns,
    naming_columns,
    source_library,
    take_task_columns,
)

from ._observations import chosen_library, take_rows

# Libraries of the output, where they differ from that of the input.
_OUTPUT_LIBRARIES = {"pyarrow": "pandas"}


class TaskAware(Documented, MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Transform every column except the task column.

    The output has the task column, unchanged, as its last column. A dataframe gives a
    dataframe of the same library, and the task column keeps its name. An array gives an
    array, and later steps find the task column at position -1. In a dataframe made from
    an array its name is "task". If the transformer returns a sparse matrix, the output
    is a :class:`~skmtl.data.SparseTable` of the matrix and the labels.

    Parameters
    ----------
    transformer : transformer
        Transformer to clone, such as a Pipeline or a ColumnTransformer. A text
        transformer, such as TfidfVectorizer, needs X to have one other column.
    task_column : str, int or list of them
        Column of X with the task of each row, by name or position, or a level of its
        pandas index, which stays in the index. A list of columns declares nested tasks;
        the output has them in the order of the list.

    Attributes
    ----------
    transformer_ : transformer
        Clone, fitted to all columns except the task column.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    make_task_pipeline : Make a pipeline of such transformers.

    Notes
    -----
    ``set_output(transform="pandas")`` or "polars" sets the library of the output; a
    sparse result then raises an error. A pyarrow Table gives a pandas dataframe.

    If X is an array and the result a sparse matrix, numeric labels become the last
    column of that matrix, unless its dtype cannot hold them exactly. Only then is the
    output a SparseTable.

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
        "task_column": [str, Integral, list],
    }

    def __init__(
        self, transformer: Any, *, task_column: str | int | list[str | int]
    ) -> None:
        self.transformer = transformer
        self.task_column = task_column

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike | None = None) -> Self:
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
        self._fit(X, y, _fit_and_probe)
        return self

    @fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X: Any, y: ArrayLike | None = None) -> Any:
        """Fit the transformer to the features and transform them.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features and the task column.
        y : array-like of shape (n_rows,) or (n_rows, n_outputs), default=None
            Targets, for transformers that use them.

        Returns
        -------
        X_new : {ndarray, sparse matrix, dataframe}
            Transformed features, then the task column.
        """
        # TargetEncoder.fit_transform cross-fits; fit().transform() would leak targets.
        values, labels = self._fit(X, y, _fit_transform)
        return self._join(values, labels, X)

    def transform(self, X: Any) -> Any:
        """Transform the features.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features and the task column.

        Returns
        -------
        X_new : {ndarray, sparse matrix, dataframe}
            Transformed features, then the task column.
        """
        check_is_fitted(self)
        table = as_table(X)
        validate_data(self, table, reset=False, skip_check_array=True)
        column = locate_task_column(self, table, self.task_column)
        features, labels, _ = take_task_columns(table, column)
        with naming_columns(features):
            values = self.transformer_.transform(
                _select_input(self.transformer_, features)
            )
        return self._join(values, labels, X)

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[np.object_]:
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : array-like of shape (n_columns,), default=None
            Names of the columns of X; needed only if X had none in `fit`.

        Returns
        -------
        names : ndarray of str
            Names of the transformed features, then of the task column.
        """
        check_is_fitted(self)
        positions = self._keep_columns(self._task_positions)
        if input_features is None:
            names = self.transformer_.get_feature_names_out()
        else:
            kept = np.delete(np.asarray(input_features, dtype=object), positions)
            names = self.transformer_.get_feature_names_out(kept)
        return np.append(
            np.asarray(names, dtype=object), self._keep_columns(self._task_names)
        )

    def __sklearn_tags__(self) -> Tags:
        """Return the tags of the transformer; X may also hold strings, its labels."""
        tags = super().__sklearn_tags__()
        inner = get_tags(self.transformer)
        tags.input_tags, tags.target_tags = inner.input_tags, inner.target_tags
        tags.input_tags.categorical = tags.input_tags.string = True
        tags.non_deterministic = inner.non_deterministic
        return tags

    def _fit(self, X, y, method):
        """Fit a clone; return the transformed features and the labels."""
        table = as_table(X)
        features, labels, positions = take_task_columns(table, self.task_column)
        library = source_library(table)
        with naming_columns(features):
            transformer, values = self._fit_clone(features, y, method, library)
        validate_data(self, table, skip_check_array=True)
        self._input_library = library
        self._task_positions = positions
        self._task_names = name_task_columns(table, self.task_column, positions)
        self.transformer_ = transformer
        return values, labels

    def _fit_clone(self, features, y, method, library):
        """Fit a clone that returns dataframes, or arrays if it cannot."""
        library = self._output_library(library)
        try:
            return method(self._make_clone(library), features, y)
        except ValueError:
            if library is None or chosen_library(self) is not None:
                raise
        return method(self._make_clone(None), features, y)

    def _make_clone(self, library):
        """Clone the transformer, with output of a library if there is one."""
        transformer = clone(self.transformer)
        if library is not None and hasattr(transformer, "set_output"):
            transformer.set_output(transform=library)
        return transformer

    def _keep_columns(self, values):
        """Return the values of task columns, without those of index levels."""
        pairs = zip(values, self._task_positions, strict=True)
        return [value for value, position in pairs if position is not None]

    def _output_library(self, library):
        """Return the library of the output dataframe, or None for arrays."""
        return chosen_library(self) or _OUTPUT_LIBRARIES.get(library, library)

    def _join(self, values, labels, X):
        """Append the task columns to the transformed features."""
        library = self._output_library(self._input_library)
        if issparse(values) and library is not None:
            return self._join_sparse(library, values, labels)
        if library is not None and library_of(values) != library:
            values = self._make_frame(library, values, X)
        labels = self._keep_columns(labels)
        if not labels:
            return values  # the index holds them
        if library_of(values) is None:
            return append_labels(values, labels)
        names = self._keep_columns(self._task_names)
        return append_columns(values, dict(zip(names, labels, strict=True)))

    def _join_sparse(self, library, values, labels):
        """Join a sparse matrix and all labels, since it has no index to hold some."""
        if chosen_library(self) is not None:
            raise ValueError(
                f"{type(self.transformer).__name__} must return a dense array if "
                f"set_output is {library!r}, got a sparse matrix. Make it return a "
                "dense array, or leave set_output at its default."
            )
        columns = [*map(str, self._names_out(values)), *self._task_names]
        clash = set(columns[: values.shape[1]]) & set(self._task_names)
        if clash:
            raise ValueError(
                "X must not have columns with the names of added columns, got "
                f"{sorted(clash)}. Rename them in X."
            )
        return SparseTable(values.tocsr(), tuple(labels), columns, library)

    def _make_frame(self, library, values, X):
        """Convert the output of the transformer to a dataframe."""
        index = X.index if is_instance(X, "pandas", "DataFrame") else None
        return LIBRARIES[library].make(values, self._names_out(values), index)

    def _names_out(self, values):
        if hasattr(self.transformer_, "get_feature_names_out"):
            return self.transformer_.get_feature_names_out()
        return [f"x{j}" for j in range(values.shape[1])]


def _fit_transform(transformer, features, y):
    selected = _select_input(transformer, features)
    return transformer, transformer.fit_transform(selected, y)


def _fit_and_probe(transformer, features, y):
    """Fit, and transform one row: raises if dataframes are not supported."""
    transformer.fit(_select_input(transformer, features), y)
    transformer.transform(_select_input(transformer, take_rows(features, [0])))
    return transformer, None


def _select_input(transformer, features):
    """Return the features, or the single text column for a text transformer."""
    while isinstance(transformer, Pipeline):
        transformer = transformer.steps[0][1]
    tags = get_tags(transformer).input_tags
    if tags.two_d_array or not tags.string:
        return features
    if features.shape[1] != 1:
        raise ValueError(
            f"{type(transformer).__name__} needs one text column, got "
            f"{features.shape[1]} columns besides the task column. Select one with a "
            "ColumnTransformer: make_column_transformer((transformer, 'text'))."
        )
    library = library_of(features)
    if library is None:
        return features[:, 0]
    return LIBRARIES[library].first_column(features)
