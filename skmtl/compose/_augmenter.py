"""A copy of the features for all tasks, and one for each task."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skmtl._compat import Documented, Interval, StrOptions, fit_context
from skmtl._memory import refuse_large
from skmtl.data import (
    as_table,
    column_names,
    declare_tasks,
    naming_columns,
    number_rows,
)

from ._observations import chosen_library, read_query

_REMEDY = "Use sparse_output=True, or an estimator of skmtl.linear_model."


class TaskFeatureAugmenter(Documented, TransformerMixin, BaseEstimator):
    """Copy the features: once for all tasks, and once for each task.

    A row ``x`` of task ``t`` becomes ``[shared_scale * x, 0, ..., x, ..., 0]``: a
    shared block, then a block per task, all zero except that of ``t``. A linear model
    of these columns has shared coefficients, and each task's differences from them. Any
    linear model of scikit-learn thus becomes a model of related tasks. For a row of an
    unseen task, only the shared block is not zero.

    Parameters
    ----------
    shared_scale : float, default=1.0
        Factor of the shared block. A larger one weakens the penalty on shared
        coefficients, which makes tasks more similar.
    task_intercepts : bool, default=True
        Whether the block of each task also has a column of ones, as its last.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position, or a level of its
        pandas index; a list of columns declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        What `transform` does with an unseen task: fill only the shared block, or raise
        an error.
    sparse_output : bool, default=True
        Whether to return a sparse array. False returns a dense one, for estimators that
        need it and for dataframes by `set_output`; it has a column per feature and
        task, almost all of them zero.

    Attributes
    ----------
    tasks_ : ndarray of shape (n_tasks,)
        Sorted labels of the tasks.
    n_tasks_ : int
        Number of tasks.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    SharedPlusSpecific : A shared part of any kind, and a part of each task.

    Notes
    -----
    Scikit-learn's ``Ridge(alpha)`` on these columns is a
    :class:`~skmtl.linear_model.MeanRegularizedRegressor` with the same `alpha`, also as
    `alpha_intercept`, and with ``alpha_shared = alpha / shared_scale**2``. That class
    needs far less time and memory. The augmenter is for losses and penalties that this
    library lacks.

    References
    ----------
    Daumé III, H. (2007). Frustratingly easy domain adaptation. Proceedings of the 45th
    Annual Meeting of the Association of Computational Linguistics, 256-263.
    https://aclanthology.org/P07-1033/

    Examples
    --------
    >>> from skmtl.compose import TaskFeatureAugmenter
    >>> X = [["a", 2.0], ["b", 3.0]]
    >>> augmenter = TaskFeatureAugmenter(task_column=0).fit(X)
    >>> augmenter.transform([*X, ["c", 5.0]]).toarray()
    array([[2., 2., 1., 0., 0.],
           [3., 0., 0., 3., 1.],
           [5., 0., 0., 0., 0.]])
    """

    __metadata_request__fit = {"task": True}
    __metadata_request__transform = {"task": True}

    _parameter_constraints = {
        "shared_scale": [Interval(Real, 0, None, closed="neither")],
        "task_intercepts": ["boolean"],
        "task_column": [str, Integral, list, None],
        "handle_unknown": [StrOptions({"shared", "error"})],
        "sparse_output": ["boolean"],
    }

    def __init__(
        self,
        *,
        shared_scale: float = 1.0,
        task_intercepts: bool = True,
        task_column: str | int | list[str | int] | None = None,
        handle_unknown: str = "shared",
        sparse_output: bool = True,
    ) -> None:
        self.shared_scale = shared_scale
        self.task_intercepts = task_intercepts
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.sparse_output = sparse_output

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: Any, y: ArrayLike | None = None, task: ArrayLike | None = None
    ) -> Self:
        """Record the tasks.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if `task_column` is set.
        y : array-like, default=None
            Not used.
        task : array-like of shape (n_rows,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : TaskFeatureAugmenter
            The fitted transformer.
        """
        table = as_table(X)
        declared = declare_tasks(table, self.task_column, task)
        features = _check_features(self, declared.features)
        layout, labels = declared.match(features)
        tasks, _ = number_rows(labels, features.shape[0])
        validate_data(self, table, skip_check_array=True)
        self._names = column_names(declared.features)
        self._n_features = features.shape[1]
        self._layout, self.tasks_, self.n_tasks_ = layout, tasks, len(tasks)
        return self

    def transform(self, X: Any, task: ArrayLike | None = None) -> Any:
        """Copy the features to the shared block and to that of each row's task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        X_new : {CSR array, ndarray, dataframe} of shape (n_rows, n_columns_out)
            The shared block, then a block per task, in the order of `tasks_`.
        """
        check_is_fitted(self)
        self._check_output()
        features, codes = read_query(self, X, task)
        shared = sparse.csr_array(_check_features(self, features))
        own = shared
        if self.task_intercepts:
            ones = np.ones((shared.shape[0], 1), dtype=shared.dtype)
            own = sparse.hstack([shared, ones], format="csr")
        blocks = [self.shared_scale * shared, self._spread(own, codes)]
        copies = _narrow(sparse.hstack(blocks, format="csr"))
        if self.sparse_output:
            return copies
        n_bytes = copies.dtype.itemsize * np.prod(copies.shape, dtype=float)
        refuse_large(n_bytes, "dense copies of the features", _REMEDY)
        return copies.toarray()

    def _check_output(self):
        """Refuse dataframes of sparse copies."""
        library = chosen_library(self)
        if self.sparse_output and library is not None:
            raise ValueError(
                f"sparse_output must be False with set_output(transform={library!r}), "
                "as dataframes are dense, got sparse_output=True. Set it to False, or "
                "use set_output(transform='default')."
            )

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(
        self,
        X: Any,
        y: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Any:
        """Record the tasks, and copy the features.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if `task_column` is set.
        y : array-like, default=None
            Not used.
        task : array-like of shape (n_rows,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        X_new : {CSR array, ndarray, dataframe} of shape (n_rows, n_columns_out)
            The shared block, then a block per task, in the order of `tasks_`.
        """
        self.fit(X, y, task)
        return self.transform(X, task if self._layout == "keyword" else None)

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> NDArray[np.object_]:
        """Return the names of the output columns.

        Parameters
        ----------
        input_features : array-like of shape (n_columns,), default=None
            Not used; names are those of X in `fit`, or x0, x1 and so on.

        Returns
        -------
        names : ndarray of str
            "shared" or the label of the task, two underscores, and the feature or
            "intercept".
        """
        check_is_fitted(self)
        names = self._names or [f"x{j}" for j in range(self._n_features)]
        own = [*names, "intercept"] if self.task_intercepts else names
        blocks = [("shared", names), *((task, own) for task in self.tasks_.tolist())]
        full = [f"{block}__{name}" for block, columns in blocks for name in columns]
        return np.array(full, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        """Return tags for sparse features, and labels as strings."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        if self.task_column is not None:
            tags.input_tags.categorical = tags.input_tags.string = True
        return tags

    def _spread(self, own, codes):
        """Move each row to the block of its task; rows of unseen tasks are empty."""
        width, codes = own.shape[1], np.asarray(codes)
        counts = np.where(codes >= 0, np.diff(own.indptr), 0)
        starts = np.repeat(np.maximum(codes, 0) * width, np.diff(own.indptr))
        seen = np.repeat(codes >= 0, np.diff(own.indptr))
        columns = own.indices.astype(np.int64)[seen] + starts[seen]
        indptr = np.concatenate([[0], np.cumsum(counts)])
        shape = own.shape[0], self.n_tasks_ * width
        return sparse.csr_array((own.data[seen], columns, indptr), shape=shape)


def _narrow(matrix):
    """Use indices of 32 bits where they suffice: many estimators need them."""
    if max(matrix.nnz, *matrix.shape) <= np.iinfo(np.int32).max:
        matrix.indices = matrix.indices.astype(np.int32, copy=False)
        matrix.indptr = matrix.indptr.astype(np.int32, copy=False)
    return matrix


def _check_features(estimator, X):
    """Return features as an array or CSR matrix of numbers."""
    with naming_columns(X), np.errstate(over="ignore", invalid="ignore"):
        return check_array(
            X,
            accept_sparse="csr",
            dtype=[np.float64, np.float32],
            estimator=type(estimator).__name__,
            input_name="X",
        )
