"""Tasks with shared features and exceptions."""

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
from skmtl.penalties import L1, L21, Decomposed, L1Inf
from skmtl.solvers import Fista

from ._around_centre import CENTRE_CONSTRAINTS, around_centre

_PENALTIES = {"l21": L21, "linf": L1Inf}
_DIRTY_CONSTRAINTS = {
    "alpha_joint": POSITIVE,
    "alpha_l1": POSITIVE,
    "penalty": [StrOptions(set(_PENALTIES))],
}
_MAX_ITER = 10_000


@dataclass(frozen=True)
class FeaturesWithExceptions(PenalizedRelation):
    """Tasks share features, and each has exceptions of its own."""

    alpha_joint: float
    alpha_l1: float
    name: str

    @property
    def penalty(self):
        shared = _PENALTIES[self.name](self.alpha_joint)
        return Decomposed(shared, L1(self.alpha_l1))

    def solver(self, loss, tol, max_iter):
        return Fista(tol, max_iter or _MAX_ITER)

    def report(self, fit, tasks):
        return {"support_": np.flatnonzero(fit.parts[0].any(axis=0))}

    def report_coef(self, fit):
        return {"coef_specific_": fit.parts[1]}


class DirtyRegressor(MomentRegressor):
    """Linear regression of several tasks with shared features and exceptions.

    Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t - b_t||^2 + alpha_joint sum_j
    ||P[:, j]|| + alpha_l1 sum_tj |Q_tj|``, with N rows in all, over coefficients
    ``W = P + Q``. P has a feature for all tasks or for none; Q adds single
    coefficients. It is known as the dirty model.

    Parameters
    ----------
    alpha_joint : float, default=1.0
        Strength of the penalty on shared features, positive.
    alpha_l1 : float, default=1.0
        Strength of the penalty on exceptions, positive. There are none if it is above
        `alpha_joint`. Nothing is shared if it is below ``alpha_joint / sqrt(n_tasks)``,
        or with "linf" below ``alpha_joint / n_tasks``.
    penalty : {"l21", "linf"}, default="l21"
        Norm of a shared feature's coefficients: Euclidean, or the largest absolute
        value.
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
        all rows with the exceptions as offset, with strengths implied by the penalty.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    coef_specific_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Exceptions of the tasks, Q; shared features have the rest of `coef_`.
    support_ : ndarray of shape (n_shared,)
        Indices of the features that tasks share.
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
    RobustRegressor : Whole tasks are exceptions.

    References
    ----------
    Jalali, A., Ravikumar, P., Sanghavi, S. (2013). A dirty model for multiple sparse
    regression. IEEE Transactions on Information Theory, 59(12), 7947-7968.
    :doi:`10.1109/TIT.2013.2280272`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import DirtyRegressor
    >>> X = np.random.default_rng(0).normal(size=(50, 4))
    >>> W = [[2.0, 0.0, 0.0, 0.0], [3.0, 0.0, 4.0, 0.0], [2.0, 0.0, 0.0, 0.0]]
    >>> model = DirtyRegressor(0.3, 0.25).fit(X, X @ np.transpose(W))
    >>> model.support_
    array([0])
    >>> model.coef_specific_.round(1) + 0
    array([[0. , 0. , 0. , 0. ],
           [0. , 0. , 3.8, 0. ],
           [0. , 0. , 0. , 0. ]])
    """

    _parameter_constraints = {
        **_DIRTY_CONSTRAINTS,
        **SCALED_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha_joint: float = 1.0,
        alpha_l1: float = 1.0,
        *,
        penalty: str = "l21",
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
        self.alpha_joint = alpha_joint
        self.alpha_l1 = alpha_l1
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
        strengths = self.alpha_joint, self.alpha_l1
        relation = FeaturesWithExceptions(*strengths, self.penalty)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class DirtyClassifier(LinearClassifier):
    """Linear classification of several tasks with shared features and exceptions.

    Minimises ``n_tasks / N sum_t sum_i log(1 + exp(-s_ti (x_ti . w_t + b_t))) +
    alpha_joint sum_j ||P[:, j]|| + alpha_l1 sum_tj |Q_tj|``, with signs s of the two
    classes and N rows in all, over ``W = P + Q``.

    Parameters
    ----------
    alpha_joint : float, default=0.1
        Strength of the penalty on shared features, positive.
    alpha_l1 : float, default=0.1
        Strength of the penalty on exceptions, positive. There are none if it is above
        `alpha_joint`. Nothing is shared if it is below ``alpha_joint / sqrt(n_tasks)``,
        or with "linf" below ``alpha_joint / n_tasks``.
    penalty : {"l21", "linf"}, default="l21"
        Norm of a shared feature's coefficients: Euclidean, or the largest absolute
        value.
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
        all rows with the exceptions as offset, with strengths implied by the penalty.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    coef_specific_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Exceptions of the tasks, Q; shared features have the rest of `coef_`.
    support_ : ndarray of shape (n_shared,)
        Indices of the features that tasks share.
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
    DirtyRegressor : The same for numbers.
    RobustClassifier : Whole tasks are exceptions.

    References
    ----------
    Jalali, A., Ravikumar, P., Sanghavi, S. (2013). A dirty model for multiple sparse
    regression. IEEE Transactions on Information Theory, 59(12), 7947-7968.
    :doi:`10.1109/TIT.2013.2280272`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import DirtyClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = z + 0.5 * rng.normal(size=400) > 0
    >>> model = DirtyClassifier(0.1, 0.15)
    >>> model.fit(X, y, task=task).support_
    array([0])
    """

    # With more classes, the penalty would depend on their coding.
    _takes_two_classes = True

    _parameter_constraints = {
        **_DIRTY_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha_joint: float = 0.1,
        alpha_l1: float = 0.1,
        *,
        penalty: str = "l21",
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
        self.alpha_joint = alpha_joint
        self.alpha_l1 = alpha_l1
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
        strengths = self.alpha_joint, self.alpha_l1
        relation = FeaturesWithExceptions(*strengths, self.penalty)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class DirtyPoissonRegressor(LinearCountRegressor):
    """Poisson regression of several tasks with shared features and exceptions.

    Minimises ``n_tasks / N sum_t sum_i (exp(x_ti . w_t + b_t) - y_ti (x_ti . w_t +
    b_t)) + alpha_joint sum_j ||P[:, j]|| + alpha_l1 sum_tj |Q_tj|``, with N rows in
    all, over ``W = P + Q``. Means are ``exp(x . w_t + b_t)``, times an exposure if
    there is one.

    Parameters
    ----------
    alpha_joint : float, default=0.1
        Strength of the penalty on shared features, positive.
    alpha_l1 : float, default=0.1
        Strength of the penalty on exceptions, positive. There are none if it is above
        `alpha_joint`. Nothing is shared if it is below ``alpha_joint / sqrt(n_tasks)``,
        or with "linf" below ``alpha_joint / n_tasks``.
    penalty : {"l21", "linf"}, default="l21"
        Norm of a shared feature's coefficients: Euclidean, or the largest absolute
        value.
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
        all rows with the exceptions as offset, with strengths implied by the penalty.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    coef_specific_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Exceptions of the tasks, Q; shared features have the rest of `coef_`.
    support_ : ndarray of shape (n_shared,)
        Indices of the features that tasks share.
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
    DirtyRegressor : The same for numbers.
    RobustPoissonRegressor : Whole tasks are exceptions.

    References
    ----------
    Jalali, A., Ravikumar, P., Sanghavi, S. (2013). A dirty model for multiple sparse
    regression. IEEE Transactions on Information Theory, 59(12), 7947-7968.
    :doi:`10.1109/TIT.2013.2280272`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import DirtyPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = rng.poisson(np.exp(z))
    >>> model = DirtyPoissonRegressor(0.4, 0.5)
    >>> model.fit(X, y, task=task).support_
    array([0])
    """

    _parameter_constraints = {
        **_DIRTY_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha_joint: float = 0.1,
        alpha_l1: float = 0.1,
        *,
        penalty: str = "l21",
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
        self.alpha_joint = alpha_joint
        self.alpha_l1 = alpha_l1
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
        strengths = self.alpha_joint, self.alpha_l1
        relation = FeaturesWithExceptions(*strengths, self.penalty)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)
