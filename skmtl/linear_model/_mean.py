"""Regression of tasks that stay near a shared centre."""

from numbers import Real

import numpy as np

from skmtl._compat import Interval
from skmtl.base import COMMON_CONSTRAINTS, PulledMomentRegressor
from skmtl.couplings import ToMean

from ._centred import CentredRegressor


class MeanRegularizedRegressor(CentredRegressor, PulledMomentRegressor):
    """Linear tasks that stay near a shared centre.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_t ||w_t - w_s||^2 +
    alpha_shared ||w_s||^2 + alpha_intercept sum_t (b_t - b_s)^2`` over the tasks'
    ``(w_t, b_t)`` and the centre ``(w_s, b_s)``. With a small `alpha` tasks are apart,
    with a large one they have common coefficients. It is known as mean-regularised
    multi-task learning, and as a random coefficients model with ``alpha = sigma^2 /
    tau^2``.

    Parameters
    ----------
    alpha : float or array-like of shape (n_features,), default=1.0
        Strength of the pull to the centre, 0 or more, one or one per feature.
        Infinite strengths make a coefficient common to all tasks.
    alpha_shared : float, default=0.0
        Strength of the ridge on the centre's coefficients, not its intercept. Infinity
        sets them to zero; tasks then share only the intercept.
    alpha_intercept : float, default=0.0
        Strength that pulls the intercepts together. 0 leaves them free, infinity makes
        them one.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    task_column : str, int or list of them, default=None
        Column of X with the task of each row, by name or position; a list of columns
        declares nested tasks.
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
        Coefficients of the centre; where `alpha` is 0, the best fit to all rows.
    intercept_shared_ : float
        Intercept for tasks never seen: that of the centre or, if `alpha_intercept` is 0
        or `alpha_shared` is not, the one that fits all rows at `coef_shared_`.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    moments_ : TaskMoments
        Moments of all rows so far, to which `partial_fit` adds; kept unless tasks
        have far fewer rows than features, or X is large and sparse.
    kkt_ : float
        Gradient that is left, relative to the one at zero; only if X is large and
        sparse, see the notes.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedRegressorCV : Choose the strengths from the data.
    MultiTaskRidge : Tasks that share nothing.

    Notes
    -----
    Where a sparse X is so large that factors would take far more memory than it, rows
    stay sparse, and conjugate gradients go on until the gradient is 1e-8 times the one
    at zero, or warn. A centre that nothing pulls converges slowly then where features
    are as many as rows: give `alpha_shared`. Where rows do not determine the centre,
    one of the best is found, in other cases that of least norm.

    References
    ----------
    Evgeniou, T., Pontil, M. (2004). Regularized multi-task learning. KDD '04, 109-117.
    :doi:`10.1145/1014052.1014067`

    Examples
    --------
    >>> from skmtl.linear_model import MeanRegularizedRegressor
    >>> X = [["a", 1.0], ["a", 2.0], ["a", 3.0], ["b", 1.0], ["b", 3.0]]
    >>> y = [1.0, 2.0, 3.0, 2.0, 6.0]
    >>> model = MeanRegularizedRegressor(alpha=2.0, task_column=0).fit(X, y)
    >>> model.coef_
    array([[1.25],
           [1.75]])
    >>> model.coef_shared_
    array([1.5])
    >>> model.predict([["b", 2.0], ["never seen", 2.0]])
    array([4. , 2.8])
    """

    _parameter_constraints = {
        "alpha": [Interval(Real, 0, None, closed="both"), "array-like"],
        "alpha_shared": [Interval(Real, 0, None, closed="both")],
        "alpha_intercept": [Interval(Real, 0, None, closed="both")],
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        alpha_shared=0.0,
        alpha_intercept=0.0,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
    ):
        self.alpha = alpha
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _pull(self, tasks, n_features):
        alpha = read_feature_alphas(self.alpha, n_features)
        coupling = ToMean(alpha, self.alpha_shared, self.alpha_intercept)
        return coupling.pull(len(tasks), n_features)


def read_feature_alphas(alpha, n_features):
    """Check strengths against the features: a number, or one per feature."""
    strengths = np.asarray(alpha, dtype=float)
    if strengths.ndim and strengths.shape != (n_features,):
        raise ValueError(
            "alpha must be one number or one per feature, of shape "
            f"({n_features},), got shape {strengths.shape}."
        )
    if not (strengths >= 0).all():
        raise ValueError(f"alpha must be 0 or more, got {strengths.min()}.")
    return strengths
