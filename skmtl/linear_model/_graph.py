"""Regression of tasks that stay near their neighbours in a graph."""

from numbers import Integral, Real

from skmtl._compat import Interval
from skmtl.couplings import Graph
from skmtl.data import read_task_weight
from skmtl.problems import GraphFit

from ._base import MomentRegressor
from ._finite import cast
from ._graphs import read_graph
from ._ridge import COMMON_CONSTRAINTS


class GraphRegularizedRegressor(MomentRegressor):
    """Linear tasks that stay near their neighbours in a graph.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_(s,t) A_st ||w_s - w_t||^2 +
    alpha_ridge sum_t ||w_t||^2`` over the edges ``(s, t)``, each counted once. It is
    known as graph-regularised or sum-of-squared-differences multi-task learning, and on
    a tree of groups as hierarchical Bayesian domain adaptation.

    Chains, trees and rings are solved by elimination, tasks on shared rows by two
    eigendecompositions, other graphs by conjugate gradients.

    Parameters
    ----------
    graph : str, array-like, sparse matrix, list or mapping, default="chain"
        Which tasks are neighbours:

        - "chain": those next to each other in the order of `tasks_`;
        - a list of labels: those next to each other in the list;
        - "complete": all;
        - "knn": those whose `descriptors` are nearest;
        - an array or sparse matrix of shape (n_tasks, n_tasks) in the order of
          `tasks_`, or a frame with labels as index and columns: weights of the edges;
        - a list of edges, ``(label, label)`` or ``(label, label, weight)``;
        - a mapping from each task to its parent: a group, which the mapping may give a
          parent in turn, or a tuple, the path of groups from the top. Groups have
          coefficients of their own, to which their members are pulled.
    alpha : float, default=1.0
        Strength of the pull to the neighbours, 0 or more.
    alpha_ridge : float, default=0.0
        Strength of the pull to zero.
    descriptors : mapping, frame or array-like of shape (n_tasks, n_descriptors), \
default=None
        What describes each task, for ``graph="knn"``: by label, or in the order of
        `tasks_`.
    n_neighbors : int, default=5
        How many neighbours each task has at least, for ``graph="knn"``.
    fit_intercept : bool, default=True
        Whether each task has an intercept, which nothing pulls.
    task_column : str or int, default=None
        Column of X that holds the task of each row, by name or position.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with a task not seen in `fit`: predict it with the shared
        part, or raise an error.
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
        Coefficients for tasks never seen: the mean of the topmost groups', or those
        that fit all rows best, with the pull on the tasks as a ridge.
    intercept_shared_ : float
        Intercept for tasks never seen, which goes with `coef_shared_`.
    adjacency_ : CSR matrix of shape (n_nodes, n_nodes)
        Weights of the edges; the first nodes are the tasks, further ones the groups.
    groups_ : ndarray of shape (n_groups,)
        Labels of the groups, empty if `graph` has none.
    coef_groups_ : ndarray of shape (n_groups, n_features)
        Coefficients of the groups.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    moments_ : TaskMoments
        Moments of all rows so far, to which `partial_fit` adds.
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
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _fit_moments(self, moments):
        return self._pose(self._read_graph(moments.tasks), moments)

    def _from_moments(self, moments, layout, dtype):
        graph = self._read_graph(moments.tasks)
        fit = self._pose(graph, moments)
        return {
            **self._linear(moments.tasks, fit.unpack(), layout, dtype),
            "adjacency_": graph.adjacency,
            "groups_": graph.groups,
            "coef_groups_": cast(fit.nodes[moments.n_tasks :], dtype),
            "moments_": moments,
        }

    def _read_graph(self, tasks):
        return read_graph(self.graph, tasks, self.descriptors, self.n_neighbors)

    def _pose(self, graph, moments):
        factor = read_task_weight(self.task_weight, moments.tasks, moments.weight)
        moments = moments.weighted(factor)
        moments = moments if self.fit_intercept else moments.about_zero()
        coupling = Graph(graph.adjacency, self.alpha, self.alpha_ridge)
        return GraphFit(moments, coupling, self.fit_intercept, tuple(graph.roots))
