"""Protection of single tasks from sharing that hurts them."""

import warnings
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import HasMethods, StrOptions, fit_context
from skmtl.compose import TaskWrapper, read_query
from skmtl.data import as_table, one_task_is_meant, read_target, spread_label
from skmtl.linear_model import MeanRegularizedRegressorCV

from ._candidates import make_alternatives
from ._comparison_rows import read_fitted_rows, split_rows
from ._comparison_targets import check_methods, holds_text
from ._cross_prediction import find_cause, fit_rows, name_options, predict_held_out
from ._evidence import shrink_means
from ._fold_errors import measure_errors
from ._metrics import find_metric
from ._model_outputs import predict_numbers
from ._task_columns import set_task_column

_SHARED, _ALTERNATIVES = "shared", ("independent", "pooled")


class NegativeTransferGuard(TaskWrapper):
    """Weight a shared, an independent and a pooled model for each task.

    It protects tasks for which sharing is worse (negative transfer). A shared model, an
    independent model per task and a pooled model are compared on held-out rows. For
    each task, the mean differences of their losses are estimated from few rows, and are
    therefore shrunk towards the mean over tasks. The prediction is the weighted mean of
    the three. The weights of a task are proportional to the posterior odds ``p / (1 -
    p)`` that a model has a smaller loss than the shared one, whose own odds are 1.

    Parameters
    ----------
    estimator : estimator, default=None
        Shared model of the tasks, whose parameter `task_column` is set. None means
        ``MeanRegularizedRegressorCV()``; for classes, pass a classifier, such as
        ``MeanRegularizedClassifierCV()``.
    independent : estimator, default=None
        Model of each task alone. None means a regression per task on standardised
        features, each with its own strength: ridge, or logistic for classes, or Poisson
        for counts.
    pooled : estimator, default=None
        Model that ignores the task. None means one such regression on all rows.
    cv : int, splitter or iterable of (train, test), default=5
        An int means ``TaskKFold(cv, shuffle=True, random_state=random_state)``, for
        classes with ``stratify=True``, or the same KFold over the rows of a 2-d `y`. A
        splitter gets the tasks as groups.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position, or a level of its
        pandas index; a list of columns declares nested tasks. None means that ``task=``
        or the columns of `y` give the tasks, or that there is one task.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with an unseen task: predict it with the shared model, or
        raise an error.
    n_jobs : int, default=None
        Number of fits in parallel; None means one, -1 one per processor.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, if `cv` is an int.

    Attributes
    ----------
    weights_ : ndarray of shape (n_tasks, 3)
        Weights of the shared, the independent and the pooled model for each task.
    choice_ : ndarray of shape (n_tasks,)
        Model with the largest weight: "shared", "independent" or "pooled".
    gain_ : dict of str to ndarray of shape (n_tasks,)
        For "independent" and "pooled", the shrunken mean by which the loss of each task
        is smaller than with the shared model: squared error, log loss or deviance.
    gain_std_ : dict of str to ndarray of shape (n_tasks,)
        Posterior standard deviations of the gains.
    models_ : dict of str to estimator
        The three models, fitted to all rows, in the order of `weights_`.
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
    TaskModelSearch : Chooses among many models by held-out rows, for all tasks alike.
    skmtl.inspection.compare_tasks : Names the tasks for which sharing is worse.

    Notes
    -----
    The observed mean difference of task ``t`` is normal around the true one with the
    variance of a mean of its rows, and the true ones are normal around a common mean:
    the empirical Bayes estimate of Morris, with the estimate of Paule and Mandel for
    the variance between tasks. The weights of a task with few rows are therefore near
    those of the other tasks.

    The shared model is fitted to the rows of all tasks, also of those that it predicts
    worse.

    References
    ----------
    Morris, C. N. (1983). Parametric empirical Bayes inference: theory and applications.
    Journal of the American Statistical Association, 78(381), 47-55.
    :doi:`10.1080/01621459.1983.10477920`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> from skmtl.model_selection import NegativeTransferGuard
    >>> rng = np.random.default_rng(0)
    >>> task, X = np.repeat(np.arange(8), 40), rng.normal(size=(320, 3))
    >>> slopes = np.where(np.arange(8) < 7, 1.0, -3.0)  # the last one is different
    >>> y = slopes[task] * X[:, 0] + 0.5 * rng.normal(size=320)
    >>> shared = MeanRegularizedRegressor(alpha=100.0)
    >>> guard = NegativeTransferGuard(shared, random_state=0).fit(X, y, task=task)
    >>> str(guard.choice_[-1]), guard.weights_.shape
    ('independent', (8, 3))
    """

    _shares_tasks = True
    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "independent": [HasMethods(["fit", "predict"]), None],
        "pooled": [HasMethods(["fit", "predict"]), None],
        "cv": ["cv_object"],
        "task_column": [str, Integral, list, None],
        "handle_unknown": [StrOptions({"shared", "error"})],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        independent: Any = None,
        pooled: Any = None,
        cv: Any = 5,
        task_column: str | int | list[str | int] | None = None,
        handle_unknown: str = "shared",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.independent = independent
        self.pooled = pooled
        self.cv = cv
        self.task_column = task_column
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
        """Compare the models on held-out rows, and fit those that are used.

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
        self : NegativeTransferGuard
            The fitted guard.
        """
        metric_name = self._name_metric()
        if metric_name != "log_loss" and y is not None and holds_text(read_target(y)):
            raise ValueError(
                "estimator must be a classifier for classes, got "
                f"{type(self._get_inner()).__name__}. Use for example "
                "estimator=MeanRegularizedClassifierCV()."
            )
        data = read_fitted_rows(self, X, y, task, sample_weight, metric_name)
        with one_task_is_meant(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            models = self._make_models(data)
            check_methods(models, metric_name)
            found = self._judge(models, data, find_metric(metric_name))
            found["models_"] = self._fit_models(models, data)
        self.__dict__.pop("classes_", None)
        self.__dict__.update(found)
        return self

    def _name_metric(self):
        inner = self._get_inner()
        if is_classifier(inner):
            return "log_loss"
        is_count = get_tags(inner).target_tags.positive_only
        return "poisson_deviance" if is_count else "mse"

    def _make_models(self, data):
        """Return the unfitted models by name, which know the task column."""
        built_in = make_alternatives(data)
        models = {_SHARED: self._get_inner()}
        for name in _ALTERNATIVES:
            own = getattr(self, name)
            models[name] = built_in[name] if own is None else own
        return {
            name: set_task_column(each, self.task_column)
            for name, each in models.items()
        }

    def _judge(self, models, data, metric):
        """Choose the model of each task; return fitted attributes."""
        splits = split_rows(data, self.cv, self.random_state)
        try:
            predictions, _ = predict_held_out(
                models, data, splits, metric.method, self.n_jobs
            )
        except ValueError as error:
            raise find_cause(error) from None
        losses = {
            name: measure_errors(data, splits, each, metric.loss).loss
            for name, each in zip(models, predictions, strict=True)
        }
        rows = data.codes, len(data.tasks), data.target_weight
        evidence = {
            name: shrink_means(losses[_SHARED] - losses[name], *rows)
            for name in _ALTERNATIVES
        }
        weights = _weigh(evidence.values())
        classes = data.classes
        per_output = data.layout == "outputs"
        found = {
            "weights_": weights,
            "choice_": np.array(list(models))[weights.argmax(axis=1)],
            "gain_": {name: each.mean for name, each in evidence.items()},
            "gain_std_": {
                name: each.standard_deviation for name, each in evidence.items()
            },
            "tasks_": data.tasks,
            "n_tasks_": len(data.tasks),
            "_layout": data.layout,
            "_classes": classes,
        }
        if classes is not None:
            found["classes_"] = [classes] * len(data.tasks) if per_output else classes
        return found

    def _fit_models(self, models, data):
        rows = data.X, data.y, data.task, data.weight
        fitted = Parallel(n_jobs=self.n_jobs)(
            delayed(fit_rows)(each, *rows) for each in models.values()
        )
        return dict(zip(models, fitted, strict=True))

    def _call_methods(self, method, X, task):
        check_is_fitted(self)
        _, codes = read_query(self, X, task)
        table = as_table(X)
        labels = spread_label(task, table.shape[0])
        how = "predict" if self._classes is None else "predict_proba"
        answers = np.array(
            [
                predict_numbers(
                    model, how, table, name_options(model, labels), self._classes
                )
                for model in self.models_.values()
            ]
        )
        mixed = _mix(answers, self.weights_, codes)
        if self._classes is None:
            return mixed
        if method == "predict":
            return self._classes[mixed.argmax(axis=-1)]
        return mixed if codes is not None else list(np.moveaxis(mixed, 1, 0))

    def _call(self, method, X, codes):
        raise NotImplementedError  # the fitted models read the tasks themselves

    def _get_inner(self):
        default = MeanRegularizedRegressorCV()
        return default if self.estimator is None else self.estimator


def _weigh(evidence):
    """Return the weights of the shared model and the others, (n_tasks, n_models)."""
    odds = [np.ones_like(each.mean) for each in list(evidence)[:1]]
    for each in evidence:
        spread = np.maximum(each.standard_deviation, np.finfo(np.float64).tiny)
        with np.errstate(over="ignore"):
            ratio = each.mean / spread
        odds.append(np.exp(np.clip(norm.logcdf(ratio) - norm.logsf(ratio), -50, 50)))
    weights = np.transpose(odds)
    return weights / weights.sum(axis=1, keepdims=True)


def _mix(answers, weights, codes):
    """Average the answers of models, (n_models, n_rows, ...), for each row's task."""
    if codes is not None:  # an unseen task, of code -1, has the shared model
        shared = np.eye(1, weights.shape[1])
        weights = np.concatenate([weights, shared])[codes]
        subscripts = "rk,kr...->r..."
    else:
        subscripts = "tk,krt...->rt..."
    return np.einsum(subscripts, weights, answers)
