"""One clone of an estimator for all tasks."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier

from .._compat import HasMethods, fit_context
from ..data import naming_columns
from ..metrics import has_position
from ._columns import append_codes
from ._fit import fit_clone
from ._observations import read_observations, warn_of_encoded_missing
from ._wrapper import TaskWrapper


class PooledTasks(TaskWrapper):
    """Fit one clone of any regressor or classifier to the rows of all tasks.

    The baseline of complete sharing: the inner estimator sees the features alone, or
    together with one indicator per task, which gives linear models one intercept per
    task and lets trees split tasks.

    Parameters
    ----------
    estimator : estimator, default=None
        Regressor or classifier to be cloned; None means ``Ridge()``.
    task_column : str, int or list of them, default=None
        Name or position of the column of X that holds the task, or name of a level of
        its pandas index. None means that tasks are given by ``task=``, or are the
        columns of `y`, or that there is one task.
    task_intercepts : bool, default=False
        Whether indicators of the tasks (zeros and a one) are added after the features.
        Frames get columns named as in ``school_s7``; arrays become arrays of floats
        with `n_tasks` more columns, so many tasks want a sparse X. Tasks not seen in
        fit have no indicator set. A single task has none.

    Attributes
    ----------
    estimator_ : estimator
        Fitted clone.
    tasks_ : ndarray of shape (n_tasks,)
        Sorted labels, or those of the columns of `y` in their order.
    n_tasks_ : int
        Number of tasks.
    classes_ : ndarray of shape (n_classes,)
        Sorted classes of all tasks, for classifiers only. A list with the same array
        once per task if `y` has one column per task.
    n_features_in_ : int
        Number of columns of X, the task column among them.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if all are strings.

    See Also
    --------
    IndependentTasks : One clone per task.

    Notes
    -----
    A 2-d `y` is stacked: each row of X is used once for every column that is not NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.compose import PooledTasks
    >>> X = np.array([[0, 0.0], [0, 1.0], [1, 0.0], [1, 1.0]])
    >>> y = [0.0, 1.0, 4.0, 5.0]
    >>> PooledTasks(LinearRegression(), task_column=0).fit(X, y).predict(X).round(6)
    array([2., 3., 2., 3.])
    >>> model = PooledTasks(LinearRegression(), task_column=0, task_intercepts=True)
    >>> model.fit(X, y).predict(X).round(6)
    array([0., 1., 4., 5.])
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "task_column": [str, Integral, list, None],
        "task_intercepts": ["boolean"],
    }

    def __init__(self, estimator=None, *, task_column=None, task_intercepts=False):
        self.estimator = estimator
        self.task_column = task_column
        self.task_intercepts = task_intercepts

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, task=None):
        """Fit one clone to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if `task_column` is set.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets or classes. Without labels the columns are tasks, NaN not observed.
        sample_weight : array-like of shape (n_rows,), default=None
            Weight of each row, passed on to the inner estimator; None means ones.
        task : array-like of shape (n_rows,), default=None
            Label of each row.

        Returns
        -------
        self : PooledTasks
            The fitted estimator.
        """
        data = read_observations(self, X, y, task, sample_weight)
        if is_classifier(self) and data.layout == "outputs":
            warn_of_encoded_missing(y)
        self.tasks_, self.n_tasks_ = data.tasks, len(data.tasks)
        self._layout = data.layout
        X, y, weight = data.take()
        features = self._add_intercepts(X, data.codes)
        with naming_columns(features):
            self.estimator_ = fit_clone(self._get_inner(), features, y, weight)
        if is_classifier(self):
            classes = self.estimator_.classes_
            several = self._layout == "outputs"
            self.classes_ = [classes] * self.n_tasks_ if several else classes
        return self

    def _add_intercepts(self, X, codes):
        if not self.task_intercepts or self._layout == "single":
            return X
        names = self.task_column
        prefix = "task" if has_position(names) else "_".join(np.atleast_1d(names))
        return append_codes(X, codes, self.n_tasks_, prefix, self.tasks_)

    def _answer(self, method, X, codes):
        return getattr(self.estimator_, method)(self._add_intercepts(X, codes))

    def _answer_outputs(self, method, X):
        if self.task_intercepts:
            return super()._answer_outputs(method, X)
        codes = np.zeros(X.shape[0], dtype=np.intp)
        return [self._answer(method, X, codes)] * self.n_tasks_
