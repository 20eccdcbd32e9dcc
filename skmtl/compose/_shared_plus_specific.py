"""A shared part of any kind, and a part of each task."""

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import HasMethods, StrOptions, fit_context
from skmtl._contracts import Array
from skmtl.data import append_block, append_columns, naming_columns, one_task_is_meant

from ._cross_fit import predict_out_of_fold, read_folds
from ._curves import Scale
from ._encodings import has_names
from ._observations import (
    read_labelled_query,
    read_observations,
    take_rows,
    warn_of_encoded_missing,
)
from ._pooled import PooledTasks
from ._wrapper import TaskWrapper, refuse_infinite, without_task_column

# Probabilities are clipped, so that the log odds of a pure leaf are finite.
_MIN_PROBABILITY = 1e-3


class SharedPlusSpecific(TaskWrapper):
    """Add a shared part, such as boosted trees, to a model of tasks.

    A linear model of tasks fits the differences between tasks well, and trees fit
    nonlinear functions that all tasks share. The two are fitted one after the other,
    the second to out-of-fold predictions of the first, so that it does not depend on
    how far the first overfits:

    - "specific_first": the model of tasks is fitted first, the shared estimator to its
      residuals, ``y - f_t(x)``. The prediction is ``f_t(x) + shared_weight_ * g(x)``,
      with the weight, from 0 to 1, that fits the out-of-fold predictions best.
    - "shared_first": the shared estimator is fitted first, and its prediction is one
      more feature of the model of tasks: ``f_t([x, g(x)])``. The coefficient
      of this feature may then differ between tasks.

    Parameters
    ----------
    shared : estimator
        Any regressor or classifier, fitted to the rows of all tasks.
    specific : estimator
        Model of tasks, whose `fit` accepts ``task=``. Its own `task_column` is not
        used.
    order : {"specific_first", "shared_first"}, default="specific_first"
        Order of the fits. "specific_first" is the safer choice for regression.
        "shared_first" is better if tasks share most of the function, and is required
        for classes and counts.
    task_encoding : {"auto", "onehot", "category", "target"}, default="auto"
        Encoding of the task for the shared part with "shared_first", as in
        :class:`PooledTasks`; None leaves the task out, and the shared part may then fit
        differences between tasks. It has no effect with "specific_first".
    cv : int, splitter or iterable of (train, test), default=None
        Folds of the out-of-fold predictions, which must test each row once; None for 5.
        An int assigns the rows of each task to that many folds.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position, or a level of its
        pandas index; a list of columns declares nested tasks. None means that ``task=``
        or the columns of `y` give the tasks, or that there is one task.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with an unseen task: predict it with the shared part of both
        models, or raise an error.
    n_jobs : int, default=None
        Number of folds in parallel; None means one, -1 one per processor.

    Attributes
    ----------
    shared_ : PooledTasks
        Fitted shared part; its `estimator_` is the fitted clone.
    specific_ : estimator
        Fitted model of tasks.
    shared_weight_ : float
        Factor of the shared part with "specific_first"; 1 with "shared_first".
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
    CurvedTasks : Curves instead of trees, one per task.
    PooledTasks : The shared part alone.

    Notes
    -----
    The feature of "shared_first" is the standardised prediction of a regressor, its
    logarithm if the model of tasks is one of counts, or the log odds of the classes of
    a classifier, one column per class for more than two.

    Both parts are fitted once per fold, and once to all rows.

    References
    ----------
    Wolpert, D. H. (1992). Stacked generalization. Neural Networks, 5(2), 241-259.
    :doi:`10.1016/S0893-6080(05)80023-1`

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> from skmtl.compose import SharedPlusSpecific
    >>> from skmtl.linear_model import MeanRegularizedRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> task = np.repeat(np.arange(20), 30)
    >>> X = rng.uniform(-2, 2, size=(600, 2))
    >>> slope = rng.normal(size=20)
    >>> y = np.abs(X[:, 0]) + slope[task] * X[:, 1] + 0.1 * rng.normal(size=600)
    >>> lines, trees = MeanRegularizedRegressorCV(), HistGradientBoostingRegressor()
    >>> lines.fit(X, y, task=task).score(X, y, task=task) < 0.9
    True
    >>> model = SharedPlusSpecific(trees, lines).fit(X, y, task=task)
    >>> model.score(X, y, task=task) > 0.95
    True
    """

    _shares_tasks = True
    _parameter_constraints = {
        "shared": [HasMethods(["fit", "predict"])],
        "specific": [HasMethods(["fit", "predict"])],
        "order": [StrOptions({"specific_first", "shared_first"})],
        "task_encoding": [StrOptions({"auto", "onehot", "category", "target"}), None],
        "cv": ["cv_object"],
        "task_column": [str, Integral, list, None],
        "handle_unknown": [StrOptions({"shared", "error"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        shared: Any,
        specific: Any,
        *,
        order: str = "specific_first",
        task_encoding: str | None = "auto",
        cv: Any = None,
        task_column: str | int | list[str | int] | None = None,
        handle_unknown: str = "shared",
        n_jobs: int | None = None,
    ) -> None:
        self.shared = shared
        self.specific = specific
        self.order = order
        self.task_encoding = task_encoding
        self.cv = cv
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
        """Fit one part, then the other to out-of-fold predictions of the first.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if `task_column` is set.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets or classes. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float, array-like of shape (n_rows,) or (n_rows, n_tasks)
            Weight of each row or cell, passed to both estimators. None means ones.
        task : array-like of shape (n_rows,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : SharedPlusSpecific
            The fitted estimator.
        """
        specific = without_task_column(self, "specific")
        order = _ORDERS[self.order]
        order.check(self.shared, specific)
        data = read_observations(self, X, y, task, sample_weight)
        if is_classifier(self) and data.layout == "outputs":
            warn_of_encoded_missing(y)
        labels = None if data.layout == "single" else data.tasks[data.codes]
        rows = _Rows(*data.take(), labels)
        strata = (
            np.unique(rows.y, return_inverse=True)[1] if is_classifier(self) else None
        )
        splits = read_folds(self.cv, rows.X, rows.y, data.codes, strata)
        with naming_columns(rows.X):
            parts = order.fit(
                self.shared, specific, self.task_encoding, rows, splits, self.n_jobs
            )
        self._parts, self._layout = parts, data.layout
        self.shared_, self.specific_ = parts.shared, parts.specific
        self.shared_weight_ = parts.weight
        self.tasks_, self.n_tasks_ = data.tasks, len(data.tasks)
        if is_classifier(self):
            classes = parts.specific.classes_
            per_task = data.layout == "outputs"
            self.classes_ = [classes] * self.n_tasks_ if per_task else classes
        return self

    def _get_inner(self):
        return self.specific

    def _call_methods(self, method, X, task):
        check_is_fitted(self)
        with np.errstate(over="ignore", invalid="ignore"):
            X, labels = read_labelled_query(self, X, task)
            with naming_columns(X):
                if self._layout != "outputs":
                    result = [self._parts.call(method, X, labels)]
                else:
                    result = [
                        self._parts.call(method, X, np.repeat(label, X.shape[0]))
                        for label in self.tasks_
                    ]
        for values in result:
            refuse_infinite(values, X)
        return result if self._layout == "outputs" else result[0]


@dataclass(frozen=True)
class _Rows:
    """Rows to fit models of tasks to.

    Parameters
    ----------
    X : container of shape (n_rows, n_features)
        Features.
    y : ndarray of shape (n_rows,)
        Targets.
    weight : ndarray of shape (n_rows,) or None
        Weights.
    labels : ndarray of shape (n_rows,) or None
        Task of each row; None without tasks.
    """

    X: Any
    y: Array
    weight: Any
    labels: Any

    def take(self, rows: Array) -> "_Rows":
        """Return some rows."""
        weight, labels = (
            None if each is None else each[rows] for each in (self.weight, self.labels)
        )
        return _Rows(take_rows(self.X, rows), self.y[rows], weight, labels)

    def fit(self, model: Any) -> Any:
        """Fit a clone of a model of tasks."""
        given = {"sample_weight": self.weight, "task": self.labels}
        given = {name: each for name, each in given.items() if each is not None}
        with one_task_is_meant():
            return clone(model).fit(self.X, self.y, **given)

    def predict_out_of_fold(
        self, model: Any, splits: Any, n_jobs: Any, value: Any
    ) -> Array:
        """Return a value of the predictions of fits to the other folds."""

        def fit_predict(train, test):
            tested = self.take(test)
            return value(self.take(train).fit(model), tested.X, tested.labels)

        return predict_out_of_fold(fit_predict, splits, n_jobs)


@dataclass(frozen=True)
class _SpecificFirst:
    """A model of tasks, plus a weighted shared model of its residuals."""

    shared: Any
    specific: Any
    weight: float

    @staticmethod
    def check(shared, specific):
        """Refuse targets that have no residuals."""
        for model in (shared, specific):
            tags = get_tags(model)
            if is_classifier(model) or tags.target_tags.positive_only:
                raise ValueError(
                    "order='specific_first' needs two regressors of numbers, as the "
                    "second is fitted to residuals, got "
                    f"{type(model).__name__}. Set order='shared_first'."
                )

    @classmethod
    def fit(cls, shared, specific, encoding, rows, splits, n_jobs):
        """Fit both parts."""
        shared = PooledTasks(shared)
        fitted = rows.predict_out_of_fold(specific, splits, n_jobs, _predict)
        left = replace(rows, y=rows.y - fitted)
        found = left.predict_out_of_fold(shared, splits, n_jobs, _predict)
        weight = _fit_weight(found, left.y, rows.weight)
        return cls(left.fit(shared), rows.fit(specific), weight)

    def call(self, method, X, labels):
        """Return the sum of the predictions."""
        own = _predict(self.specific, X, labels)
        return own + self.weight * _predict(self.shared, X, labels)


@dataclass(frozen=True)
class _SharedFirst:
    """A model of tasks with the prediction of a shared model as a feature."""

    shared: Any
    specific: Any
    value: Any
    scale: Scale
    weight = 1.0

    @staticmethod
    def check(shared, specific):
        """Refuse parts of different kinds."""
        if is_classifier(shared) != is_classifier(specific):
            raise ValueError(
                "shared and specific must both be classifiers or both regressors, got "
                f"{type(shared).__name__} and {type(specific).__name__}."
            )

    @classmethod
    def fit(cls, shared, specific, encoding, rows, splits, n_jobs):
        """Fit both parts."""
        shared = PooledTasks(shared, task_encoding=encoding)
        value = _choose_value(specific, rows.y)
        found = rows.predict_out_of_fold(shared, splits, n_jobs, value)
        weight = np.ones(len(rows.y)) if rows.weight is None else rows.weight
        scale = Scale.of(found, weight)
        wider = replace(rows, X=_append(rows.X, scale.apply(found)))
        return cls(rows.fit(shared), wider.fit(specific), value, scale)

    def call(self, method, X, labels):
        """Call a method of the model of tasks."""
        found = self.scale.apply(self.value(self.shared, X, labels))
        return _call(self.specific, method, _append(X, found), labels)


_ORDERS: dict[str, Any] = {
    "specific_first": _SpecificFirst,
    "shared_first": _SharedFirst,
}


def _call(model, method, X, labels):
    given = {} if labels is None else {"task": labels}
    return getattr(model, method)(X, **given)


def _predict(model, X, labels):
    return _call(model, "predict", X, labels)


def _fit_weight(found, target, weight):
    """Return the factor of a prediction with the least squared error, from 0 to 1."""
    scaled = found if weight is None else weight * found
    squares = scaled @ found
    return float(np.clip(scaled @ target / squares, 0, 1)) if squares > 0 else 0.0


def _choose_value(specific, y):
    """Return the function from a fitted shared part to features of the other one."""
    if is_classifier(specific):
        return _LogOdds(np.unique(y))
    is_count = get_tags(specific).target_tags.positive_only
    return _predict_log if is_count else _predict_column


def _predict_column(model, X, labels):
    return _predict(model, X, labels)[:, None]


def _predict_log(model, X, labels):
    """Return logarithms of predicted counts."""
    return np.log(np.maximum(_predict_column(model, X, labels), _MIN_PROBABILITY))


@dataclass(frozen=True)
class _LogOdds:
    """Log odds of predicted probabilities, one column for two classes."""

    classes: Array

    def __call__(self, model, X, labels):
        found = _call(model, "predict_proba", X, labels)
        proba = np.zeros((len(found), len(self.classes)))
        proba[:, np.searchsorted(self.classes, model.classes_)] = found
        logs = np.log(np.clip(proba, _MIN_PROBABILITY, 1.0))
        logs -= logs.mean(axis=1, keepdims=True)
        return logs[:, 1:] - logs[:, :1] if len(self.classes) == 2 else logs


def _append(X, block):
    """Append columns to a table, with names if it has some."""
    if not has_names(X):
        return append_block(X, block)
    names = [f"shared_prediction{k or ''}" for k in range(block.shape[1])]
    return append_columns(X, dict(zip(names, block.T, strict=True)))
