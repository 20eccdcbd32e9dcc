"""Regression of tasks that stay near their neighbours in a graph."""

from numbers import Integral, Real

from scipy import sparse

from skmtl._compat import Interval
from skmtl._memory import is_large
from skmtl.base import COMMON_CONSTRAINTS, MomentRegressor, cast, float_type
from skmtl.couplings import Graph
from skmtl.data import KnownTasks, read_graph, read_task_weight
from skmtl.losses import Squared
from skmtl.problems.exact import GraphFit
from skmtl.problems.newton import Datafit, GraphLosses, iterate, warn_of_iteration

from ._nodes import NodeModel


class GraphRegularizedRegressor(NodeModel, MomentRegressor):
    """Linear tasks that stay near their neighbours in a graph.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_(s,t) A_st ||w_s - w_t||^2 +
    alpha_ridge sum_t ||w_t||^2`` over the edges ``(s, t)``, each counted once. It is
    known as graph-regularised or sum-of-squared-differences multi-task learning, and on
    a tree of groups as hierarchical Bayesian domain adaptation.

    Chains, trees and rings are solved by elimination, tasks on shared rows by two
    eigendecompositions, other graphs by conjugate gradients. Where a matrix of all
    features for each task would take far more memory than X, none is formed, and
    conjugate gradients go on until the gradient is 1e-8 times the one at zero, or warn.

    Parameters
    ----------
    graph : str, array-like, sparse matrix, list or mapping, default="chain"
        Which tasks are neighbours:

        - "chain": adjacent tasks in the order of ordered categories (pandas' ordered
          Categorical, polars' Enum, pyarrow's ordered dictionary), of the columns of a
          2-d y, or else of the numbers and dates in labels: week1, week2, week10; the
          order used is `order_`;
        - a list of labels: those next to each other in the list;
        - "complete": all;
        - "knn": those whose `descriptors` are nearest;
        - an array or sparse matrix of shape (n_tasks, n_tasks) in the order of
          `labels`, or a frame with labels as index and columns: weights of the edges;
        - a list of edges, ``(label, label)`` or ``(label, label, weight)``;
        - a mapping from each task to its parent: a group, which the mapping may give a
          parent in turn, or a tuple, the path of groups from the top. Groups have
          coefficients of their own, to which their members are pulled.

        Tasks without rows that the graph or ordered categories name are nodes too, in
        every form of graph; their models minimise the objective.
    alpha : float, default=1.0
        Strength of the pull to the neighbours, 0 or more.
    alpha_ridge : float, default=0.0
        Strength of the ridge on tasks with rows.
    descriptors : mapping, frame or array-like of shape (n_tasks, n_descriptors), \
default=None
        What describes each task, for ``graph="knn"``: by label, or in the order of
        `labels`.
    n_neighbors : int, default=5
        How many neighbours each task has at least, for ``graph="knn"``.
    labels : array-like of shape (n_nodes,), default=None
        Labels of the rows of an array `graph` or `descriptors`, including tasks without
        rows. None uses `tasks_`; if the array has more rows than that, the sorted
        ordered categories, or 0, 1, 2, ...
    fit_intercept : bool, default=True
        Whether each task has an intercept, which nothing pulls.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with a task that is not a node of the graph: predict it, or
        raise an error. If a chain follows numbers and dates in labels, a new label gets
        the mean of its two neighbours, or at an end its only neighbour's model.
        Otherwise it gets the shared part.
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
        Coefficients for tasks that are not nodes: the mean over the root groups, or a
        ridge fit to all rows, with strengths implied by the penalty.
    intercept_shared_ : float
        Intercept for unseen tasks, to go with `coef_shared_`.
    adjacency_ : CSR matrix of shape (n_nodes, n_nodes)
        Weights of the edges, in the order of `nodes_`.
    nodes_ : ndarray of shape (n_nodes,), dtype object
        Labels of the tasks with rows, then of those without, then of the groups.
    coef_nodes_ : ndarray of shape (n_nodes, n_features)
        Coefficients of the nodes.
    intercept_nodes_ : ndarray of shape (n_nodes,)
        Intercepts of the nodes. They are not penalised; a node without rows gets its
        neighbour's intercept, or its neighbours' mean.
    order_ : ndarray of shape (n_nodes,) or None
        Labels along the chain; None for other graphs.
    groups_ : ndarray of shape (n_groups,)
        Labels of the groups, empty if `graph` has none.
    coef_groups_ : ndarray of shape (n_groups, n_features)
        Coefficients of the groups.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    moments_ : TaskMoments
        Moments of all rows so far, to which `partial_fit` adds; kept unless matrices of
        all features would take far more memory than X.
    kkt_ : float
        Gradient that is left, relative to the one at zero; only if no `moments_` are
        kept.
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
        "graph": "no_validation",
        "alpha": [Interval(Real, 0, None, closed="left")],
        "alpha_ridge": [Interval(Real, 0, None, closed="left")],
        "descriptors": "no_validation",
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "labels": ["array-like", None],
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        graph="chain",
        alpha=1.0,
        *,
        alpha_ridge=0.0,
        descriptors=None,
        n_neighbors=5,
        labels=None,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
    ):
        self.graph = graph
        self.alpha = alpha
        self.alpha_ridge = alpha_ridge
        self.descriptors = descriptors
        self.n_neighbors = n_neighbors
        self.labels = labels
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _learn(self, data, splits):
        n_tasks, n_features = len(data.tasks), data.X.shape[1]
        n_matrices = 1 if data.shares_moments else n_tasks
        n_data = data.X.nnz if sparse.issparse(data.X) else data.X.size
        if not is_large(n_matrices * n_features**2, n_data):
            return super()._learn(data, splits)
        return self._learn_by_iteration(data)

    def _learn_by_iteration(self, data):
        """Fit without a matrix of the features per task."""
        graph = self._read_graph(data)
        rows = data.stacked() if data.shares_rows else data
        coupling = Graph(graph.adjacency, self.alpha, self.alpha_ridge)
        datafit = Datafit(rows, Squared(), self.fit_intercept)
        losses = GraphLosses(datafit, coupling, graph, tuple(graph.roots))
        fit = iterate(losses)
        warn_of_iteration(fit)
        models = losses.unpack_nodes(fit.variable).only()
        learnt = self._learnt(graph, models, data.layout, float_type(data.X), data)
        return {**learnt, "kkt_": fit.residual}

    def _fit_moments(self, moments):
        return self._pose(self._read_graph(moments), moments)

    def _from_moments(self, moments, layout, dtype):
        graph = self._read_graph(moments)
        models = self._pose(graph, moments).unpack_nodes()
        learnt = self._learnt(graph, models, layout, dtype, moments)
        return {**learnt, "moments_": moments}

    def _learnt(self, graph, models, layout, dtype, data):
        """Return the fitted attributes, given the models of all nodes."""
        coef, intercept = cast(models.coef, dtype), cast(models.intercept, dtype)
        first = models.first(len(data.tasks))
        return {
            **self._linear(data.tasks, first, layout, dtype),
            **self._about_nodes(graph, coef, intercept),
            "adjacency_": graph.adjacency,
            "groups_": graph.groups,
            "coef_groups_": coef[len(coef) - len(graph.groups) :],
        }

    def _read_graph(self, moments):
        tasks = KnownTasks(moments.tasks, moments.orders, self.labels)
        return read_graph(self.graph, tasks, self.descriptors, self.n_neighbors)

    def _pose(self, graph, moments):
        factor = read_task_weight(self.task_weight, moments.tasks, moments.weight)
        moments = moments.weighted(factor)
        moments = moments if self.fit_intercept else moments.about_zero()
        coupling = Graph(graph.adjacency, self.alpha, self.alpha_ridge)
        return GraphFit(moments, coupling, self.fit_intercept, tuple(graph.roots))
