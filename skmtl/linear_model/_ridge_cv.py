"""Ridge regression of several tasks, with strengths chosen from the data."""

import numpy as np

from skmtl.base import COMMON_CONSTRAINTS, TaskRegressor, float_type
from skmtl.selection import (
    fold_path,
    read_grid,
    read_splits,
    rows_path,
    shared_path,
    suggest_ridge_alphas,
    warn_of_edge,
)

# Leave-one-out errors of fits that leave nothing are known to so many digits.
_EQUAL = 1e-7


class SplittingRegressor(TaskRegressor):
    """Choose strengths by splits of the rows, or without any."""

    def _read_splits(self, data, X, y, task):
        """Return splits of rows of X, or None for leave-one-out."""
        return None if self.cv is None else read_splits(self.cv, data, X, y, task)


class MultiTaskRidgeCV(SplittingRegressor):
    """Linear tasks that share nothing, with strengths chosen by cross-validation.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha_t ||w_t||^2`` with, for each
    task, the `alpha_t` of smallest squared error on rows left out.

    Leave-one-out errors are exact, ``(y_i - z_i) / (1 - h_ii)`` from one factorisation.
    With shared rows, they are computed near the strength that generalised
    cross-validation prefers, and further as long as the best lies at an end.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=None
        Strengths to choose from, positive. None for three per factor of ten, 1e-12 to
        1e6 times the mean curvature of a task's loss: from no penalty to no effect of
        any feature.
    alpha_per_task : bool, default=True
        Whether each task has its own strength, or all have the same.
    cv : int, splitter or iterable of (train, test), default=None
        None for leave-one-out. An int deals the rows of each task to so many folds.
    fit_intercept : bool, default=True
        Whether each task has an intercept, which is not penalised.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with a task not seen in `fit`: predict it with a ridge fit
        to all rows, or raise an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.

    Attributes
    ----------
    alpha_ : ndarray of shape (n_tasks,) or float
        Strengths that were chosen; a float unless `alpha_per_task` and tasks were
        declared.
    best_score_ : ndarray of shape (n_tasks,) or float
        Mean squared error on rows left out, negated, at `alpha_`.
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: a ridge fit to all rows, with the mean of the
        tasks' strengths.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
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
    MultiTaskRidge : The same with given strengths.
    MeanRegularizedRegressorCV : Tasks that stay near a shared centre.

    References
    ----------
    Golub, G. H., Heath, M., Wahba, G. (1979). Generalized cross-validation as a method
    for choosing a good ridge parameter. Technometrics, 21(2), 215-223.
    :doi:`10.1080/00401706.1979.10489751`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import MultiTaskRidgeCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 3))
    >>> Y = np.column_stack([X[:, 0], 0.1 * X[:, 0]]) + rng.normal(size=(30, 2))
    >>> model = MultiTaskRidgeCV().fit(X, Y)
    >>> model.alpha_ > 10
    array([False,  True])
    """

    _parameter_constraints = {
        "alphas": ["array-like", None],
        "alpha_per_task": ["boolean"],
        "cv": ["cv_object"],
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas=None,
        *,
        alpha_per_task=True,
        cv=None,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
    ):
        self.alphas = alphas
        self.alpha_per_task = alpha_per_task
        self.cv = cv
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _warn_of_units(self, data):
        """Do not check units: tasks share nothing."""

    def _learn(self, data, splits):
        if self.alphas is None:
            alphas = suggest_ridge_alphas(data, self.fit_intercept)
        else:
            alphas = read_grid(self.alphas, "alphas")
        path = self._path(data, splits, alphas)
        errors = path.errors / np.where(path.weight > 0, path.weight, 1.0)[:, None]
        if not self.alpha_per_task:
            mean = path.errors.sum(axis=0) / path.weight.sum()
            errors = np.broadcast_to(mean, errors.shape)
        best = find_best(errors)
        if self.alphas is not None:
            warn_of_edge("alphas", alphas, errors, best)
        learnt = self._linear(
            data.tasks, path.models(alphas[best]), data.layout, float_type(data.X)
        )
        chosen, score = alphas[best], -errors[np.arange(len(best)), best]
        if not self.alpha_per_task or data.layout == "single":
            chosen, score = float(chosen[0]), float(score[0])
        return {**learnt, "alpha_": chosen, "best_score_": score}

    def _path(self, data, splits, alphas):
        if splits is not None:
            return fold_path(data, splits, alphas, self.fit_intercept)
        if data.shares_moments:
            return shared_path(data, alphas, self.fit_intercept, self.alpha_per_task)
        return rows_path(data, alphas, self.fit_intercept)


def find_best(errors):
    """Return the position of each least error, the last one of those that are equal."""
    least = errors.min(axis=1, keepdims=True)
    equal = errors <= least * (1 + _EQUAL)
    return errors.shape[1] - 1 - equal[:, ::-1].argmax(axis=1)
