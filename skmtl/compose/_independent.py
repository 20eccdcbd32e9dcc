"""One clone of an estimator per task."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.utils.parallel import Parallel, delayed

from skmtl._compat import HasMethods, StrOptions, fit_context
from skmtl.data import naming_columns

from ._fit import fit_task
from ._observations import read_observations, take_rows, warn_of_encoded_missing
from ._wrapper import CloneWrapper


class IndependentTasks(CloneWrapper):
    """Fit one clone of any regressor or classifier to each task alone.

    The baseline without sharing: the clone of task ``t`` minimises the loss of the
    inner estimator over the rows of ``t``. It gets the features without the task
    column, in the container of X: dataframe, array or sparse matrix.

    Parameters
    ----------
    estimator : estimator, default=None
        Regressor or classifier to clone; None means ``Ridge()``.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position, or a level of its
        pandas index; a list of columns declares nested tasks. None means that ``task=``
        or the columns of `y` give the tasks, or that there is one task.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with an unseen task: predict it with a clone fitted to the
        rows of all tasks, or raise an error. A task without weight is unseen.
    n_jobs : int, default=None
        Number of fits in parallel; None means one, -1 one per processor.

    Attributes
    ----------
    estimators_ : list of n_tasks estimators
        Fitted clones, in the order of `tasks_`. A task with one class has a
        DummyClassifier; a task without weight has `shared_estimator_`.
    shared_estimator_ : estimator or None
        Clone fitted to the rows of all tasks; None if `predict` cannot need it.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes of all tasks; with a 2-d y an array for each task. Only for
        classifiers.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    PooledTasks : One clone for all tasks.

    Notes
    -----
    Classes that a task does not have get probability 0. There is no
    `decision_function`, because no finite value would represent such a class. The clone
    of a column of a 2-d `y` is fitted to the rows where the column is not NaN.
    Predictions do not run in parallel.

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

    _shares_tasks = False
    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "task_column": [str, Integral, list, None],
        "handle_unknown": [StrOptions({"shared", "error"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        task_column: str | int | list[str | int] | None = None,
        handle_unknown: str = "shared",
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.n_jobs = n_jobs

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self:
        """Fit one clone to the rows of each task.

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
        filled = [t for t, group in enumerate(groups) if len(group)]
        with naming_columns(data.X):
            fitted = Parallel(n_jobs=self.n_jobs)(
                delayed(fit_task)(inner, *data.take(groups[t]), names[t])
                for t in filled
            )
        clones = dict(zip(filled, fitted, strict=True))
        return [clones.get(t) for t in range(len(data.tasks) + 1)]

    def _needs_shared(self, layout, groups):
        """Return whether `predict` may need the shared clone."""
        if self.handle_unknown == "error" or layout == "single":
            return False
        return layout != "outputs" or not all(map(len, groups))

    def _collect_classes(self, y):
        if self._layout == "outputs":
            return [getattr(each, "classes_", None) for each in self.estimators_]
        if self._layout == "single":
            return self.estimators_[0].classes_
        return np.unique(y)

    def _call(self, method, X, codes):
        present = np.unique(codes)
        if len(present) == 1:
            return self._call_task(method, X, present[0])
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], present, side="right")
        groups = np.split(order, ends[:-1])
        parts = [
            self._call_task(method, take_rows(X, group), code)
            for code, group in zip(present, groups, strict=True)
        ]
        by_task = np.concatenate(parts)
        values = np.empty_like(by_task)
        values[order] = by_task
        return values

    def _call_task(self, method, X, code):
        """Call a method of the clone of one task; probabilities are for all classes."""
        estimator = self.estimators_[code] if code >= 0 else self.shared_estimator_
        if estimator is None:
            raise ValueError(self._explain_unknown(code))
        values = getattr(estimator, method)(X)
        if method == "predict" or self._layout == "outputs":
            return values
        proba = np.zeros((len(values), len(self.classes_)), dtype=values.dtype)
        proba[:, np.searchsorted(self.classes_, estimator.classes_)] = values
        return proba

    def _explain_unknown(self, code):
        is_known = code >= 0
        label = f" {self.tasks_[code]}" if is_known else ""
        problem = "had no row with weight in fit" if is_known else "was not seen in fit"
        return (
            "handle_unknown='error' needs tasks that were seen in fit. Got rows of a "
            f"task{label} that {problem}; the model has {self.n_tasks_} tasks: "
            f"{self.tasks_[:5].tolist()}. Set handle_unknown='shared' to predict it "
            "with a model of all tasks."
        )
