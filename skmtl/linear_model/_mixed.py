"""Regression and classification tasks in one fit."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmtl._compat import StrOptions
from skmtl._contracts import TaskSet
from skmtl._linalg import refuse_huge
from skmtl.base import (
    COMMON_CONSTRAINTS,
    NONNEGATIVE,
    SOLVER_CONSTRAINTS,
    UNBOUNDED,
    LinearModel,
    TaskMixedModel,
)
from skmtl.problems import group_by_loss, pose_per_task, scale_of_task
from skmtl.targets import cast, float_type, predict_finite

from ._joint import JointFeatures
from ._mean import NearMean


class MixedTaskModel(LinearModel, TaskMixedModel):
    """Linear regression and classification of several tasks in one model.

    Each task has its own loss. With raw predictions ``z_ti = c_t (x_i . w_t + b_t) +
    a_t`` of task t, the model minimises

    - for ``sharing="centre"``: ``sum_t 1 / d_t sum_i loss_t(y_ti, z_ti) + alpha / 2
      sum_t ||w_t - w_s||^2 + alpha_shared / 2 ||w_s||^2``, so that tasks stay near a
      shared centre ``w_s``;
    - for ``sharing="features"``: ``n_tasks / N sum_t 1 / d_t sum_i loss_t(y_ti, z_ti) +
      alpha sum_j ||W_j||``, with N rows in all, so that the coefficients ``W_j`` of a
      feature are zero in all tasks and classes, or in none.

    The scales give all tasks the same importance: ``d_t`` is the deviance per row of
    the best constant ``a_t``, for a squared task the variance of its target; ``c_t`` is
    the unit of raw predictions that gives the loss a curvature of 1 there. Near it,
    every task is approximately least squares on a target of variance 1. Without a
    penalty, ``d_t`` and ``c_t`` change nothing. Intercepts are never penalised, as
    those in different units are not comparable.

    Parameters
    ----------
    losses : mapping
        Loss of every task, by label: "squared" for numbers, "poisson" for counts and
        rates, "logistic" for two classes, "multinomial" for any number of them. Labels
        of other tasks are ignored.
    sharing : {"centre", "features"}, default="centre"
        What tasks share. More than two classes have several raw predictions, which no
        centre fits: they need "features".
    alpha : float or array-like of shape (n_features,), default=1.0
        Strength of the penalty. For "centre" on the scale of Ridge, 0 or more, one or
        one per feature; infinity makes tasks equal, up to units. For "features" on the
        scale of Lasso, one, positive.
    alpha_shared : float, default=1.0
        Strength of the ridge penalty on the centre's coefficients; for "centre" only.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    tol : float, default=1e-6
        Tolerance: the solver stops when `optimality_` is at most this.
    max_iter : int, default=None
        Largest number of iterations; None for 100, or 10,000 for "features".
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.

    Attributes
    ----------
    classes_ : dict of ndarray of shape (n_classes,)
        Sorted classes of each task that has classes, by label.
    coef_ : dict of ndarray of shape (n_features,) or (n_classes, n_features)
        Coefficients of raw predictions by label, in the units of the task: of the
        target, of the log-odds of the second class, or of the log of the mean. Those of
        more than two classes sum to zero.
    intercept_ : dict of float or ndarray of shape (n_classes,)
        Intercepts by label.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients of the centre, in no units: times `unit_` they are those of a task.
        For "centre" only.
    support_ : ndarray of shape (n_selected,)
        Indices of the features with a coefficient that is not zero. For "features"
        only.
    deviance_ : ndarray of shape (n_tasks,)
        Deviance per row ``d_t`` of the best constant, in the order of `tasks_`. It is
        zero for a constant target: this constant is predicted, and the task does not
        affect the others.
    unit_ : ndarray of shape (n_tasks,)
        Units ``c_t`` of raw predictions; for a squared task, its standard deviation.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Relative distance from the optimum: for "centre" the square root of the
        predicted decrease of the next step, for "features" the norm of the gradient.
    n_iter_ : int
        Number of iterations; 0 for an exact solution.
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
    MeanRegularizedRegressor : Regression tasks only.
    MeanRegularizedClassifier : Classification tasks of the same classes only.

    Notes
    -----
    It is neither a regressor nor a classifier for scikit-learn: an integer `cv` gives
    plain folds, and searches maximise `score`, the mean fraction of deviance explained.
    Named scorers do not support mixed targets. An unseen task raises an error, because
    without rows it has neither units nor classes.

    References
    ----------
    Zhang, D., Shen, D. (2012). Multi-modal multi-task learning for joint prediction of
    multiple regression and classification variables in Alzheimer's disease. NeuroImage,
    59(2), 895-907. :doi:`10.1016/j.neuroimage.2011.09.069`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import MixedTaskModel
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])
    >>> Y = [[10, "no"], [14, "no"], [None, "yes"], [21, "no"], [26, "yes"], [29, None]]
    >>> losses = {0: "squared", 1: "logistic"}
    >>> model = MixedTaskModel(losses, alpha=0.1, alpha_shared=0.1).fit(X, Y)
    >>> number, label = model.predict([[5.0]])[0]
    >>> round(number, 1), label
    (25.4, 'yes')
    >>> model.predict_proba([[1.0], [5.0]])[1].round(2)
    array([[0.94, 0.06],
           [0.18, 0.82]])
    >>> MixedTaskModel(losses, sharing="features", alpha=0.1).fit(X, Y).support_
    array([0])
    """

    _parameter_constraints = {
        "losses": [Mapping],
        "sharing": [StrOptions({"centre", "features"})],
        "alpha": [*UNBOUNDED, "array-like"],
        "alpha_shared": NONNEGATIVE,
        "task_column": COMMON_CONSTRAINTS["task_column"],
        "task_weight": COMMON_CONSTRAINTS["task_weight"],
        **SOLVER_CONSTRAINTS,
    }

    def __init__(
        self,
        losses: Mapping[Any, str],
        *,
        sharing: str = "centre",
        alpha: float | ArrayLike = 1.0,
        alpha_shared: float = 1.0,
        task_column: str | int | list[Any] | None = None,
        task_weight: str | Mapping[Any, float] | None = None,
        tol: float = 1e-6,
        max_iter: int | None = None,
        warm_start: bool = False,
    ):
        self.losses = losses
        self.sharing = sharing
        self.alpha = alpha
        self.alpha_shared = alpha_shared
        self.task_column = task_column
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        if self.sharing == "centre":
            return NearMean.of(tasks, self.alpha, self.alpha_shared)
        if np.ndim(self.alpha) or not 0 < self.alpha < np.inf:
            raise ValueError(
                "alpha must be a positive number for sharing='features', got "
                f"{self.alpha!r}. One per feature needs sharing='centre'."
            )
        return JointFeatures(self.alpha, 1.0, "l21")

    def _learn(self, target, sample, given, search=None):
        """Return the fitted attributes by name, in the units of the tasks."""
        rows, kinds = sample.rows, sample.kinds
        losses = [kind.loss for kind in kinds]
        scales = _scales_of_tasks(rows, losses)
        refuse_huge(np.zeros(1), [scale.scale for scale in scales])
        varying = np.flatnonzero([scale.scale for scale in scales])
        varying_rows = rows.of_tasks(varying)
        seen = np.ones(len(varying), dtype=bool)
        tasks = TaskSet(varying_rows.tasks, varying_rows.orders, seen, rows.X.shape[1])
        relation = self._relation(tasks)
        if relation.is_coupling:
            _check_one_output(kinds)
        _check_variation(varying_rows)
        parts = group_by_loss(
            varying_rows, [losses[t] for t in varying], [scales[t] for t in varying]
        )
        fit = self._solve(pose_per_task(varying_rows, parts, relation), tasks)
        models = [np.zeros((loss.n_outputs, rows.X.shape[1] + 1)) for loss in losses]
        for t, model in zip(varying, fit.models.tasks, strict=True):
            models[t] = model
        models = [s.restore(m) for s, m in zip(scales, models, strict=True)]
        learnt = {
            **target.describe(sample, models),
            "deviance_": np.array([scale.scale for scale in scales]),
            "unit_": np.array([scale.unit for scale in scales]),
            "objective_": fit.objective,
            "optimality_": fit.optimality,
            "n_iter_": fit.n_iter,
            "_variable": (tasks.labels, fit.variable),
        }
        if fit.models.shared is not None:
            dtype = float_type(rows.X)
            learnt["coef_shared_"] = cast(fit.models.shared, dtype)
        else:
            learnt |= relation.report(fit, tasks)
        return learnt

    def _raw_of_task(self, X, rows, label):
        coef, intercept = self.coef_[label], self.intercept_[label]
        if np.isfinite(intercept).all():  # a task without rows has NaN
            return predict_finite(lambda some: some @ coef.T + intercept, X[rows], rows)
        return X[rows] @ coef.T + intercept


def _check_one_output(kinds):
    """Raise an error if a task has several raw predictions."""
    several = [kind.label for kind in kinds if kind.loss.n_outputs > 1]
    if several:
        raise ValueError(
            "sharing='centre' needs tasks with one raw prediction, got several, for "
            f"more than two classes, in the tasks {several[:5]}. Use "
            "sharing='features'."
        )


def _scales_of_tasks(data, losses):
    """Return the scale of each task."""
    ones = np.ones(len(data.y)) if data.weight is None else data.weight
    parts = [np.split(values, data.offsets[1:-1]) for values in (data.y, ones)]
    return list(map(scale_of_task, losses, *parts))


def _check_variation(data):
    """Raise an error if no task with a weight has a target that varies."""
    has_weight = data.task_weight is None or data.task_weight.any()
    if not (len(data.tasks) and has_weight):
        raise ValueError(
            "y must vary in at least one task with a weight, got constants only, "
            f"with n_samples={data.X.shape[0]}. Fit on rows with different targets."
        )
