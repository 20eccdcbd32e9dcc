"""Ridge regression of several tasks, each on its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmtl._compat import Interval
from skmtl._contracts import CoupledRelation
from skmtl.base import (
    CLASSIFIER_CONSTRAINTS,
    COMMON_CONSTRAINTS,
    ITERATIVE_CONSTRAINTS,
    NONNEGATIVE,
    SCORING,
    LinearClassifier,
    LinearCountRegressor,
    LinearRegressor,
    MomentRegressor,
)
from skmtl.couplings import Apart
from skmtl.selection import RidgeSearch


@dataclass(frozen=True)
class Independent(CoupledRelation):
    """Tasks share nothing: each has a ridge penalty of its own."""

    coupling: Apart
    is_shared = False


class MultiTaskRidge(MomentRegressor):
    """Ridge regression of several tasks, each fitted on its own.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha_t ||w_t||^2``. It is
    scikit-learn's Ridge for all tasks at once, and the baseline of models that share.

    Parameters
    ----------
    alpha : float, array-like of shape (n_tasks,) or mapping, default=1.0
        Strength of the ridge penalty on each task, 0 or more: one, one per task in the
        order of `tasks_`, or a mapping from every label to a number. 0 gives the
        solution of least norm.
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

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: a ridge fit to all rows, with the mean of the
        tasks' strengths.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Norm of the gradient, relative to the one at zero.
    n_iter_ : int
        Number of iterations; 0 for an exact solution.
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
    MultiTaskRidgeCV : The same with a cross-validated strength per task.
    MeanRegularizedRegressor : Penalise differences from a shared centre.

    References
    ----------
    Hoerl, A. E., Kennard, R. W. (1970). Ridge regression: biased estimation for
    nonorthogonal problems. Technometrics, 12(1), 55-67.
    :doi:`10.1080/00401706.1970.10488634`

    Examples
    --------
    >>> from skmtl.linear_model import MultiTaskRidge
    >>> X = [[0, 1.0], [0, 2.0], [0, 3.0], [1, 1.0], [1, 2.0], [1, 3.0]]
    >>> y = [1.0, 2.0, 3.0, 3.0, 2.0, 1.0]
    >>> model = MultiTaskRidge(alpha=2.0, task_column=0).fit(X, y)
    >>> model.coef_
    array([[ 0.5],
           [-0.5]])
    >>> model.predict([[1, 2.0], [7, 2.0]])
    array([2., 2.])
    """

    _shares_tasks = False
    _parameter_constraints = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like", Mapping],
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float | ArrayLike | Mapping[Any, float] = 1.0,
        *,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _relation(self, tasks):
        return Independent(Apart(read_alphas(self.alpha, tasks.labels)))


class MultiTaskRidgeCV(LinearRegressor):
    """Ridge regression of several tasks, each with a cross-validated strength.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha_t ||w_t||^2``, with the
    `alpha_t` of smallest squared error on held-out rows of each task.

    Leave-one-out errors are exact, ``(y_i - z_i) / (1 - h_ii)`` from one factorisation.
    With shared rows, they are computed near the best strength of generalised
    cross-validation, and at further ones while the best is at an end of the range.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=None
        Candidate strengths, positive. None for three per factor of ten, from 1e-12 to
        1e6 times the mean curvature of a task's loss: from no penalty to no effect of
        any feature.
    alpha_per_task : bool, default=True
        Whether each task has its own strength.
    cv : int, splitter or iterable of (train, test), default=None
        Folds; None for leave-one-out. An int assigns the rows of each task to that many
        folds.
    scoring : str or callable, default=None
        Score of held-out rows, of scikit-learn; larger is better; needs `cv`. None for
        the negative mean squared error, to which all weights are applied; a scorer gets
        no weights.
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

    Attributes
    ----------
    alpha_ : float or ndarray of shape (n_tasks,)
        Chosen strengths, one per task; a float unless `alpha_per_task` and tasks were
        declared.
    cv_results_ : dict of ndarray
        Candidate strengths, "alpha", and "mean_test_score", by default the negative
        squared error: (n_alphas,) or, with a strength per task, (n_alphas, n_tasks).
    best_index_ : int or ndarray of shape (n_tasks,)
        Position of `alpha_` in `cv_results_`.
    best_score_ : float or ndarray of shape (n_tasks,)
        Score on held-out rows at `alpha_`.
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: a ridge fit to all rows, with the mean of the
        tasks' strengths.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Norm of the gradient, relative to the one at zero.
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
    MultiTaskRidge : The same with given strengths.
    MeanRegularizedRegressorCV : Tasks near a shared centre.

    References
    ----------
    Golub, G. H., Heath, M., Wahba, G. (1979). Generalized cross-validation as a method
    for choosing a good ridge parameter. Technometrics, 21(2), 215-223.
    :doi:`10.1080/00401706.1979.10489751`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import MultiTaskRidgeCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(30, 3))
    >>> Y = np.column_stack([X[:, 0], 0.1 * X[:, 0]]) + rng.normal(size=(30, 2))
    >>> model = MultiTaskRidgeCV().fit(X, Y)
    >>> model.alpha_ > 10
    array([False,  True])
    """

    _shares_tasks = False
    _parameter_constraints = {
        "alphas": ["array-like", None],
        "alpha_per_task": ["boolean"],
        "cv": ["cv_object"],
        "scoring": SCORING,
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas: ArrayLike | None = None,
        *,
        alpha_per_task: bool = True,
        cv: Any = None,
        scoring: Any = None,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
    ):
        self.alphas = alphas
        self.alpha_per_task = alpha_per_task
        self.cv = cv
        self.scoring = scoring
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _relation(self, tasks):
        options = self.alpha_per_task, self.cv, self.scoring
        return RidgeSearch(Independent, self.alphas, *options)


class MultiTaskLogisticRegression(LinearClassifier):
    """Logistic regression of several tasks, each fitted on its own.

    Minimises ``sum_t sum_i log(1 + exp(-s_ti (x_ti . w_t + b_t))) + alpha / 2 sum_t
    ||w_t||^2``, with signs s of the two classes. With more than two classes, the loss
    is multinomial.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the ridge penalty on each task, 0 or more.
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
        Largest number of Newton steps; None for 100.
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
        Coefficients for unseen tasks: a ridge fit to all rows, with the mean of the
        tasks' strengths.
    intercept_shared_ : float or ndarray of shape (n_classes,)
        Intercept for unseen tasks, to go with `coef_shared_`.
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
    MultiTaskRidge : The same for numbers.
    MeanRegularizedClassifier : Penalise differences from a shared centre.

    References
    ----------
    Hoerl, A. E., Kennard, R. W. (1970). Ridge regression: biased estimation for
    nonorthogonal problems. Technometrics, 12(1), 55-67.
    :doi:`10.1080/00401706.1970.10488634`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import MultiTaskLogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = z + 0.5 * rng.normal(size=400) > 0
    >>> model = MultiTaskLogisticRegression(2.0)
    >>> model.fit(X, y, task=task).coef_.round(2)
    array([[ 2.49,  0.02, -0.39],
           [ 2.22, -0.19, -0.06],
           [-2.4 , -0.3 , -0.18],
           [-2.06, -0.09, -0.06]])
    """

    _shares_tasks = False
    _parameter_constraints = {
        "alpha": NONNEGATIVE,
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float = 1.0,
        *,
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
        return Independent(Apart(self.alpha))


class MultiTaskPoissonRegressor(LinearCountRegressor):
    """Poisson regression of several tasks, each fitted on its own.

    Minimises ``sum_t sum_i (exp(x_ti . w_t + b_t) - y_ti (x_ti . w_t + b_t)) + alpha /
    2 sum_t ||w_t||^2``. Means are ``exp(x . w_t + b_t)``, times an exposure if there is
    one.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the ridge penalty on each task, 0 or more.
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
        Coefficients for unseen tasks: a ridge fit to all rows, with the mean of the
        tasks' strengths.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
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
    MultiTaskRidge : The same for numbers.
    MeanRegularizedPoissonRegressor : Penalise differences from a shared centre.

    References
    ----------
    Hoerl, A. E., Kennard, R. W. (1970). Ridge regression: biased estimation for
    nonorthogonal problems. Technometrics, 12(1), 55-67.
    :doi:`10.1080/00401706.1970.10488634`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import MultiTaskPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = rng.poisson(np.exp(z))
    >>> model = MultiTaskPoissonRegressor(2.0)
    >>> model.fit(X, y, task=task).coef_.round(2)
    array([[ 0.95,  0.06,  0.02],
           [ 1.09, -0.01,  0.02],
           [-1.12, -0.01,  0.05],
           [-1.08, -0.13, -0.19]])
    """

    _shares_tasks = False
    _parameter_constraints = {
        "alpha": NONNEGATIVE,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float = 1.0,
        *,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        tol: float = 1e-6,
        max_iter: int | None = None,
        warm_start: bool = False,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        return Independent(Apart(self.alpha))


def read_alphas(alpha, tasks):
    """Return strengths as an array: one number, or one per task."""
    if isinstance(alpha, Mapping):
        labels = tasks.tolist()
        missing = [label for label in labels if label not in alpha]
        if missing:
            raise ValueError(
                f"alpha must have one entry for each of the {len(labels)} tasks, got "
                f"none for {missing[:5]}. Add these labels."
            )
        alpha = [alpha[label] for label in labels]
    strengths = np.asarray(alpha, dtype=float)
    if strengths.ndim and strengths.shape != (len(tasks),):
        raise ValueError(
            f"alpha must be one number or one per task, of shape ({len(tasks)},), got "
            f"shape {strengths.shape}."
        )
    if not (np.isfinite(strengths) & (strengths >= 0)).all():
        raise ValueError(
            f"alpha must be finite and 0 or more, got {strengths.min()} to "
            f"{strengths.max()}."
        )
    return strengths
