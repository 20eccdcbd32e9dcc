"""Tasks with coefficients of low rank."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmtl._contracts import PenalizedRelation
from skmtl._memory import refuse_large
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
from skmtl.penalties import SquaredTrace, Trace
from skmtl.selection import PathGrid, PathSearch
from skmtl.solvers import Fista

from ._around_centre import (
    CENTRE_CONSTRAINTS,
    CENTRE_SEARCH_CONSTRAINTS,
    around_centre,
    search_centre,
)

LOW_RANK_CONSTRAINTS = {"alpha": POSITIVE, "squared": ["boolean"]}
_MAX_ITER = 10_000


@dataclass(frozen=True)
class LowRank(PenalizedRelation):
    """The coefficients of all tasks have a low rank."""

    alpha: float
    squared: bool

    @classmethod
    def of(cls, tasks, alpha, squared):
        """Return the relation, if the covariance of the features fits in memory."""
        if squared:
            n_features = tasks.n_features
            what = f"feature_covariance_, {n_features:,} x {n_features:,} numbers"
            remedy = "Set squared=False, or reduce the columns, with TruncatedSVD."
            refuse_large(16 * n_features**2, what, remedy)
        return cls(alpha, squared)

    @property
    def penalty(self):
        return SquaredTrace(self.alpha) if self.squared else Trace(self.alpha)

    def solver(self, loss, tol, max_iter):
        return Fista(tol, max_iter or _MAX_ITER)

    def report(self, fit, tasks):
        return describe_directions(fit.coef, self.squared, len(tasks))


class LowRankRegressor(MomentRegressor):
    """Linear regression of several tasks with coefficients of low rank.

    Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_k
    sigma_k(W)``, with N rows in all. The sum of the singular values sigma is the trace
    norm; the coefficients then span few directions. With `squared`, the penalty is
    ``alpha / 2 (sum_k sigma_k(W))^2``, which learns how tasks are related: it is the
    minimum of ``alpha / 2 trace(W' C^-1 W)`` over covariances C of tasks with trace 1,
    and likewise over covariances of features. It is known as the multi-task
    relationship model, and as convex multi-task feature learning.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, positive; a large one keeps few directions.
    squared : bool, default=False
        Whether the trace norm is squared.
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
    rank_ : int
        Number of directions that the coefficients span.
    task_covariance_ : ndarray of shape (n_tasks, n_tasks)
        Covariance of the tasks, of trace 1; only if `squared`.
    feature_covariance_ : ndarray of shape (n_features, n_features)
        Covariance of the features, of trace 1; only if `squared`.
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
    LowRankRegressorCV : The same with a cross-validated strength.
    RobustRegressor : Low rank, except for a few outlier tasks.
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
        **LOW_RANK_CONSTRAINTS,
        **SCALED_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        squared: bool = False,
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
        self.squared = squared
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
        relation = LowRank.of(tasks, self.alpha, self.squared)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class LowRankClassifier(LinearClassifier):
    """Linear classification of several tasks with coefficients of low rank.

    Minimises ``n_tasks / N sum_t sum_i loss(y_i, x_i . w_t + b_t) + alpha sum_k
    sigma_k(W)``, with N rows in all. The loss is logistic for two classes and
    multinomial for more. The sum of the singular values sigma of ``W``, with one row
    per task and class, is the trace norm. With `squared`, the penalty is ``alpha / 2
    (sum_k sigma_k(W))^2``, which learns how tasks are related.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, positive; a large one keeps few directions.
    squared : bool, default=False
        Whether the trace norm is squared.
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
    rank_ : int
        Number of directions that the coefficients span.
    task_covariance_ : ndarray of shape (n_tasks, n_tasks)
        Covariance of the tasks, of trace 1, summed over classes if there are more than
        two; only if `squared`.
    feature_covariance_ : ndarray of shape (n_features, n_features)
        Covariance of the features, of trace 1; only if `squared`.
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
    LowRankRegressor : The same for numbers.
    JointFeatureClassifier : Tasks on the same few features.
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
        **LOW_RANK_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float = 0.1,
        *,
        squared: bool = False,
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
        self.squared = squared
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
        relation = LowRank.of(tasks, self.alpha, self.squared)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class LowRankRegressorCV(LinearRegressor):
    """Linear regression of tasks with low-rank coefficients and cross-validated alpha.

    Minimises the objective of :class:`LowRankRegressor`, with the `alpha` of smallest
    squared error on held-out rows. Each fold is solved along decreasing strengths, each
    from the previous solution.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=None
        Candidate strengths, positive. None for a decreasing path, from the smallest
        strength at which all coefficients are zero to `eps` times that.
    n_alphas : int, default=30
        Number of strengths to choose from, if `alphas` is None.
    eps : float, default=None
        Smallest strength relative to the largest, if `alphas` is None. None for 1e-3,
        and smaller while the error decreases.
    squared : bool, default=False
        Whether the trace norm is squared. Coefficients are then never all zero, and the
        largest strength is the one that halves the first step from zero.
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
    rank_ : int
        Number of directions that the coefficients span.
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
    LowRankRegressor : The same with a given strength.
    PathSearchCV : The same search for any model.

    References
    ----------
    Pong, T. K., Tseng, P., Ji, S., Ye, J. (2010). Trace norm regularization:
    reformulations, algorithms, and multi-task learning. SIAM Journal on Optimization,
    20(6), 3465-3489. :doi:`10.1137/090763184`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import LowRankRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 4))
    >>> Y = np.outer(X @ [1.0, 2.0, 0.0, 0.0], [1.0, -1.0, 2.0])
    >>> Y += rng.normal(size=Y.shape)
    >>> model = LowRankRegressorCV(one_standard_error=True).fit(X, Y)
    >>> model.rank_
    1
    """

    _parameter_constraints = {
        **PATH_CONSTRAINTS,
        **CENTRE_SEARCH_CONSTRAINTS,
        "squared": LOW_RANK_CONSTRAINTS["squared"],
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
        squared: bool = False,
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
        self.squared = squared
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
        grid = PathGrid(self.alphas, self.n_alphas, self.eps, 1e-3)
        options = self.cv, self.one_standard_error
        path = PathSearch(self._relation_at, grid, *options, scoring=self.scoring)
        return search_centre(path, self.alpha_shared, self.alpha_intercept)

    def _relation_at(self, alpha, tasks):
        return LowRank.of(tasks, alpha, self.squared)


class LowRankPoissonRegressor(LinearCountRegressor):
    """Poisson regression of several tasks with coefficients of low rank.

    Minimises ``n_tasks / N sum_t sum_i (exp(x_ti . w_t + b_t) - y_ti (x_ti . w_t +
    b_t)) + alpha sum_k sigma_k(W)``, with N rows in all and the singular values sigma.
    With `squared`, the penalty is ``alpha / 2 (sum_k sigma_k(W))^2``. Means are ``exp(x
    . w_t + b_t)``, times an exposure if there is one.

    Parameters
    ----------
    alpha : float, default=0.1
        Strength of the penalty, positive; a large one keeps few directions.
    squared : bool, default=False
        Whether the trace norm is squared.
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
    rank_ : int
        Number of directions that the coefficients span.
    task_covariance_ : ndarray of shape (n_tasks, n_tasks)
        Covariance of the tasks, of trace 1; only if `squared`.
    feature_covariance_ : ndarray of shape (n_features, n_features)
        Covariance of the features, of trace 1; only if `squared`.
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
    LowRankRegressor : The same for numbers.
    RobustPoissonRegressor : Low rank, except for a few outlier tasks.
    MeanRegularizedPoissonRegressor : Tasks near a shared centre.

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
    >>> from skmtl.linear_model import LowRankPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = rng.poisson(np.exp(z))
    >>> model = LowRankPoissonRegressor(0.3)
    >>> model.fit(X, y, task=task).rank_
    1
    >>> squared = LowRankPoissonRegressor(0.3, squared=True).fit(X, y, task=task)
    >>> squared.task_covariance_.shape
    (4, 4)
    """

    _parameter_constraints = {
        **LOW_RANK_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float = 0.1,
        *,
        squared: bool = False,
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
        self.squared = squared
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
        relation = LowRank.of(tasks, self.alpha, self.squared)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


def describe_directions(coef, with_covariances, n_tasks):
    """Return the rank of coefficients, and the covariances of tasks and features."""
    left, singular, right = np.linalg.svd(coef, full_matrices=False)
    rounding = max(coef.shape) * np.finfo(float).eps * singular.max(initial=0.0)
    about = {"rank_": int((singular > rounding).sum())}
    if with_covariances:
        n_outputs = len(coef) // n_tasks
        outputs = covariance(left.T, singular).reshape(2 * (n_tasks, n_outputs))
        about["task_covariance_"] = np.trace(outputs, axis1=1, axis2=3)
        about["feature_covariance_"] = covariance(right, singular)
    return about


def covariance(vectors, weights):
    """Return ``sum_k weight_k v_k v_k'`` of trace 1; for weights of 0 a diagonal."""
    total = weights.sum()
    if total == 0:
        return np.eye(vectors.shape[1]) / vectors.shape[1]
    return (vectors.T * (weights / total)) @ vectors
