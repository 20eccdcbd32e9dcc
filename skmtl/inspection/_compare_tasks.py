"""Compare models on the same held-out rows."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator

from skmtl.data import refuse_pieces, refuse_undeclared
from skmtl.model_selection import (
    check_methods,
    choose_metric,
    find_common_column,
    find_metric,
    measure_errors,
    predict_held_out,
    read_comparison,
    set_task_column,
    split_rows,
    split_tasks,
)

from ._comparison import TaskComparison
from ._contrasts import find_contrasts
from ._default_models import (
    choose_baseline,
    fill_models,
    list_estimators,
    name_models,
)
from ._paired_tests import average_by_task, find_p_values

_N_FOLDS = 5  # of whole tasks, if `cv` does not give the number


def compare_tasks(
    estimators: Mapping[str, Any] | Sequence[Any] | None,
    X: object,
    y: ArrayLike,
    *,
    task_column: str | int | Sequence[str | int] | None = None,
    task: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    cv: int | BaseCrossValidator | Iterable[tuple[ArrayLike, ArrayLike]] = 5,
    metric: str | None = None,
    baseline: str | None = None,
    new_tasks: bool = False,
    n_jobs: int | None = None,
    random_state: int | RandomState | None = None,
) -> TaskComparison:
    """Compare models with and without sharing, and find the tasks that sharing hurts.

    Every model is fitted on the same folds and predicts the rows held out. Its error
    in a fold is the mean over tasks of each task's mean loss, so every task counts the
    same; the mean over rows is stored too. Each model is compared with the baseline,
    independent models per task, by fold and by task.

    Parameters
    ----------
    estimators : mapping of str to estimator, list of estimators and names, or None
        Two or more unfitted regressors or classifiers, including the baseline. Those in
        a list are named after their class. A name, such as "spline curves" or "boosted
        trees", stands for the candidate of
        :class:`~skmtl.model_selection.TaskModelSearch`, or the default model, of that
        name. None means ``default_models`` for the kind of target.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Rows, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets. In two dimensions, columns are tasks and NaN means not observed.
        Strings, booleans and categories are classes. Integers are numbers, unless all
        `estimators` are classifiers, or `metric` is one for classes.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, or a level of its index. None means the
        one that the estimators declare. It is set on estimators whose parameter
        `task_column` is None; in a Pipeline that ends in one of them, transformers do
        not see the column. Other estimators see it as a feature.
    task : array-like of shape (n_rows,), default=None
        Task of each row, passed to the estimators whose `fit` takes it.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row, in the fits and in the means of the losses.
    cv : int, splitter or iterable of (train, test), default=5
        An int means ``TaskKFold(cv, shuffle=True, random_state=random_state)``, for
        classes with ``stratify=True``, or the same KFold over the rows of a 2-d `y`. A
        splitter gets the tasks as groups.
    metric : str, default=None
        Loss of a row. For numbers: "mse" (default), "mae", or "rmse", the root of the
        mean squared loss. For classes: "log_loss" (default) or "brier", which need
        ``predict_proba``, or "error", the rate of wrong classes. For counts:
        "poisson_deviance", which needs positive predictions. A class missing from the
        training rows has probability 0; for the log loss, probabilities are clipped
        at machine precision.
    baseline : str, default=None
        Name of the model without sharing, or of any model to compare the others with;
        None means "independent" if there is one, else the first.
    new_tasks : bool, default=False
        Whether to hold out whole tasks too, in as many folds again (five, if `cv` is
        not an int), and report the errors for tasks never seen. They do not change the
        recommendation.
    n_jobs : int, default=None
        Number of fits in parallel; None means one, -1 one per processor.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, if `cv` is an int, and of those of whole tasks.

    Returns
    -------
    comparison : TaskComparison
        Errors per model, fold and task, differences with their standard errors, the
        tasks that sharing hurts, and a recommendation.

    See Also
    --------
    default_models : Makes the models compared by default.
    TaskComparisonDisplay : Draws the gain of each task.

    Notes
    -----
    Models given by name scale features, and encode text, dates and gaps in pandas
    frames by :func:`~skmtl.compose.make_table_encoder`. Other models get the rows as
    they are: pass ``make_pipeline(StandardScaler(), MultiTaskMLPRegressor())``, since
    networks need scaled features. The scaler does not see the task column.

    The recommendation attributes a gain to sharing only if the baseline has none, and
    both are of the same kind: networks, trees, curves, kernel models or others.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import compare_tasks
    >>> X, y = make_related_tasks(n_tasks=10, n_samples=15, random_state=0)
    >>> comparison = compare_tasks(None, X, y, task_column=-1, random_state=0)
    >>> comparison.best
    'mean-regularised'
    >>> comparison.hurt(comparison.best).tolist()
    []
    """
    named = None if estimators is None else name_models(estimators)
    own = list_estimators(named)
    refuse_pieces(X)
    metric_name = choose_metric(metric, y, own)
    chosen = find_metric(metric_name)
    if task_column is None and task is None:
        task_column = find_common_column(own.values())
    data = read_comparison(X, y, task_column, task, sample_weight, metric_name)
    refuse_undeclared(data.layout)
    models = {
        name: set_task_column(each, task_column)
        for name, each in fill_models(named, data, task_column).items()
    }
    check_methods(models, metric_name)
    baseline = choose_baseline(baseline, list(models))
    splits = split_rows(data, cv, random_state)
    predictions, fit_times = predict_held_out(
        models, data, splits, chosen.method, n_jobs
    )
    errors = [measure_errors(data, splits, z, chosen.loss) for z in predictions]
    losses = np.array([each.loss for each in errors])
    unseen = None
    if new_tasks:
        n_folds = cv if isinstance(cv, Integral) else _N_FOLDS
        splits_of_tasks = split_tasks(data, int(n_folds), random_state)
        unseen = _measure_new_tasks(models, data, splits_of_tasks, chosen, n_jobs)
    return TaskComparison(
        models=tuple(models),
        baseline=baseline,
        metric=metric_name,
        tasks=data.tasks,
        fold_errors=chosen.state(np.array([each.by_task for each in errors])),
        fold_row_errors=chosen.state(np.array([each.by_row for each in errors])),
        fit_times=fit_times,
        test_ratio=float(np.mean([len(test) / len(train) for train, test in splits])),
        predictions=np.array([each.prediction for each in errors]),
        classes=data.classes,
        differs_by_sharing=find_contrasts(models, baseline),
        targets=data.targets,
        codes=data.codes,
        cells=data.cells,
        fold_new_task_errors=unseen,
        **_compare_by_task(data, losses, list(models).index(baseline), chosen),
    )


def _measure_new_tasks(models, data, splits, metric, n_jobs):
    """Return errors for tasks never seen, of shape (n_models, n_folds)."""
    predictions, _ = predict_held_out(models, data, splits, metric.method, n_jobs)
    errors = [measure_errors(data, splits, each, metric.loss) for each in predictions]
    return metric.state(np.array([each.by_task for each in errors]))


def _compare_by_task(data, losses, base, metric):
    """Return errors and paired tests of each task, of shape (n_models, n_tasks)."""
    rows = data.codes, data.target_weight, len(data.tasks)
    means = [average_by_task(loss, *rows) for loss in losses]
    increases = [average_by_task(loss - losses[base], *rows) for loss in losses]
    return {
        "n_rows": means[base][2],
        "task_errors": metric.state(np.array([mean for mean, _, _ in means])),
        "task_increases": np.array([mean for mean, _, _ in increases]),
        "task_standard_errors": np.array([error for _, error, _ in increases]),
        "p_values": np.array([find_p_values(*each) for each in increases]),
    }
