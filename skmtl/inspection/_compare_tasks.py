"""The comparison of models on the same held-out rows."""

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler

from skmtl.data import refuse_pieces

from ._comparison import TaskComparison
from ._comparison_rows import read_comparison, split_rows
from ._comparison_targets import check_methods, choose_metric
from ._cross_prediction import predict_held_out
from ._default_models import (
    choose_baseline,
    default_models,
    find_common_column,
    name_models,
    tell_column,
)
from ._fold_errors import measure_errors
from ._metrics import find_metric
from ._paired_tests import average_by_task, find_p_values


def compare_tasks(
    estimators,
    X,
    y,
    *,
    task_column=None,
    task=None,
    sample_weight=None,
    cv=5,
    metric=None,
    baseline=None,
    n_jobs=None,
    random_state=None,
):
    """Find out whether sharing helps, which kind of it, and which tasks it hurts.

    Every model is fitted on the same folds and predicts the rows held out of its fit.
    Its error in a fold is the mean over tasks of the tasks' mean losses, every task
    counting the same; the mean over rows is kept too. Models are compared with the
    baseline, a model per task, fold by fold and task by task.

    Parameters
    ----------
    estimators : mapping of str to estimator, list of estimators, or None
        Unfitted regressors or classifiers, two or more, one of them the baseline. Those
        in a list are named after their class. None means ``default_models`` for the
        kind of target.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Rows, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets; in two dimensions the columns are tasks, and NaN is not observed.
        Strings, truths and categories are classes. Integers are numbers, unless all
        `estimators` are classifiers, or `metric` is one for classes.
    task_column : str, int or list of them, default=None
        Column of X that names the task of each row, or a level of its index. None means
        the one that the estimators declare. Estimators with a parameter `task_column`
        that is None are told; in a Pipeline that ends in one of them, transformers do
        not see the column. Other estimators see it as a feature.
    task : array-like of shape (n_rows,), default=None
        Task of each row, passed on to those estimators whose `fit` takes it.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row, in the fits and in the means of the losses.
    cv : int, splitter or iterable of (train, test), default=5
        An int means ``TaskKFold(cv, shuffle=True, random_state=random_state)``, for
        classes with ``stratify=True``, or the like KFold over the rows of a 2-d `y`. A
        splitter is given the tasks as groups.
    metric : str, default=None
        Loss of a row. Of numbers "mse", the default, or "mae": squared, or absolute;
        with "rmse" the means of squared losses are stated as their root. Of classes
        "log_loss", the default, or "brier", both of ``predict_proba``, or "error", 1
        for a wrong class. Of counts "poisson_deviance", of means predicted above 0.
        Classes that are missing from the rows of a fit have probability 0 there; a
        log loss is that of a probability clipped at the machine precision.
    baseline : str, default=None
        Name of the model without sharing; None means "independent", else the first.
    n_jobs : int, default=None
        Number of fits in parallel; None means one, -1 one per processor.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, if `cv` is an int.

    Returns
    -------
    comparison : TaskComparison
        Errors per model, fold and task, differences with their standard errors, the
        tasks that sharing hurts, and a recommendation.

    See Also
    --------
    default_models : What is compared by default.
    TaskComparisonDisplay : The gain of each task as a picture.

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
    refuse_pieces(X)
    metric_name = choose_metric(metric, y, named)
    metric = find_metric(metric_name)
    if task_column is None and task is None and named is not None:
        task_column = find_common_column(named.values())
    data = read_comparison(X, y, task_column, task, sample_weight, metric_name)
    if named is None:
        scaler = StandardScaler(with_mean=not issparse(data.X))
        named = default_models(task_column, preprocessor=scaler, kind=metric.kind)
    models = {name: tell_column(each, task_column) for name, each in named.items()}
    check_methods(models, metric_name)
    baseline = choose_baseline(baseline, list(models))
    splits = split_rows(data, cv, random_state)
    predictions, fit_times = predict_held_out(
        models, data, splits, metric.method, n_jobs
    )
    errors = [measure_errors(data, splits, z, metric.loss) for z in predictions]
    losses = np.array([each.loss for each in errors])
    return TaskComparison(
        models=tuple(models),
        baseline=baseline,
        metric=metric_name,
        tasks=data.tasks,
        fold_errors=metric.state(np.array([each.by_task for each in errors])),
        fold_row_errors=metric.state(np.array([each.by_row for each in errors])),
        fit_times=fit_times,
        test_ratio=float(np.mean([len(test) / len(train) for train, test in splits])),
        predictions=np.array([each.prediction for each in errors]),
        classes=data.classes,
        **_compare_by_task(data, losses, list(models).index(baseline), metric),
    )


def _compare_by_task(data, losses, base, metric):
    """Return what is known of each task: arrays of shape (n_models, n_tasks)."""
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
