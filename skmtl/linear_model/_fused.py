"""Tasks whose coefficients change rarely between neighbours."""

from dataclasses import dataclass

import numpy as np

from skmtl._contracts import PenalizedRelation
from skmtl.base import (
    ITERATIVE_CONSTRAINTS,
    NONNEGATIVE,
    POSITIVE,
    MomentRegressor,
)
from skmtl.data import KnownTasks, join_chain, join_edges, read_graph
from skmtl.penalties import Fused
from skmtl.solvers import Fista

from ._neighbours import Neighbours

_FUSED_CONSTRAINTS = {
    "alpha_fused": POSITIVE,
    "alpha_l1": NONNEGATIVE,
    "alpha_joint": NONNEGATIVE,
    "order": ["array-like", None],
    "edges": ["array-like", None],
}
_MAX_ITER = 10_000


@dataclass(frozen=True)
class RareJumps(PenalizedRelation):
    """Coefficients change rarely between neighbouring tasks."""

    neighbours: Neighbours
    penalty: Fused
    allows_many_outputs = False

    @classmethod
    def of(cls, tasks, strengths, order, edges):
        """Check the neighbours against the tasks, including those without rows."""
        if order is not None and edges is not None:
            raise ValueError(
                "order and edges must not both be given: the one is a chain, the other "
                "any network. Leave one of them None."
            )
        known = KnownTasks(tasks.labels, tasks.orders)
        if edges is not None:
            graph = join_edges(read_pairs(edges), 1.0, known, "edges")
        elif order is not None:
            graph = join_chain(read_order(order, tasks.labels), known, what="order")
        else:
            graph = read_graph("chain", known)
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
        return self.neighbours.extend(models, self.penalty)

    def report(self, fit, tasks):
        models = self.extend(fit.models).first(len(tasks)).only()
        return {"segments_": self.neighbours.segment(models.coef, self.penalty)}


class FusedRegressor(MomentRegressor):
    """Linear tasks in a row, whose coefficients change rarely from one to the next.

    Minimises ``n_tasks / (2 N) sum_t ||y_t - X_t w_t - b_t||^2 + alpha_fused
    sum_(s,t) sum_j |w_sj - w_tj| + alpha_l1 sum_tj |w_tj| + alpha_joint
    sum_j ||W[:, j]||_2``, with N rows in all, over neighbouring tasks s and t. Each
    feature has jumps of its own. It is known as the fused lasso, and with all three
    strengths as the fused sparse group lasso.

    Parameters
    ----------
    alpha_fused : float, default=1.0
        Strength of the pull between neighbours, positive. A large one makes one model.
    alpha_l1 : float, default=0.0
        Strength that selects coefficients one by one.
    alpha_joint : float, default=0.0
        Strength that selects features for all tasks at once.
    order : array-like, default=None
        Labels of the tasks along the chain. None uses the order of ordered categories
        (pandas' ordered Categorical, polars' Enum, pyarrow's ordered dictionary), of
        the columns of a 2-d y, or else of the numbers and dates in labels: week1,
        week2, week10. The order used is `order_`.
    edges : list of (label, label), default=None
        Pairs of neighbours, instead of a chain. `order` and `edges` may name tasks
        without rows: these get the coefficients with the fewest jumps, closest to their
        neighbours' mean if not unique. `alpha_l1` and `alpha_joint` do not apply to
        them.
    fit_intercept : bool, default=True
        Whether each task has an intercept.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with a task that neither has rows nor is named: predict it,
        or raise an error. If the order follows numbers and dates in labels, a new label
        gets the mean of its two neighbours, or at an end its only neighbour's model.
        Otherwise it gets the shared part.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss: a mapping from every label to a number, or
        "balanced" to give every task the same total weight.
    tol : float, default=1e-6
        Tolerance: the solver stops when `optimality_` is at most this.
    max_iter : int, default=None
        Largest number of iterations; None for 10,000.
    warm_start : bool, default=False
        Whether `fit` starts from the last solution, if that was of the same tasks.

    Attributes
    ----------
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for tasks without neighbours: a ridge fit to all rows, with
        strengths implied by the penalty. Zero where all tasks have zero.
    intercept_shared_ : float
        Intercept of the shared part.
    nodes_ : ndarray of shape (n_nodes,), dtype object
        Labels of the tasks with rows, then of those without.
    coef_nodes_ : ndarray of shape (n_nodes, n_features)
        Coefficients of the nodes.
    intercept_nodes_ : ndarray of shape (n_nodes,)
        Intercepts of the nodes; nodes without rows get their neighbours'.
    order_ : ndarray of shape (n_nodes,) or None
        Labels along the chain; None with `edges`.
    segments_ : ndarray of shape (n_tasks, n_features)
        Number of the segment that a coefficient is in, from 0 along the chain:
        neighbours within a segment have the same coefficient.
    objective_ : float
        Value of the objective.
    optimality_ : float
        Norm of the proximal gradient, relative to the one at zero.
    n_iter_ : int
        Number of iterations.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    moments_ : TaskMoments
        Moments of all rows so far, to which `partial_fit` adds; kept unless tasks
        have far fewer rows than features.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    GraphRegularizedRegressor : Neighbours that change smoothly.
    ClusteredRegressor : Groups of tasks that need no neighbours.

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

    _parameter_constraints = {**_FUSED_CONSTRAINTS, **ITERATIVE_CONSTRAINTS}

    def __init__(
        self,
        alpha_fused=1.0,
        *,
        alpha_l1=0.0,
        alpha_joint=0.0,
        order=None,
        edges=None,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-6,
        max_iter=None,
        warm_start=False,
    ):
        self.alpha_fused = alpha_fused
        self.alpha_l1 = alpha_l1
        self.alpha_joint = alpha_joint
        self.order = order
        self.edges = edges
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
        self.warm_start = warm_start

    def _relation(self, tasks):
        strengths = self.alpha_fused, self.alpha_l1, self.alpha_joint
        return RareJumps.of(tasks, strengths, self.order, self.edges)


def read_order(order, tasks):
    """Return the labels of a chain; check that each occurs once."""
    labels = np.asarray(order).tolist()
    missing = [task for task in tasks.tolist() if task not in set(labels)]
    if missing or len(set(labels)) < len(labels):
        raise ValueError(
            "order must name every task once; it does not name "
            f"{missing[:5]}, and has {len(labels)} labels of which {len(set(labels))} "
            "are distinct."
        )
    return labels


def read_pairs(edges):
    """Return the pairs of distinct labels."""
    pairs = [tuple(np.asarray(edge, dtype=object).tolist()) for edge in edges]
    strange = [len(pair) for pair in pairs if len(pair) != 2]
    if strange:
        raise ValueError(
            f"edges must be pairs of labels, got an edge of length {strange[0]}."
        )
    return [(a, b) for a, b in pairs if a != b]
