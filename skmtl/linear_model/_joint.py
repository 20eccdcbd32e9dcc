"""Regression of tasks for which the same features matter."""

from dataclasses import replace
from numbers import Real

import numpy as np

from skmtl._compat import Interval, StrOptions
from skmtl.problems.proximal import (
    DivisibleLoss,
    divisible_moments,
    divisible_rows,
    reads_rows,
)

from ._joint_path import PENALTIES, JointKind
from ._penalized import PENALIZED_CONSTRAINTS, POSITIVE, PenalizedRegressor

JOINT_CONSTRAINTS = {
    "l1_ratio": [Interval(Real, 0, 1, closed="right")],
    "penalty": [StrOptions(set(PENALTIES))],
    "positive": ["boolean"],
    **PENALIZED_CONSTRAINTS,
}


class JointFeatureRegressor(PenalizedRegressor):
    """Linear tasks for which the same features matter.

    Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t - b_t||^2 + alpha l1_ratio sum_j
    p(w_j) + alpha (1 - l1_ratio) / 2 ||W||^2``, with N rows in all, where p penalises
    the coefficients of a feature in all tasks: either all are zero, or hardly any is.
    With their Euclidean length, the default, it is the multi-task lasso, and with
    `l1_ratio` the multi-task elastic net; on complete shared rows those of
    scikit-learn, with the same `alpha`. Tasks may have rows of their own.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, positive. A large alpha keeps few features.
    l1_ratio : float, default=1.0
        Share of `alpha` that selects, above 0; the rest shrinks as ridge does.
    penalty : {"l21", "linf", "mcp", "scad"}, default="l21"
        How the coefficients of a feature count: by their length; by the largest of
        them; or by their length up to a limit, so that large ones are not shrunk, at
        the price of a problem that is not convex, of which a stationary point is found.
    positive : bool, default=False
        Whether coefficients must be 0 or more.
    fit_intercept : bool, default=True
        Whether each task has an intercept, which is not penalised.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with a task not seen in `fit`: predict it with the shared
        part, or raise an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    tol : float, default=1e-6
        Duality gap to be reached, in units of the objective at zero; with "mcp" and
        "scad", the gradient that is left, in units of the one at zero.
    max_iter : int, default=10000
        Largest number of visits to all features that are worked on.
    warm_start : bool, default=False
        Whether `fit` starts from the last solution, if that was of the same tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: a ridge fit to all rows, with strengths implied
        by the penalty. Zero where all tasks have zero.
    intercept_shared_ : float
        Intercept of the shared part.
    support_ : ndarray of shape (n_selected,)
        Indices of the features that are not zero in all tasks.
    objective_ : float
        Value of the objective.
    dual_gap_ : float
        Bound on the distance of `objective_` from the optimum; with "l21" and "linf".
    kkt_ : float
        Gradient that is left, relative to the one at zero; with "mcp" and "scad".
    n_iter_ : int
        Number of visits to the features that were worked on.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    moments_ : TaskMoments
        Moments of all rows so far, to which `partial_fit` adds; kept unless tasks
        have fewer rows than features.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    JointFeatureRegressorCV : Choose the strength from the data.
    DirtyRegressor : Shared features and exceptions.

    References
    ----------
    Obozinski, G., Taskar, B., Jordan, M. I. (2010). Joint covariate selection and joint
    subspace selection for multiple classification problems. Statistics and Computing,
    20(2), 231-252. :doi:`10.1007/s11222-008-9111-x`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import JointFeatureRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(60, 5)), np.repeat(["a", "b", "c"], 20)
    >>> slope = {"a": 1.0, "b": -1.0, "c": 2.0}
    >>> y = np.array([slope[t] for t in task]) * X[:, 1] + 0.1 * rng.normal(size=60)
    >>> model = JointFeatureRegressor(alpha=0.2).fit(X, y, task=task)
    >>> model.support_
    array([1])
    """

    _parameter_constraints = {"alpha": POSITIVE, **JOINT_CONSTRAINTS}

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=1.0,
        penalty="l21",
        positive=False,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-6,
        max_iter=10000,
        warm_start=False,
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.penalty = penalty
        self.positive = positive
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    @property
    def _kind(self):
        return JointKind(self.penalty, self.l1_ratio, self.positive)

    def _penalty(self, moments):
        return self._kind.at(self.alpha)

    def _solver(self):
        return self._kind.solver(self.alpha, self.tol, self.max_iter)

    def _pose(self, moments, curvature=None):
        ridge = self._kind.ridge(self.alpha)
        return divisible_moments(moments, self.fit_intercept, ridge)

    def _roughened(self):
        return self  # Newton steps are few

    def _ahead(self, fits):
        return fits[-1].solution.variable if fits else None

    def _reads_rows(self, data):
        return reads_rows(data)

    def _pose_rows(self, data):
        ridge = self._kind.ridge(self.alpha)
        return divisible_rows(data, self.fit_intercept, ridge)

    def _repose(self, loss):
        ridge = self._kind.ridge(self.alpha)
        return DivisibleLoss(replace(loss.loss, alpha_ridge=ridge))

    def _describe(self, fit):
        used = fit.coef.any(axis=0)
        return {**super()._describe(fit), "support_": np.flatnonzero(used)}
