"""Tasks that stay near their neighbours in a graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
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
    SCALED_CONSTRAINTS,
    LinearClassifier,
    LinearCountRegressor,
    MomentRegressor,
)
from skmtl.couplings import Graph
from skmtl.data import KnownTasks, TaskGraph, read_graph

from ._around_centre import CENTRE_CONSTRAINTS

_GRAPH_CONSTRAINTS = {
    "graph": "no_validation",
    "alpha": NONNEGATIVE,
    "alpha_ridge": NONNEGATIVE,
    "descriptors": "no_validation",
    "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    "labels": ["array-like", None],
    **CENTRE_CONSTRAINTS,
}


@dataclass(frozen=True)
class NearNeighbours(CoupledRelation):
    """Tasks stay near their neighbours in a graph."""

    coupling: Graph
    graph: TaskGraph

    @classmethod
    def of(cls, tasks, strengths, graph, descriptors, n_neighbors, labels):
        """Read the graph of the tasks."""
        known = KnownTasks(tasks.labels, tasks.orders, labels)
        graph = read_graph(graph, known, descriptors, n_neighbors)
        return cls(Graph(graph.adjacency, *strengths), graph)

    @property
    def penalizes_intercepts(self):
        return self.coupling.penalizes_intercepts()

    def report(self, fit, tasks):
        return {"adjacency_": self.graph.adjacency, "groups_": self.graph.groups}

    def report_nodes(self, coef):
        return {"coef_groups_": coef[len(coef) - len(self.graph.groups) :]}


class GraphRegularizedRegressor(MomentRegressor):
    """Linear regression of several tasks that resemble their neighbours in a graph.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_(s,t) A_st ||w_s - w_t||^2 +
    alpha_ridge sum_t ||w_t||^2`` over the edges ``(s, t)``, each counted once. With a
    finite `alpha_shared` the ridge is ``alpha_ridge sum_t ||w_t - c||^2 + alpha_shared
    ||c||^2`` with a centre c; with `alpha_intercept`, ``alpha_intercept sum_t (b_t -
    b_s)^2`` is added. It is known as graph-regularised or sum-of-squared-differences
    multi-task learning, and on a tree of groups as hierarchical Bayesian domain
    adaptation.

    Chains, trees and rings are solved by elimination, tasks on shared rows by two
    eigendecompositions, and other graphs by conjugate gradients. If a matrix of all
    features for each task would take far more memory than X, conjugate gradients run
    on the rows until the gradient is 1e-8 times the one at zero, or warn.

    Parameters
    ----------
    graph : str, array-like, sparse matrix, list or mapping, default="chain"
        Which tasks are neighbours:

        - "chain": adjacent tasks in the order of ordered categories (pandas' ordered
          Categorical, polars' Enum, pyarrow's ordered dictionary), of the columns of a
          2-d y, or else of the numbers and dates in labels: week1, week2, week10; the
          order used is `order_`. In an order of labels, a new label gets the mean of
          its two neighbours' models, or at an end its only neighbour's model;
        - a list of labels: those next to each other in the list;
        - "complete": all;
        - "knn": those with the nearest `descriptors`;
        - an array or sparse matrix of shape (n_tasks, n_tasks) in the order of
          `labels`, or a frame with labels as index and columns: weights of the edges;
        - a list of edges, ``(label, label)`` or ``(label, label, weight)``;
        - a mapping from each task to its parent, which is a group; the mapping may also
          name the parent of a group. A tuple is the path of groups from the root.
          Groups have their own coefficients, and are neighbours of their members.

        In every form of graph, tasks without rows are nodes too if the graph or ordered
        categories name them; their models minimise the objective.
    alpha : float, default=1.0
        Strength of the penalty on differences between neighbours, 0 or more.
    alpha_ridge : float, default=0.0
        Strength of the ridge penalty on tasks with rows, 0 or more.
    alpha_shared : float, default=inf
        Strength of the ridge penalty on a centre of the tasks, to which `alpha_ridge`
        then pulls them instead of to zero. Infinity means no centre; without
        `alpha_ridge` it has no effect.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts, ``sum_t (b_t -
        b_s)^2`` on the scale of `alpha_ridge`. 0 leaves them free, infinity makes them
        equal.
    descriptors : mapping, frame or array of shape (n_tasks, n_columns), default=None
        Descriptors of each task, for ``graph="knn"``: by label, or in the order of
        `labels`.
    n_neighbors : int, default=5
        Smallest number of neighbours of a task, for ``graph="knn"``.
    labels : array-like of shape (n_nodes,), default=None
        Labels of the rows of an array `graph` or `descriptors`, including tasks without
        rows. None uses `tasks_`; if the array has more rows than that, the sorted
        ordered categories, or 0, 1, 2, ...
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

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for tasks that are not nodes: the centre if there is one, the mean
        over the root groups, or a ridge fit to all rows, with strengths implied by the
        penalty.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    adjacency_ : CSR matrix of shape (n_nodes, n_nodes)
        Weights of the edges, in the order of `nodes_`.
    nodes_ : ndarray of shape (n_nodes,), dtype object
        Labels of the tasks with rows, then of those without, then of the groups.
    coef_nodes_ : ndarray of shape (n_nodes, n_features)
        Coefficients of the nodes.
    intercept_nodes_ : ndarray of shape (n_nodes,)
        Intercepts of the nodes. The graph does not penalise them; a node without rows
        gets its neighbour's intercept, or its neighbours' mean.
    order_ : ndarray of shape (n_nodes,) or None
        Labels along the chain; None for other graphs.
    groups_ : ndarray of shape (n_groups,)
        Labels of the groups, empty if `graph` has none.
    coef_groups_ : ndarray of shape (n_groups, n_features)
        Coefficients of the groups.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Norm of the gradient, relative to the one at zero.
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
        Moments of all rows so far, to which `partial_fit` adds; kept unless matrices of
        all features would take far more memory than X.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedRegressor : Tasks near one shared centre.

    References
    ----------
    Evgeniou, T., Micchelli, C. A., Pontil, M. (2005). Learning multiple tasks with
    kernel methods. Journal of Machine Learning Research, 6, 615-637.
    https://www.jmlr.org/papers/v6/evgeniou05a.html

    Finkel, J. R., Manning, C. D. (2009). Hierarchical Bayesian domain adaptation.
    NAACL '09, 602-610. https://aclanthology.org/N09-1068

    Examples
    --------
    >>> from skmtl.linear_model import GraphRegularizedRegressor
    >>> X = [[0, 1.0], [0, 2.0], [1, 1.0], [1, 2.0], [2, 1.0], [2, 2.0]]
    >>> y = [1.0, 2.0, 1.0, 3.0, 1.0, 4.0]
    >>> model = GraphRegularizedRegressor("chain", alpha=0.5, task_column=0).fit(X, y)
    >>> model.coef_.round(3)
    array([[1.5],
           [2. ],
           [2.5]])
    """

    _parameter_constraints = {
        **_GRAPH_CONSTRAINTS,
        **SCALED_CONSTRAINTS,
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        graph: Any = "chain",
        alpha: float = 1.0,
        *,
        alpha_ridge: float = 0.0,
        alpha_shared: float = np.inf,
        alpha_intercept: float = 0.0,
        descriptors: Any = None,
        n_neighbors: int = 5,
        labels: ArrayLike | None = None,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        scale_targets: bool | str = False,
    ):
        self.graph = graph
        self.alpha = alpha
        self.alpha_ridge = alpha_ridge
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.descriptors = descriptors
        self.n_neighbors = n_neighbors
        self.labels = labels
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.scale_targets = scale_targets

    def _relation(self, tasks):
        strengths = (
            self.alpha,
            self.alpha_ridge,
            self.alpha_shared,
            self.alpha_intercept,
        )
        graph = self.graph, self.descriptors, self.n_neighbors, self.labels
        return NearNeighbours.of(tasks, strengths, *graph)


class GraphRegularizedClassifier(LinearClassifier):
    """Linear classification of tasks that resemble their neighbours in a graph.

    Minimises ``sum_t sum_i loss(y_i, x_i . w_t + b_t) + alpha / 2 sum_(s,t) A_st ||w_s
    - w_t||^2 + alpha_ridge / 2 sum_t ||w_t||^2`` over the edges ``(s, t)``, each
    counted once. The loss is logistic for two classes and multinomial for more, with
    coefficients for each class.

    Parameters
    ----------
    graph : str, array-like, sparse matrix, list or mapping, default="chain"
        Which tasks are neighbours:

        - "chain": adjacent tasks in the order of ordered categories (pandas' ordered
          Categorical, polars' Enum, pyarrow's ordered dictionary), of the columns of a
          2-d y, or else of the numbers and dates in labels: week1, week2, week10; the
          order used is `order_`. In an order of labels, a new label gets the mean of
          its two neighbours' models, or at an end its only neighbour's model;
        - a list of labels: those next to each other in the list;
        - "complete": all;
        - "knn": those with the nearest `descriptors`;
        - an array or sparse matrix of shape (n_tasks, n_tasks) in the order of
          `labels`, or a frame with labels as index and columns: weights of the edges;
        - a list of edges, ``(label, label)`` or ``(label, label, weight)``;
        - a mapping from each task to its parent, which is a group; the mapping may also
          name the parent of a group. A tuple is the path of groups from the root.
          Groups have their own coefficients, and are neighbours of their members.

        In every form of graph, tasks without rows are nodes too if the graph or ordered
        categories name them; their models minimise the objective.
    alpha : float, default=1.0
        Strength of the penalty on differences between neighbours, 0 or more.
    alpha_ridge : float, default=1.0
        Strength of the ridge penalty on tasks with rows, 0 or more. If it is 0 and the
        classes are separable, no finite coefficients are optimal.
    alpha_shared : float, default=inf
        Strength of the ridge penalty on a centre of the tasks, to which `alpha_ridge`
        then pulls them instead of to zero. Infinity means no centre; without
        `alpha_ridge` it has no effect.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts, ``sum_t (b_t -
        b_s)^2`` on the scale of `alpha_ridge`. 0 leaves them free, infinity makes them
        equal.
    descriptors : mapping, frame or array of shape (n_tasks, n_columns), default=None
        Descriptors of each task, for ``graph="knn"``: by label, or in the order of
        `labels`.
    n_neighbors : int, default=5
        Smallest number of neighbours of a task, for ``graph="knn"``.
    labels : array-like of shape (n_nodes,), default=None
        Labels of the rows of an array `graph` or `descriptors`, including tasks without
        rows. None uses `tasks_`; if the array has more rows than that, the sorted
        ordered categories, or 0, 1, 2, ...
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
        Coefficients for tasks that are not nodes: the centre if there is one, the mean
        over the root groups, or a ridge fit to all rows, with strengths implied by the
        penalty.
    intercept_shared_ : float or ndarray of shape (n_classes,)
        Intercept for unseen tasks, to go with `coef_shared_`.
    adjacency_ : CSR matrix of shape (n_nodes, n_nodes)
        Weights of the edges, in the order of `nodes_`.
    nodes_ : ndarray of shape (n_nodes,), dtype object
        Labels of the tasks with rows, then of those without, then of the groups.
    coef_nodes_ : ndarray of shape (n_nodes[, n_classes], n_features)
        Coefficients of the nodes.
    intercept_nodes_ : ndarray of shape (n_nodes,) or (n_nodes, n_classes)
        Intercepts of the nodes. The graph does not penalise them; a node without rows
        gets its neighbour's intercept, or its neighbours' mean.
    order_ : ndarray of shape (n_nodes,) or None
        Labels along the chain; None for other graphs.
    groups_ : ndarray of shape (n_groups,)
        Labels of the groups, empty if `graph` has none.
    coef_groups_ : ndarray of shape (n_groups[, n_classes], n_features)
        Coefficients of the groups.
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
    GraphRegularizedRegressor : The same for numbers.
    MeanRegularizedClassifier : Tasks near one shared centre.

    References
    ----------
    Evgeniou, T., Micchelli, C. A., Pontil, M. (2005). Learning multiple tasks with
    kernel methods. Journal of Machine Learning Research, 6, 615-637.
    https://www.jmlr.org/papers/v6/evgeniou05a.html

    Finkel, J. R., Manning, C. D. (2009). Hierarchical Bayesian domain adaptation.
    NAACL '09, 602-610. https://aclanthology.org/N09-1068

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import GraphRegularizedClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, week = rng.normal(size=(300, 1)), np.repeat([1, 2, 3], 100)
    >>> y = rng.random(300) < 1 / (1 + np.exp(-week * X[:, 0]))
    >>> model = GraphRegularizedClassifier("chain", alpha=5.0).fit(X, y, task=week)
    >>> model.coef_.round(1)
    array([[1.4],
           [1.9],
           [2. ]])
    """

    _parameter_constraints = {**_GRAPH_CONSTRAINTS, **CLASSIFIER_CONSTRAINTS}

    def __init__(
        self,
        graph: Any = "chain",
        alpha: float = 1.0,
        *,
        alpha_ridge: float = 1.0,
        alpha_shared: float = np.inf,
        alpha_intercept: float = 0.0,
        descriptors: Any = None,
        n_neighbors: int = 5,
        labels: ArrayLike | None = None,
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
        self.graph = graph
        self.alpha = alpha
        self.alpha_ridge = alpha_ridge
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.descriptors = descriptors
        self.n_neighbors = n_neighbors
        self.labels = labels
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
        strengths = (
            self.alpha,
            self.alpha_ridge,
            self.alpha_shared,
            self.alpha_intercept,
        )
        graph = self.graph, self.descriptors, self.n_neighbors, self.labels
        return NearNeighbours.of(tasks, strengths, *graph)


class GraphRegularizedPoissonRegressor(LinearCountRegressor):
    """Poisson regression of several tasks that resemble their neighbours in a graph.

    Minimises ``sum_t sum_i (exp(x_ti . w_t + b_t) - y_ti (x_ti . w_t + b_t)) + alpha /
    2 sum_(s,t) A_st ||w_s - w_t||^2 + alpha_ridge / 2 sum_t ||w_t||^2`` over the edges
    ``(s, t)``, each counted once. Means are ``exp(x . w_t + b_t)``, times an exposure
    if there is one.

    Parameters
    ----------
    graph : str, array-like, sparse matrix, list or mapping, default="chain"
        Which tasks are neighbours:

        - "chain": adjacent tasks in the order of ordered categories (pandas' ordered
          Categorical, polars' Enum, pyarrow's ordered dictionary), of the columns of a
          2-d y, or else of the numbers and dates in labels: week1, week2, week10; the
          order used is `order_`. In an order of labels, a new label gets the mean of
          its two neighbours' models, or at an end its only neighbour's model;
        - a list of labels: those next to each other in the list;
        - "complete": all;
        - "knn": those with the nearest `descriptors`;
        - an array or sparse matrix of shape (n_tasks, n_tasks) in the order of
          `labels`, or a frame with labels as index and columns: weights of the edges;
        - a list of edges, ``(label, label)`` or ``(label, label, weight)``;
        - a mapping from each task to its parent, which is a group; the mapping may also
          name the parent of a group. A tuple is the path of groups from the root.
          Groups have their own coefficients, and are neighbours of their members.

        In every form of graph, tasks without rows are nodes too if the graph or ordered
        categories name them; their models minimise the objective.
    alpha : float, default=1.0
        Strength of the penalty on differences between neighbours, 0 or more.
    alpha_ridge : float, default=1.0
        Strength of the ridge penalty on tasks with rows, 0 or more.
    alpha_shared : float, default=inf
        Strength of the ridge penalty on a centre of the tasks, to which `alpha_ridge`
        then pulls them instead of to zero. Infinity means no centre; without
        `alpha_ridge` it has no effect.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts, ``sum_t (b_t -
        b_s)^2`` on the scale of `alpha_ridge`. 0 leaves them free, infinity makes them
        equal.
    descriptors : mapping, frame or array of shape (n_tasks, n_columns), default=None
        Descriptors of each task, for ``graph="knn"``: by label, or in the order of
        `labels`.
    n_neighbors : int, default=5
        Smallest number of neighbours of a task, for ``graph="knn"``.
    labels : array-like of shape (n_nodes,), default=None
        Labels of the rows of an array `graph` or `descriptors`, including tasks without
        rows. None uses `tasks_`; if the array has more rows than that, the sorted
        ordered categories, or 0, 1, 2, ...
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
        Coefficients for tasks that are not nodes: the centre if there is one, the mean
        over the root groups, or a ridge fit to all rows, with strengths implied by the
        penalty.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    adjacency_ : CSR matrix of shape (n_nodes, n_nodes)
        Weights of the edges, in the order of `nodes_`.
    nodes_ : ndarray of shape (n_nodes,), dtype object
        Labels of the tasks with rows, then of those without, then of the groups.
    coef_nodes_ : ndarray of shape (n_nodes, n_features)
        Coefficients of the nodes.
    intercept_nodes_ : ndarray of shape (n_nodes,)
        Intercepts of the nodes. The graph does not penalise them; a node without rows
        gets its neighbour's intercept, or its neighbours' mean.
    order_ : ndarray of shape (n_nodes,) or None
        Labels along the chain; None for other graphs.
    groups_ : ndarray of shape (n_groups,)
        Labels of the groups, empty if `graph` has none.
    coef_groups_ : ndarray of shape (n_groups, n_features)
        Coefficients of the groups.
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
    GraphRegularizedRegressor : The same for numbers.
    MeanRegularizedPoissonRegressor : Tasks near one shared centre.

    References
    ----------
    Evgeniou, T., Micchelli, C. A., Pontil, M. (2005). Learning multiple tasks with
    kernel methods. Journal of Machine Learning Research, 6, 615-637.
    https://www.jmlr.org/papers/v6/evgeniou05a.html

    Finkel, J. R., Manning, C. D. (2009). Hierarchical Bayesian domain adaptation.
    NAACL '09, 602-610. https://aclanthology.org/N09-1068

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import GraphRegularizedPoissonRegressor
    >>> rng = np.random.default_rng(0)
    >>> X, task = rng.normal(size=(400, 3)), np.repeat(np.arange(4), 100)
    >>> z = np.array([1, 1, -1, -1])[task] * X[:, 0]
    >>> y = rng.poisson(np.exp(z))
    >>> model = GraphRegularizedPoissonRegressor("chain", alpha=2.0)
    >>> model.fit(X, y, task=task).coef_.round(2)
    array([[ 0.96,  0.06,  0.02],
           [ 1.06, -0.01,  0.01],
           [-1.1 , -0.01,  0.05],
           [-1.08, -0.12, -0.19]])
    """

    _parameter_constraints = {**_GRAPH_CONSTRAINTS, **ITERATIVE_CONSTRAINTS}

    def __init__(
        self,
        graph: Any = "chain",
        alpha: float = 1.0,
        *,
        alpha_ridge: float = 1.0,
        alpha_shared: float = np.inf,
        alpha_intercept: float = 0.0,
        descriptors: Any = None,
        n_neighbors: int = 5,
        labels: ArrayLike | None = None,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        tol: float = 1e-6,
        max_iter: int | None = None,
        warm_start: bool = False,
    ):
        self.graph = graph
        self.alpha = alpha
        self.alpha_ridge = alpha_ridge
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.descriptors = descriptors
        self.n_neighbors = n_neighbors
        self.labels = labels
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        strengths = (
            self.alpha,
            self.alpha_ridge,
            self.alpha_shared,
            self.alpha_intercept,
        )
        graph = self.graph, self.descriptors, self.n_neighbors, self.labels
        return NearNeighbours.of(tasks, strengths, *graph)
