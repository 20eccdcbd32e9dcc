"""Intervals from out-of-fold errors, for any regressor."""

from dataclasses import dataclass, replace
from inspect import signature
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import is_classifier
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted, has_fit_parameter

from skmtl._compat import HasMethods, Interval, StrOptions, fit_context
from skmtl._contracts import Array
from skmtl.base import ExactFitError
from skmtl.data import as_table, find_tasks, naming_columns

from ._cross_fit import read_folds
from ._error_quantiles import FoldErrors, find_ends
from ._fit import fit_clone
from ._observations import read_labelled_query, read_observations, take_rows
from ._pooled import PooledTasks
from ._wrapper import (
    TaskWrapper,
    parameter_names,
    refuse_infinite,
    without_task_column,
)


class ConformalTasks(TaskWrapper):
    """Compute prediction intervals of any regressor from its out-of-fold errors.

    No distribution of the errors is assumed, so that intervals stay valid with heavy
    tails or a wrong model. For a task of `fit`, folds within tasks give the errors
    ``|y_i - f_k(x_i)| / s_k(x_i)`` of the fits ``f_k`` to the other folds, and the
    interval of a row ``x`` has the quantiles of ``f_k(x) -+ s_k(x) error_i`` over all
    rows ``i``. For an unseen task, folds leave out whole tasks, and all tasks have the
    same weight. ``s_k`` is the standard deviation if `predict` of the estimator returns
    it, else 1, as for a fit that leaves no residuals to estimate it from.

    Parameters
    ----------
    estimator : estimator, default=None
        Regressor to clone; None means ``Ridge()``. One whose `fit` does not accept
        ``task=`` is fitted to the features of all tasks, unless it has a task column of
        its own, as pipelines of :func:`make_task_pipeline` have: it then gets all
        columns.
    cv : int, splitter or iterable of (train, test), default=None
        Folds that test each row once; None for 5. An int assigns the rows of each task
        to that many folds.
    task_cv : int, default=10
        Number of groups of tasks that are left out in turn; at most the number of
        tasks.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position, or a level of its
        pandas index; a list of columns declares nested tasks. None means that ``task=``
        or the columns of `y` give the tasks, or that there is one task.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with an unseen task: predict it as the estimator does, or
        raise an error.
    n_jobs : int, default=None
        Number of fits in parallel; None means one, -1 one per processor.

    Attributes
    ----------
    estimator_ : estimator
        Clone fitted to all rows, for `predict`.
    estimators_ : list of estimators
        Clones fitted without the rows of one fold each.
    task_estimators_ : list of estimators
        Clones fitted without the tasks of one group each; empty for one task, or if
        `predict` raises an error for an unseen task.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    skmtl.linear_model.MeanRegularizedRegressorCV : Its `predict_interval` needs no
        further fits.

    Notes
    -----
    If rows of a task are exchangeable, intervals for seen tasks contain at least about
    a share ``2 * coverage - 1`` of the targets for every estimator and distribution,
    and in practice about a share `coverage`. The same holds for an unseen
    task if tasks are exchangeable. These are shares over all rows and tasks; in some
    tasks fewer targets are within their intervals.

    The errors of few tasks do not bound those of another one: with fewer than
    ``coverage / (1 - coverage)`` tasks, which is 9 for 0.9, intervals of unseen tasks
    are infinite.

    References
    ----------
    Barber, R. F., Candès, E. J., Ramdas, A., Tibshirani, R. J. (2021). Predictive
    inference with the jackknife+. The Annals of Statistics, 49(1), 486-507.
    :doi:`10.1214/20-AOS1965`

    Dunn, R., Wasserman, L., Ramdas, A. (2023). Distribution-free prediction sets for
    two-layer hierarchical models. Journal of the American Statistical Association,
    118(544), 2491-2502. :doi:`10.1080/01621459.2022.2060112`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.compose import ConformalTasks
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(n_tasks=20, n_samples=100, random_state=0)
    >>> train = np.arange(len(y)) % 2 == 0
    >>> model = ConformalTasks(MeanRegularizedRegressor(), task_column=-1)
    >>> ends = model.fit(X[train], y[train]).predict_interval(X[~train], coverage=0.8)
    >>> inside = (ends[:, 0] <= y[~train]) & (y[~train] <= ends[:, 1])
    >>> bool(0.75 < inside.mean() < 0.85)
    True
    """

    _shares_tasks = True
    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "cv": ["cv_object"],
        "task_cv": [Interval(Integral, 2, None, closed="left")],
        "task_column": [str, Integral, list, None],
        "handle_unknown": [StrOptions({"shared", "error"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        cv: Any = None,
        task_cv: int = 10,
        task_column: str | int | list[str | int] | None = None,
        handle_unknown: str = "shared",
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.cv = cv
        self.task_cv = task_cv
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
        """Fit a clone to all rows, and one without each fold or group of tasks.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if `task_column` is set.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_tasks)
            Weight of each row or cell in the fits, not in the quantiles. None means
            ones.
        task : array-like of shape (n_rows,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : ConformalTasks
            The fitted estimator.
        """
        inner, keeps_column = self._prepare_inner()
        data = read_observations(self, X, y, task, sample_weight)
        labels = None if data.layout == "single" else data.tasks[data.codes]
        rows = _Rows(*data.take(), labels)
        if keeps_column:
            rows = replace(rows, X=as_table(X), labels=None)
        everything = np.arange(len(data.y)), np.arange(0)
        folds = read_folds(self.cv, rows.X, rows.y, data.codes)
        groups = self._leave_tasks_out(data)
        with naming_columns(rows.X):
            fits = Parallel(n_jobs=self.n_jobs)(
                delayed(_fit_and_score)(inner, rows, train, test)
                for train, test in [everything, *folds, *groups]
            )
        models, errors = zip(*fits, strict=True)
        first = 1 + len(folds)
        self.estimator_ = models[0]
        self.estimators_ = list(models[1:first])
        self.task_estimators_ = list(models[first:])
        self._of_rows = FoldErrors.of_rows(errors[1:first])
        codes = [data.codes[test] for _, test in groups]
        self._of_tasks = FoldErrors.of_tasks(errors[first:], codes)
        self.tasks_, self.n_tasks_ = data.tasks, len(data.tasks)
        self._layout, self._keeps_column = data.layout, keeps_column
        return self

    def _prepare_inner(self):
        """Return the estimator to clone, and whether it gets the task column."""
        inner = self._get_inner()
        if is_classifier(inner):
            raise ValueError(
                f"estimator must be a regressor, got {type(inner).__name__}. Use "
                "predict_interval of MeanRegularizedClassifier for probabilities."
            )
        if has_fit_parameter(inner, "task"):
            model = without_task_column(self, "estimator")
            names = parameter_names(model, "handle_unknown")
            return model.set_params(**dict.fromkeys(names, "shared")), False
        params = inner.get_params()
        columns = [
            k for k in params if k.endswith("task_column") and params[k] is not None
        ]
        if not columns:
            return PooledTasks(inner), False
        if self.task_column is None:
            raise ValueError(
                "task_column must be set in ConformalTasks too, as the estimator has "
                f"{columns[0]}={params[columns[0]]!r}, got None."
            )
        return inner, True

    def _leave_tasks_out(self, data):
        """Return training and test rows of groups of tasks that are left out."""
        n_tasks = len(data.tasks)
        is_open = data.layout != "outputs" and self.handle_unknown == "shared"
        if n_tasks < 2 or not is_open:
            return []
        n_groups = min(self.task_cv, n_tasks)
        # Labels may be in an order that matters, such as time.
        group = np.random.default_rng(0).permutation(n_tasks) % n_groups
        of_row = group[data.codes]
        return [
            (np.flatnonzero(of_row != k), np.flatnonzero(of_row == k))
            for k in range(n_groups)
        ]

    def predict_interval(
        self, X: Any, coverage: float = 0.9, task: ArrayLike | None = None
    ) -> Array:
        """Predict an interval for the target of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if there was one in `fit`.
        coverage : float, default=0.9
            Share of targets within their intervals, above 0 and below 1.
        task : array-like of shape (n_rows,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_rows, 2) or (n_rows, n_tasks, 2)
            Lower and upper ends; infinite if there are too few rows, or tasks for an
            unseen one, for this coverage.
        """
        if not (isinstance(coverage, Real) and 0 < coverage < 1):
            raise ValueError(
                "coverage must be a share above 0 and below 1, got "
                f"{coverage!r}. Use for example 0.9."
            )
        check_is_fitted(self)
        features, labels = self._read(X, task)
        if self._layout != "outputs":
            return self._find_intervals(features, labels, float(coverage))
        columns = [
            self._find_intervals(
                features, np.repeat(label, features.shape[0]), coverage
            )
            for label in self.tasks_
        ]
        return np.stack(columns, axis=1)

    def _find_intervals(self, features, labels, coverage):
        """Return intervals of rows with one task each."""
        is_new = np.zeros(features.shape[0], dtype=bool)
        if labels is not None:
            is_new = find_tasks(labels, self.tasks_) < 0
        inner = None if self._keeps_column else labels
        ends = np.empty((len(is_new), 2))
        with naming_columns(features):
            for mask, models, errors in (
                (~is_new, self.estimators_, self._of_rows),
                (is_new, self.task_estimators_, self._of_tasks),
            ):
                rows = np.flatnonzero(mask)
                if not len(rows):
                    continue
                some = take_rows(features, rows)
                own = None if inner is None else inner[rows]
                found = [_predict(model, some, own) for model in models]
                ends[rows] = find_ends(found, errors, coverage, len(rows))
            prediction = _call(self.estimator_, "predict", features, inner)
        # The fit to all rows may predict a value beyond the fits to fewer rows.
        ends[:, 0] = np.minimum(ends[:, 0], prediction)
        ends[:, 1] = np.maximum(ends[:, 1], prediction)
        return ends

    def _read(self, X, task):
        """Return columns for the estimator, and the label of each row or None."""
        features, labels = read_labelled_query(self, X, task)
        labels = None if labels is None else np.asarray(labels)
        return as_table(X) if self._keeps_column else features, labels

    def _call_methods(self, method, X, task):
        check_is_fitted(self)
        with np.errstate(over="ignore", invalid="ignore"):
            features, labels = self._read(X, task)
            inner = None if self._keeps_column else labels
            with naming_columns(features):
                if self._layout != "outputs":
                    result = [_call(self.estimator_, method, features, inner)]
                else:
                    n_rows = features.shape[0]
                    result = [
                        _call(
                            self.estimator_, method, features, np.repeat(each, n_rows)
                        )
                        for each in self.tasks_
                    ]
        for values in result:
            refuse_infinite(values, features)
        return result if self._layout == "outputs" else result[0]


@dataclass(frozen=True)
class _Rows:
    """Rows to fit the estimator to.

    Parameters
    ----------
    X : container of shape (n_rows, n_columns)
        Columns for the estimator.
    y : ndarray of shape (n_rows,)
        Targets.
    weight, labels : ndarray of shape (n_rows,) or None
        Weights, and tasks unless they are in X.
    """

    X: Any
    y: Array
    weight: Any
    labels: Any

    def take(self, rows):
        """Return some rows."""
        arrays = (
            None if each is None else each[rows]
            for each in (self.y, self.weight, self.labels)
        )
        return _Rows(take_rows(self.X, rows), *arrays)


def _fit_and_score(inner, rows, train, test):
    """Fit a clone to training rows; return it and its scaled errors on test rows."""
    part = rows.take(train)
    options = {} if part.labels is None else {"task": part.labels}
    model = fit_clone(inner, part.X, part.y, part.weight, options)
    if not len(test):
        return model, np.zeros(0)
    held = rows.take(test)
    mean, std = _predict(model, held.X, held.labels)
    return model, np.abs(held.y - mean) / std


def _call(model, method, X, labels):
    given = {} if labels is None else {"task": labels}
    return getattr(model, method)(X, **given)


def _predict(model, X, labels):
    """Return predictions, and standard deviations, or ones where these are unknown."""
    if "return_std" not in signature(model.predict).parameters:
        mean = _call(model, "predict", X, labels)
        return mean, np.ones(len(mean))
    given = {} if labels is None else {"task": labels}
    try:
        mean, std = model.predict(X, return_std=True, **given)
    except ExactFitError:  # a property of the model: it has none for any row
        mean = _call(model, "predict", X, labels)
        return mean, np.ones(len(mean))
    std = np.maximum(std, np.finfo(float).tiny)
    return mean, np.where(np.isfinite(std), std, 1.0)
