"""Related tasks with a few outlier tasks."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._compat import StrOptions
from skmtl._contracts import PenalizedRelation
from skmtl.base import (
    CLASSIFIER_CONSTRAINTS,
    ITERATIVE_CONSTRAINTS,
    POSITIVE,
    SCALED_CONSTRAINTS,
    LinearClassifier,
    LinearCountRegressor,
    MomentRegressor,
)
from skmtl.penalties import L12, L21, Decomposed, Trace
from skmtl.solvers import Fista

from ._around_centre import CENTRE_CONSTRAINTS, around_centre

_PENALTIES = {"trace": Trace, "l21": L21}
_ROBUST_CONSTRAINTS = {
    "alpha_related": POSITIVE,
    "alpha_outlier": POSITIVE,
    "penalty": [StrOptions(set(_PENALTIES))],
}
_MAX_ITER = 10_000


@dataclass(frozen=True)
class RelatedWithOutliers(PenalizedRelation):
    """Tasks share directions or features, except for a few outlier tasks."""

    alpha_related: float
    alpha_outlier: float
    name: str

    @property
    def penalty(self):
        shared = _PENALTIES[self.name](self.alpha_related)
        return Decomposed(shared, L12(self.alpha_outlier))

    def solver(self, loss, tol, max_iter):
        return Fista(tol, max_iter or _MAX_ITER)

    def report(self, fit, tasks):
        return {"outlier_tasks_": tasks.labels[fit.parts[1].any(axis=1)]}

    def report_coef(self, fit):
        return {"coef_outlier_": fit.parts[1]}


class RobustRegressor(MomentRegressor):
    """Linear regression of related tasks with a few outlier tasks.

    Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t - b_t||^2 + alpha_related
    penalty(P) + alpha_outlier sum_t ||q_t||``, with N rows in all, over coefficients
    ``W = P + Q``. Most own parts ``q_t`` are zero; a task with another one is an
    outlier.

    Parameters
    ----------
    alpha_related : float, default=1.0
        Strength of the penalty on the related part P, positive.
    alpha_outlier : float, default=1.0
        Strength of the penalty on the outlier tasks' own part Q, positive; a large one
        leaves no outliers.
    penalty : {"trace", "l21"}, default="trace"
        Penalty on the related part P: "trace" for few directions, "l21" for the same
        few features.
    alpha_shared : float, default=inf
        Strength of the ridge on a centre ``c`` of the tasks, 0 or more: the objective
        gains ``alpha_shared / 2 ||c||^2``, and the penalty applies to the deviations
        ``w_t - c``. Infinity means no centre.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts, ``alpha_intercept / 2
        sum_t (b_t - b_s)^2``. 0 leaves them free, infinity makes them equal.
    fit_intercept : bool, default=True
        Whether each task has an intercept.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        How `predict` handles an unseen task: predict it with the shared part, or raise
        an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    scale_targets : bool or "auto", default=False
        Whether each task's target is divided by its standard deviation in the fit, so
        that tasks in different units can learn from each other; strengths then refer to
        the divided targets. "auto" divides if the deviations differ by more than a
        factor of three, beyond chance.
    tol : float, default=1e-6
        Tolerance: the solver stops when `optimality_` is at most this.
    max_iter : int, default=None
        Largest number of iterations; None for 10,000.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: the centre or, if there is none, a ridge fit to
        all rows with the outliers' own part as offset, with strengths implied by the
        penalty.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    coef_outlier_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        The outlier tasks' own part Q; a row of zeros for all others.
    outlier_tasks_ : ndarray of shape (n_outlier_tasks,)
        Labels of the outlier tasks.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Duality gap, relative to the objective at zero.
    dual_gap_ : float
        Duality gap, a bound on the distance of `objective_` from the optimum; only if
        the penalty has a dual norm.
    n_iter_ : int
        Number of iterations; 0 for an exact solution.
    target_scale_ : ndarray of shape (n_tasks,)
        Scales by which the targets were divided, ones if they were not; all attributes
        for predictions are in the units of y.
    target_scale_shared_ : float
        Scale of `coef_shared_` and `intercept_shared_`, that of a typical task.
    target_centre_ : float
        Number that was subtracted from all targets before they were divided.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    moments_ : TaskMoments
        Moments of all rows so far, to which `partial_fit` adds; kept unless tasks have
        far fewer rows than features, or X is large and sparse.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    LowRankRegressor : No outlier tasks.
    DirtyRegressor : Every task may have exceptions, feature by feature.

    References
    ----------
    Chen, J., Zhou, J., Ye, J. (2011). Integrating low-rank and group-sparse structures
    for robust multi-task learning. KDD '11, 42-50. :doi:`10.1145/2020408.2020423`

    Gong, P., Ye, J., Zhang, C. (2012). Robust multi-task feature learning. KDD '12,
    895-903. :doi:`10.1145/2339530.2339672`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import RobustRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 4))
    >>> Y = np.outer(X @ [1.0, 2.0, 0.0, 0.0], [1.0, 1.5, 0.0, 2.0, 1.0, 1.2])
    >>> Y[:, 2] = X @ [0.0, 0.0, 3.0, 3.0]
    >>> model = RobustRegressor(alpha_related=0.3, alpha_outlier=0.2).fit(X, Y)
    >>> model.outlier_tasks_
    array([2])
    """

    _parameter_constraints = {
        **_ROBUST_CONSTRAINTS,
        **SCALED_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha_related: float = 1.0,
        alpha_outlier: float = 1.0,
        *,
        penalty: str = "trace",
        alpha_shared: float = np.inf,
        alpha_intercept: float = 0.0,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        scale_targets: bool | str = False,
        tol: float = 1e-6,
        max_iter: int | None = None,
        warm_start: bool = False,
    ):
        self.alpha_related = alpha_related
        self.alpha_outlier = alpha_outlier
        self.penalty = penalty
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.scale_targets = scale_targets
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        strengths = self.alpha_related, self.alpha_outlier
        relation = RelatedWithOutliers(*strengths, self.penalty)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class RobustClassifier(LinearClassifier):
    """Linear classification of related tasks with a few outlier tasks.

    Minimises ``n_tasks / N sum_t sum_i log(1 + exp(-s_ti (x_ti . w_t + b_t))) +
    alpha_related penalty(P) + alpha_outlier sum_t ||q_t||``, with signs s of the two
    classes and N rows in all, over ``W = P + Q``.

    Parameters
    ----------
    alpha_related : float, default=0.1
        Strength of the penalty on the related part P, positive.
    alpha_outlier : float, default=0.1
        Strength of the penalty on the outlier tasks' own part Q, positive; a large one
        leaves no outliers.
    penalty : {"trace", "l21"}, default="trace"
        Penalty on the related part P: "trace" for few directions, "l21" for the same
        few features.
    alpha_shared : float, default=inf
        Strength of the ridge on a centre ``c`` of the tasks, 0 or more: the objective
        gains ``alpha_shared / 2 ||c||^2``, and the penalty applies to the deviations
        ``w_t - c``. Infinity means no centre.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts, ``alpha_intercept / 2
        sum_t (b_t - b_s)^2``. 0 leaves them free, infinity makes them equal.
    class_scope : {"all", "task"}, default="all"
        Which classes may occur in a task: all of them, or those of its rows in `fit`.
        If a task lacks a class that may occur in it, and its intercept is not
        penalised, one pseudo-row of weight 1 with the overall class frequencies is
        added to the task; without it the intercept would diverge.
    class_weight : {"balanced"} or mapping, default=None
        Factor of each class in the weights of the rows: a mapping from classes to
        numbers, or "balanced" to give all classes the same total weight.
    fit_intercept : bool, default=True
        Whether each task has an intercept.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        How `predict` handles an unseen task: predict it with the shared part, or raise
        an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    tol : float, default=1e-6
        Tolerance: the solver stops when `optimality_` is at most this.
    max_iter : int, default=None
        Largest number of iterations; None for 10,000.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes of all tasks; with a 2-d y an array per task.
    task_classes_ : ndarray of shape (n_tasks, n_classes), dtype bool
        Whether each task had rows of each class.
    coef_ : ndarray of shape (n_tasks, n_features) or (1, n_features)
        Coefficients; the second shape is that of a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or (1,)
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: the centre or, if there is none, a ridge fit to
        all rows with the outliers' own part as offset, with strengths implied by the
        penalty.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    coef_outlier_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        The outlier tasks' own part Q; a row of zeros for all others.
    outlier_tasks_ : ndarray of shape (n_outlier_tasks,)
        Labels of the outlier tasks.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Duality gap, relative to the objective at zero.
    dual_gap_ : float
        Duality gap, a bound on the distance of `objective_` from the optimum; only if
        the penalty has a dual norm.
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
    RobustRegressor : The same for numbers.
    LowRankClassifier : No outlier tasks.
    DirtyClassifier : Every task may have exceptions, feature by feature.

    References
    ----------
    Chen, J., Zhou, J., Ye, J. (2011). Integrating low-rank and group-sparse structures
    for robust multi-task learning. KDD '11, 42-50. :doi:`10.1145/2020408.2020423`

    Gong, P., Ye, J., Zhang, C. (2012). Robust multi-task feature learning. KDD '12,
    895-903. :doi:`10.1145/2339530.2339672`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import RobustClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.where(task < 3, X[:, 0], 2 * X[:, 1])
    >>> y = z + 0.5 * rng.normal(size=400) > 0
    >>> model = RobustClassifier(0.1, 0.09)
    >>> model.fit(X, y, task=task).outlier_tasks_
    array([3])
    """

    # With more classes, the penalty would depend on their coding.
    _takes_two_classes = True

    _parameter_constraints = {
        **_ROBUST_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha_related: float = 0.1,
        alpha_outlier: float = 0.1,
        *,
        penalty: str = "trace",
        alpha_shared: float = np.inf,
        alpha_intercept: float = 0.0,
        class_scope: str = "all",
        class_weight: str | Mapping[Any, float] | None = None,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        tol: float = 1e-6,
        max_iter: int | None = None,
        warm_start: bool = False,
    ):
        self.alpha_related = alpha_related
        self.alpha_outlier = alpha_outlier
        self.penalty = penalty
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        strengths = self.alpha_related, self.alpha_outlier
        relation = RelatedWithOutliers(*strengths, self.penalty)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class RobustPoissonRegressor(LinearCountRegressor):
    """Poisson regression of related tasks with a few outlier tasks.

    Minimises ``n_tasks / N sum_t sum_i (exp(x_ti . w_t + b_t) - y_ti (x_ti . w_t +
    b_t)) + alpha_related penalty(P) + alpha_outlier sum_t ||q_t||``, with N rows in
    all, over ``W = P + Q``. Means are ``exp(x . w_t + b_t)``, times an exposure if
    there is one.

    Parameters
    ----------
    alpha_related : float, default=0.1
        Strength of the penalty on the related part P, positive.
    alpha_outlier : float, default=0.1
        Strength of the penalty on the outlier tasks' own part Q, positive; a large one
        leaves no outliers.
    penalty : {"trace", "l21"}, default="trace"
        Penalty on the related part P: "trace" for few directions, "l21" for the same
        few features.
    alpha_shared : float, default=inf
        Strength of the ridge on a centre ``c`` of the tasks, 0 or more: the objective
        gains ``alpha_shared / 2 ||c||^2``, and the penalty applies to the deviations
        ``w_t - c``. Infinity means no centre.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts, ``alpha_intercept / 2
        sum_t (b_t - b_s)^2``. 0 leaves them free, infinity makes them equal.
    fit_intercept : bool, default=True
        Whether each task has an intercept.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        How `predict` handles an unseen task: predict it with the shared part, or raise
        an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    tol : float, default=1e-6
        Tolerance: the solver stops when `optimality_` is at most this.
    max_iter : int, default=None
        Largest number of iterations; None for 10,000.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: the centre or, if there is none, a ridge fit to
        all rows with the outliers' own part as offset, with strengths implied by the
        penalty.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    coef_outlier_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        The outlier tasks' own part Q; a row of zeros for all others.
    outlier_tasks_ : ndarray of shape (n_outlier_tasks,)
        Labels of the outlier tasks.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Duality gap, relative to the objective at zero.
    dual_gap_ : float
        Duality gap, a bound on the distance of `objective_` from the optimum; only if
        the penalty has a dual norm.
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
    RobustRegressor : The same for numbers.
    LowRankPoissonRegressor : No outlier tasks.
    DirtyPoissonRegressor : Every task may have exceptions, feature by feature.

    References
    ----------
    Chen, J., Zhou, J., Ye, J. (2011). Integrating low-rank and group-sparse structures
    for robust multi-task learning. KDD '11, 42-50. :doi:`10.1145/2020408.2020423`

    Gong, P., Ye, J., Zhang, C. (2012). Robust multi-task feature learning. KDD '12,
    895-903. :doi:`10.1145/2339530.2339672`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import RobustPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.where(task < 3, X[:, 0], 2 * X[:, 1])
    >>> y = rng.poisson(np.exp(z))
    >>> model = RobustPoissonRegressor(0.1, 0.1)
    >>> model.fit(X, y, task=task).outlier_tasks_
    array([3])
    """

    _parameter_constraints = {
        **_ROBUST_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha_related: float = 0.1,
        alpha_outlier: float = 0.1,
        *,
        penalty: str = "trace",
        alpha_shared: float = np.inf,
        alpha_intercept: float = 0.0,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        tol: float = 1e-6,
        max_iter: int | None = None,
        warm_start: bool = False,
    ):
        self.alpha_related = alpha_related
        self.alpha_outlier = alpha_outlier
        self.penalty = penalty
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        strengths = self.alpha_related, self.alpha_outlier
        relation = RelatedWithOutliers(*strengths, self.penalty)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)
