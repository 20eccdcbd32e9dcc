"""Classification of tasks for which the same features matter."""

from numbers import Real

import numpy as np

from skmtl._compat import Interval, StrOptions
from skmtl.problems.proximal import ProfiledLoss
from skmtl.solvers import ProxNewton, SupportNewton, WorkingSet

from ._joint_path import PENALTIES, JointKind
from ._penalized import POSITIVE
from ._penalized_classifier import PENALIZED_CLASSIFIER_CONSTRAINTS, PenalizedClassifier


class JointFeatureClassifier(PenalizedClassifier):
    """Linear classifiers of tasks for which the same features matter.

    Minimises ``n_tasks / N sum_t sum_i loss(y_i, x_i . w_t + b_t) + alpha l1_ratio
    sum_j p(w_j) + alpha (1 - l1_ratio) / 2 ||W||^2``, with N rows in all and the
    logistic loss for two classes and the multinomial for more, where p penalises the
    coefficients of a feature in all tasks, and for all classes: either all are zero, or
    hardly any is. With one task and two classes it is scikit-learn's LogisticRegression
    with an L1 penalty and ``C = 1 / (N alpha)``, but that no intercept is penalised.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, positive. A large alpha keeps few features.
    l1_ratio : float, default=1.0
        Share of `alpha` that selects, above 0; the rest shrinks as ridge does.
    penalty : {"l21", "linf", "mcp", "scad"}, default="l21"
        How the coefficients of a feature count: by their length; by the largest of
        them, in contrasts between classes if these are more than two; or by their
        length up to a limit, so that large ones are not shrunk, at the price of a
        problem that is not convex, of which a stationary point is found.
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
        Duality gap to be reached, in units of the objective at zero; with "mcp" and
        "scad", the gradient that is left, in units of the one at zero.
    max_iter : int, default=10000
        Largest number of visits to all features that are worked on.
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
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    JointFeatureRegressor : The same for numbers.
    LowRankClassifier : Tasks whose coefficients span few directions.
    MeanRegularizedClassifier : Tasks near a shared centre.

    References
    ----------
    Obozinski, G., Taskar, B., Jordan, M. I. (2010). Joint covariate selection and joint
    subspace selection for multiple classification problems. Statistics and Computing,
    20(2), 231-252. :doi:`10.1007/s11222-008-9111-x`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import JointFeatureClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(150, 5)), np.repeat(["a", "b", "c"], 50)
    >>> slope = {"a": 1.0, "b": -1.0, "c": 2.0}
    >>> score = np.array([slope[t] for t in task]) * X[:, 1]
    >>> y = score + 0.3 * rng.normal(size=150) > 0
    >>> model = JointFeatureClassifier(alpha=0.2).fit(X, y, task=task)
    >>> model.support_
    array([1])
    """

    _parameter_constraints = {
        "alpha": POSITIVE,
        "l1_ratio": [Interval(Real, 0, 1, closed="right")],
        "penalty": [StrOptions(set(PENALTIES))],
        **PENALIZED_CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha=0.1,
        *,
        l1_ratio=1.0,
        penalty="l21",
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
        self.l1_ratio = l1_ratio
        self.penalty = penalty
        self.class_scope = class_scope
        self.class_weight = class_weight
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    @property
    def _kind(self):
        return JointKind(self.penalty, self.l1_ratio, positive=False)

    def _penalty(self):
        return self._kind.at(self.alpha)

    def _pose(self, datafit):
        return ProfiledLoss(datafit, self._kind.ridge(self.alpha))

    def _solver(self, n_outputs):
        if self.penalty != "l21" or n_outputs > 1:
            return WorkingSet(self.tol, self.max_iter)
        newton = SupportNewton(self.alpha * self.l1_ratio)
        return ProxNewton(self.tol, self.max_iter, newton)

    def _describe_fit(self, fit):
        used = fit.coef.any(axis=0)
        return {**super()._describe_fit(fit), "support_": np.flatnonzero(used)}
