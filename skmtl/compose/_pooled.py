"""One clone of an estimator for all tasks."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier

from skmtl._compat import HasMethods, StrOptions, fit_context
from skmtl.data import naming_columns
from skmtl.metrics import has_position

from ._encodings import make_encoding
from ._fit import fit_clone
from ._observations import read_observations, take_rows, warn_of_encoded_missing
from ._wrapper import TaskWrapper


class PooledTasks(TaskWrapper):
    """Fit one clone of any regressor or classifier to the rows of all tasks.

    The baseline of complete sharing: the inner estimator sees the features alone, or
    together with the task, in a way that suits it.

    Parameters
    ----------
    estimator : estimator, default=None
        Regressor or classifier to be cloned; None means ``Ridge()``.
    task_column : str, int or list of them, default=None
        Name or position of the column of X that holds the task, or name of a level of
        its pandas index. None means that tasks are given by ``task=``, or are the
        columns of `y`, or that there is one task.
    task_encoding : {"onehot", "category", "target"}, default=None
        How the task of a row is encoded, as columns after the features; None leaves the
        task out.

        - "onehot": one indicator per task, named as in ``school_s7``. It gives linear
          models one intercept per task. For an unseen task all are 0. With many tasks X
          becomes sparse, which the estimator must support.
        - "category": the task as one category; each split of a tree divides the tasks
          into two groups. For HistGradientBoosting, up to 255 tasks, and LightGBM. An
          unseen task is a missing value.
        - "target": the task's mean target, shrunk to the overall mean by scikit-learn's
          :class:`~sklearn.preprocessing.TargetEncoder`; one column per class for more
          than two classes. Training rows are encoded by cross-fitting, so that targets
          do not leak. For any estimator and any number of tasks. An unseen task gets
          the overall mean. Weights are ignored, except that rows of weight zero are
          left out.

        A single undeclared task is not encoded.
    task_intercepts : bool, default=False
        Same as ``task_encoding="onehot"``.

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

    Boosted trees do badly with indicators, since each split separates only one task
    from the rest. Use "category" for them, or "target" with too many tasks, and
    "onehot" for linear models.

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

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "task_column": [str, Integral, list, None],
        "task_encoding": [StrOptions({"onehot", "category", "target"}), None],
        "task_intercepts": ["boolean"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        task_column=None,
        task_encoding=None,
        task_intercepts=False,
    ):
        self.estimator = estimator
        self.task_column = task_column
        self.task_encoding = task_encoding
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
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows.

        Returns
        -------
        self : PooledTasks
            The fitted estimator.
        """
        kind = self._kind_of_encoding()
        data = read_observations(self, X, y, task, sample_weight)
        if is_classifier(self) and data.layout == "outputs":
            warn_of_encoded_missing(y)
        X, y, weight = data.take()
        names = self.task_column
        prefix = "task" if has_position(names) else "_".join(np.atleast_1d(names))
        kind = None if data.layout == "single" else kind
        encoding = make_encoding(kind, self._get_inner(), data.tasks, prefix)
        inner, options = encoding.prepare(self._get_inner(), X)
        features = encoding.learn(X, data.codes, y, weight)
        with naming_columns(features):
            self.estimator_ = fit_clone(inner, features, y, weight, options)
        self.tasks_, self.n_tasks_ = data.tasks, len(data.tasks)
        self._layout, self._encoding = data.layout, encoding
        if is_classifier(self):
            classes = self.estimator_.classes_
            several = self._layout == "outputs"
            self.classes_ = [classes] * self.n_tasks_ if several else classes
        return self

    def _kind_of_encoding(self):
        if not self.task_intercepts:
            return self.task_encoding
        if self.task_encoding not in (None, "onehot"):
            raise ValueError(
                "task_intercepts=True means task_encoding='onehot', but "
                f"task_encoding={self.task_encoding!r} is set too. Leave out "
                "task_intercepts."
            )
        return "onehot"

    def _answer(self, method, X, codes):
        encoding, n_rows = self._encoding, X.shape[0]
        answer = getattr(self.estimator_, method)
        step = encoding.chunk or n_rows
        if n_rows <= step:
            return answer(encoding.add(X, codes))
        parts = (np.arange(i, min(i + step, n_rows)) for i in range(0, n_rows, step))
        return np.concatenate(
            [answer(encoding.add(take_rows(X, part), codes[part])) for part in parts]
        )

    def _answer_outputs(self, method, X):
        if self._encoding.tells_tasks:
            return super()._answer_outputs(method, X)
        codes = np.zeros(X.shape[0], dtype=np.intp)
        return [self._answer(method, X, codes)] * self.n_tasks_
