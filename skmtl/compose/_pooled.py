"""One clone of an estimator for all tasks."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier

from skmtl._compat import HasMethods, StrOptions, fit_context
from skmtl.data import naming_columns
from skmtl.metrics import has_position

from ._encodings import make_encoding, name_columns
from ._fit import fit_clone
from ._observations import read_observations, take_rows, warn_of_encoded_missing
from ._wrapper import CloneWrapper


class PooledTasks(CloneWrapper):
    """Fit one clone of any regressor or classifier to the rows of all tasks.

    The baseline of complete sharing. The clone gets the features without the task
    column; `task_encoding` adds the task in a form that suits the inner estimator.

    Parameters
    ----------
    estimator : estimator, default=None
        Regressor or classifier to clone; None means ``Ridge()``.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position, or a level of its
        pandas index; a list of columns declares nested tasks. None means that ``task=``
        or the columns of `y` give the tasks, or that there is one task.
    task_encoding : {"auto", "onehot", "category", "target"}, default=None
        Encoding of the task, as columns after the features; None leaves the task out.

        - "onehot": one indicator per task, named as in ``school_s7``, so that a linear
          model has one intercept per task. All are 0 for an unseen task. With many
          tasks, X becomes sparse, which the estimator must support.
        - "category": one categorical column, so that each split of a tree divides the
          tasks into two groups. For HistGradientBoosting (at most 255 tasks) and
          LightGBM. An unseen task is a missing value.
        - "target": the task's mean target, shrunk towards the overall mean by
          scikit-learn's :class:`~sklearn.preprocessing.TargetEncoder`; one column per
          class for more than two classes. Training rows are encoded by cross-fitting,
          so that targets do not leak. For any estimator and any number of tasks. An
          unseen task gets the overall mean. Weights are ignored, except that rows of
          weight zero are left out.
        - "auto": "category" if the estimator supports it for so many tasks, and these
          have at least 100 rows on average; else "target". For trees and forests.

        It has no effect if no tasks are declared.
    task_intercepts : bool, default=False
        Same as ``task_encoding="onehot"``.

    Attributes
    ----------
    estimator_ : estimator
        Fitted clone.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes of all tasks; with a 2-d y the same array for each task. Only for
        classifiers.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    IndependentTasks : One clone per task.

    Notes
    -----
    The columns of a 2-d `y` are stacked: a row of X is repeated for each of its targets
    that is not NaN.

    Use "onehot" for linear models. Boosted trees predict worse with indicators, because
    each split separates only one task from the rest: use "auto" for them.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.compose import PooledTasks
    >>> X = np.array([[0, 0.0], [0, 1.0], [1, 0.0], [1, 1.0]])
    >>> y = [0.0, 1.0, 4.0, 5.0]
    >>> PooledTasks(LinearRegression(), task_column=0).fit(X, y).predict(X).round(6)
    array([2., 3., 2., 3.])
    >>> model = PooledTasks(LinearRegression(), task_column=0, task_encoding="onehot")
    >>> model.fit(X, y).predict(X).round(6)
    array([0., 1., 4., 5.])
    """

    _shares_tasks = True
    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "task_column": [str, Integral, list, None],
        "task_encoding": [StrOptions({"auto", "onehot", "category", "target"}), None],
        "task_intercepts": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        task_column: str | int | list[str | int] | None = None,
        task_encoding: str | None = None,
        task_intercepts: bool = False,
    ) -> None:
        self.estimator = estimator
        self.task_column = task_column
        self.task_encoding = task_encoding
        self.task_intercepts = task_intercepts

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self:
        """Fit one clone to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if `task_column` is set.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets or classes. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_tasks)
            Weight of each row or cell, passed to the inner estimator. None means ones.
        task : array-like of shape (n_rows,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : PooledTasks
            The fitted estimator.
        """
        kind = self._read_encoding()
        data = read_observations(self, X, y, task, sample_weight)
        if is_classifier(self) and data.layout == "outputs":
            warn_of_encoded_missing(y)
        X, y, weight = data.take()
        kind = None if data.layout == "single" else kind
        inner, prefix = self._get_inner(), self._name_prefix()
        n_rows = len(data.codes)
        encoding = make_encoding(kind, inner, data.tasks, prefix, n_rows)
        inner, options = encoding.prepare(inner, X)
        features = encoding.fit_encode(X, data.codes, y, weight)
        features = name_columns(features, inner)
        with naming_columns(features):
            self.estimator_ = fit_clone(inner, features, y, weight, options)
        self.tasks_, self.n_tasks_ = data.tasks, len(data.tasks)
        self._layout, self._encoding = data.layout, encoding
        if is_classifier(self):
            classes = self.estimator_.classes_
            per_task = data.layout == "outputs"
            self.classes_ = [classes] * self.n_tasks_ if per_task else classes
        return self

    def _name_prefix(self):
        """Return the prefix of the names of the added columns."""
        column = self.task_column
        return "task" if has_position(column) else "_".join(np.atleast_1d(column))

    def _read_encoding(self):
        """Return the encoding that the two parameters declare."""
        if not self.task_intercepts:
            return self.task_encoding
        if self.task_encoding not in (None, "onehot"):
            raise ValueError(
                "task_intercepts=True means task_encoding='onehot'. Got "
                f"task_encoding={self.task_encoding!r} too. Leave out task_intercepts."
            )
        return "onehot"

    def _call(self, method, X, codes):
        encoding, n_rows = self._encoding, X.shape[0]
        call = getattr(self.estimator_, method)
        size = encoding.chunk or n_rows
        if n_rows <= size:
            return call(self._encode(X, codes))
        chunks = (np.arange(i, min(i + size, n_rows)) for i in range(0, n_rows, size))
        return np.concatenate(
            [call(self._encode(take_rows(X, rows), codes[rows])) for rows in chunks]
        )

    def _encode(self, X, codes):
        return name_columns(self._encoding.encode(X, codes), self.estimator_)

    def _call_for_outputs(self, method, X):
        if self._encoding.uses_task:
            return super()._call_for_outputs(method, X)
        codes = np.zeros(X.shape[0], dtype=np.intp)
        return [self._call(method, X, codes)] * self.n_tasks_
