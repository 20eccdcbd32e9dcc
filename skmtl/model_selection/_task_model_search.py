"""Search for the model that predicts held-out rows best."""

import logging
import warnings
from dataclasses import replace
from numbers import Integral, Real
from time import monotonic
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import HasMethods, Interval, StrOptions, fit_context
from skmtl.compose import TaskWrapper, read_query
from skmtl.data import (
    as_table,
    one_task_is_meant,
    spread_label,
)
from skmtl.linear_model import (
    MeanRegularizedClassifier,
    MeanRegularizedPoissonRegressor,
    MeanRegularizedRegressor,
)

from ._candidates import list_own, make_candidates, read_candidates
from ._choice import choose
from ._comparison_rows import read_fitted_rows, split_rows
from ._comparison_targets import check_methods, choose_metric
from ._cross_prediction import fit_rows, predict_held_out
from ._fold_errors import measure_errors
from ._metrics import find_metric
from ._paired_losses import compare_losses
from ._stack import TaskStack
from ._task_columns import set_task_column
from ._trials import try_candidates

_METRICS = {
    "regression": "mse",
    "classification": "log_loss",
    "counts": "poisson_deviance",
}
_KINDS = {"numbers": "regression", "classes": "classification", "counts": "counts"}
# What the search is like before it is fitted: its tags, and its methods.
_ALIKE = {
    "auto": MeanRegularizedRegressor,
    "regression": MeanRegularizedRegressor,
    "classification": MeanRegularizedClassifier,
    "counts": MeanRegularizedPoissonRegressor,
}
_logger = logging.getLogger("skmtl")


class TaskModelSearch(TaskWrapper):
    """Choose the model that predicts held-out rows best, or a mean of several.

    Every candidate is fitted on the same folds and predicts the rows held out. Then
    either one candidate is chosen, the simplest whose loss is within one standard error
    of the smallest, or the stack, a weighted mean of the best candidate of each family,

    ``sum_k w_k f_k(x)`` with ``w_k >= 0`` and ``sum_k w_k = 1``,

    with weights that minimise the loss of the held-out predictions.

    Parameters
    ----------
    candidates : list of str or (str, estimator), mapping of str to estimator, or None
        Models to choose from, the simplest first: names of built-in candidates, and
        estimators with names of your own. None means the built-in candidates, from
        independent models per task to pooled ones, and from linear models to boosted
        trees, without those that take minutes. The first one is the default model: it
        is never dropped, and an error in its fit is raised. The parameter `task_column`
        of estimators is set.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position, or a level of its
        pandas index; a list of columns declares nested tasks. None means that ``task=``
        or the columns of `y` give the tasks, or that there is one task.
    task_type : {"auto", "regression", "classification", "counts"}, default="auto"
        Kind of target. The loss is the squared error, the log loss or the Poisson
        deviance. "auto" takes the kind of your estimators if `candidates` has no names
        of built-in ones; else strings, booleans and categories mean classification, and
        numbers mean regression.
    stack : bool or "auto", default="auto"
        Whether to predict with the stack. "auto" does so unless a candidate is better
        by more than two standard errors.
    cv : int, splitter or iterable of (train, test), default=5
        An int means ``TaskKFold(cv, shuffle=True, random_state=random_state)``, for
        classes with ``stratify=True``, or the same KFold over the rows of a 2-d `y`. A
        splitter gets the tasks as groups.
    preprocessor : transformer, default=None
        First step of the built-in candidates; it does not see the task column. None
        means :func:`~skmtl.compose.make_table_encoder` if features of a pandas frame
        are text, dates or flags, or have gaps; else ``StandardScaler()`` for all but
        trees.
    time_budget : float, default=None
        Seconds after which no further candidates are fitted, except the first one and
        the chosen ones. None means no limit.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with an unseen task: predict it with the shared part of each
        model, or raise an error.
    n_jobs : int, default=None
        Number of fits in parallel; None means one, -1 one per processor.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, if `cv` is an int.

    Attributes
    ----------
    best_estimator_ : object
        Model that predicts, fitted to all rows: a candidate or the stack.
    best_name_ : str
        Its name; "stack" for the stack.
    leaderboard_ : dict of str to ndarray of shape (n_candidates,)
        A line per candidate, and one for the stack, the best first and those dropped
        last: `candidate`, the mean `loss` of held-out rows, the `difference` from the
        best and its `standard_error`, the `seconds` of its fits, the number of folds
        `n_folds`, and the reason why it was `dropped` or "". Standard errors treat all
        rows of a task as one observation, if there are at least ten tasks.
    stack_weights_ : dict of str to float
        Weights of the models of the stack; empty with ``stack=False``.
    oof_predictions_ : dict of str to ndarray
        Held-out predictions of each candidate that was not dropped: values or
        probabilities, in the shape of `y`, for classes with a last axis of n_classes.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes of all tasks; with a 2-d y an array for each task. Only for
        classes.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    skmtl.inspection.compare_tasks : Compares models, and names the tasks that gain.

    Notes
    -----
    After each fold, candidates are dropped if their loss is larger by three standard
    errors than the best one. For the stack, they are dropped at two standard errors
    from the best of their family; and those that cannot be in it, relations between
    linear tasks such as "low rank", if they are behind the best at all.

    Weights of the stack for numbers minimise Huber's loss, so that a few large errors
    do not decide. They are shrunk towards the first candidate: by a normal prior with
    variance 1 / 50 for the other weights, or for classes and counts by one row that
    only the first candidate predicts. The loss of the stack in the leaderboard is
    cross-validated: each fold is predicted with weights from the other folds.

    The loss of the first line is biased downwards, as it is the smallest of many.
    `nested_score` estimates the loss of the whole search without this bias.

    Boosted trees are those of LightGBM if it is installed, else those of scikit-learn.
    Progress is logged to ``logging.getLogger("skmtl")`` at level INFO.

    References
    ----------
    Breiman, L. (1996). Stacked regressions. Machine Learning, 24(1), 49-64.
    :doi:`10.1007/BF00117832`

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.model_selection import TaskModelSearch
    >>> X, y = make_related_tasks(n_tasks=10, n_samples=15, random_state=0)
    >>> names = ["mean-regularised", "independent", "pooled"]
    >>> search = TaskModelSearch(names, task_column=-1, stack=False, random_state=0)
    >>> search.fit(X, y).best_name_
    'mean-regularised'
    >>> str(search.leaderboard_["candidate"][0])
    'mean-regularised'
    """

    _shares_tasks = True
    _parameter_constraints = {
        "candidates": ["array-like", dict, None],
        "task_column": [str, Integral, list, None],
        "task_type": [StrOptions({"auto", *_METRICS})],
        "stack": ["boolean", StrOptions({"auto"})],
        "cv": ["cv_object"],
        "preprocessor": [HasMethods(["fit", "transform"]), None],
        "time_budget": [Interval(Real, 0, None, closed="neither"), None],
        "handle_unknown": [StrOptions({"shared", "error"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        candidates: Any = None,
        *,
        task_column: str | int | list[str | int] | None = None,
        task_type: str = "auto",
        stack: bool | str = "auto",
        cv: Any = 5,
        preprocessor: Any = None,
        time_budget: float | None = None,
        handle_unknown: str = "shared",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.candidates = candidates
        self.task_column = task_column
        self.task_type = task_type
        self.stack = stack
        self.cv = cv
        self.preprocessor = preprocessor
        self.time_budget = time_budget
        self.handle_unknown = handle_unknown
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self:
        """Try the candidates, and fit the chosen ones to all rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if `task_column` is set.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets or classes. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : array-like of shape (n_rows,), default=None
            Weight of each row, in the fits and in the means of the losses.
        task : array-like of shape (n_rows,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : TaskModelSearch
            The fitted search.
        """
        started = monotonic()
        data, metric = self._read(X, y, sample_weight, task)
        with one_task_is_meant(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            candidates = self._list_candidates(data)
            outcome, attributes = self._search(data, metric, candidates, started)
            fitted = self._refit(outcome, data)
        self.__dict__.pop("classes_", None)
        self.__dict__.update(attributes | fitted)
        return self

    def nested_score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
        cv: Any = 5,
    ) -> tuple[float, float]:
        """Estimate the loss of the whole search, repeated on training rows of folds.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
            Features, with the task column if `task_column` is set.
        y : array-like of shape (n_rows,) or (n_rows, n_tasks)
            Targets or classes.
        sample_weight : array-like of shape (n_rows,), default=None
            Weight of each row.
        task : array-like of shape (n_rows,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.
        cv : int, splitter or iterable of (train, test), default=5
            Outer folds; an int as for the search.

        Returns
        -------
        loss : float
            Mean loss of the held-out rows: squared error, log loss or deviance.
        standard_error : float
            Its standard error.
        """
        search = clone(self)
        data, metric = search._read(X, y, sample_weight, task)
        search.set_params(task_type=_KINDS[data.kind])
        splits = split_rows(data, cv, self.random_state)
        (predictions,), _ = predict_held_out(
            {"search": search}, data, splits, metric.method, self.n_jobs
        )
        loss = measure_errors(data, splits, predictions, metric.loss).loss
        none = np.zeros_like(loss)
        return compare_losses(loss, none, data.target_weight, data.codes)

    def _read(self, X, y, sample_weight, task):
        """Read the rows, and return them with the metric of their kind."""
        name = _METRICS.get(self.task_type) or self._guess_metric(y)
        data = read_fitted_rows(self, X, y, task, sample_weight, name)
        return data, find_metric(name)

    def _guess_metric(self, y):
        """Return the metric of the kind of the candidates, or else of the targets."""
        own = list_own(self.candidates)
        if own and all(map(is_regressor, own)):
            return "mse"
        return choose_metric(None, y, dict(enumerate(own)))

    def _list_candidates(self, data):
        """Return the candidates, which know the task column."""
        built_in = make_candidates(data, self.preprocessor)
        found = read_candidates(self.candidates, built_in)
        found = [
            replace(
                each,
                estimator=set_task_column(each.estimator, self.task_column),
                family=each.family if self.stack else "",
            )
            for each in found
        ]
        name = _METRICS[_KINDS[data.kind]]
        check_methods({each.name: each.estimator for each in found}, name)
        return found

    def _search(self, data, metric, candidates, started):
        """Try the candidates; return the choice and fitted attributes."""
        splits = split_rows(data, self.cv, self.random_state)
        budget = np.inf if self.time_budget is None else self.time_budget
        trials = try_candidates(
            candidates, data, splits, metric, self.n_jobs, started + budget
        )
        choice, weights, leaderboard = choose(trials, data, splits, metric, self.stack)
        predictions = {
            each.candidate.name: measure_errors(
                data, splits, each.predictions, metric.loss
            ).prediction
            for each in trials
            if not each.dropped
        }
        return choice, {
            "leaderboard_": leaderboard,
            "stack_weights_": weights,
            "oof_predictions_": predictions,
        }

    def _refit(self, choice, data):
        """Fit the chosen models to all rows; return fitted attributes."""
        _logger.info("Fitting %r to all rows", choice.name)
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_rows)(
                each.candidate.estimator, data.X, data.y, data.task, data.weight
            )
            for each in choice.members
        )
        names = [each.candidate.name for each in choice.members]
        per_output = data.layout == "outputs"
        models = dict(zip(names, fitted, strict=True))
        classes = data.classes
        stack = TaskStack(models, choice.weights, classes, per_output)
        found = {
            "best_estimator_": stack if choice.name == "stack" else fitted[0],
            "best_name_": choice.name,
            "_stack": stack,
            "_type": _KINDS[data.kind],
            "tasks_": data.tasks,
            "n_tasks_": len(data.tasks),
            "_layout": data.layout,
        }
        if classes is not None:
            found["classes_"] = [classes] * len(data.tasks) if per_output else classes
        return found

    def _call_methods(self, method, X, task):
        check_is_fitted(self)
        read_query(self, X, task)
        table = as_table(X)
        return getattr(self._stack, method)(table, spread_label(task, table.shape[0]))

    def _call(self, method, X, codes):
        raise NotImplementedError  # the fitted model reads the tasks itself

    def _get_inner(self):
        """Return an estimator like the fitted model: its tags, and its methods."""
        return _ALIKE[vars(self).get("_type", self.task_type)]()
