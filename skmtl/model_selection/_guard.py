"""Protection of single tasks from sharing that hurts them."""

import warnings
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import HasMethods, Interval, StrOptions, fit_context
from skmtl.compose import TaskWrapper, read_query
from skmtl.data import as_table, one_task_is_meant, spread_label
from skmtl.linear_model import MeanRegularizedRegressorCV

from ._candidates import make_candidates
from ._comparison_rows import read_fitted_rows, split_rows
from ._comparison_targets import check_methods, restore_dtype
from ._cross_prediction import fit_rows, name_options, predict_held_out
from ._evidence import shrink_means
from ._fold_errors import measure_errors
from ._metrics import find_metric
from ._task_columns import set_task_column

_SHARED, _ALTERNATIVES = "shared", ("independent", "pooled")


class NegativeTransferGuard(TaskWrapper):
    """Predict tasks that sharing hurts with a model of their own, or a pooled one.

    A shared model, an independent model per task and a pooled model are compared on
    held-out rows. For each task, the mean differences of their losses are shrunk
    towards the mean over tasks, as a task has few rows to judge by. A task leaves the
    shared model only if another one is better with a high posterior probability.

    Parameters
    ----------
    estimator : estimator, default=None
        Shared model of the tasks, whose parameter `task_column` is set. None means
        ``MeanRegularizedRegressorCV()``.
    independent : estimator, default=None
        Model of each task alone. None means a ridge regression per task with its own
        strength on standardised features, or logistic or Poisson regressions.
    pooled : estimator, default=None
        Model that ignores the task. None means one such regression of all rows.
    credibility : float, default=0.9
        Posterior probability, from 0.5 to 1, with which another model must be better
        for a task.
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
    choice_ : ndarray of shape (n_tasks,)
        Model of each task: "shared", "independent" or "pooled".
    gain_ : dict of str to ndarray of shape (n_tasks,)
        For "independent" and "pooled", the shrunken mean by which the loss of each task
        is smaller than with the shared model: squared error, log loss or deviance.
    gain_std_ : dict of str to ndarray of shape (n_tasks,)
        Posterior standard deviations of the gains.
    models_ : dict of str to estimator
        Fitted models that some task, or an unseen task, uses.
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
    TaskModelSearch : One model for all tasks, by held-out rows.
    skmtl.inspection.compare_tasks : Names the tasks that sharing hurts.

    Notes
    -----
    The observed mean difference of task ``t`` is normal around the true one with the
    variance of a mean of its rows, and the true ones are normal around a common mean:
    the empirical Bayes estimate of Morris, with the variance between tasks of Paule and
    Mandel. A task with few rows therefore follows the other tasks.

    The shared model is fitted to the rows of all tasks, also of those that leave it.

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
    >>> str(guard.choice_[-1])
    'independent'
    """

    _shares_tasks = True
    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict"]), None],
        "independent": [HasMethods(["fit", "predict"]), None],
        "pooled": [HasMethods(["fit", "predict"]), None],
        "credibility": [Interval(Real, 0.5, 1, closed="left")],
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
        credibility: float = 0.9,
        cv: Any = 5,
        task_column: str | int | list[str | int] | None = None,
        handle_unknown: str = "shared",
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.estimator = estimator
        self.independent = independent
        self.pooled = pooled
        self.credibility = credibility
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
        data = read_fitted_rows(self, X, y, task, sample_weight, metric_name)
        with one_task_is_meant(), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            models = self._make_models(data)
            check_methods(models, metric_name)
            found = self._judge(models, data, find_metric(metric_name))
            used = {name: models[name] for name in models if name in found["_used"]}
            found["models_"] = self._fit_models(used, data)
        vars(self).pop("classes_", None)
        vars(self).update(found)
        return self

    def _name_metric(self):
        inner = self._get_inner()
        if is_classifier(inner):
            return "log_loss"
        is_count = get_tags(inner).target_tags.positive_only
        return "poisson_deviance" if is_count else "mse"

    def _make_models(self, data):
        """Return the unfitted models by name, which know the task column."""
        built_in = {each.name: each.estimator for each in make_candidates(data)}
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
        predictions, _ = predict_held_out(
            models, data, splits, metric.method, self.n_jobs
        )
        losses = {
            name: measure_errors(data, splits, each, metric.loss).loss
            for name, each in zip(models, predictions, strict=True)
        }
        rows = data.codes, len(data.tasks), data.target_weight
        evidence = {
            name: shrink_means(losses[_SHARED] - losses[name], *rows)
            for name in _ALTERNATIVES
        }
        choice = self._choose(evidence)
        classes = restore_dtype(data.classes, data.y)
        per_output = data.layout == "outputs"
        found = {
            "choice_": choice,
            "gain_": {name: each.mean for name, each in evidence.items()},
            "gain_std_": {
                name: each.standard_deviation for name, each in evidence.items()
            },
            "tasks_": data.tasks,
            "n_tasks_": len(data.tasks),
            "_layout": data.layout,
            "_used": {*choice.tolist(), _SHARED},
        }
        if classes is not None:
            found["classes_"] = [classes] * len(data.tasks) if per_output else classes
        return found

    def _choose(self, evidence):
        """Return the name of the model of each task."""
        bound = norm.ppf(self.credibility)
        means = np.array([each.mean for each in evidence.values()])
        errors = np.array([each.standard_deviation for each in evidence.values()])
        is_better = (means > 0) & (means > bound * errors)
        best = np.where(is_better, means, 0.0).argmax(axis=0)
        names = np.array(_ALTERNATIVES)[best]
        return np.where(is_better.any(axis=0), names, _SHARED)

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
        answers = {
            name: getattr(model, method)(table, **name_options(model, labels))
            for name, model in self.models_.items()
        }
        if codes is None:
            return self._pick_columns(answers)
        choice = np.append(self.choice_, _SHARED)[codes]
        found = answers[_SHARED]
        for name, answer in answers.items():
            is_chosen = (choice == name).reshape(-1, *(1,) * (found.ndim - 1))
            found = np.where(is_chosen, answer, found)
        return found

    def _pick_columns(self, answers):
        """Return the answer for each task of a 2-d target."""
        columns = {
            name: answer if isinstance(answer, list) else list(np.transpose(answer))
            for name, answer in answers.items()
        }
        return [columns[name][t] for t, name in enumerate(self.choice_.tolist())]

    def _call(self, method, X, codes):
        raise NotImplementedError  # the fitted models read the tasks themselves

    def _get_inner(self):
        default = MeanRegularizedRegressorCV()
        return default if self.estimator is None else self.estimator
