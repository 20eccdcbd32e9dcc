"""Count models of tasks near a shared centre, with strengths chosen from the data."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from ._laplace_intervals import IntervalsOfCounts
from ._search_of_losses import SearchOfLosses


class MeanRegularizedPoissonRegressorCV(SearchOfLosses, IntervalsOfCounts):
    """Poisson regression near a shared centre, with strengths chosen from the data.

    Minimises ``sum_t sum_i (exp(z_i) - y_i z_i) + alpha / 2 sum_t ||w_t - w_s||^2 +
    alpha_shared / 2 ||w_s||^2 + alpha_intercept / 2 sum_t (b_t - b_s)^2``, where ``z_i
    = x_i . w_t + b_t`` is the logarithm of the mean, as
    :class:`MeanRegularizedPoissonRegressor` does. It chooses `alpha`, `alpha_shared`
    and `alpha_intercept` by how much tasks differ: from 0 for independent tasks to
    infinity for equal tasks.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,) or mapping, default=None
        Candidate strengths, positive or infinite. None searches all values, from likely
        ones. With several groupings, a mapping may give a list for each.
    alphas_shared : array-like of shape (n_alphas_shared,), default=None
        Candidate strengths of the ridge penalty on the centre's coefficients, not on
        its intercept; 0 or more. None searches all positive values.
    alphas_intercept : array-like or mapping, default=None
        Candidate strengths of the penalty on differences between intercepts, positive
        or infinite. None searches all values. With several groupings, as `alphas`.
    method : {"cv", "laplace"}, default="cv"
        Criterion. "cv": the score on held-out rows. "laplace": the Laplace
        approximation of the likelihood of a mixed model, in which tasks are normal
        draws around the centre. It needs no folds, but assumes that tasks are such
        draws.
    cv : int, splitter or iterable of (train, test), default=None
        Folds for ``method="cv"``; None for 5. An int assigns the rows of each task to
        that many folds, in random order.
    scoring : str or callable, default=None
        Score of held-out rows for ``method="cv"``, of scikit-learn; larger is better.
        None for "neg_mean_poisson_deviance" with all weights and exposures applied;
        scorers get no weights.
    alpha_structure : str or array-like of shape (n_features,), default="auto"
        "one": one `alpha` for all features. "per_feature": one per feature.
        "covariance": a precision matrix over the coefficients and the intercept.
        "auto": the simplest of them that predicts about as well as the best. An array
        has relative strengths of the features, and one common factor is chosen; where
        it is infinite, tasks have equal coefficients.
    fit_intercept : bool, default=True
        Whether each task has an intercept.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares several groupings, and a tuple in the list a combination of columns.
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

    Attributes
    ----------
    alpha_structure_ : {"one", "per_feature", "covariance", "given"}
        Chosen structure; "given" for relative strengths. Not with several groupings.
    alpha_ : float, ndarray, matrix or dict
        Chosen strength of the penalty on differences from the centre, infinite if tasks
        do not differ; one, or one per feature. For "covariance" the precision matrix
        ``inv(coef_covariance_)``, of shape (n_features + 1, n_features + 1). By
        grouping, if there are several.
    alpha_shared_ : float
        Chosen strength of the ridge penalty on the centre.
    alpha_intercept_ : float or dict
        Chosen strength of the penalty on differences between intercepts; 0 for
        "covariance", where it is part of `alpha_`. By grouping, if there are several.
    coef_covariance_ : ndarray of shape (n_features + 1, n_features + 1)
        Covariance of the tasks' coefficients and, in the last row and column, of their
        intercepts, around those of the centre. Not with several groupings.
    tau2_ : float, ndarray of shape (n_features,) or dict
        Variance of the tasks' coefficients around the centre, ``1 / alpha_``; the
        diagonal of `coef_covariance_`.
    tau2_intercept_ : float or dict
        Variance of the tasks' intercepts around the centre's.
    cv_results_ : dict of ndarray
        The candidates, "alpha", "alpha_shared" and "alpha_intercept", with
        "alpha_structure" and "mean_test_score" (larger is better), "std_test_score",
        "split0_test_score" and so on; with ``method="laplace"``, "log_likelihood"
        instead of scores. Where features have different strengths, "alpha" is their
        geometric mean, and "alpha_share" the exponent of their ratios, or the share of
        the covariances that was kept.
    best_index_ : int
        Position of the chosen strengths in `cv_results_`.
    best_score_ : float
        Score at the chosen strengths.
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients of the centre.
    intercept_shared_ : float
        Intercept for unseen tasks: the one that fits all rows at `coef_shared_`.
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
    groupings_ : dict of ndarray of shape (n_labels,)
        Labels of each grouping, by its name in `task_column`; only if there are
        several.
    coef_groupings_ : dict of ndarray of shape (n_labels, n_features)
        Own coefficients of the labels of each grouping: what they add to
        `coef_shared_`.
    intercept_groupings_ : dict of ndarray of shape (n_labels,)
        Own intercepts of the labels of each grouping.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedPoissonRegressor : The same with given strengths.
    MeanRegularizedRegressorCV : The same for numbers.
    MeanRegularizedClassifierCV : The same for classes.

    Notes
    -----
    If no list is given, the search starts from the strengths with the largest
    restricted likelihood for the working responses of a first fit, a mixed model of
    the squared loss. Otherwise, and with few rows per feature or many features, it
    starts from the best point of a grid.

    Relative strengths of features, or correlations, maximise the restricted likelihood
    of the working responses at the best single strength. Their exponent, or the share
    of the correlations that is kept, is 1/2 or 1. The strengths are then chosen by the
    criterion. For "cv", the training rows of each fold have relative strengths of their
    own, so that held-out scores are not too optimistic. "auto" takes a more complex
    structure only if its loss on held-out rows is smaller by more than one standard
    error of the difference, with tasks as clusters; for "laplace", if its BIC is
    smaller. It takes one strength for fewer than six tasks, if `alphas` is given, with
    few rows per feature or with many features. It does not try a covariance for more
    than 30 features, a sparse X or given `alphas_intercept`, nor a structure for which
    a score test indicates little gain.

    References
    ----------
    Breslow, N. E., Clayton, D. G. (1993). Approximate inference in generalized linear
    mixed models. Journal of the American Statistical Association, 88(421), 9-25.
    :doi:`10.1080/01621459.1993.10594284`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import MeanRegularizedPoissonRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> task = np.repeat(np.arange(40), 30)
    >>> X = rng.normal(size=(1200, 1))
    >>> slope = 0.5 + 0.3 * rng.normal(size=40)
    >>> y = rng.poisson(np.exp(slope[task] * X[:, 0]))
    >>> model = MeanRegularizedPoissonRegressorCV(method="laplace")
    >>> bool(abs(model.fit(X, y, task=task).tau2_ - 0.3**2) < 0.03)
    True
    """

    def __init__(
        self,
        alphas: ArrayLike | None = None,
        *,
        alphas_shared: ArrayLike | None = None,
        alphas_intercept: ArrayLike | None = None,
        method: str = "cv",
        cv: Any = None,
        scoring: Any = None,
        alpha_structure: str | ArrayLike = "auto",
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        tol: float = 1e-6,
        max_iter: int | None = None,
    ):
        self.alphas = alphas
        self.alphas_shared = alphas_shared
        self.alphas_intercept = alphas_intercept
        self.method = method
        self.cv = cv
        self.scoring = scoring
        self.alpha_structure = alpha_structure
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter
