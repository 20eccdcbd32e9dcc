"""Tasks that form unknown groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from skmtl._compat import Interval
from skmtl._contracts import PenalizedRelation
from skmtl._linalg import number_by_first
from skmtl.base import (
    CLASSIFIER_CONSTRAINTS,
    ITERATIVE_CONSTRAINTS,
    NONNEGATIVE,
    POSITIVE,
    SCALED_CONSTRAINTS,
    LinearClassifier,
    LinearCountRegressor,
    MomentRegressor,
)
from skmtl.penalties import ClusterNorm
from skmtl.solvers import Fista

from ._around_centre import CENTRE_CONSTRAINTS, around_centre

_CLUSTER_CONSTRAINTS = {
    "n_clusters": [Interval(Integral, 1, None, closed="left")],
    "alpha_between": POSITIVE,
    "alpha_within": [Interval(Real, 0, np.inf, closed="right")],
    "alpha_mean": [*NONNEGATIVE, None],
}
_MAX_ITER = 10_000


@dataclass(frozen=True)
class Clusters(PenalizedRelation):
    """Tasks form unknown groups."""

    penalty: ClusterNorm

    @classmethod
    def of(cls, n_clusters, alpha_between, alpha_within, alpha_mean):
        """Return the relation, after a check of its strengths."""
        if alpha_within < alpha_between:
            raise ValueError(
                "alpha_within must be alpha_between or more, got alpha_within="
                f"{alpha_within} and alpha_between={alpha_between}. Raise "
                "alpha_within: it penalises differences within groups."
            )
        return cls(ClusterNorm(alpha_between, alpha_within, n_clusters, alpha_mean))

    def solver(self, loss, tol, max_iter):
        return Fista(tol, max_iter or _MAX_ITER)

    def report(self, fit, tasks):
        affinity = self.penalty.affinity(fit.coef)
        labels = cluster(affinity, self.penalty.n_clusters)
        return {"task_affinity_": affinity, "task_labels_": labels}


class ClusteredRegressor(MomentRegressor):
    """Linear regression of several tasks that form unknown groups.

    Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t - b_t||^2 + 1/2 trace(W' (M /
    alpha_between + (I - M) / alpha_within)^-1 W)``, with N rows in all, over
    coefficients W and affinities M between tasks with eigenvalues in [0, 1] and trace
    `n_clusters`. This is the convex relaxation of a search for groups: if M were the
    projection on groups of tasks, ``alpha_between / 2`` would penalise the centres of
    the groups, and ``alpha_within / 2`` the differences from them. It is known as
    clustered multi-task learning and as the cluster norm, and equals convex alternating
    structure optimisation.

    Parameters
    ----------
    n_clusters : int, default=2
        Number of groups. With as many as there are tasks or features, tasks share
        nothing.
    alpha_between : float, default=1.0
        Strength of the penalty on the centres of groups, positive.
    alpha_within : float, default=10.0
        Strength of the penalty on differences between a task and the centre of its
        group: at least `alpha_between`, may be infinite.
    alpha_mean : float, default=None
        Strength of the penalty ``alpha_mean / 2 * n_tasks * ||mean||^2`` on the mean of
        all tasks, 0 or more; groups are then formed by differences from this mean. None
        for groups of the coefficients themselves.
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
    task_affinity_ : ndarray of shape (n_tasks, n_tasks)
        The affinity M: near ``1 / size`` between tasks of one group, near zero between
        groups.
    task_labels_ : ndarray of shape (n_tasks,)
        Group of each task, from 0 in the order of `tasks_`: Ward clusters of the
        leading eigenvectors of the affinity.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Norm of the proximal gradient, relative to the one at zero.
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
    MeanRegularizedRegressor : All tasks in one group.
    LowRankRegressor : Coefficients of low rank, without groups.
    FusedRegressor : Groups of neighbours along a chain, feature by feature.

    References
    ----------
    Jacob, L., Bach, F., Vert, J.-P. (2008). Clustered multi-task learning: a convex
    formulation. Advances in Neural Information Processing Systems, 21.
    :doi:`10.48550/arXiv.0809.2085`

    Zhou, J., Chen, J., Ye, J. (2011). Clustered multi-task learning via alternating
    structure optimization. Advances in Neural Information Processing Systems, 24.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import ClusteredRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 3))
    >>> groups = np.array([[1.0, 2.0, 0.0], [2.0, -1.0, 0.0]])
    >>> Y = X @ groups[[0, 1, 0, 1]].T + rng.normal(size=(50, 4))
    >>> model = ClusteredRegressor(2, alpha_between=0.01, alpha_within=1.0).fit(X, Y)
    >>> model.task_labels_
    array([0, 1, 0, 1])
    """

    _parameter_constraints = {
        **_CLUSTER_CONSTRAINTS,
        **SCALED_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        n_clusters: int = 2,
        alpha_between: float = 1.0,
        alpha_within: float = 10.0,
        *,
        alpha_mean: float | None = None,
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
        self.n_clusters = n_clusters
        self.alpha_between = alpha_between
        self.alpha_within = alpha_within
        self.alpha_mean = alpha_mean
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
        strengths = self.alpha_between, self.alpha_within, self.alpha_mean
        relation = Clusters.of(self.n_clusters, *strengths)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class ClusteredClassifier(LinearClassifier):
    """Linear classification of several tasks that form unknown groups.

    Minimises ``n_tasks / N sum_t sum_i log(1 + exp(-s_ti (x_ti . w_t + b_t))) +
    norm(W)``, with signs s of the two classes, N rows in all, and the cluster norm of
    :class:`ClusteredRegressor`.

    Parameters
    ----------
    n_clusters : int, default=2
        Number of groups. With as many as there are tasks or features, tasks share
        nothing.
    alpha_between : float, default=0.1
        Strength of the penalty on the centres of groups, positive.
    alpha_within : float, default=1.0
        Strength of the penalty on differences between a task and the centre of its
        group: at least `alpha_between`, may be infinite.
    alpha_mean : float, default=None
        Strength of the penalty ``alpha_mean / 2 * n_tasks * ||mean||^2`` on the mean of
        all tasks, 0 or more; groups are then formed by differences from this mean. None
        for groups of the coefficients themselves.
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
        all rows, with strengths implied by the penalty. Zero where all tasks have zero.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    task_affinity_ : ndarray of shape (n_tasks, n_tasks)
        The affinity M: near ``1 / size`` between tasks of one group, near zero between
        groups.
    task_labels_ : ndarray of shape (n_tasks,)
        Group of each task, from 0 in the order of `tasks_`: Ward clusters of the
        leading eigenvectors of the affinity.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Norm of the proximal gradient, relative to the one at zero.
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
    ClusteredRegressor : The same for numbers.
    MeanRegularizedClassifier : All tasks in one group.
    FusedClassifier : Groups of neighbours along a chain, feature by feature.

    References
    ----------
    Jacob, L., Bach, F., Vert, J.-P. (2008). Clustered multi-task learning: a convex
    formulation. Advances in Neural Information Processing Systems, 21.
    :doi:`10.48550/arXiv.0809.2085`

    Zhou, J., Chen, J., Ye, J. (2011). Clustered multi-task learning via alternating
    structure optimization. Advances in Neural Information Processing Systems, 24.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import ClusteredClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = z + 0.5 * rng.normal(size=400) > 0
    >>> model = ClusteredClassifier(alpha_between=0.05, alpha_within=0.1)
    >>> model.fit(X, y, task=task).task_labels_
    array([0, 0, 1, 1])
    """

    # With more classes, the penalty would depend on their coding.
    _takes_two_classes = True

    _parameter_constraints = {
        **_CLUSTER_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        n_clusters: int = 2,
        alpha_between: float = 0.1,
        alpha_within: float = 1.0,
        *,
        alpha_mean: float | None = None,
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
        self.n_clusters = n_clusters
        self.alpha_between = alpha_between
        self.alpha_within = alpha_within
        self.alpha_mean = alpha_mean
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
        strengths = self.alpha_between, self.alpha_within, self.alpha_mean
        relation = Clusters.of(self.n_clusters, *strengths)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class ClusteredPoissonRegressor(LinearCountRegressor):
    """Poisson regression of several tasks that form unknown groups.

    Minimises ``n_tasks / N sum_t sum_i (exp(x_ti . w_t + b_t) - y_ti (x_ti . w_t +
    b_t)) + norm(W)``, with N rows in all and the cluster norm of
    :class:`ClusteredRegressor`. Means are ``exp(x . w_t + b_t)``, times an exposure if
    there is one.

    Parameters
    ----------
    n_clusters : int, default=2
        Number of groups. With as many as there are tasks or features, tasks share
        nothing.
    alpha_between : float, default=0.1
        Strength of the penalty on the centres of groups, positive.
    alpha_within : float, default=1.0
        Strength of the penalty on differences between a task and the centre of its
        group: at least `alpha_between`, may be infinite.
    alpha_mean : float, default=None
        Strength of the penalty ``alpha_mean / 2 * n_tasks * ||mean||^2`` on the mean of
        all tasks, 0 or more; groups are then formed by differences from this mean. None
        for groups of the coefficients themselves.
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
    task_affinity_ : ndarray of shape (n_tasks, n_tasks)
        The affinity M: near ``1 / size`` between tasks of one group, near zero between
        groups.
    task_labels_ : ndarray of shape (n_tasks,)
        Group of each task, from 0 in the order of `tasks_`: Ward clusters of the
        leading eigenvectors of the affinity.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Norm of the proximal gradient, relative to the one at zero.
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
    ClusteredRegressor : The same for numbers.
    MeanRegularizedPoissonRegressor : All tasks in one group.
    FusedPoissonRegressor : Groups of neighbours along a chain, feature by feature.

    References
    ----------
    Jacob, L., Bach, F., Vert, J.-P. (2008). Clustered multi-task learning: a convex
    formulation. Advances in Neural Information Processing Systems, 21.
    :doi:`10.48550/arXiv.0809.2085`

    Zhou, J., Chen, J., Ye, J. (2011). Clustered multi-task learning via alternating
    structure optimization. Advances in Neural Information Processing Systems, 24.

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import ClusteredPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = rng.poisson(np.exp(z))
    >>> model = ClusteredPoissonRegressor(alpha_between=0.05, alpha_within=0.1)
    >>> model.fit(X, y, task=task).task_labels_
    array([0, 0, 1, 1])
    """

    _parameter_constraints = {
        **_CLUSTER_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        n_clusters: int = 2,
        alpha_between: float = 0.1,
        alpha_within: float = 1.0,
        *,
        alpha_mean: float | None = None,
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
        self.n_clusters = n_clusters
        self.alpha_between = alpha_between
        self.alpha_within = alpha_within
        self.alpha_mean = alpha_mean
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
        strengths = self.alpha_between, self.alpha_within, self.alpha_mean
        relation = Clusters.of(self.n_clusters, *strengths)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


def cluster(affinity, n_clusters):
    """Return the cluster of each task, numbered in the order of the tasks."""
    from scipy.cluster.hierarchy import fcluster, ward
    from scipy.spatial.distance import pdist

    if len(affinity) < 2:
        return np.zeros(len(affinity), dtype=np.intp)
    _, vectors = np.linalg.eigh(affinity)
    leading = vectors[:, -n_clusters:]
    # Rows of one group are equal, rows of different groups are orthogonal.
    sizes = np.linalg.norm(leading, axis=1, keepdims=True)
    rows = leading / np.where(sizes > 0, sizes, 1.0)
    # Condensed distances: SciPy warns if rows form a square array.
    found = fcluster(ward(pdist(rows)), n_clusters, "maxclust")
    return number_by_first(found)
