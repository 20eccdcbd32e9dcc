"""Tables of coefficients and of tasks."""

from typing import Any

import numpy as np

from skmtl._contracts import Array
from skmtl.data import read_task_weight

from ._linear_parts import LinearParts, find_model, read_linear_parts
from ._task_rows import average_row, predict_each_task, read_labelled_rows

_MATRIX = 2  # axes of a precision matrix


def coef_frame(model: Any) -> Any:
    """Return the coefficients of a linear model as a table.

    Parameters
    ----------
    model : estimator
        Fitted linear model of tasks, or a pipeline or search that ends in one.

    Returns
    -------
    frame : DataFrame of shape (n_tasks + 1, n_features + 1)
        A row for the shared part, labelled "(shared)", then one per task; a column per
        feature, with the names after the transformers of a pipeline, and "(intercept)".
        With more than two classes, a row per task and class, the class as the second
        level of the index.

    See Also
    --------
    task_frame : Summarises each task.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import coef_frame
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(2, n_features=2, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressor(task_column="task").fit(X, y)
    >>> coef_frame(model).round(1)
              (intercept)   x0   x1
    task
    (shared)          0.2  2.0  0.7
    0                 0.7  2.0  1.4
    1                -0.0  1.9  0.0
    """
    import pandas as pd

    parts = read_linear_parts(model)
    coef = np.concatenate([parts.coef_shared[None], parts.coef])
    intercept = np.concatenate([parts.intercept_shared[None], parts.intercept])
    labels = pd.Index(["(shared)", *parts.tasks.tolist()], dtype=object, name="task")
    if parts.classes is not None:
        levels = [labels, parts.classes.tolist()]
        labels = pd.MultiIndex.from_product(levels, names=["task", "class"])
    values = np.concatenate([intercept[..., None], coef], axis=2)
    columns = ["(intercept)", *parts.features]
    return pd.DataFrame(values.reshape(-1, len(columns)), labels, columns)


def task_frame(
    model: Any,
    X: Any = None,
    y: Any = None,
    *,
    task: Any = None,
    comparison: Any = None,
) -> Any:
    """Summarise each task: its level, its rows, how much is its own, and its gain.

    Parameters
    ----------
    model : estimator
        Fitted linear model of tasks, or a pipeline or search that ends in one.
    X : {array-like, sparse matrix, dataframe} of shape (n_rows, n_columns)
        Rows, for the levels and the numbers of rows. None leaves out the levels; the
        total weight of the rows in `fit` is then their number.
    y : array-like of shape (n_rows,) or (n_rows, n_tasks), default=None
        Targets, for their mean. In two dimensions, NaN means not observed.
    task : array-like of shape (n_rows,), default=None
        Task of each row, if X has no task column.
    comparison : TaskComparison, default=None
        Result of `compare_tasks`; adds the gain of its best model with sharing.

    Returns
    -------
    frame : DataFrame of shape (n_tasks, n_columns)
        A row per task. "level": raw prediction at the average row of all tasks.
        "n_rows". "mean_target": mean of its targets. "own_share": share of the task's
        parameters that its own rows determine, 0 if pooled and 1 if apart. "gain":
        relative gain by sharing. A column is absent if nothing is known of it.

    See Also
    --------
    coef_frame : Coefficients of the tasks.

    Notes
    -----
    The own share is ``trace((G_t + A)^-1 G_t) / k``: the task's effective degrees of
    freedom given the centre, per parameter. ``G_t`` is the Gram matrix of its ``k``
    columns, with a column of ones for the intercept and with the weights of the fit,
    and ``A`` the precision matrix of the penalty. It is known for regressors near one
    centre that keep `moments_`, and 1 for models that share nothing.

    Examples
    --------
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.inspection import task_frame
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X, y = make_related_tasks(2, n_features=2, as_frame=True, random_state=0)
    >>> model = MeanRegularizedRegressor(alpha=10, task_column="task").fit(X, y)
    >>> task_frame(model, X).round(2)
          level  n_rows  own_share
    task
    0      0.91      30       0.79
    1      0.38      30       0.79
    """
    import pandas as pd

    parts = read_linear_parts(model)
    columns: dict[str, Any] = {}
    if X is not None:
        columns |= _describe_rows(parts, model, X, y, task)
    elif "moments_" in vars(parts.model):
        columns["n_rows"] = parts.model.moments_.weight
    share = find_own_share(model)
    if share is not None:
        columns["own_share"] = share
    index = pd.Index(parts.tasks, name="task")
    frame = pd.DataFrame(columns, index)
    if comparison is not None:
        best = comparison.find(comparison.best_sharing)
        gains = pd.Series(comparison.task_relative_gains[best], comparison.tasks)
        frame["gain"] = gains.reindex(index).to_numpy()
    return frame


def _describe_rows(parts: LinearParts, model: Any, X: Any, y: Any, task: Any) -> dict:
    """Return the level, number of rows and mean target of each task."""
    row = average_row(parts.transform(X), parts.model)
    levels = predict_each_task(parts, row)
    found: dict[str, Any] = {}
    if levels.shape[1] == 1:
        found["level"] = levels[:, 0]
    else:
        found |= {
            f"level of {label}": level
            for label, level in zip(np.asarray(parts.classes), levels.T, strict=True)
        }
    if np.ndim(y) == _MATRIX:
        observed = ~np.isnan(np.asarray(y, dtype=float))
        found["n_rows"] = observed.sum(axis=0)
        found["mean_target"] = np.nanmean(np.asarray(y, dtype=float), axis=0)
        return found
    codes = read_labelled_rows(model, X, task, parts.tasks)
    seen, n_tasks = codes >= 0, len(parts.tasks)
    found["n_rows"] = np.bincount(codes[seen], minlength=n_tasks)
    if y is not None and np.asarray(y).dtype.kind in "iuf":
        sums = np.bincount(codes[seen], np.asarray(y, float)[seen], n_tasks)
        counts = found["n_rows"]
        found["mean_target"] = np.where(
            counts > 0, sums / np.maximum(counts, 1), np.nan
        )
    return found


def find_own_share(estimator: Any) -> Array | None:
    """Return the share of each task's parameters that is its own, None if unknown."""
    model, _ = find_model(estimator)
    if getattr(model, "_shares_tasks", True) is False:
        return np.ones(len(model.tasks_))
    learnt = vars(model)
    alpha = learnt.get("alpha_", learnt.get("alpha"))
    if "moments_" not in learnt or "groupings_" in learnt or alpha is None:
        return None
    own = learnt.get("alpha_intercept_", learnt.get("alpha_intercept"))
    grams = _weigh_grams(model)
    n_columns = grams.shape[1]
    if np.ndim(alpha) == _MATRIX:
        precision = np.asarray(alpha, dtype=float)
    else:
        strengths = np.append(np.broadcast_to(alpha, model.moments_.xy.shape[1]), own)
        precision = np.diag(strengths[:n_columns])
    held = np.isinf(np.diag(precision))
    free = np.ix_(~held, ~held)
    if held.all():
        return np.zeros(len(grams))
    return np.array([_trace(G[free], precision[free]) for G in grams]) / n_columns


def _weigh_grams(model):
    """Return the Gram matrices of the tasks, as weighted in the fit."""
    moments = model.moments_
    weight, mean = moments.weight, moments.x_mean
    factor = read_task_weight(model.task_weight, moments.tasks, weight)
    factor = np.ones(len(weight)) if factor is None else factor
    if "noise_variance_" in vars(model):
        scaled = model.noise_variance_ / model.target_scale_**2
        ratio = np.ones(len(weight))  # exact fits have no noise
        factor = factor * np.divide(model.sigma2_, scaled, out=ratio, where=scaled > 0)
    scatter = np.broadcast_to(_scatter(moments), (len(weight), *[mean.shape[1]] * 2))
    if not model.fit_intercept:
        mean_square = weight[:, None, None] * mean[:, :, None] * mean[:, None]
        return factor[:, None, None] * (scatter + mean_square)
    bordered = np.concatenate([mean, np.ones((len(mean), 1))], axis=1)
    grams = weight[:, None, None] * bordered[:, :, None] * bordered[:, None]
    grams[:, :-1, :-1] += scatter
    return factor[:, None, None] * grams


def _scatter(moments):
    if moments.xx is not None:
        return moments.xx
    scatter = np.zeros((len(moments.weight), *[moments.x_mean.shape[1]] * 2))
    for places, stack in moments.roots:
        scatter[places] = stack.swapaxes(-1, -2) @ stack
    return scatter


def _trace(gram, precision):
    """Return ``trace((G + A)^-1 G)``, where columns without rows count as 0."""
    return float(np.trace(np.linalg.pinv(gram + precision, hermitian=True) @ gram))
