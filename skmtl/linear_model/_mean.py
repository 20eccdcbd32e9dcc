"""Regression of tasks that stay near a shared centre."""

from dataclasses import replace
from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import Interval
from skmtl.couplings import Pull, ToMean
from skmtl.data import TaskRows, read_queries, read_rows
from skmtl.problems import LinearTasks, Posterior, pose_moments

from ._base import MomentRegressor, float_type
from ._ridge import COMMON_CONSTRAINTS


class MeanRegularizedRegressor(MomentRegressor):
    """Linear tasks that stay near a shared centre.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_t ||w_t - w_s||^2 +
    alpha_shared ||w_s||^2 + alpha_intercept sum_t (b_t - b_s)^2`` over the tasks'
    ``(w_t, b_t)`` and the centre ``(w_s, b_s)``. With a small `alpha` tasks are apart,
    with a large one they have common coefficients. It is known as mean-regularised
    multi-task learning, and as a random coefficients model with ``alpha = sigma^2 /
    tau^2``.

    Parameters
    ----------
    alpha : float or array-like of shape (n_features,), default=1.0
        Strength of the pull to the centre, 0 or more, one or one per feature.
        Infinite strengths make a coefficient common to all tasks.
    alpha_shared : float, default=0.0
        Strength that pulls the centre to zero.
    alpha_intercept : float, default=0.0
        Strength that pulls the intercepts together. 0 leaves them free, infinity makes
        them one.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    task_column : str or int, default=None
        Column of X that holds the task of each row, by name or position.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with a task not seen in `fit`: predict it with the shared
        part, or raise an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients of the centre. Where `alpha` is 0, the mean of the tasks'.
    intercept_shared_ : float
        Intercept of the centre. Where `alpha_intercept` is 0, the mean of the tasks'.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    moments_ : TaskMoments
        Moments of all rows so far, to which `partial_fit` adds; kept unless tasks
        have far fewer rows than features.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedRegressorCV : Choose the strengths from the data.
    MultiTaskRidge : Tasks that share nothing.

    References
    ----------
    Evgeniou, T., Pontil, M. (2004). Regularized multi-task learning. KDD '04, 109-117.
    :doi:`10.1145/1014052.1014067`

    Examples
    --------
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X = [["a", 1.0], ["a", 2.0], ["a", 3.0], ["b", 1.0], ["b", 3.0]]
    >>> y = [1.0, 2.0, 3.0, 2.0, 6.0]
    >>> model = MeanRegularizedRegressor(alpha=2.0, task_column=0).fit(X, y)
    >>> model.coef_
    array([[1.25],
           [1.75]])
    >>> model.coef_shared_
    array([1.5])
    >>> model.predict([["b", 2.0], ["never seen", 2.0]])
    array([4., 3.])
    """

    _parameter_constraints = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "alpha_shared": [Interval(Real, 0, None, closed="left")],
        "alpha_intercept": [Interval(Real, 0, None, closed="left")],
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        alpha_shared=0.0,
        alpha_intercept=0.0,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
    ):
        self.alpha = alpha
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _pull(self, tasks, n_features):
        alpha = read_feature_alphas(self.alpha, n_features)
        coupling = ToMean(alpha, self.alpha_shared, self.alpha_intercept)
        return coupling.pull(len(tasks), n_features)

    def predict(self, X, task=None, return_std=False):
        """Predict each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), default=None
            Label of each row, if `fit` was given labels so.
        return_std : bool, default=False
            Whether to return standard deviations too. They read the model as draws of
            tasks around the centre, and hold the noise and what is not known of the
            task; the noise variance is the sum of squared errors per degree of freedom
            left. They are infinite for a new task where nothing pulls.

        Returns
        -------
        prediction : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            Predictions; a column per task if `fit` had a 2-d y. Rows of tasks never
            seen are predicted with the shared part.
        std : ndarray of the same shape
            Standard deviations of the target around the prediction, if asked for.
        """
        prediction = super().predict(X, task)
        if not return_std:
            return prediction
        X, codes = read_queries(self, X, task)
        std = predict_std(self._posterior(), X, codes)
        return prediction, std.reshape(prediction.shape)

    def _posterior(self):
        if hasattr(self, "moments_"):
            return Posterior(self._fit_moments(self.moments_))
        return Posterior(self._fit_of_rows)

    def adapt(self, X, y, sample_weight=None, task=None):
        """Add one new task from few rows, pulled to the centre as it was learnt.

        The other tasks and the centre stay as they are.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features of the new task, as in `fit`.
        y : array-like of shape (n_samples,)
            Target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each row.
        task : int or str, default=None
            Label of the new task, unless X has a task column.

        Returns
        -------
        self : object
            The model with one task more.
        """
        check_is_fitted(self)
        data = self._read_new_task(X, y, sample_weight, task)
        moments = data.moments()
        n_features = moments.n_features
        prior = self._pull(data.tasks, n_features)
        pull = Pull(
            prior.alpha, prior.pattern, np.full(n_features, np.inf), prior.intercept
        )
        shared, level = self.coef_shared_.astype(float), float(self.intercept_shared_)
        fit = pose_moments(moments.less(shared, level), pull, self.fit_intercept)
        own = LinearTasks(fit.coef + shared, fit.intercept + level, shared, level)
        return self._insert(data, moments, own)

    def _read_new_task(self, X, y, sample_weight, task):
        if self._layout not in ("column", "keyword"):
            raise ValueError(
                "adapt needs a model whose tasks have labels on their rows, and this "
                f"one was fitted with layout {self._layout!r}. Fit with task_column or "
                "task=."
            )
        if task is not None:
            task = np.full(np.shape(y)[0], task)
        data = read_rows(
            self, X, y, task=task, sample_weight=sample_weight, reset=False
        )
        known = np.isin(data.tasks, self.tasks_)
        if len(data.tasks) != 1 or known.any():
            raise ValueError(
                "adapt takes the rows of one task that is new, got tasks "
                f"{data.tasks[:5].tolist()}, of which this model knows "
                f"{data.tasks[known][:5].tolist()}. Use partial_fit for tasks that are "
                "known."
            )
        return data

    def _insert(self, data, moments, own):
        tasks = np.concatenate([self.tasks_, data.tasks])
        order = np.argsort(tasks)
        coef = np.vstack([self.coef_, own.coef])[order]
        intercept = np.append(self.intercept_, own.intercept)[order]
        models = replace(own, coef=coef, intercept=intercept)
        dtype = float_type(self.coef_)
        learnt = self._linear(tasks[order], models, self._layout, dtype)
        if hasattr(self, "moments_"):
            learnt["moments_"] = self.moments_ + moments
        return self._keep(data, learnt)


def read_feature_alphas(alpha, n_features):
    """Check strengths against the features: a number, or one per feature."""
    strengths = np.asarray(alpha, dtype=float)
    if strengths.ndim and strengths.shape != (n_features,):
        raise ValueError(
            "alpha must be one number or one per feature, of shape "
            f"({n_features},), got shape {strengths.shape}."
        )
    if not (strengths >= 0).all():
        raise ValueError(f"alpha must be 0 or more, got {strengths.min()}.")
    return strengths


def predict_std(posterior, X, codes):
    """Return standard deviations of targets at rows of tasks, noise included."""
    sigma2 = posterior.noise_variance
    if not np.isfinite(sigma2):
        raise ValueError(
            "return_std needs more rows than degrees of freedom, and the model fits "
            "its rows exactly. Raise alpha, or fit more rows."
        )
    n_tasks, n_rows = posterior.fit.moments.n_tasks, X.shape[0]
    if codes is None:
        rows = np.tile(np.arange(n_rows), n_tasks)
        codes = np.repeat(np.arange(n_tasks), n_rows)
        variance = _variance(posterior, X, rows, codes)
        return np.sqrt(sigma2 * (1 + variance.reshape(n_tasks, n_rows).T))
    variance = _variance(posterior, X, np.arange(n_rows), codes)
    return np.sqrt(sigma2 * (1 + variance))


def _variance(posterior, X, rows, codes):
    """Return variances at ``X[rows]`` of tasks, -1 standing for a new one."""
    order = np.argsort(codes, kind="stable")
    n_tasks = posterior.fit.moments.n_tasks
    offsets = np.searchsorted(codes[order], np.arange(n_tasks + 1))
    variance = np.empty(len(codes))
    seen = TaskRows(
        X, rows[order], np.zeros(len(codes)), None, offsets, np.arange(n_tasks)
    )
    for group in seen.groups():
        variance[order[group.rows]] = posterior.variance(group.X, group.tasks)
    new = order[: offsets[0]]
    if len(new):
        unseen = X[rows[new]]
        unseen = unseen.toarray() if hasattr(unseen, "toarray") else unseen
        variance[new] = posterior.variance_of_new_task(unseen.astype(float))
    return variance
