"""Count models and robust regression of tasks near a shared centre."""

from collections.abc import Mapping
from functools import partial
from numbers import Real
from typing import Any

from numpy.typing import ArrayLike

from skmtl._compat import Interval
from skmtl.base import ITERATIVE_CONSTRAINTS, LinearRegressor
from skmtl.losses import Huber
from skmtl.targets import OutlierTarget

from ._laplace_intervals import IntervalsOfCounts
from ._mean import NearMean, near
from ._mean_classifier import FINITE_MEAN_CONSTRAINTS
from ._mean_groupings import refuse_mapping


class MeanRegularizedPoissonRegressor(IntervalsOfCounts):
    """Poisson regression of several tasks with coefficients near a shared centre.

    Minimises ``sum_t sum_i (exp(z_i) - y_i z_i) + alpha / 2 sum_t ||w_t - w_s||^2 +
    alpha_shared / 2 ||w_s||^2 + alpha_intercept / 2 sum_t (b_t - b_s)^2``, where ``z_i
    = x_i . w_t + b_t`` is the logarithm of the mean, over all tasks and the centre
    ``(w_s, b_s)``. With infinite `alpha` and `alpha_intercept`, it is scikit-learn's
    PoissonRegressor of all rows. PoissonRegressor takes the mean of the loss, so its
    alpha is `alpha_shared` divided by the total weight of the rows.

    A task with only zero counts has no finite intercept. With ``alpha_intercept=0``,
    one pseudo-row of mean exposure with the mean rate of all tasks is added to it.

    Parameters
    ----------
    alpha : float, array-like, matrix or mapping, default=1.0
        Strength of the penalty on differences from the centre, 0 or more; one, or one
        per feature. A large one makes tasks similar, infinity makes them equal. A
        positive definite matrix of shape (n_features + 1, n_features + 1) penalises
        differences of coefficients and intercepts together, ``sum_t (v_t, c_t)' alpha
        (v_t, c_t) / 2`` with ``v_t = w_t - w_s`` and ``c_t = b_t - b_s``; without
        intercepts, of shape (n_features, n_features). With several groupings, a mapping
        may give a number, or one per feature, for each; infinity leaves a grouping
        without own coefficients.
    alpha_shared : float, default=1.0
        Strength of the ridge penalty on the centre's coefficients. If it is 0 and
        counts are zero wherever a feature is high, no finite centre is optimal.
    alpha_intercept : float or mapping, default=0.0
        Strength of the penalty on differences between intercepts. 0 leaves them free,
        infinity makes them equal. With several groupings, a mapping may give one for
        each.
    fit_intercept : bool, default=True
        Whether each task has an intercept.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares several groupings, and a tuple in the list a combination of columns.
    handle_unknown : {"shared", "error"}, default="shared"
        How `predict` handles an unseen task: predict it with the shared part, or raise
        an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    tol : float, default=1e-6
        Tolerance: the solver stops when `optimality_` is at most this.
    max_iter : int, default=None
        Largest number of Newton steps; None for 100.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients of the centre; where `alpha` is 0, the best fit to all rows.
    intercept_shared_ : float
        Intercept for unseen tasks: that of the centre or, if `alpha_intercept` is 0 or
        `alpha_shared` is above 0, the one that fits all rows at `coef_shared_`.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Square root of the predicted decrease of the next step, relative to the
        objective at zero.
    n_iter_ : int
        Number of iterations; 0 for an exact solution.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    groupings_ : dict of ndarray of shape (n_labels,)
        Labels of each grouping, by its name in `task_column`; only if there are
        several.
    coef_groupings_ : dict of ndarray of shape (n_labels, n_features)
        Own coefficients of the labels of each grouping: what they add to
        `coef_shared_`.
    intercept_groupings_ : dict of ndarray of shape (n_labels,)
        Own intercepts of the labels of each grouping.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedPoissonRegressorCV : The same with strengths chosen from the data.
    MeanRegularizedRegressor : The same for numbers.
    MeanRegularizedClassifier : The same for classes.

    Notes
    -----
    With several task columns, the shared part and the own parts of each grouping add
    up, as in :class:`MeanRegularizedRegressor`. Strengths of 0 act as 1e-3 times the
    curvature of a squared loss per label, so that intercepts are finite.

    References
    ----------
    McCullagh, P., Nelder, J. A. (1989). Generalized Linear Models, second edition,
    chapter 6. :doi:`10.1007/978-1-4899-3242-6`

    Evgeniou, T., Pontil, M. (2004). Regularized multi-task learning. KDD '04, 109-117.
    :doi:`10.1145/1014052.1014067`

    Examples
    --------
    >>> from skmtl.linear_model import MeanRegularizedPoissonRegressor
    >>> X = [["a", 0.0], ["a", 1.0], ["a", 2.0], ["b", 0.0], ["b", 1.0]]
    >>> y = [1, 3, 8, 2, 2]
    >>> model = MeanRegularizedPoissonRegressor(task_column=0).fit(X, y)
    >>> model.coef_.round(2)
    array([[0.91],
           [0.18]])
    >>> model.predict([["a", 1.0], ["never seen", 1.0]], exposure=[1, 10]).round(1)
    array([ 3.1, 33.1])
    """

    _parameter_constraints = {
        **FINITE_MEAN_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float | ArrayLike = 1.0,
        *,
        alpha_shared: float = 1.0,
        alpha_intercept: float = 0.0,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        tol: float = 1e-6,
        max_iter: int | None = None,
        warm_start: bool = False,
    ):
        self.alpha = alpha
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
        strengths = self.alpha, self.alpha_shared, self.alpha_intercept
        make = partial(NearMean.drawn, fit_intercept=self.fit_intercept)
        return near(tasks, *strengths, make)


class MeanRegularizedHuberRegressor(LinearRegressor):
    """Linear regression of several tasks near a shared centre, robust to outliers.

    Minimises ``sum_t sum_i (s / 2 + s h((y_i - x_i . w_t - b_t) / s)) + (alpha sum_t
    ||w_t - w_s||^2 + alpha_shared ||w_s||^2 + alpha_intercept sum_t (b_t - b_s)^2) / (2
    s)`` over all tasks, the centre ``(w_s, b_s)`` and the scale ``s`` of the residuals.
    The loss is ``h(r) = r^2 / 2`` up to `epsilon`, and ``epsilon |r| - epsilon^2 / 2``
    beyond. The problem is convex, and does not depend on the unit of the target: ``c
    y`` gives ``c`` times the coefficients and the scale.

    Without outliers, strengths mean the same as in :class:`MeanRegularizedRegressor`.
    With infinite `alpha` and `alpha_intercept` and ``alpha_shared=0``, it equals
    scikit-learn's HuberRegressor on all rows with ``alpha=0``; other alphas differ, as
    those of HuberRegressor are not relative to the scale.

    Parameters
    ----------
    alpha : float or array-like of shape (n_features,), default=1.0
        Strength of the penalty on differences from the centre, 0 or more; one, or one
        per feature. A large one makes tasks similar, infinity makes them equal.
    epsilon : float, default=1.35
        Smallest residual of an outlier, in units of the scale; 1 or more. A small
        epsilon gives more outliers.
    alpha_shared : float, default=1.0
        Strength of the ridge penalty on the centre's coefficients.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts. 0 leaves them free,
        infinity makes them equal.
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
        Largest number of steps; None for 300.
    warm_start : bool, default=False
        Whether `fit` starts from the previous solution if it had the same tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients of the centre; where `alpha` is 0, the best fit to all rows.
    intercept_shared_ : float
        Intercept for unseen tasks: that of the centre or, if `alpha_intercept` is 0 or
        `alpha_shared` is above 0, the one that fits all rows at `coef_shared_`.
    scale_ : float
        Scale of the residuals, one for all tasks; at least a millionth of the
        targets' spread around their median.
    outliers_ : ndarray of shape (n_samples,) or (n_samples, n_tasks), dtype bool
        Whether each row of `fit` is an outlier, its residual beyond ``epsilon *
        scale_``.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Square root of the predicted decrease of the next step, relative to the
        objective at zero.
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
    MeanRegularizedRegressor : The same without outliers.
    RobustRegressor : Some tasks are outliers, not rows.

    References
    ----------
    Huber, P. J., Ronchetti, E. M. (2009). Robust Statistics, second edition, section
    7.7. :doi:`10.1002/9780470434697`

    Owen, A. B. (2007). A robust hybrid of lasso and ridge regression. Contemporary
    Mathematics, 443, 59-72. :doi:`10.1090/conm/443/08555`

    Examples
    --------
    >>> from skmtl.linear_model import MeanRegularizedHuberRegressor
    >>> X = [["a", 1.0], ["a", 2.0], ["a", 3.0], ["a", 4.0], ["b", 1.0], ["b", 3.0]]
    >>> y = [1.1, 1.9, 90.0, 4.0, 2.1, 6.0]
    >>> model = MeanRegularizedHuberRegressor(0.1, epsilon=1.8, task_column=0)
    >>> model.fit(X, y).coef_.round(1)
    array([[1.1],
           [1.9]])
    >>> model.outliers_
    array([False, False,  True, False, False, False])
    """

    _parameter_constraints = {
        "epsilon": [Interval(Real, 1.0, None, closed="left")],
        **FINITE_MEAN_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float | ArrayLike = 1.0,
        *,
        epsilon: float = 1.35,
        alpha_shared: float = 1.0,
        alpha_intercept: float = 0.0,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        tol: float = 1e-6,
        max_iter: int | None = None,
        warm_start: bool = False,
    ):
        self.alpha = alpha
        self.epsilon = epsilon
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
        refuse_mapping("alpha", self.alpha)
        refuse_mapping("alpha_intercept", self.alpha_intercept)
        strengths = self.alpha, self.alpha_shared, self.alpha_intercept
        return NearMean.of(tasks, *strengths)

    def _target(self):
        return OutlierTarget(Huber(self.epsilon))
