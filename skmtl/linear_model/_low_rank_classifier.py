"""Classification of tasks whose coefficients span few directions."""

import numpy as np

from skmtl.penalties import SquaredTrace, Trace
from skmtl.solvers import Fista

from ._low_rank import describe_directions, refuse_covariance
from ._penalized import POSITIVE
from ._penalized_classifier import PENALIZED_CLASSIFIER_CONSTRAINTS, PenalizedClassifier


class LowRankClassifier(PenalizedClassifier):
    """Linear classifiers of tasks whose coefficients span few directions.

    Minimises ``n_tasks / N sum_t sum_i loss(y_i, x_i . w_t + b_t) + alpha sum_k
    sigma_k(W)``, with N rows in all, the logistic loss for two classes and the
    multinomial for more, and the singular values of the coefficients of all tasks and
    classes, one in each row of ``W``: the trace norm. With `squared`, the penalty is
    ``alpha / 2 (sum_k sigma_k(W))^2``, which learns how tasks are related.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, positive. A large alpha keeps few directions.
    squared : bool, default=False
        Whether the trace norm is squared.
    class_scope : {"all", "task"}, default="all"
        Which classes may occur in a task: all of them, or those of its rows in `fit`.
        If a task lacks a class that may occur in it, one pseudo-row of weight 1 with
        the overall class frequencies is added to the task; without it the intercept
        would diverge.
    class_weight : {"balanced"} or mapping, default=None
        Factor of each class in the weights of the rows: a mapping from classes to
        numbers, or "balanced" to give all classes the same total weight.
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
    classes_ : ndarray of shape (n_classes,), or list of them
        Sorted classes of all tasks; with a 2-d y an array for each task.
    task_classes_ : ndarray of shape (n_tasks, n_classes), dtype bool
        Which classes each task had rows of.
    coef_ : ndarray of shape (n_tasks, n_features) or (n_tasks, n_classes, n_features)
        Coefficients; those of more than two classes sum to zero. For a single task that
        was not declared (1, n_features) or (n_classes, n_features).
    intercept_ : ndarray of shape (n_tasks,) or (n_tasks, n_classes)
        Intercepts; for a single task that was not declared (1,) or (n_classes,).
    coef_shared_ : ndarray of shape (n_features,) or (n_classes, n_features)
        Coefficients for unseen tasks: a ridge fit to all rows, with strengths implied
        by the penalty. Zero where all tasks have zero.
    intercept_shared_ : float or ndarray of shape (n_classes,)
        Intercept for unseen tasks, to go with `coef_shared_`.
    rank_ : int
        Number of directions that the coefficients span.
    task_covariance_ : ndarray of shape (n_tasks, n_tasks)
        How tasks are related, of trace 1, summed over classes if these are more than
        two; if `squared`.
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
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    LowRankRegressor : The same for numbers.
    JointFeatureClassifier : Tasks for which the same features matter.
    MeanRegularizedClassifier : Tasks near a shared centre.

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
    >>> from skmtl.linear_model import LowRankClassifier
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 4))
    >>> score = np.outer(X @ [1.0, 2.0, 0.0, 0.0], [1.0, -1.0, 2.0])
    >>> Y = score + 0.3 * rng.normal(size=score.shape) > 0
    >>> model = LowRankClassifier(alpha=0.2).fit(X, Y.astype(int))
    >>> model.rank_
    1

    Squared, the penalty learns how tasks are related.

    >>> related = LowRankClassifier(alpha=0.2, squared=True).fit(X, Y.astype(int))
    >>> np.sign(related.task_covariance_[0])
    array([ 1., -1.,  1.])
    """

    _parameter_constraints = {
        "alpha": POSITIVE,
        "squared": ["boolean"],
        **PENALIZED_CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha=0.1,
        *,
        squared=False,
        class_scope="all",
        class_weight=None,
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
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _penalty(self):
        return SquaredTrace(self.alpha) if self.squared else Trace(self.alpha)

    def _pose(self, datafit):
        refuse_covariance(self.squared, datafit.data.X.shape[1])
        return super()._pose(datafit)

    def _solver(self, n_outputs):
        return Fista(self.tol, self.max_iter)

    def _describe_fit(self, fit):
        about = super()._describe_fit(fit) | describe_directions(fit.coef, self.squared)
        if self.squared:
            n_tasks, n_outputs, _ = fit.loss.datafit.shape
            outputs = about["task_covariance_"].reshape(2 * (n_tasks, n_outputs))
            about["task_covariance_"] = np.trace(outputs, axis1=1, axis2=3)
        return about
