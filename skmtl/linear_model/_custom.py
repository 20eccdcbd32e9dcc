"""Tasks with a penalty, a coupling and a solver of the user's choice."""

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import isclass
from typing import Any

import numpy as np

from skmtl._compat import HasMethods
from skmtl._contracts import Coupling, PenalizedRelation, Penalty, Solver
from skmtl.base import COMMON_CONSTRAINTS, SCALED_CONSTRAINTS, MomentRegressor
from skmtl.solvers import Fista

from ._around_centre import CENTRE_CONSTRAINTS, around_centre


class NoPenalty(Penalty):
    """No penalty."""

    def value(self, W):
        return 0.0

    def prox(self, W, step):
        return W


@dataclass(frozen=True)
class Custom(PenalizedRelation):
    """A penalty, a coupling and a solver of the user's choice."""

    penalty: Penalty
    chosen_solver: Solver
    precision: object

    def solver(self, loss, tol, max_iter):
        return self.chosen_solver


class LinearTaskRegressor(MomentRegressor):
    """Linear regression of several tasks with your own penalty, coupling and solver.

    Minimises ``n_tasks / (2 N) (sum_t ||y_t - X_t w_t - b_t||^2 + coupling(W)) +
    penalty(W)``, with N rows in all, for any penalty of :mod:`skmtl.penalties` and any
    coupling of :mod:`skmtl.couplings`.

    Parameters
    ----------
    penalty : Penalty, default=None
        Penalty on the coefficients, or on two parts that add up to them; None for no
        penalty. Parts refer to tasks by position in `tasks_`, which is sorted;
        :class:`FusedRegressor` and :class:`GraphRegularizedRegressor` use labels.
    coupling : Coupling, default=None
        Quadratic penalty on differences between tasks, with strengths as in the
        estimator of that coupling; None for no coupling. Couplings can be added:
        ``ToMean(1.0) + Graph(adjacency, 0.5)``. A coupling that penalises intercepts
        raises an error.
    solver : Solver, default=None
        Solver of the problem; None for ``Fista()``.
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
    LowRankRegressor : Coefficients of low rank.
    DirtyRegressor : Shared features and exceptions.

    References
    ----------
    Beck, A., Teboulle, M. (2009). A fast iterative shrinkage-thresholding algorithm for
    linear inverse problems. SIAM Journal on Imaging Sciences, 2(1), 183-202.
    :doi:`10.1137/080716542`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.couplings import ToMean
    >>> from skmtl.linear_model import LinearTaskRegressor
    >>> from skmtl.penalties import L1
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> Y = X @ [[1.0, 1.2], [2.0, 1.8], [0.0, 0.0]]
    >>> model = LinearTaskRegressor(L1(alpha=0.1), coupling=ToMean(alpha=1e6))
    >>> model.fit(X, Y).coef_.round(1) + 0
    array([[1. , 1.8, 0. ],
           [1. , 1.8, 0. ]])
    """

    _parameter_constraints = {
        "penalty": [HasMethods(["value", "prox"]), None],
        "coupling": [HasMethods(["precision", "penalizes_intercepts"]), None],
        "solver": [HasMethods("minimize"), None],
        "warm_start": ["boolean"],
        **SCALED_CONSTRAINTS,
        **CENTRE_CONSTRAINTS,
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        penalty: Penalty | None = None,
        *,
        coupling: Coupling | None = None,
        solver: Solver | None = None,
        alpha_shared: float = np.inf,
        alpha_intercept: float = 0.0,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        scale_targets: bool | str = False,
        warm_start: bool = False,
    ):
        self.penalty = penalty
        self.coupling = coupling
        self.solver = solver
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.scale_targets = scale_targets
        self.warm_start = warm_start

    def _relation(self, tasks):
        _refuse_classes(self.penalty, self.coupling, self.solver)
        penalty = NoPenalty() if self.penalty is None else self.penalty
        solver = Fista() if self.solver is None else self.solver
        relation = Custom(penalty, solver, self._precision(tasks))
        return around_centre(relation, self.alpha_shared, self.alpha_intercept)

    def _precision(self, tasks):
        """Return the precision matrix of the coupling, or None."""
        coupling = self.coupling
        if coupling is None:
            return None
        if self.fit_intercept and coupling.penalizes_intercepts():
            raise ValueError(
                "coupling must leave intercepts free in LinearTaskRegressor, got one "
                f"with alpha_intercept above 0: {coupling}. Set alpha_intercept=0, or "
                "use MeanRegularizedRegressor, which can penalise intercepts."
            )
        return coupling.precision(len(tasks))


def _refuse_classes(*parts):
    """Refuse classes in place of objects."""
    for part in parts:
        if isclass(part):
            raise ValueError(
                f"penalty, coupling and solver must be objects, got the class "
                f"{part.__name__}. Write {part.__name__}()."
            )
