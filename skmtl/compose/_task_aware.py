"""A transformer that leaves the task column alone."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config
from sklearn.base import BaseEstimator, MetaEstimatorMixin, TransformerMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skmtl._compat import Documented, HasMethods, fit_context
from skmtl.data import (
    SparseTable,
    as_table,
    column_names,
    is_instance,
    locate_task_column,
    naming_columns,
    take_task_columns,
)

from ._columns import append_columns, append_labels, library_of, make_frame
from ._observations import take_rows


class TaskAware(Documented, MetaEstimatorMixin, TransformerMixin, BaseEstimator):
    """Transform every column but the one that holds the task.

    The task column comes out unchanged, as the last column. A frame gives a frame of
    the same library, in which the task column keeps its name, so that later steps find
    it; an array gives an array, where later steps find it at position -1. In a frame
    made from an array it is called "task". If the transformer returns a sparse matrix,
    the output is a :class:`~skmtl.data.SparseTable` of the matrix and the labels.

    Parameters
    ----------
    transformer : transformer
        Transformer to clone; also a Pipeline or a ColumnTransformer. Text transformers
        such as TfidfVectorizer require a single other column.
    task_column : str, int or list of them
        Name or position of the column of X that holds the task, or name of a level of
        its pandas index, which then stays in the index. A list declares nested tasks;
        its columns come out unchanged, in the order of the list.

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
    ``set_output(transform="pandas")`` or "polars" chooses the library of the output,
    and scikit-learn then refuses sparse output. A pyarrow Table gives a pandas frame.
    With a sparse result, array input gives a SparseTable only if the matrix cannot hold
    its labels as numbers; otherwise they become its last column.

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
        self._fit(X, y, _fit_and_probe)
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
        # Not fit().transform(): a TargetEncoder's own fit_transform is cross-fitted.
        return self._join(*self._fit(X, y, _fit_transform), X)

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
        column = locate_task_column(self, table, self.task_column)
        features, labels, _ = take_task_columns(table, column)
        with naming_columns(features):
            values = self.transformer_.transform(_give(self.transformer_, features))
        return self._join(values, labels, X)

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
        positions = [place for place in self._task_positions if place is not None]
        if input_features is None:
            names = self.transformer_.get_feature_names_out()
        else:
            kept = np.delete(np.asarray(input_features, dtype=object), positions)
            names = self.transformer_.get_feature_names_out(kept)
        return np.append(
            np.asarray(names, dtype=object), self._inside(self._task_names)
        )

    def __sklearn_tags__(self):
        """Return the tags of the inner transformer, for tables with labels in them."""
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
        library = _library_of(table)
        with naming_columns(features):
            transformer, values = self._try_frames(features, y, method, library)
        validate_data(self, table, skip_check_array=True)
        self._input_library = library
        self._task_positions, self._task_names = positions, self._name(table, positions)
        self.transformer_ = transformer
        return values, labels

    def _try_frames(self, features, y, method, library):
        """Set the transformer to return frames, if it can."""
        library = self._output_library(library)
        try:
            return method(self._configure(library), features, y)
        except ValueError:
            if library is None or self._asked() != "default":
                raise
        return method(self._configure(None), features, y)

    def _configure(self, library):
        transformer = clone(self.transformer)
        if library is not None and hasattr(transformer, "set_output"):
            transformer.set_output(transform=library)
        return transformer

    def _name(self, table, positions):
        """Return the names of the task columns."""
        named = self.task_column
        named = named if isinstance(named, list) else [named]
        names, several = column_names(table), len(named) > 1
        if names is not None:
            pairs = zip(named, positions, strict=True)
            return [name if at is None else str(names[at]) for name, at in pairs]
        return [f"task{k}" if several else "task" for k in range(len(named))]

    def _inside(self, values):
        """Return the entries of task columns that are in X, not in its index."""
        pairs = zip(values, self._task_positions, strict=True)
        return [value for value, place in pairs if place is not None]

    def _asked(self):
        """Return the output container that the user set, or "default"."""
        mine = getattr(self, "_sklearn_output_config", {})
        return mine.get("transform", get_config()["transform_output"])

    def _output_library(self, library):
        """Return the library of the output frame, or None for arrays."""
        asked = self._asked()
        if asked != "default":
            return asked
        return "pandas" if library == "pyarrow" else library

    def _join(self, values, labels, X):
        """Append the task columns to the transformed features."""
        library = self._output_library(self._input_library)
        if issparse(values) and library is not None:
            return self._join_sparse(library, values, labels)
        if library is not None and library_of(values) != library:
            values = self._frame(library, values, X)
        inside = self._inside(labels)
        if not inside:
            return values  # the labels are in the index
        if library_of(values) is None:
            return append_labels(values, inside)
        names = self._inside(self._task_names)
        return append_columns(values, dict(zip(names, inside, strict=True)))

    def _join_sparse(self, library, values, labels):
        """Make a table from a sparse matrix, which has no index for labels."""
        if self._asked() != "default":
            raise ValueError(
                f"{type(self.transformer).__name__} must return a dense array, to be "
                f"put in a {library} frame with the task column, got a sparse matrix. "
                f"Make it return a dense one, or leave set_output at its default."
            )
        columns = [*map(str, self._names_out(values)), *self._task_names]
        clash = set(columns[: values.shape[1]]) & set(self._task_names)
        if clash:
            raise ValueError(
                "X must not have columns with the names of added columns, got "
                f"{sorted(clash)}. Rename them in X."
            )
        return SparseTable(values.tocsr(), tuple(labels), columns, library)

    def _frame(self, library, values, X):
        """Convert the output of a transformer to a frame."""
        index = X.index if library_of(X) == "pandas" else None
        return make_frame(library, values, self._names_out(values), index)

    def _names_out(self, values):
        if hasattr(self.transformer_, "get_feature_names_out"):
            return self.transformer_.get_feature_names_out()
        return [f"x{j}" for j in range(values.shape[1])]


def _library_of(table):
    """Return the library of a frame, or of the source of a SparseTable."""
    return table.library if isinstance(table, SparseTable) else library_of(table)


def _fit_transform(transformer, features, y):
    return transformer, transformer.fit_transform(_give(transformer, features), y)


def _fit_and_probe(transformer, features, y):
    """Fit, and test on one row whether the transformer can return frames."""
    transformer.fit(_give(transformer, features), y)
    transformer.transform(_give(transformer, take_rows(features, [0])))
    return transformer, None


def _give(transformer, features):
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
    if is_instance(features, "pyarrow", "Table"):
        return features.column(0).to_pylist()
    if is_instance(features, "polars", "DataFrame"):
        return features.to_series(0).to_list()
    if is_instance(features, "pandas", "DataFrame"):
        return features.iloc[:, 0]
    return features[:, 0]
