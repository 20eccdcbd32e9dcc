"""One clone of an estimator per task."""

from numbers import Integral

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.parallel import Parallel, delayed

from skmtl._compat import HasMethods, StrOptions, fit_context
from skmtl.data import naming_columns

from ._fit import fit_task
from ._observations import read_observations, take_rows, warn_of_encoded_missing
from ._wrapper import TaskWrapper


class IndependentTasks(TaskWrapper):
    """Fit one clone of any regressor or classifier to each task alone.

    The baseline without sharing: task `t` minimises the loss of the inner estimator
    over its own rows. The features reach the clones in the container that they came in
    (dataframe, array, sparse matrix), without the task column.

    Parameters
    ----------
    estimator : estimator, default=None
        Regressor or classifier to be cloned; None means ``Ridge()``.
    task_column : str, int or list of them, default=None
        Name or position of the column of X that holds the task, or name of a level of
        its pandas index. None means that tasks are given by ``task=``, or are the
        columns of `y`, or that there is one task.
    handle_unknown : {"shared", "error"}, default="shared"
        What predicts tasks not seen in fit: a clone fitted on the rows of all tasks, or
        nothing, which is an error. A task whose weights are all zero is not seen.
    n_jobs : int, default=None
        Number of clones fitted in parallel; None means one, -1 one per processor.

    Attributes
    ----------
    estimators_ : list of n_tasks estimators
        Fitted clones, in the order of `tasks_`. A classification task with a single
        class has a DummyClassifier; a task without any weight has `shared_estimator_`.
    shared_estimator_ : estimator or None
        Clone fitted on the rows of all tasks; None if no row can need it.
    tasks_ : ndarray of shape (n_tasks,)
        Sorted labels, or those of the columns of `y` in their order.
    n_tasks_ : int
        Number of tasks.
    classes_ : ndarray of shape (n_classes,)
        Sorted classes of all tasks, for classifiers only. A list with one array per
        task if `y` has one column per task.
    n_features_in_ : int
        Number of columns of X, the task column among them.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if all are strings.

    See Also
    --------
    PooledTasks : One clone for all tasks.

    Notes
    -----
    Classes that a task does not have get probability 0 there. There is no
    `decision_function`, as no number of it would stand for them. A column of a 2-d `y`
    is fitted on the rows where it is not NaN. Predictions are not made in parallel.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skmtl.compose import IndependentTasks
    >>> X = np.array([[0, 0.0], [0, 1.0], [1, 0.0], [1, 1.0]])
    >>> y = [0.0, 1.0, 5.0, 3.0]
    >>> model = IndependentTasks(LinearRegression(), task_column=0).fit(X, y)
    >>> model.predict([[0, 2.0], [1, 2.0]]).round(6)
    array([2., 1.])
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "task_column": [str, Integral, list, None],
        "handle_unknown": [StrOptions({"shared", "error"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self, estimator=None, *, task_column=None, handle_unknown="shared", n_jobs=None
    ):
        self.estimator = estimator
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y, sample_weight=None, task=None):
        """Fit one clone to the rows of each task.

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
        self : IndependentTasks
            The fitted estimator.
        """
        data = read_observations(self, X, y, task, sample_weight)
        if is_classifier(self) and data.layout == "outputs":
            warn_of_encoded_missing(y)
        *estimators, shared = self._fit_clones(data)
        self.estimators_ = [each or shared for each in estimators]
        self.shared_estimator_ = shared
        self.tasks_, self.n_tasks_ = data.tasks, len(data.tasks)
        self._layout = data.layout
        if is_classifier(self):
            self.classes_ = self._collect_classes(data.y)
        return self

    def _fit_clones(self, data):
        """Fit a clone to each task that has rows, and one to all rows if needed."""
        groups = data.by_task()
        names = [f"task {task!r}" for task in data.tasks.tolist()]
        if self._needs_shared(data.layout, groups):
            groups.append(np.arange(len(data.y)))
            names.append("all tasks")
        inner = self._get_inner()
        filled = [place for place, group in enumerate(groups) if len(group)]
        with naming_columns(data.X):
            fitted = Parallel(n_jobs=self.n_jobs)(
                delayed(fit_task)(inner, *data.take(groups[place]), names[place])
                for place in filled
            )
        found = dict(zip(filled, fitted, strict=True))
        return [found.get(place) for place in range(len(data.tasks) + 1)]

    def _needs_shared(self, layout, groups):
        if self.handle_unknown == "error" or layout == "single":
            return False
        return layout != "outputs" or not all(map(len, groups))

    def _collect_classes(self, y):
        if self._layout == "outputs":
            return [getattr(each, "classes_", None) for each in self.estimators_]
        if self._layout == "single":
            return self.estimators_[0].classes_
        return np.unique(y)

    def _answer(self, method, X, codes):
        present = np.unique(codes)
        if len(present) == 1:
            return self._answer_task(method, X, present[0])
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], present, side="right")
        groups = np.split(order, ends[:-1])
        parts = [
            self._answer_task(method, take_rows(X, group), code)
            for code, group in zip(present, groups, strict=True)
        ]
        stacked = np.concatenate(parts)
        answer = np.empty_like(stacked)
        answer[order] = stacked
        return answer

    def _answer_task(self, method, X, code):
        estimator = self.estimators_[code] if code >= 0 else self.shared_estimator_
        if estimator is None:
            raise ValueError(self._explain_unknown(code))
        answer = getattr(estimator, method)(X)
        if method == "predict" or self._layout == "outputs":
            return answer
        probability = np.zeros((len(answer), len(self.classes_)), dtype=answer.dtype)
        probability[:, np.searchsorted(self.classes_, estimator.classes_)] = answer
        return probability

    def _explain_unknown(self, code):
        what = "has no row with weight" if code >= 0 else "was not seen"
        label = f" {self.tasks_[code]}" if code >= 0 else ""
        return (
            f"Each task must be seen in fit when handle_unknown='error', but the task"
            f"{label} of some rows {what} there. The model knows {self.n_tasks_} "
            f"tasks: {self.tasks_[:5].tolist()}. Set handle_unknown='shared' to "
            f"predict it with a model of all tasks."
        )
