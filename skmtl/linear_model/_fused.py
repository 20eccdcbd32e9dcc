"""Tasks with few jumps of the coefficients between neighbours."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from skmtl._contracts import PenalizedRelation
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
from skmtl.data import KnownTasks, read_graph
from skmtl.penalties import Fused
from skmtl.solvers import Fista

from ._around_centre import CENTRE_CONSTRAINTS, around_centre
from ._neighbours import Neighbours

_FUSED_CONSTRAINTS = {
    "alpha_fused": POSITIVE,
    "alpha_l1": NONNEGATIVE,
    "alpha_joint": NONNEGATIVE,
    "graph": "no_validation",
}
_MAX_ITER = 10_000


@dataclass(frozen=True)
class FewJumps(PenalizedRelation):
    """Coefficients have few jumps between neighbouring tasks."""

    neighbours: Neighbours
    penalty: Fused

    @classmethod
    def of(cls, tasks, strengths, graph):
        """Read the neighbours of the tasks, including tasks without rows."""
        graph = _read_neighbours(graph, tasks)
        seen = np.zeros(len(graph.nodes), dtype=bool)
        seen[: len(tasks)] = tasks.seen
        neighbours = Neighbours(graph, seen)
        return cls(neighbours, neighbours.penalty(*strengths))

    @property
    def graph(self):
        return self.neighbours.graph

    def solver(self, loss, tol, max_iter):
        return Fista(tol, max_iter or _MAX_ITER)

    def extend(self, models):
        models = self.neighbours.extend(models.drop_output_axis(), self.penalty)
        return models.add_output_axis()

    def report(self, fit, tasks):
        models = self.extend(fit.models).first(len(tasks)).drop_output_axis()
        return {"segments_": self.neighbours.segment(models.coef, self.penalty)}


class FusedRegressor(MomentRegressor):
    """Linear regression of neighbouring tasks with few jumps of the coefficients.

    Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t - b_t||^2 + alpha_fused
    sum_(s,t) sum_j |w_sj - w_tj| + alpha_l1 sum_tj |w_tj| + alpha_joint
    sum_j ||W[:, j]||_2``, with N rows in all and neighbouring tasks ``(s, t)``. Each
    feature has jumps of its own. It is known as the fused lasso, and with all three
    strengths as the fused sparse group lasso.

    Parameters
    ----------
    alpha_fused : float, default=1.0
        Strength of the penalty on differences between neighbours, positive; a large one
        makes all tasks equal.
    alpha_l1 : float, default=0.0
        Strength of the penalty that selects single coefficients, 0 or more.
    alpha_joint : float, default=0.0
        Strength of the penalty that selects features for all tasks at once, 0 or more.
    graph : str, array-like, sparse matrix or list, default="chain"
        Which tasks are neighbours:

        - "chain": adjacent tasks in the order of ordered categories (pandas' ordered
          Categorical, polars' Enum, pyarrow's ordered dictionary), of the columns of a
          2-d y, or else of the numbers and dates in labels: week1, week2, week10; the
          order used is `order_`. In an order of labels, a new label gets the mean of
          its two neighbours' models, or at an end its only neighbour's model;
        - a list of labels, every task once: those next to each other in the list;
        - a list of edges, ``(label, label)``;
        - "complete", an adjacency or a frame, as in :class:`GraphRegularizedRegressor`,
          with edges of one weight.

        Tasks without rows that the graph names get the coefficients with the
        smallest total variation; if not unique, those closest to their neighbours'
        mean. `alpha_l1` and `alpha_joint` do not apply to them.
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
    nodes_ : ndarray of shape (n_nodes,), dtype object
        Labels of the tasks with rows, then of those without.
    coef_nodes_ : ndarray of shape (n_nodes, n_features)
        Coefficients of the nodes.
    intercept_nodes_ : ndarray of shape (n_nodes,)
        Intercepts of the nodes. The graph does not penalise them; a node without rows
        gets its neighbour's intercept, or its neighbours' mean.
    order_ : ndarray of shape (n_nodes,) or None
        Labels along the chain; None for other graphs.
    segments_ : ndarray of shape (n_tasks, n_features)
        Number of the segment of each coefficient, from 0 along the chain: neighbours in
        one segment have the same coefficient.
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
    GraphRegularizedRegressor : Smooth changes between neighbours.
    ClusteredRegressor : Groups of tasks, without a graph.

    References
    ----------
    Tibshirani, R., Saunders, M., Rosset, S., Zhu, J., Knight, K. (2005). Sparsity and
    smoothness via the fused lasso. Journal of the Royal Statistical Society B, 67(1),
    91-108. :doi:`10.1111/j.1467-9868.2005.00490.x`

    Zhou, J., Liu, J., Narayan, V. A., Ye, J. (2012). Modeling disease progression via
    fused sparse group lasso. Proceedings of the 18th ACM SIGKDD conference, 1095-1103.
    :doi:`10.1145/2339530.2339702`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import FusedRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 2))
    >>> Y = X @ [[1, 1, 1, 3, 3], [2, 2, 2, 2, 2]] + 0.1 * rng.normal(size=(50, 5))
    >>> model = FusedRegressor(alpha_fused=0.1).fit(X, Y)
    >>> model.segments_.T
    array([[0, 0, 0, 1, 1],
           [0, 0, 0, 0, 0]])
    """

    _parameter_constraints = {
        **_FUSED_CONSTRAINTS,
        **SCALED_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha_fused: float = 1.0,
        *,
        alpha_l1: float = 0.0,
        alpha_joint: float = 0.0,
        graph: Any = "chain",
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
        self.alpha_fused = alpha_fused
        self.alpha_l1 = alpha_l1
        self.alpha_joint = alpha_joint
        self.graph = graph
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
        strengths = self.alpha_fused, self.alpha_l1, self.alpha_joint
        relation = FewJumps.of(tasks, strengths, self.graph)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class FusedClassifier(LinearClassifier):
    """Linear classification of neighbouring tasks with few jumps of the coefficients.

    Minimises ``n_tasks / N sum_t sum_i log(1 + exp(-s_ti (x_ti . w_t + b_t))) +
    alpha_fused sum_(s,t) ||w_s - w_t||_1 + alpha_l1 ||W||_1 + alpha_joint sum_j ||W[:,
    j]||``, with signs ``s_ti`` of the two classes, N rows in all and neighbouring tasks
    ``(s, t)``.

    Parameters
    ----------
    alpha_fused : float, default=0.1
        Strength of the penalty on differences between neighbours, positive; a large one
        makes all tasks equal.
    alpha_l1 : float, default=0.0
        Strength of the penalty that selects single coefficients, 0 or more.
    alpha_joint : float, default=0.0
        Strength of the penalty that selects features for all tasks at once, 0 or more.
    graph : str, array-like, sparse matrix or list, default="chain"
        Which tasks are neighbours:

        - "chain": adjacent tasks in the order of ordered categories (pandas' ordered
          Categorical, polars' Enum, pyarrow's ordered dictionary), of the columns of a
          2-d y, or else of the numbers and dates in labels: week1, week2, week10; the
          order used is `order_`. In an order of labels, a new label gets the mean of
          its two neighbours' models, or at an end its only neighbour's model;
        - a list of labels, every task once: those next to each other in the list;
        - a list of edges, ``(label, label)``;
        - "complete", an adjacency or a frame, as in :class:`GraphRegularizedRegressor`,
          with edges of one weight.

        Tasks without rows that the graph names get the coefficients with the
        smallest total variation; if not unique, those closest to their neighbours'
        mean. `alpha_l1` and `alpha_joint` do not apply to them.
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
    nodes_ : ndarray of shape (n_nodes,), dtype object
        Labels of the tasks with rows, then of those without.
    coef_nodes_ : ndarray of shape (n_nodes, n_features)
        Coefficients of the nodes.
    intercept_nodes_ : ndarray of shape (n_nodes,)
        Intercepts of the nodes. The graph does not penalise them; a node without rows
        gets its neighbour's intercept, or its neighbours' mean.
    order_ : ndarray of shape (n_nodes,) or None
        Labels along the chain; None for other graphs.
    segments_ : ndarray of shape (n_tasks, n_features)
        Number of the segment of each coefficient, from 0 along the chain: neighbours in
        one segment have the same coefficient.
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
    FusedRegressor : The same for numbers.
    GraphRegularizedClassifier : Smooth changes between neighbours.
    ClusteredClassifier : Groups of tasks, without a graph.

    References
    ----------
    Tibshirani, R., Saunders, M., Rosset, S., Zhu, J., Knight, K. (2005). Sparsity and
    smoothness via the fused lasso. Journal of the Royal Statistical Society B, 67(1),
    91-108. :doi:`10.1111/j.1467-9868.2005.00490.x`

    Zhou, J., Liu, J., Narayan, V. A., Ye, J. (2012). Modeling disease progression via
    fused sparse group lasso. Proceedings of the 18th ACM SIGKDD conference, 1095-1103.
    :doi:`10.1145/2339530.2339702`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import FusedClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = z + 0.5 * rng.normal(size=400) > 0
    >>> model = FusedClassifier(0.1)
    >>> model.fit(X, y, task=task).segments_[:, 0]
    array([0, 0, 1, 1])
    """

    # With more classes, the penalty would depend on their coding.
    _takes_two_classes = True

    _parameter_constraints = {
        **_FUSED_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **CLASSIFIER_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha_fused: float = 0.1,
        *,
        alpha_l1: float = 0.0,
        alpha_joint: float = 0.0,
        graph: Any = "chain",
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
        self.alpha_fused = alpha_fused
        self.alpha_l1 = alpha_l1
        self.alpha_joint = alpha_joint
        self.graph = graph
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
        strengths = self.alpha_fused, self.alpha_l1, self.alpha_joint
        relation = FewJumps.of(tasks, strengths, self.graph)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


class FusedPoissonRegressor(LinearCountRegressor):
    """Poisson regression of neighbouring tasks with few jumps of the coefficients.

    Minimises ``n_tasks / N sum_t sum_i (exp(x_ti . w_t + b_t) - y_ti (x_ti . w_t +
    b_t)) + alpha_fused sum_(s,t) ||w_s - w_t||_1 + alpha_l1 ||W||_1 + alpha_joint sum_j
    ||W[:, j]||``, with N rows in all and neighbouring tasks ``(s, t)``. Means are
    ``exp(x . w_t + b_t)``, times an exposure if there is one.

    Parameters
    ----------
    alpha_fused : float, default=0.1
        Strength of the penalty on differences between neighbours, positive; a large one
        makes all tasks equal.
    alpha_l1 : float, default=0.0
        Strength of the penalty that selects single coefficients, 0 or more.
    alpha_joint : float, default=0.0
        Strength of the penalty that selects features for all tasks at once, 0 or more.
    graph : str, array-like, sparse matrix or list, default="chain"
        Which tasks are neighbours:

        - "chain": adjacent tasks in the order of ordered categories (pandas' ordered
          Categorical, polars' Enum, pyarrow's ordered dictionary), of the columns of a
          2-d y, or else of the numbers and dates in labels: week1, week2, week10; the
          order used is `order_`. In an order of labels, a new label gets the mean of
          its two neighbours' models, or at an end its only neighbour's model;
        - a list of labels, every task once: those next to each other in the list;
        - a list of edges, ``(label, label)``;
        - "complete", an adjacency or a frame, as in :class:`GraphRegularizedRegressor`,
          with edges of one weight.

        Tasks without rows that the graph names get the coefficients with the
        smallest total variation; if not unique, those closest to their neighbours'
        mean. `alpha_l1` and `alpha_joint` do not apply to them.
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
    nodes_ : ndarray of shape (n_nodes,), dtype object
        Labels of the tasks with rows, then of those without.
    coef_nodes_ : ndarray of shape (n_nodes, n_features)
        Coefficients of the nodes.
    intercept_nodes_ : ndarray of shape (n_nodes,)
        Intercepts of the nodes. The graph does not penalise them; a node without rows
        gets its neighbour's intercept, or its neighbours' mean.
    order_ : ndarray of shape (n_nodes,) or None
        Labels along the chain; None for other graphs.
    segments_ : ndarray of shape (n_tasks, n_features)
        Number of the segment of each coefficient, from 0 along the chain: neighbours in
        one segment have the same coefficient.
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
    FusedRegressor : The same for numbers.
    GraphRegularizedPoissonRegressor : Smooth changes between neighbours.
    ClusteredPoissonRegressor : Groups of tasks, without a graph.

    References
    ----------
    Tibshirani, R., Saunders, M., Rosset, S., Zhu, J., Knight, K. (2005). Sparsity and
    smoothness via the fused lasso. Journal of the Royal Statistical Society B, 67(1),
    91-108. :doi:`10.1111/j.1467-9868.2005.00490.x`

    Zhou, J., Liu, J., Narayan, V. A., Ye, J. (2012). Modeling disease progression via
    fused sparse group lasso. Proceedings of the 18th ACM SIGKDD conference, 1095-1103.
    :doi:`10.1145/2339530.2339702`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import FusedPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = rng.poisson(np.exp(z))
    >>> model = FusedPoissonRegressor(0.1)
    >>> model.fit(X, y, task=task).segments_[:, 0]
    array([0, 0, 1, 1])
    """

    _parameter_constraints = {
        **_FUSED_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **ITERATIVE_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha_fused: float = 0.1,
        *,
        alpha_l1: float = 0.0,
        alpha_joint: float = 0.0,
        graph: Any = "chain",
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
        self.alpha_fused = alpha_fused
        self.alpha_l1 = alpha_l1
        self.alpha_joint = alpha_joint
        self.graph = graph
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
        strengths = self.alpha_fused, self.alpha_l1, self.alpha_joint
        relation = FewJumps.of(tasks, strengths, self.graph)
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)


def _read_neighbours(graph, tasks):
    """Return the graph of the fused penalty; a list must name every task."""
    found = read_graph(graph, KnownTasks(tasks.labels, tasks.orders))
    if len(found.groups):
        raise ValueError(
            "graph must join tasks for the fused penalty, got a mapping to groups. "
            "Give a list of labels or edges, or use GraphRegularizedRegressor."
        )
    if found.order is not None:
        named = set(found.order.tolist())
        missing = [task for task in tasks.labels.tolist() if task not in named]
        if missing:
            raise ValueError(
                f"graph must name every task of a chain once; missing: {missing[:5]}."
            )
    if len(np.unique(found.adjacency.data)) > 1:
        raise ValueError(
            "graph must have edges of one weight for the fused penalty, got "
            f"{np.unique(found.adjacency.data)[:5].tolist()}. Leave out the weights."
        )
    return found
