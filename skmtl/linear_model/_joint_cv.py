"""Regression of tasks with the same features, its strength chosen from the data."""

from numbers import Integral, Real

import numpy as np

from skmtl._compat import Interval
from skmtl.base import float_type
from skmtl.problems.proximal import divisible_moments, divisible_rows, reads_rows
from skmtl.selection import (
    check_has_rows,
    choose,
    deal,
    fall,
    go_on,
    mean_squared_error,
    read_grid,
    warn_of_path,
    warn_of_path_end,
)

from ._joint import JOINT_CONSTRAINTS
from ._joint_path import JointKind, JointPath
from ._ridge_cv import SplittingRegressor

_N_FOLDS = 5
_EPS = 1e-2


class JointFeatureRegressorCV(SplittingRegressor):
    """Linear tasks for which the same features matter, chosen by cross-validation.

    It is :class:`JointFeatureRegressor` with the `alpha` of smallest squared error on
    rows left out. Each fold is solved along falling strengths, from one to the next.

    Parameters
    ----------
    alphas : int or array-like of shape (n_alphas,), default=30
        Strengths to choose from, positive, or how many, from the least one at which
        all coefficients are zero to `eps` times that.
    eps : float, default=None
        Lowest strength in units of the highest, if `alphas` is an int. None for 1e-2,
        and for lower ones as long as errors on rows left out fall.
    l1_ratio : float, default=1.0
        Share of `alpha` that selects, above 0; the rest shrinks as ridge does.
    penalty : {"l21", "linf", "mcp", "scad"}, default="l21"
        How the coefficients of a feature count.
    positive : bool, default=False
        Whether coefficients must be 0 or more.
    cv : int, splitter or iterable of (train, test), default=None
        None for 5. An int deals the rows of each task to so many folds.
    one_standard_error : bool, default=False
        Whether to take the largest alpha whose error is within one standard error of
        the smallest, for fewer features.
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
        Optimality to be reached, as in :class:`JointFeatureRegressor`.
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
    support_ : ndarray of shape (n_selected,)
        Indices of the features that are not zero in all tasks.
    n_iter_ : int
        Number of iterations on all rows, along the strengths down to `alpha_`.
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
    JointFeatureRegressor : The same with a given strength.

    References
    ----------
    Obozinski, G., Taskar, B., Jordan, M. I. (2010). Joint covariate selection and joint
    subspace selection for multiple classification problems. Statistics and Computing,
    20(2), 231-252. :doi:`10.1007/s11222-008-9111-x`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.linear_model import JointFeatureRegressorCV
    >>> rng = np.random.default_rng(1)
    >>> X = rng.normal(size=(60, 8))
    >>> Y = X[:, [1, 4]] @ rng.normal(size=(2, 5)) + rng.normal(size=(60, 5))
    >>> model = JointFeatureRegressorCV(one_standard_error=True).fit(X, Y)
    >>> model.support_
    array([1, 4])
    """

    _parameter_constraints = {
        "alphas": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "eps": [Interval(Real, 0, 1, closed="neither"), None],
        "cv": ["cv_object"],
        "one_standard_error": ["boolean"],
        **{
            name: allowed
            for name, allowed in JOINT_CONSTRAINTS.items()
            if name != "warm_start"
        },
    }

    def __init__(
        self,
        alphas=30,
        *,
        eps=None,
        l1_ratio=1.0,
        penalty="l21",
        positive=False,
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
        self.l1_ratio = l1_ratio
        self.penalty = penalty
        self.positive = positive
        self.cv = cv
        self.one_standard_error = one_standard_error
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.tol = tol
        self.max_iter = max_iter

    def _read_splits(self, data, X, y, task):
        if self.cv is None:
            return deal(data, _N_FOLDS)
        return super()._read_splits(data, X, y, task)

    def _learn(self, data, splits):
        kind = JointKind(self.penalty, self.l1_ratio, self.positive)
        path = JointPath(kind, self.tol, self.max_iter)
        loss = pose_joint(data, self.fit_intercept)
        alphas = self._grid(kind.alpha_max(loss))

        def measure(alphas):
            folds = [self._fold_errors(data, path, alphas, *split) for split in splits]
            return np.stack(folds, axis=1)

        errors = measure(alphas)
        if isinstance(self.alphas, Integral):
            alphas, errors = go_on(alphas, errors, measure, self.eps is None)
        else:
            warn_of_path_end("alphas", alphas, errors)
        best = choose(errors, self.one_standard_error)
        fits = list(path.fits(loss, alphas[: best + 1]))
        fit = fits[-1]
        warn_of_path([fit.solution], self.tol)
        learnt = self._linear(data.tasks, fit.unpack(), data.layout, float_type(data.X))
        return {
            **learnt,
            "alpha_": float(alphas[best]),
            "alphas_": alphas,
            "mse_path_": errors,
            "best_score_": float(-errors[best].mean()),
            "support_": np.flatnonzero(fit.coef.any(axis=0)),
            "n_iter_": sum(each.solution.n_iter for each in fits),
        }

    def _grid(self, highest):
        if isinstance(self.alphas, Integral):
            eps = _EPS if self.eps is None else self.eps
            return fall(highest, self.alphas, eps)
        return read_grid(self.alphas, "alphas")[::-1].copy()

    def _fold_errors(self, data, path, alphas, train, test):
        """Return the mean squared error of every strength on the rows of one fold."""
        training = data.select(train)
        check_has_rows(training, data.X.shape[0])
        loss = pose_joint(training, self.fit_intercept)
        fits = list(path.fits(loss, alphas))
        warn_of_path([fit.solution for fit in fits], self.tol)
        held_out = data.select(test)
        return [mean_squared_error(held_out, fit.unpack()) for fit in fits]


def pose_joint(data, fit_intercept):
    """Pose the loss of tasks, from rows if these are fewer than features."""
    if reads_rows(data):
        return divisible_rows(data, fit_intercept)
    return divisible_moments(data.moments(), fit_intercept)
