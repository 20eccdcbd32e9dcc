"""Tasks that depend on the same few features."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmtl._compat import Interval, StrOptions
from skmtl._contracts import PenalizedRelation
from skmtl.base import (
    CLASSIFIER_CONSTRAINTS,
    COMMON_CONSTRAINTS,
    ITERATIVE_CONSTRAINTS,
    PATH_CONSTRAINTS,
    POSITIVE,
    SCALED_CONSTRAINTS,
    LinearClassifier,
    LinearCountRegressor,
    LinearRegressor,
    MomentRegressor,
)
from skmtl.penalties import L21, L1Inf, Positive, RowMCP, RowSCAD
from skmtl.selection import PathGrid, PathSearch
from skmtl.solvers import ProxNewton, VarianceNewton, WorkingSet

from ._around_centre import (
    AUTO,
    CENTRE_CONSTRAINTS,
    CENTRE_SEARCH_CONSTRAINTS,
    around_centre,
    search_centre,
)

_PENALTIES = {"l21": L21, "linf": L1Inf, "mcp": RowMCP, "scad": RowSCAD}
_MAX_ITER = 10_000
JOINT_CONSTRAINTS = {
    "l1_ratio": [Interval(Real, 0, 1, closed="right")],
    "penalty": [StrOptions(set(_PENALTIES))],
}


@dataclass(frozen=True)
class JointFeatures(PenalizedRelation):
    """All tasks depend on the same few features."""

    alpha: float
    l1_ratio: float
    name: str
    positive: bool = False
    selects_features = True

    @property
    def penalty(self):
        penalty = _PENALTIES[self.name](self.alpha * self.l1_ratio)
        return Positive(penalty) if self.positive else penalty

    @property
    def ridge(self):
        return self.alpha * (1 - self.l1_ratio)

    def solver(self, loss, tol, max_iter):
        max_iter = max_iter or _MAX_ITER
        is_smooth = self.name == "l21" and not self.positive
        newton = VarianceNewton(self.alpha * self.l1_ratio) if is_smooth else None
        if loss.is_quadratic:
            return WorkingSet(tol, max_iter, newton)
        if newton is None or loss.n_outputs > 1:
            return WorkingSet(tol, max_iter)
        return ProxNewton(tol, max_iter, newton)

    def report(self, fit, tasks):
        return {"support_": np.flatnonzero(fit.coef.any(axis=0))}


def refuse_positive(positive, alpha_shared):
    """Refuse a centre of coefficients that must be positive."""
    if positive and alpha_shared != np.inf:
        raise ValueError(
            "positive=True needs alpha_shared=inf, got alpha_shared="
            f"{alpha_shared!r}. The deviations from a centre have both signs."
        )


class JointFeatureRegressor(MomentRegressor):
    """Linear regression of several tasks on the same few features.

    Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t - b_t||^2 + alpha l1_ratio sum_j
    p(w_j) + alpha (1 - l1_ratio) / 2 ||W||^2``, with N rows in all. The penalty p sets
    the coefficients of a feature to zero in all tasks together. The default is the
    multi-task lasso, and with `l1_ratio` the multi-task elastic net: on complete shared
    rows, they equal those of scikit-learn with the same `alpha`. Tasks may also have
    different rows.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, positive; a large one keeps few features.
    l1_ratio : float, default=1.0
        Share of `alpha` in the penalty that selects features, above 0; the rest is a
        ridge penalty.
    penalty : {"l21", "linf", "mcp", "scad"}, default="l21"
        Penalty on the coefficients of a feature: their Euclidean norm; their largest
        absolute value; or their Euclidean norm up to a limit, so that large ones are
        not shrunk. The last two are not convex: `fit` finds a stationary point.
    positive : bool, default=False
        Whether coefficients must be 0 or more.
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
        all rows, with strengths implied by the penalty. Zero where all tasks have zero.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    support_ : ndarray of shape (n_selected,)
        Indices of the features with a coefficient that is not zero.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Duality gap, relative to the objective at zero; for penalties without a dual
        norm, the norm of the proximal gradient, relative to the one at zero.
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
    JointFeatureRegressorCV : The same with a cross-validated strength.
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

    _parameter_constraints = {
        "alpha": POSITIVE,
        "positive": ["boolean"],
        **JOINT_CONSTRAINTS,
        **SCALED_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        l1_ratio: float = 1.0,
        penalty: str = "l21",
        positive: bool = False,
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
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.penalty = penalty
        self.positive = positive
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
        refuse_positive(self.positive, self.alpha_shared)
        relation = JointFeatures(self.alpha, self.l1_ratio, self.penalty, self.positive)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class JointFeatureClassifier(LinearClassifier):
    """Linear classification of several tasks on the same few features.

    Minimises ``n_tasks / N sum_t sum_i loss(y_i, x_i . w_t + b_t) + alpha l1_ratio
    sum_j p(w_j) + alpha (1 - l1_ratio) / 2 ||W||^2``, with N rows in all. The loss is
    logistic for two classes and multinomial for more. The penalty p sets the
    coefficients of a feature to zero in all tasks and classes together. With one task
    and two classes it is scikit-learn's LogisticRegression with an L1 penalty and ``C =
    1 / (N alpha)``, except that no intercept is penalised.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, positive; a large one keeps few features.
    l1_ratio : float, default=1.0
        Share of `alpha` in the penalty that selects features, above 0; the rest is a
        ridge penalty.
    penalty : {"l21", "linf", "mcp", "scad"}, default="l21"
        Penalty on the coefficients of a feature: their Euclidean norm; their largest
        absolute value, of contrasts between classes if there are more than two; or
        their Euclidean norm up to a limit, so that large ones are not shrunk. The last
        two are not convex: `fit` finds a stationary point.
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
    coef_ : ndarray of shape (n_tasks, n_features) or (n_tasks, n_classes, n_features)
        Coefficients; those of more than two classes sum to zero. For a single task that
        was not declared (1, n_features) or (n_classes, n_features).
    intercept_ : ndarray of shape (n_tasks,) or (n_tasks, n_classes)
        Intercepts; for a single task that was not declared (1,) or (n_classes,).
    coef_shared_ : ndarray of shape (n_features,) or (n_classes, n_features)
        Coefficients for unseen tasks: the centre or, if there is none, a ridge fit to
        all rows, with strengths implied by the penalty. Zero where all tasks have zero.
    intercept_shared_ : float or ndarray of shape (n_classes,)
        Intercept for unseen tasks, to go with `coef_shared_`.
    support_ : ndarray of shape (n_selected,)
        Indices of the features with a coefficient that is not zero.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Duality gap, relative to the objective at zero; for penalties without a dual
        norm, the norm of the proximal gradient, relative to the one at zero.
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
    JointFeatureRegressor : The same for numbers.
    LowRankClassifier : Coefficients of low rank.
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
        **JOINT_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float = 0.1,
        *,
        l1_ratio: float = 1.0,
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
        self.alpha = alpha
        self.l1_ratio = l1_ratio
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
        relation = JointFeatures(self.alpha, self.l1_ratio, self.penalty)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class JointFeatureRegressorCV(LinearRegressor):
    """Linear regression of tasks on the same few features, with cross-validated alpha.

    Minimises the objective of :class:`JointFeatureRegressor`, with the `alpha` of
    smallest squared error on held-out rows. Each fold is solved along decreasing
    strengths, each from the previous solution.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=None
        Candidate strengths, positive. None for a decreasing path, from the smallest
        strength at which all coefficients are zero to `eps` times that.
    n_alphas : int, default=30
        Number of strengths to choose from, if `alphas` is None.
    eps : float, default=None
        Smallest strength relative to the largest, if `alphas` is None. None for 1e-2,
        and smaller while the error decreases.
    l1_ratio : float, default=1.0
        Share of `alpha` in the penalty that selects features, above 0; the rest is a
        ridge penalty.
    penalty : {"l21", "linf", "mcp", "scad"}, default="l21"
        Penalty on the coefficients of a feature: their Euclidean norm; their largest
        absolute value; or their Euclidean norm up to a limit, so that large ones are
        not shrunk. The last two are not convex: `fit` finds a stationary point.
    positive : bool, default=False
        Whether coefficients must be 0 or more.
    alpha_shared : {"auto"} or float, default="auto"
        Strength of the ridge on a centre of the tasks, as in the model with given
        strengths. "auto" chooses between no centre with free intercepts, and the
        strengths that :class:`MeanRegularizedRegressorCV` chooses, by their errors on
        held-out rows. It chooses no centre where matrices of all features are avoided.
    alpha_intercept : {"auto"} or float, default="auto"
        Strength of the penalty on differences between intercepts, as in the model with
        given strengths. "auto" chooses it with `alpha_shared`.
    cv : int, splitter or iterable of (train, test), default=None
        Folds; None for 5. An int assigns the rows of each task to that many folds.
    scoring : str or callable, default=None
        Score of held-out rows, of scikit-learn; larger is better. None for the negative
        mean squared error, to which all weights are applied; a scorer gets no weights.
    one_standard_error : bool, default=False
        Whether to choose the largest strength with a score within one standard error of
        the best, for a simpler model.
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
    scale_targets : bool or "auto", default="auto"
        Whether each task's target is divided by its standard deviation in the fit, so
        that tasks in different units can learn from each other; strengths then refer to
        the divided targets. "auto" divides if the deviations differ by more than a
        factor of three, beyond chance, and if errors on held-out rows are then smaller.
    tol : float, default=1e-6
        Tolerance: the solver stops when `optimality_` is at most this.
    max_iter : int, default=None
        Largest number of iterations; None for 10,000.

    Attributes
    ----------
    alpha_ : float
        Chosen strength.
    alpha_shared_ : float
        Chosen strength of the ridge on the centre; infinite for no centre.
    alpha_intercept_ : float
        Chosen strength of the penalty on differences between intercepts.
    cv_results_ : dict of ndarray
        Decreasing strengths, "alpha", with "mean_test_score", "std_test_score" and the
        scores of each fold, "split0_test_score" and so on; errors are negative.
    best_index_ : int
        Position of `alpha_` in `cv_results_`.
    best_score_ : float
        Mean score at `alpha_`.
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: the centre or, if there is none, a ridge fit to
        all rows, with strengths implied by the penalty. Zero where all tasks have zero.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    support_ : ndarray of shape (n_selected,)
        Indices of the features with a coefficient that is not zero.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Duality gap, relative to the objective at zero; for penalties without a dual
        norm, the norm of the proximal gradient, relative to the one at zero.
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
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    JointFeatureRegressor : The same with a given strength.

    References
    ----------
    Obozinski, G., Taskar, B., Jordan, M. I. (2010). Joint covariate selection and joint
    subspace selection for multiple classification problems. Statistics and Computing,
    20(2), 231-252. :doi:`10.1007/s11222-008-9111-x`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import JointFeatureRegressorCV
    >>> rng = np.random.default_rng(1)
    >>> X = rng.normal(size=(60, 8))
    >>> Y = X[:, [1, 4]] @ rng.normal(size=(2, 5)) + rng.normal(size=(60, 5))
    >>> model = JointFeatureRegressorCV(one_standard_error=True).fit(X, Y)
    >>> model.support_
    array([1, 4])
    """

    _parameter_constraints = {
        **PATH_CONSTRAINTS,
        **CENTRE_SEARCH_CONSTRAINTS,
        "positive": ["boolean"],
        **JOINT_CONSTRAINTS,
        "tol": ITERATIVE_CONSTRAINTS["tol"],
        "max_iter": ITERATIVE_CONSTRAINTS["max_iter"],
        **SCALED_CONSTRAINTS,
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas: ArrayLike | None = None,
        *,
        n_alphas: int = 30,
        eps: float | None = None,
        l1_ratio: float = 1.0,
        penalty: str = "l21",
        positive: bool = False,
        alpha_shared: str | float = "auto",
        alpha_intercept: str | float = "auto",
        cv: Any = None,
        scoring: Any = None,
        one_standard_error: bool = False,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        scale_targets: bool | str = "auto",
        tol: float = 1e-6,
        max_iter: int | None = None,
    ):
        self.alphas = alphas
        self.n_alphas = n_alphas
        self.eps = eps
        self.l1_ratio = l1_ratio
        self.penalty = penalty
        self.positive = positive
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.cv = cv
        self.scoring = scoring
        self.one_standard_error = one_standard_error
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.scale_targets = scale_targets
        self.tol = tol
        self.max_iter = max_iter

    def _relation(self, tasks):
        grid = PathGrid(self.alphas, self.n_alphas, self.eps, 1e-2)
        options = self.cv, self.one_standard_error
        path = PathSearch(
            self._relation_at,
            grid,
            *options,
            refits_path=True,
            loosens=False,
            scoring=self.scoring,
        )
        alpha_shared = self.alpha_shared
        if self.positive and alpha_shared == AUTO:
            alpha_shared = np.inf
        refuse_positive(self.positive, alpha_shared)
        return search_centre(path, alpha_shared, self.alpha_intercept)

    def _relation_at(self, alpha, tasks):
        return JointFeatures(alpha, self.l1_ratio, self.penalty, self.positive)


class JointFeaturePoissonRegressor(LinearCountRegressor):
    """Poisson regression of several tasks on the same few features.

    Minimises ``n_tasks / N sum_t sum_i (exp(x_ti . w_t + b_t) - y_ti (x_ti . w_t +
    b_t)) + alpha l1_ratio sum_j p(w_j) + alpha (1 - l1_ratio) / 2 ||W||^2``, with
    N rows in all. Means are ``exp(x . w_t + b_t)``, times an exposure if there is one.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, positive; a large one keeps few features.
    l1_ratio : float, default=1.0
        Share of `alpha` in the penalty that selects features, above 0; the rest is a
        ridge penalty.
    penalty : {"l21", "linf", "mcp", "scad"}, default="l21"
        Penalty on the coefficients of a feature: their Euclidean norm; their largest
        absolute value; or their Euclidean norm up to a limit, so that large ones are
        not shrunk. The last two are not convex: `fit` finds a stationary point.
    positive : bool, default=False
        Whether coefficients must be 0 or more.
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
        all rows, with strengths implied by the penalty. Zero where all tasks have zero.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    support_ : ndarray of shape (n_selected,)
        Indices of the features with a coefficient that is not zero.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Duality gap, relative to the objective at zero; for penalties without a dual
        norm, the norm of the proximal gradient, relative to the one at zero.
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
    JointFeatureRegressor : The same for numbers.
    DirtyPoissonRegressor : Shared features and exceptions.

    References
    ----------
    Obozinski, G., Taskar, B., Jordan, M. I. (2010). Joint covariate selection and joint
    subspace selection for multiple classification problems. Statistics and Computing,
    20(2), 231-252. :doi:`10.1007/s11222-008-9111-x`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import JointFeaturePoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = rng.poisson(np.exp(z))
    >>> model = JointFeaturePoissonRegressor(0.4)
    >>> model.fit(X, y, task=task).support_
    array([0])
    """

    _parameter_constraints = {
        "alpha": POSITIVE,
        "positive": ["boolean"],
        **JOINT_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float = 0.1,
        *,
        l1_ratio: float = 1.0,
        penalty: str = "l21",
        positive: bool = False,
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
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.penalty = penalty
        self.positive = positive
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
        refuse_positive(self.positive, self.alpha_shared)
        relation = JointFeatures(self.alpha, self.l1_ratio, self.penalty, self.positive)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)
