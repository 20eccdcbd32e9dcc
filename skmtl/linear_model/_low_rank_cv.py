"""Regression of tasks in few directions, its strength chosen from the data."""

from numbers import Integral, Real

from skmtl._compat import Interval

from ._low_rank import LowRankRegressor
from ._penalized import PENALIZED_CONSTRAINTS
from ._ridge_cv import SplittingRegressor
from ._search import Grid, Scaled, deal_or_split, search_path


class LowRankRegressorCV(SplittingRegressor):
    """Linear tasks whose coefficients span few directions, chosen by cross-validation.

    It is :class:`LowRankRegressor` with the `alpha` of smallest squared error on rows
    left out. Each fold is solved along falling strengths, from one to the next.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=30
        Strengths to choose from, positive, or how many, from the least one at which
        all coefficients are zero to `eps` times that.
    eps : float, default=None
        Lowest strength in units of the highest, if `alphas` is an int. None for 1e-3,
        and for lower ones as long as errors on rows left out fall.
    squared : bool, default=False
        Whether the trace norm is squared. Coefficients are then never all zero, and the
        highest strength is one that halves a step from zero.
    cv : int, splitter or iterable of (train, test), default=None
        None for 5. An int deals the rows of each task to so many folds.
    one_standard_error : bool, default=False
        Whether to take the largest alpha whose error is within one standard error of
        the smallest, for fewer directions.
    fit_intercept : bool, default=True
        Whether each task has an intercept, which is not penalised.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
    handle_unknown : {"shared", "error"}, default="shared"
        What `predict` does with a task not seen in `fit`: predict it with the shared
        part, or raise an error.
    task_weight : {"balanced"} or mapping, default=None
        Factor of each task's loss, and of its errors: a mapping from every label to a
        number, or "balanced" to give every task the same total weight.
    tol : float, default=1e-6
        Optimality to be reached, as in :class:`LowRankRegressor`; in folds ten times
        that, 1e-4 at most.
    max_iter : int, default=10000
        Largest number of iterations per strength.

    Attributes
    ----------
    alpha_ : float
        Strength that was chosen.
    alphas_ : ndarray of shape (n_alphas,)
        Strengths to choose from, falling.
    mse_path_ : ndarray of shape (n_alphas, n_folds)
        Mean squared errors on rows left out.
    best_score_ : float
        Mean of these at `alpha_`, negated.
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients for unseen tasks: a ridge fit to all rows, with strengths implied
        by the penalty. Zero where all tasks have zero.
    intercept_shared_ : float
        Intercept of the shared part.
    rank_ : int
        Number of directions that the coefficients span.
    n_iter_ : int
        Number of iterations on all rows, at `alpha_`.
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
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "eps": [Interval(Real, 0, 1, closed="neither"), None],
        "squared": ["boolean"],
        "cv": ["cv_object"],
        "one_standard_error": ["boolean"],
        **{
            name: allowed
            for name, allowed in PENALIZED_CONSTRAINTS.items()
            if name != "warm_start"
        },
    }

    def __init__(
        self,
        alphas=30,
        *,
        eps=None,
        squared=False,
        cv=None,
        one_standard_error=False,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
        tol=1e-6,
        max_iter=10000,
    ):
        self.alphas = alphas
        self.eps = eps
        self.squared = squared
        self.cv = cv
        self.one_standard_error = one_standard_error
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter

    def _read_splits(self, data, X, y, task):
        return deal_or_split(self.cv, data, X, y, task)

    def _learn(self, data, splits):
        same = "squared", "fit_intercept", "task_weight", "tol", "max_iter"
        model = LowRankRegressor(**{name: getattr(self, name) for name in same})
        counted = isinstance(self.alphas, Integral)
        grid = Grid(self.alphas, self.eps) if counted else self.alphas
        scaled = Scaled(model, ["alpha"])
        path = search_path(scaled, data, splits, grid, self.one_standard_error)
        learnt = scaled.at(path.alpha)._learn(data, None)
        return {
            **{name: learnt[name] for name in learnt if name in _LEARNT},
            "alpha_": path.alpha,
            "alphas_": path.alphas,
            "mse_path_": path.errors,
            "best_score_": path.score,
        }


# What of a fit does not depend on the kind of the penalty.
_LEARNT = {
    "coef_",
    "coef_shared_",
    "intercept_",
    "intercept_shared_",
    "n_iter_",
    "n_tasks_",
    "rank_",
    "tasks_",
}
