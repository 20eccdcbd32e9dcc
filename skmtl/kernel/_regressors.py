"""Regression of tasks near a shared function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmtl._compat import HasMethods, StrOptions
from skmtl._contracts import Coupling
from skmtl.base import COMMON_CONSTRAINTS, NONNEGATIVE, POSITIVE, UNBOUNDED

from ._criteria import LeaveOneOut, RestrictedLikelihood, likely_variance
from ._designs import Strengths
from ._kernels import NAMES, lists_kernels
from ._model import KernelModel, fixed_variance
from ._search import KernelSearch, Rows

_KERNEL_CONSTRAINTS = {
    "kernel": [StrOptions(NAMES), callable, list, tuple],
    "degree": NONNEGATIVE,
    "coef0": [float, int],
    "kernel_params": [Mapping, None],
    "coupling": [HasMethods(["precision", "penalizes_intercepts"]), None],
}
_CRITERIA = {"loo": LeaveOneOut, "marginal_likelihood": RestrictedLikelihood}


class MeanRegularizedKernelRegressor(KernelModel):
    """Kernel regression of several tasks with functions near a shared one.

    Minimises ``sum_t ||y_t - f_s(X_t) - g_t(X_t) - b_t||^2 + alpha_shared ||f_s||^2 +
    alpha sum_t ||g_t||^2 + alpha_intercept sum_t (b_t - b_s)^2`` over the shared
    function ``f_s``, the tasks' differences ``g_t`` from it and the intercepts. Norms
    of functions are those of the kernel. It is kernel ridge regression of tasks, and
    the posterior mean of a Gaussian process with covariance ``k(x, x') (1 /
    alpha_shared + [t = t'] / alpha)`` relative to the noise variance. Standardise the
    features first.

    Parameters
    ----------
    alpha : float or array-like of shape (n_kernels,), default=1.0
        Strength of the penalty on differences from the shared function, positive; one,
        or one per kernel. A large one makes tasks similar, infinity makes them equal.
    alpha_shared : float or array-like of shape (n_kernels,), default=1.0
        Strength of the penalty on the shared function, positive; one, or one per
        kernel. With infinity, tasks share only the intercept.
    alpha_intercept : float, default=0.0
        Strength of the penalty on differences between intercepts. 0 leaves them free,
        infinity makes them equal.
    kernel : str, callable or list of them, default="rbf"
        Kernel: the name of one of scikit-learn's pairwise kernels, such as "linear",
        "poly", "rbf", "laplacian" or "cosine"; a function of two rows; or "precomputed"
        if X has the similarities of each row to the rows of `fit`. Functions of several
        kernels add up.
    gamma : float or "scale", default="scale"
        Factor of distances in the kernels "rbf", "laplacian" and "chi2", and of
        products in "poly" and "sigmoid", positive; a large one makes functions less
        smooth. "scale" is 1 divided by the sum of the variances of the features.
    degree : float, default=3
        Degree of the kernel "poly".
    coef0 : float, default=1
        Constant of the kernels "poly" and "sigmoid".
    kernel_params : mapping, default=None
        Further arguments of a kernel that is a function.
    coupling : Coupling, default=None
        Coupling of :mod:`skmtl.couplings` between the tasks' differences from the
        shared function, such as a graph with ``alpha_ridge`` above 0; its strengths are
        multiplied by `alpha`. It refers to tasks by position in `tasks_`. None for
        independent differences.
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
    X_fit_ : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Features of the rows of `fit`, without the task column; similarities of the rows
        if the kernel is precomputed.
    dual_coef_ : ndarray of shape (n_samples,) or (n_samples, n_tasks)
        Coefficients of the rows of `fit` in the kernel expansion, 0 for rows without
        weight and for unobserved values; a column per task if `fit` had a 2-d y.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    intercept_shared_ : float
        Intercept for unseen tasks: the one that fits all rows at the shared function.
    objective_ : float
        Value of the objective.
    log_marginal_likelihood_ : float
        Log likelihood of a model in which functions and differences of intercepts are
        normal draws, integrated over them and over free intercepts, at the best noise
        variance.
    gamma_ : float
        The factor in use.
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
    MeanRegularizedKernelRegressorCV : The same with strengths chosen from the data.
    skmtl.linear_model.MeanRegularizedRegressor : Linear functions, for any number of
        rows.

    Notes
    -----
    The fit is exact. Time grows with the third power of the number of rows, memory with
    the second, which limits it to a few thousand rows. If all columns of a 2-d y are
    observed in all rows, the mean of the columns and differences from it are
    independent, and only the number of rows of X matters. For more rows use
    :class:`~skmtl.linear_model.MeanRegularizedRegressorCV` after scikit-learn's
    ``Nystroem``.

    References
    ----------
    Evgeniou, T., Micchelli, C. A., Pontil, M. (2005). Learning multiple tasks with
    kernel methods. Journal of Machine Learning Research, 6, 615-637.
    https://jmlr.org/papers/v6/evgeniou05a.html

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.kernel import MeanRegularizedKernelRegressor
    >>> x = np.linspace(0, 6, 40)
    >>> task = np.tile(["a", "b"], 20)
    >>> y = np.sin(x) + np.where(task == "a", 0.0, 0.5)
    >>> model = MeanRegularizedKernelRegressor(alpha=10.0, alpha_shared=0.01)
    >>> model.fit(x[:, None], y, task=task).predict([[3.0]], task="b").round(1)
    array([0.6])
    """

    _parameter_constraints = {
        "alpha": [*UNBOUNDED, "array-like"],
        "alpha_shared": [*UNBOUNDED, "array-like"],
        "alpha_intercept": UNBOUNDED,
        "gamma": [*POSITIVE, StrOptions({"scale"})],
        **_KERNEL_CONSTRAINTS,
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float | ArrayLike = 1.0,
        *,
        alpha_shared: float | ArrayLike = 1.0,
        alpha_intercept: float = 0.0,
        kernel: str | Callable[..., Any] | Sequence[Any] = "rbf",
        gamma: float | str = "scale",
        degree: float = 3,
        coef0: float = 1,
        kernel_params: Mapping[str, Any] | None = None,
        coupling: Coupling | None = None,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
    ):
        self.alpha = alpha
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.kernel = kernel
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.coupling = coupling
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _first_gamma(self):
        return self.gamma

    def _choose(self, design, X, kernels, gamma):
        shared = read_strengths("alpha_shared", self.alpha_shared, len(kernels))
        own = read_strengths("alpha", self.alpha, len(kernels))
        return Strengths(shared, own, float(self.alpha_intercept)), gamma, {}

    def _noise_variance(self, systems, design):
        return fixed_variance(systems, design)


class MeanRegularizedKernelRegressorCV(KernelModel):
    """Kernel regression near a shared function, with strengths chosen from the data.

    Minimises ``sum_t ||y_t - f_s(X_t) - g_t(X_t) - b_t||^2 + alpha_shared ||f_s||^2 +
    alpha sum_t ||g_t||^2 + alpha_intercept sum_t (b_t - b_s)^2`` as
    :class:`MeanRegularizedKernelRegressor`, and chooses the three strengths and the
    width of the kernel. With two kernels, the default, functions are the sum of a
    linear and a smooth part, each with its own strengths, so the data decide whether
    the linear model of :class:`~skmtl.linear_model.MeanRegularizedRegressorCV` is
    enough. Standardise the features first.

    Parameters
    ----------
    kernel : str, callable or list of them, default=("linear", "rbf")
        Kernel: the name of one of scikit-learn's pairwise kernels, such as "linear",
        "poly", "rbf", "laplacian" or "cosine"; a function of two rows; or "precomputed"
        if X has the similarities of each row to the rows of `fit`. Functions of several
        kernels add up.
    method : {"marginal_likelihood", "loo"}, default="marginal_likelihood"
        Criterion. "marginal_likelihood": the restricted likelihood of a model in which
        functions and intercepts are normal draws. "loo": exact leave-one-out squared
        errors; takes about twice the time.
    alpha : float or array-like of shape (n_kernels,), default=None
        Strength of the penalty on differences from the shared function, positive; one,
        or one per kernel. None chooses one per kernel.
    alpha_shared : float or array-like of shape (n_kernels,), default=None
        Strength of the penalty on the shared function, positive; one, or one per
        kernel. None chooses one per kernel.
    alpha_intercept : float, default=None
        Strength of the penalty on differences between intercepts; None chooses it.
    gamma : float or "scale", default=None
        Factor of distances in the kernels "rbf", "laplacian" and "chi2", and of
        products in "poly" and "sigmoid", positive. "scale" is 1 divided by the sum of
        the variances of the features. None chooses one for all kernels of distances,
        and uses "scale" for others.
    degree : float, default=3
        Degree of the kernel "poly".
    coef0 : float, default=1
        Constant of the kernels "poly" and "sigmoid".
    kernel_params : mapping, default=None
        Further arguments of a kernel that is a function.
    coupling : Coupling, default=None
        Coupling of :mod:`skmtl.couplings` between the tasks' differences from the
        shared function, such as a graph with ``alpha_ridge`` above 0; its strengths are
        multiplied by `alpha`. It refers to tasks by position in `tasks_`. None for
        independent differences.
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
    alpha_ : float or ndarray of shape (n_kernels,)
        Chosen strength of the penalty on differences from the shared function, per
        kernel if `kernel` is a list; infinite if tasks do not differ.
    alpha_shared_ : float or ndarray of shape (n_kernels,)
        Chosen strength of the penalty on the shared function, per kernel if `kernel` is
        a list; infinite if it is zero.
    alpha_intercept_ : float
        Chosen strength of the penalty on differences between intercepts.
    gamma_ : float
        Chosen factor of distances.
    sigma2_ : float
        Variance of the noise: the most likely one or, for "loo", the sum of squared
        errors per residual degree of freedom.
    best_score_ : float
        Score at the chosen strengths: the log likelihood, or the negative mean squared
        leave-one-out error.
    X_fit_ : {ndarray, CSR matrix} of shape (n_samples, n_features)
        Features of the rows of `fit`, without the task column; similarities of the rows
        if the kernel is precomputed.
    dual_coef_ : ndarray of shape (n_samples,) or (n_samples, n_tasks)
        Coefficients of the rows of `fit` in the kernel expansion, 0 for rows without
        weight and for unobserved values; a column per task if `fit` had a 2-d y.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    intercept_shared_ : float
        Intercept for unseen tasks: the one that fits all rows at the shared function.
    objective_ : float
        Value of the objective.
    log_marginal_likelihood_ : float
        Log likelihood of a model in which functions and differences of intercepts are
        normal draws, integrated over them and over free intercepts, at the best noise
        variance.
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
    MeanRegularizedKernelRegressor : The same with given strengths.
    skmtl.linear_model.MeanRegularizedRegressorCV : Linear functions, for any number of
        rows.

    Notes
    -----
    L-BFGS minimises the criterion from three starts, on a subset of the rows if there
    are more than 500, and then on all rows from the best of the three. A strength is
    infinite if this raises twice the log likelihood, or the number of rows times the
    log of the error, by at most 0.05.

    Weights are counts of rows: a row of weight 2 has the likelihood of two rows.

    Time grows with the third power of the number of rows: 3000 rows take about half a
    minute. If all columns of a 2-d y are observed in all rows, only the number of rows
    of X matters. For more rows use
    :class:`~skmtl.linear_model.MeanRegularizedRegressorCV` after scikit-learn's
    ``Nystroem``.

    References
    ----------
    Rasmussen, C. E., Williams, C. K. I. (2006). Gaussian Processes for Machine
    Learning, chapter 5. MIT Press. :doi:`10.7551/mitpress/3206.001.0001`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.kernel import MeanRegularizedKernelRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> x, task = rng.uniform(0, 6, size=(100, 1)), np.arange(100) % 5
    >>> y = np.sin(x[:, 0]) + 0.5 * task + 0.1 * rng.normal(size=100)
    >>> model = MeanRegularizedKernelRegressorCV().fit(x, y, task=task)
    >>> bool(abs(model.sigma2_ - 0.01) < 0.003)
    True
    >>> model.predict([[1.5]], task=4).round(1)
    array([3.])
    """

    _parameter_constraints = {
        "alpha": [*UNBOUNDED, "array-like", None],
        "alpha_shared": [*UNBOUNDED, "array-like", None],
        "alpha_intercept": [*UNBOUNDED, None],
        "gamma": [*POSITIVE, StrOptions({"scale"}), None],
        "method": [StrOptions(set(_CRITERIA))],
        **_KERNEL_CONSTRAINTS,
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        *,
        kernel: str | Callable[..., Any] | Sequence[Any] = ("linear", "rbf"),
        method: str = "marginal_likelihood",
        alpha: float | ArrayLike | None = None,
        alpha_shared: float | ArrayLike | None = None,
        alpha_intercept: float | None = None,
        gamma: float | str | None = None,
        degree: float = 3,
        coef0: float = 1,
        kernel_params: Mapping[str, Any] | None = None,
        coupling: Coupling | None = None,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
    ):
        self.kernel = kernel
        self.method = method
        self.alpha = alpha
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.kernel_params = kernel_params
        self.coupling = coupling
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _first_gamma(self):
        return "scale" if self.gamma is None else self.gamma

    def _choose(self, design, X, kernels, gamma):
        criterion = _CRITERIA[self.method]()
        given = [
            None if strength is None else read_strengths(name, strength, len(kernels))
            for name, strength in [
                ("alpha_shared", self.alpha_shared),
                ("alpha", self.alpha),
            ]
        ]
        given += [self.alpha_intercept, None if self.gamma is None else gamma]
        search = KernelSearch(Rows(design, X, tuple(kernels)), criterion, gamma, given)
        point, value = search.run()
        strengths = point.strengths
        several = lists_kernels(self.kernel)
        facts = {
            "alpha_": strengths.own if several else float(strengths.own[0]),
            "alpha_shared_": strengths.shared
            if several
            else float(strengths.shared[0]),
            "alpha_intercept_": strengths.intercept,
            "best_score_": criterion.score(value, design.total_weight),
        }
        return strengths, point.gamma, facts

    def _report_noise(self, systems, design):
        if self.method == "loo":
            return {"sigma2_": fixed_variance(systems, design)}
        return {"sigma2_": likely_variance(systems, design.total_weight)}

    def _noise_variance(self, systems, design):
        return self.sigma2_


def read_strengths(name, alpha, n_kernels):
    """Return strengths as an array: one number, or one per kernel."""
    strengths = np.asarray(alpha, dtype=float)
    if strengths.ndim and strengths.shape != (n_kernels,):
        raise ValueError(
            f"{name} must be one number or one per kernel, of shape ({n_kernels},), "
            f"got shape {strengths.shape}."
        )
    if not (strengths > 0).all():
        raise ValueError(
            f"{name} must be positive, as a kernel without a penalty fits every row "
            f"exactly, got {strengths.min()}. Infinity leaves the function out."
        )
    return np.broadcast_to(strengths, (n_kernels,)).copy()
