"""Related tasks with a few outlier tasks."""

from dataclasses import dataclass

from skmtl._compat import StrOptions
from skmtl._contracts import PenalizedRelation
from skmtl.base import ITERATIVE_CONSTRAINTS, POSITIVE, MomentRegressor
from skmtl.penalties import L12, L21, Decomposed, Trace
from skmtl.solvers import Fista

_SHARED = {"low_rank": Trace, "joint": L21}
_ROBUST_CONSTRAINTS = {
    "alpha_shared": POSITIVE,
    "alpha_outlier": POSITIVE,
    "shared": [StrOptions(set(_SHARED))],
}
_MAX_ITER = 10_000


@dataclass(frozen=True)
class RelatedWithOutliers(PenalizedRelation):
    """Tasks share directions or features, except for a few outlier tasks."""

    alpha_shared: float
    alpha_outlier: float
    name: str
    allows_many_outputs = False

    @property
    def penalty(self):
        shared = _SHARED[self.name](self.alpha_shared)
        return Decomposed(shared, L12(self.alpha_outlier))

    def solver(self, loss, tol, max_iter):
        return Fista(tol, max_iter or _MAX_ITER)

    def report(self, fit, tasks):
        return {"outlier_tasks_": tasks.labels[fit.parts[1].any(axis=1)]}

    def report_coef(self, fit):
        return {"coef_outlier_": fit.parts[1]}


class RobustRegressor(MomentRegressor):
    """Related linear tasks, but for a few outlier tasks.

    Coefficients are ``W = P + Q``. Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t -
    b_t||^2 + alpha_shared penalty(P) + alpha_outlier sum_t ||q_t||``, with N rows in
    all. Most ``q_t`` are zero; a task that has one differs from what the others share.

    Parameters
    ----------
    alpha_shared : float, default=1.0
        Strength of the penalty of what tasks share, positive.
    alpha_outlier : float, default=1.0
        Strength of the penalty of what outlier tasks have of their own, positive. A
        large alpha leaves no outliers.
    shared : {"low_rank", "joint"}, default="low_rank"
        What tasks share: few directions (the trace norm) or few features (the sum over
        features of the norms of their coefficients).
    fit_intercept : bool, default=True
        Whether each task has an intercept.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with an unseen task: predict it with the shared part, or
        raise an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    tol : float, default=1e-6
        Tolerance: the solver stops when `optimality_` is at most this.
    max_iter : int, default=None
        Largest number of iterations; None for 10,000.
    warm_start : bool, default=False
        Whether `fit` starts from the last solution, if that was of the same tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: a ridge fit to all rows beside the outliers' own
        part, with strengths implied by the penalty.
    intercept_shared_ : float
        Intercept of the shared part.
    coef_outlier_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        What outlier tasks have of their own, Q; a row of zeros for all others.
    outlier_tasks_ : ndarray of shape (n_outlier_tasks,)
        Labels of the outlier tasks.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Duality gap, relative to the objective at zero.
    dual_gap_ : float
        Duality gap, a bound on the distance of `objective_` from the optimum.
    n_iter_ : int
        Number of iterations.
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
    LowRankRegressor : The same without outlier tasks.
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
    >>> model = RobustRegressor(alpha_shared=0.3, alpha_outlier=0.2).fit(X, Y)
    >>> model.outlier_tasks_
    array([2])
    """

    _parameter_constraints = {**_ROBUST_CONSTRAINTS, **ITERATIVE_CONSTRAINTS}

    def __init__(
        self,
        alpha_shared=1.0,
        alpha_outlier=1.0,
        *,
        shared="low_rank",
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-6,
        max_iter=None,
        warm_start=False,
    ):
        self.alpha_shared = alpha_shared
        self.alpha_outlier = alpha_outlier
        self.shared = shared
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        strengths = self.alpha_shared, self.alpha_outlier
        return RelatedWithOutliers(*strengths, self.shared)
