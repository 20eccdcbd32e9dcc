"""Regression of tasks whose coefficients span few directions."""

import numpy as np

from skmtl._memory import refuse_large
from skmtl.penalties import SquaredTrace, Trace

from ._penalized import PENALIZED_CONSTRAINTS, POSITIVE, PenalizedRegressor


class LowRankRegressor(PenalizedRegressor):
    """Linear tasks whose coefficients span few directions.

    Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_k
    sigma_k(W)``, with N rows in all and the singular values of the coefficients: the
    trace norm. With `squared`, the penalty is ``alpha / 2 (sum_k sigma_k(W))^2``, which
    learns how tasks are related: it is the least of ``alpha / 2 trace(W' C^-1 W)`` over
    covariances C of tasks with trace 1, and the like over covariances of features. It
    is known as the multi-task relationship model, and as convex multi-task feature
    learning.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, positive. A large alpha keeps few directions.
    squared : bool, default=False
        Whether the trace norm is squared.
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
        Duality gap to be reached, in units of the objective at zero; with `squared`,
        the gradient that is left, in units of the one at zero.
    max_iter : int, default=10000
        Largest number of iterations.
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
    rank_ : int
        Number of directions that the coefficients span.
    task_covariance_ : ndarray of shape (n_tasks, n_tasks)
        How tasks are related, of trace 1; if `squared`.
    feature_covariance_ : ndarray of shape (n_features, n_features)
        How features are related, of trace 1; if `squared`.
    objective_ : float
        Value of the objective.
    dual_gap_ : float
        Bound on the distance of `objective_` from the optimum; unless `squared`.
    kkt_ : float
        Gradient that is left, relative to the one at zero; if `squared`.
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
    LowRankRegressorCV : Choose the strength from the data.
    RobustRegressor : Few directions, but for a few outlier tasks.
    MeanRegularizedRegressor : Tasks near a shared centre.

    References
    ----------
    Pong, T. K., Tseng, P., Ji, S., Ye, J. (2010). Trace norm regularization:
    reformulations, algorithms, and multi-task learning. SIAM Journal on Optimization,
    20(6), 3465-3489. :doi:`10.1137/090763184`

    Argyriou, A., Evgeniou, T., Pontil, M. (2008). Convex multi-task feature learning.
    Machine Learning, 73(3), 243-272. :doi:`10.1007/s10994-007-5040-8`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import LowRankRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 4))
    >>> Y = np.outer(X @ [1.0, 2.0, 0.0, 0.0], [1.0, -1.0, 2.0])
    >>> Y += 0.1 * rng.normal(size=Y.shape)
    >>> model = LowRankRegressor(alpha=0.1).fit(X, Y)
    >>> model.rank_
    1
    >>> LowRankRegressor(alpha=0.1, squared=True).fit(X, Y).task_covariance_.round(1)
    array([[ 0.2, -0.2,  0.3],
           [-0.2,  0.2, -0.3],
           [ 0.3, -0.3,  0.7]])
    """

    _parameter_constraints = {
        "alpha": POSITIVE,
        "squared": ["boolean"],
        **PENALIZED_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        squared=False,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-6,
        max_iter=10000,
        warm_start=False,
    ):
        self.alpha = alpha
        self.squared = squared
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _penalty(self, moments):
        return SquaredTrace(self.alpha) if self.squared else Trace(self.alpha)

    def _minimize(self, loss):
        refuse_covariance(self.squared, loss.shape[1])
        return super()._minimize(loss)

    def _describe(self, fit):
        return super()._describe(fit) | describe_directions(fit.coef, self.squared)


def refuse_covariance(squared, n_features):
    """Refuse a covariance of features that would not fit in memory."""
    if squared:
        what = f"feature_covariance_, {n_features:,} x {n_features:,} numbers"
        remedy = "Set squared=False, or reduce the columns, with TruncatedSVD."
        refuse_large(16 * n_features**2, what, remedy)


def describe_directions(coef, with_covariances):
    """Return how many directions coefficients span, and how rows are related."""
    left, sizes, right = np.linalg.svd(coef, full_matrices=False)
    noise = max(coef.shape) * np.finfo(float).eps * sizes.max(initial=0.0)
    about = {"rank_": int((sizes > noise).sum())}
    if with_covariances:
        about["task_covariance_"] = covariance(left.T, sizes)
        about["feature_covariance_"] = covariance(right, sizes)
    return about


def covariance(vectors, sizes):
    """Return ``sum_k size_k v_k v_k'`` of trace 1; if all are zero, no relation."""
    total = sizes.sum()
    if total == 0:
        return np.eye(vectors.shape[1]) / vectors.shape[1]
    return (vectors.T * (sizes / total)) @ vectors
