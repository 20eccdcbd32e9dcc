"""The comparison of models on the same held-out rows."""

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler

from ._comparison import TaskComparison
from ._errors import measure_errors
from ._held_out import predict_held_out
from ._metrics import find_metric
from ._models import (
    choose_baseline,
    default_models,
    find_common_column,
    name_models,
    tell_column,
)
from ._paired import average_by_task, find_p_values
from ._rows import read_comparison, split_rows


def compare_tasks(
    estimators,
    X,
    y,
    *,
    task_column=None,
    task=None,
    sample_weight=None,
    cv=5,
    metric="mse",
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
        Unfitted regressors, two or more, one of them the baseline. Those in a list are
        named after their class. None means ``default_models(task_column)``.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Rows, with the task column if there is one.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks)
        Targets; in two dimensions the columns are tasks, and NaN is not observed.
    task_column : str or int, default=None
        Column of X that names the task of each row, or a level of its index. None means
        the one that the estimators declare. Estimators with a parameter `task_column`
        that is None are told; in a Pipeline that ends in one of them, transformers do
        not see the column. Other estimators see it as a feature.
    task : array-like of shape (n_rows,), default=None
        Task of each row, passed on to those estimators whose `fit` takes it.
    sample_weight : array-like of shape (n_rows,), default=None
        Weight of each row, in the fits and in the means of the losses.
    cv : int, splitter or iterable of (train, test), default=5
        An int means ``TaskKFold(cv, shuffle=True, random_state=random_state)``, or the
        like KFold over the rows of a 2-d `y`. A splitter is given the tasks as groups.
    metric : {"mse", "rmse", "mae"}, default="mse"
        Loss of a row: squared, or absolute. With "rmse" the means of squared losses
        are stated as their root.
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
    metric_name, metric = metric, find_metric(metric)
    if task_column is None and task is None and estimators is not None:
        task_column = find_common_column(name_models(estimators).values())
    data = read_comparison(X, y, task_column, task, sample_weight)
    if estimators is None:
        scaler = StandardScaler(with_mean=not issparse(data.X))
        estimators = default_models(task_column, preprocessor=scaler)
    models = {
        name: tell_column(each, task_column)
        for name, each in name_models(estimators).items()
    }
    baseline = choose_baseline(baseline, list(models))
    splits = split_rows(data, cv, random_state)
    predictions, fit_times = predict_held_out(models, data, splits, n_jobs)
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
