"""Regression of tasks near a shared centre."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import StrOptions
from skmtl._contracts import CoupledRelation
from skmtl._linalg import EPS
from skmtl._numbers import TINY_SQUARE
from skmtl.base import (
    COMMON_CONSTRAINTS,
    SCALED_CONSTRAINTS,
    SCORING,
    UNBOUNDED,
    MomentRegressor,
)
from skmtl.couplings import ToMean
from skmtl.selection import MeanSearch, NoiseSearch, ResidualQuantiles

from ._mean_draws import MeanDraws
from ._mean_groupings import (
    NearMeans,
    refuse_batch,
    refuse_mapping,
    refuse_options,
    search_groupings,
)

MEAN_CONSTRAINTS = {
    "alpha": [*UNBOUNDED, "array-like", Mapping],
    "alpha_shared": UNBOUNDED,
    "alpha_intercept": [*UNBOUNDED, Mapping],
}

STRUCTURE: list[Any] = [
    StrOptions({"auto", "one", "per_feature", "covariance"}),
    "array-like",
]

# Number of axes of a precision matrix.
_MATRIX = 2
# A matrix of fewer numbers takes little memory, 8 MB.
_FEW = 2**20


@dataclass(frozen=True)
class NearMean(CoupledRelation):
    """The coefficients of tasks are near a shared centre."""

    coupling: ToMean

    @classmethod
    def of(cls, tasks, alpha, alpha_shared=0.0, alpha_intercept=0.0):
        """Return the relation, after a check of the strengths."""
        alpha = read_feature_alphas(alpha, tasks.n_features)
        return cls(ToMean(alpha, alpha_shared, alpha_intercept))

    @classmethod
    def drawn(cls, tasks, alpha, alpha_shared, alpha_intercept, fit_intercept):
        """Return the relation; `alpha` may be a precision matrix."""
        if np.ndim(alpha) != _MATRIX:
            return cls.of(tasks, alpha, alpha_shared, alpha_intercept)
        alpha = read_precision(alpha, tasks.n_features + fit_intercept)
        if alpha_intercept != 0:
            raise ValueError(
                "alpha_intercept must be 0 if alpha is a matrix, whose last row "
                f"penalises the intercepts, got {alpha_intercept}. Leave "
                "alpha_intercept at 0."
            )
        return cls(ToMean(alpha, alpha_shared))

    @property
    def penalizes_intercepts(self):
        return self.coupling.penalizes_intercepts()


class MeanRegularizedRegressor(MeanDraws, MomentRegressor):
    """Linear regression of several tasks with coefficients near a shared centre.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_t ||w_t - w_s||^2 +
    alpha_shared ||w_s||^2 + alpha_intercept sum_t (b_t - b_s)^2`` over the tasks'
    ``(w_t, b_t)`` and the centre ``(w_s, b_s)``. A small `alpha` gives independent
    models, a large one the same coefficients for all tasks. It is known as
    mean-regularised multi-task learning, and as a random coefficients model with
    ``alpha = sigma^2 / tau^2``.

    Parameters
    ----------
    alpha : float, array-like, matrix or mapping, default=1.0
        Strength of the penalty on differences from the centre, 0 or more; one, or one
        per feature. A large one makes tasks similar, infinity makes them equal. A
        positive definite matrix of shape (n_features + 1, n_features + 1) penalises
        differences of coefficients and intercepts together, ``sum_t (v_t, c_t)' alpha
        (v_t, c_t)`` with ``v_t = w_t - w_s`` and ``c_t = b_t - b_s``; without
        intercepts, of shape (n_features, n_features). With several groupings, a mapping
        may give a number, or one per feature, for each; infinity leaves a grouping
        without own coefficients.
    alpha_shared : float, default=0.0
        Strength of the ridge penalty on the centre's coefficients, not on its
        intercept. Infinity sets them to zero; tasks then share only the intercept.
    alpha_intercept : float or mapping, default=0.0
        Strength of the penalty on differences between intercepts. 0 leaves them free,
        infinity makes them equal. With several groupings, a mapping may give one for
        each.
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
        Coefficients of the centre; where `alpha` is 0, the best fit to all rows.
    intercept_shared_ : float
        Intercept for unseen tasks: that of the centre or, if `alpha_intercept` is 0 or
        `alpha_shared` is above 0, the one that fits all rows at `coef_shared_`.
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
    groupings_ : dict of ndarray of shape (n_labels,)
        Labels of each grouping, by its name in `task_column`; only if there are
        several.
    coef_groupings_ : dict of ndarray of shape (n_labels, n_features)
        Own coefficients of the labels of each grouping: what they add to
        `coef_shared_`.
    intercept_groupings_ : dict of ndarray of shape (n_labels,)
        Own intercepts of the labels of each grouping.
    moments_ : TaskMoments
        Moments of all rows so far, to which `partial_fit` adds; kept unless tasks have
        far fewer rows than features, or X is large and sparse.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedRegressorCV : The same with strengths chosen from the data.
    MultiTaskRidge : Tasks that share nothing.

    Notes
    -----
    If factors of a sparse X would take far more memory than X, conjugate gradients run
    on the rows until the gradient is 1e-8 times the one at zero, or warn. They converge
    slowly for an unpenalised centre with as many features as rows: set `alpha_shared`.
    If the rows do not determine the centre, conjugate gradients find one of its optima,
    and exact solutions the one of least norm.

    With several task columns, nested or crossed, a row with label ``l(g)`` in grouping
    ``g`` is predicted by ``x . w_s + b_s + sum_g (x . v_g,l(g) + b_g,l(g))``, and the
    penalty is ``sum_g (alpha_g sum_l ||v_gl||^2 + alpha_intercept_g sum_l b_gl^2) +
    alpha_shared ||w_s||^2``. Equal labels of a column are one group; the tuple ``("a",
    "b")`` makes groups of combinations. An unseen label adds nothing. `coef_` has a row
    for each combination of labels in `fit`. Strengths of 0 act as 1e-8 times the
    curvature of the loss per label, as own parts are not unique without a penalty.

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
        **MEAN_CONSTRAINTS,
        **SCALED_CONSTRAINTS,
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alpha: float | ArrayLike = 1.0,
        *,
        alpha_shared: float = 0.0,
        alpha_intercept: float = 0.0,
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        scale_targets: bool | str = False,
    ):
        self.alpha = alpha
        self.alpha_shared = alpha_shared
        self.alpha_intercept = alpha_intercept
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight
        self.scale_targets = scale_targets

    def _relation(self, tasks):
        strengths = self.alpha, self.alpha_shared, self.alpha_intercept
        return near(
            tasks, *strengths, partial(NearMean.drawn, fit_intercept=self.fit_intercept)
        )

    def _refuse_batch(self, sample):
        refuse_batch(sample.rows.groupings)

    _relation_of_fit = _relation


class MeanRegularizedRegressorCV(MeanDraws):
    """Linear regression near a shared centre, with strengths chosen from the data.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_t ||w_t - w_s||^2 +
    alpha_shared ||w_s||^2 + alpha_intercept sum_t (b_t - b_s)^2``, and chooses the
    three strengths: `alpha` is near 0 if tasks are independent, and infinite if they
    are equal. If tasks differ along some features more than along others, each feature
    gets its own strength, or a precision matrix penalises differences of coefficients
    and intercepts together.

    A search of a grid finds a good score, and a continuous search refines it, also
    beyond the grid. Strengths given as a list are chosen from that list.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,) or mapping, default=None
        Candidate strengths, positive or infinite, for every method except "reml". None
        searches all values. With several groupings they apply to every method, and a
        mapping may give a list for each.
    alphas_shared : array-like of shape (n_alphas_shared,), default=None
        Candidate strengths of the ridge penalty on the centre's coefficients, not on
        its intercept; 0 or more. None searches all values. ``[0.0]`` leaves the
        centre unpenalised, which needs many more rows than features; with "reml" it is
        then the fixed effect of a mixed model.
    alphas_intercept : array-like or mapping, default=None
        Candidate strengths of the penalty on differences between intercepts, positive
        or infinite, for every method except "reml". None searches all values. With
        several groupings, as `alphas`.
    method : {"loo", "reml", "gcv", "cv"}, default="loo"
        Criterion. "loo": exact leave-one-out squared errors. "reml": the restricted
        likelihood of a mixed model, in which tasks are normal draws around the centre,
        and the centre is a normal draw around zero unless `alphas_shared` is ``[0.0]``;
        it assumes that tasks are such draws. "gcv": generalised cross-validation, which
        replaces each row's leverage by the mean. "cv": squared errors on held-out rows,
        from moments of the folds, without refitting on rows.
    cv : int, splitter or iterable of (train, test), default=None
        Folds for ``method="cv"``; None for 5. An int assigns the rows of each task to
        that many folds.
    scoring : str or callable, default=None
        Score of held-out rows for ``method="cv"``, of scikit-learn; larger is better.
        None for the negative mean squared error, to which all weights are applied; a
        scorer gets no weights.
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
    scale_targets : bool or "auto", default="auto"
        Whether each task's target is divided by its standard deviation in the fit, so
        that tasks in different units can learn from each other; strengths then refer to
        the divided targets. "auto" divides if the deviations differ by more than a
        factor of three, beyond chance, and if errors on held-out rows are then smaller.
    noise : {"auto", "common", "per_task"}, default="auto"
        Variance of the noise: one for all tasks, or one per task. With "per_task",
        tasks with more noise have less influence, and are shrunk more towards the
        centre. Their variances are estimated from residuals of the fit with a common
        variance, and shrunk towards a typical one, most for tasks with few rows. "auto"
        is "per_task" if squared errors on held-out rows are then smaller by more than
        one standard error.

    Attributes
    ----------
    alpha_structure_ : {"one", "per_feature", "covariance", "given"}
        Chosen structure; "given" for relative strengths. Not with several groupings.
    alpha_ : float, ndarray, matrix or dict
        Chosen strength of the penalty on differences from the centre, infinite if tasks
        do not differ; one, or one per feature. For "covariance" the precision matrix
        ``sigma2_ inv(coef_covariance_)``, of shape (n_features + 1, n_features + 1). By
        grouping, if there are several.
    alpha_shared_ : float
        Chosen strength of the ridge penalty on the centre; infinite if only intercepts
        are shared.
    alpha_intercept_ : float or dict
        Chosen strength of the penalty on differences between intercepts; 0 for
        "covariance", where it is part of `alpha_`. By grouping, if there are several.
    method_ : {"loo", "reml", "gcv", "cv"}
        The criterion: `method`, or "cv" if X is large and sparse.
    sigma2_ : float
        Variance of the noise: for "reml" that of the mixed model, else the sum of
        squared errors per residual degree of freedom; the squared error on held-out
        rows if X is large and sparse. In squared units of y or, if targets are scaled,
        of the divided targets; so are the variances of coefficients below. With noise
        per task, the common variance before those of tasks are estimated; for "reml",
        the harmonic mean over rows.
    noise_variance_ : ndarray of shape (n_tasks,)
        Variance of the noise of each task, in squared units of its y; equal for all
        tasks if the noise is common and targets are not scaled. Not with several
        groupings.
    coef_covariance_ : ndarray of shape (n_features + 1, n_features + 1)
        Covariance of the tasks' coefficients and, in the last row and column, of their
        intercepts, around those of the centre. Not with several groupings.
    tau2_ : float, ndarray of shape (n_features,) or dict
        Variance of the tasks' coefficients around the centre, ``sigma2_ / alpha_``; the
        diagonal of `coef_covariance_`.
    tau2_intercept_ : float or dict
        Variance of the tasks' intercepts around the centre's.
    cv_results_ : dict of ndarray
        The candidates, "alpha", "alpha_shared" and "alpha_intercept", with
        "alpha_structure" and "mean_test_score" (larger is better), NaN for candidates
        that "loo" did not evaluate. Where features have different strengths, "alpha" is
        their geometric mean, and "alpha_share" the exponent of their ratios, or the
        share of the covariances that was kept. With ``method="cv"`` also
        "std_test_score", "split0_test_score" and so on; with "reml", "log_likelihood"
        instead of scores, and no "alpha_share".
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
    groupings_ : dict of ndarray of shape (n_labels,)
        Labels of each grouping, by its name in `task_column`; only if there are
        several.
    coef_groupings_ : dict of ndarray of shape (n_labels, n_features)
        Own coefficients of the labels of each grouping: what they add to
        `coef_shared_`.
    intercept_groupings_ : dict of ndarray of shape (n_labels,)
        Own intercepts of the labels of each grouping.
    moments_ : TaskMoments
        Moments of all rows; kept unless matrices of all features would take far more
        memory than X.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedRegressor : The same with given strengths.
    MultiTaskRidgeCV : Tasks that share nothing.

    Notes
    -----
    If the best fit uses more than a third of the rows' degrees of freedom, held-out
    errors are uncertain, and choosing three strengths by them overfits. Each strength
    that is not given is then infinite, unless a finite one raises twice the restricted
    log likelihood by more than twice the log of the number of rows.

    Leave-one-out errors of few rows hardly change with the strengths. With "loo" and 10
    to 200 tasks, the strengths that maximise the restricted likelihood are therefore
    chosen, unless their error is larger than the smallest one by more than one standard
    error of the difference, with tasks as clusters, or by more than 5 %. Strengths
    given as lists are chosen by their errors alone.

    Relative strengths of features, or correlations, maximise the restricted likelihood.
    Their exponent, or the share of the correlations that is kept, is 1/2 or 1. The
    strengths `alpha`, `alpha_shared` and `alpha_intercept` are then chosen for them by
    the method's own criterion. As relative strengths are learnt from all rows, that
    criterion is too optimistic for them. Structures are therefore compared by the
    errors of tasks for relative strengths that were learnt from other tasks, in four
    groups. "auto" takes a more complex structure only if its error is smaller by more
    than one standard error of the difference, with tasks as clusters, or if both its
    error and its BIC, from the restricted likelihood, are smaller. With "reml", the BIC
    decides.

    "auto" takes one strength for fewer than six tasks, if `alphas` is given, and if the
    fit works in a basis of the rows or by conjugate gradients. It does not try a
    strength per feature for more than five features per task, a covariance for more
    than 30 features or if `alphas_intercept` is given, nor a structure for which a
    score test indicates little gain.

    With several task columns, the objective is that of
    :class:`MeanRegularizedRegressor`. The search starts from the strengths with the
    largest restricted likelihood; ``{"child": [np.inf]}`` as `alphas` leaves the
    grouping "child" without own coefficients. Keys of `cv_results_` are "alpha[child]"
    and so on. With "reml" and ``alphas_shared=[0.0]`` this is a mixed model with
    independent random effects of each grouping. Noise is common, targets are not
    scaled, and `alpha_structure` is "one" for each grouping.

    With more than 200 tasks, or large ones, the first steps of a search use some of the
    tasks, of all sizes, and the last ones use all. `cv_results_` then has the strengths
    that were tried with all tasks only, and if `cv` is a number or None, structures are
    compared by leave-one-out errors.

    If a feature's mean is beyond 30 of its standard deviations, a difference between
    intercepts at zero is mostly one between slopes. Strengths are then chosen about the
    means of the features, with free intercepts, equal slopes or a covariance, unless
    some are given or ``method="reml"``.

    Among nearly equal strengths, larger ones are preferred: all are raised until the
    criterion increases by a relative 0.05 divided by the number of rows.

    "gcv" excludes strengths that leave less than a tenth of the degrees of freedom.

    With far fewer rows than features, every method works in a basis of the rows, with
    the same results. If factors of a sparse X would take far more memory than X, there
    are no leverages: "cv" replaces other methods, with a warning. Its folds are fitted
    by conjugate gradients, at strengths with ratios of ``sqrt(10)``. The final fit
    stops when the norm of the gradient is 1e-8 times its value at zero, or warns. There
    is no ``return_std``.

    References
    ----------
    Patterson, H. D., Thompson, R. (1971). Recovery of inter-block information when
    block sizes are unequal. Biometrika, 58(3), 545-554.
    :doi:`10.1093/biomet/58.3.545`

    Golub, G. H., Heath, M., Wahba, G. (1979). Generalized cross-validation as a method
    for choosing a good ridge parameter. Technometrics, 21(2), 215-223.
    :doi:`10.1080/00401706.1979.10489751`

    Examples
    --------
    >>> import numpy as np
    >>> from skmtl.datasets import make_related_tasks
    >>> from skmtl.linear_model import MeanRegularizedRegressorCV
    >>> X, y = make_related_tasks(n_tasks=200, spread=0.5, random_state=0)
    >>> model = MeanRegularizedRegressorCV(method="reml", task_column=-1).fit(X, y)
    >>> bool(abs(model.tau2_ - 0.5**2) < 0.02)
    True
    >>> model.alpha_structure_
    'one'
    """

    _parameter_constraints = {
        "alphas": ["array-like", Mapping, None],
        "alphas_shared": ["array-like", None],
        "alphas_intercept": ["array-like", Mapping, None],
        "method": [StrOptions({"reml", "loo", "gcv", "cv"})],
        "cv": ["cv_object"],
        "scoring": SCORING,
        "alpha_structure": STRUCTURE,
        "noise": [StrOptions({"auto", "common", "per_task"})],
        **SCALED_CONSTRAINTS,
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas: ArrayLike | None = None,
        *,
        alphas_shared: ArrayLike | None = None,
        alphas_intercept: ArrayLike | None = None,
        method: str = "loo",
        cv: Any = None,
        scoring: Any = None,
        alpha_structure: str | ArrayLike = "auto",
        fit_intercept: bool = True,
        task_column: str | int | list[Any] | None = None,
        handle_unknown: str = "shared",
        task_weight: str | Mapping[Any, float] | None = None,
        scale_targets: bool | str = "auto",
        noise: str = "auto",
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
        self.scale_targets = scale_targets
        self.noise = noise

    def _relation(self, tasks):
        lists = self.alphas, self.alphas_shared, self.alphas_intercept
        structure, pattern = read_structure(self.alpha_structure, tasks.n_features)
        if tasks.groupings:
            refuse_options(structure, pattern, self.noise)
            return search_groupings(self, tasks, lists)
        refuse_mapping("alphas", self.alphas)
        refuse_mapping("alphas_intercept", self.alphas_intercept)
        options = self.method, self.cv, structure, self.fit_intercept
        relation_at = partial(NearMean.drawn, tasks, fit_intercept=self.fit_intercept)
        search = MeanSearch(relation_at, *lists, *options, self.scoring, pattern)
        return NoiseSearch(search, self.noise)

    def _relation_of_fit(self, tasks):
        strengths = self.alpha_, self.alpha_shared_, self.alpha_intercept_
        if "_noise_scale" in vars(self):
            strengths = (self._noise_scale * np.asarray(each) for each in strengths)
        make = partial(NearMean.drawn, fit_intercept=self.fit_intercept)
        return near(tasks, *strengths, make)

    @property
    def coef_covariance_(self) -> np.ndarray:
        """Covariance of the tasks around the centre."""
        check_is_fitted(self)
        return task_covariance(self, self.sigma2_)

    def _noise_variance(self, posterior):
        return self.sigma2_ * vars(self).get("_noise_scale", 1.0)

    def _describe(self, target, sample, tasks, relation, fit):
        learnt = super()._describe(target, sample, tasks, relation, fit)
        if not fit.is_exact or tasks.groupings:
            return learnt
        rows, scales = sample.rows, sample.scales
        n_features = rows.X.shape[1]
        if n_features**2 > max(_FEW, np.prod(rows.X.shape)):
            return learnt  # the centre's covariance would take more memory than X
        rows = rows if scales is None else scales.divide(rows)
        quantiles = ResidualQuantiles.of(fit.detail, rows)
        return {**learnt, "_residuals": quantiles.sizes}

    def _quantile_of_seen(self, coverage, errors):
        usual = super()._quantile_of_seen(coverage, errors)
        if "_residuals" not in vars(self) or errors.noise == 0:
            return usual
        noise = np.sqrt(errors.noise)
        return ResidualQuantiles(self._residuals).at(coverage, usual * noise) / noise


def task_covariance(model, noise_variance=1.0):
    """Return the covariance of coefficients and intercepts around the centre."""
    n_features = model.coef_shared_.shape[-1]
    if "groupings_" in vars(model):
        raise AttributeError(
            "coef_covariance_ needs one task column, got the groupings "
            f"{list(model.groupings_)}. See tau2_ and tau2_intercept_."
        )
    if np.ndim(model.alpha_) == _MATRIX:
        found = noise_variance * np.linalg.inv(model.alpha_)
        covariance = np.zeros((n_features + 1, n_features + 1))
        covariance[: len(found), : len(found)] = found
        return covariance
    variances = np.append(np.broadcast_to(model.tau2_, n_features), 0.0)
    if model.fit_intercept:
        variances[-1] = model.tau2_intercept_
    return np.diag(variances)


def near(tasks, alpha, alpha_shared, alpha_intercept, make=NearMean.of):
    """Return the relation of tasks near a centre, or near one per grouping."""
    if tasks.groupings:
        return NearMeans.of(tasks, alpha, alpha_shared, alpha_intercept)
    refuse_mapping("alpha", alpha)
    refuse_mapping("alpha_intercept", alpha_intercept)
    return make(tasks, alpha, alpha_shared, alpha_intercept)


def read_structure(structure, n_features):
    """Return the name of a structure, and given relative strengths or None."""
    if isinstance(structure, str):
        return structure, None
    pattern = np.asarray(structure, dtype=float)
    if pattern.shape != (n_features,) or not (pattern > 0).all():
        raise ValueError(
            "alpha_structure as relative strengths must have a positive number per "
            f"feature, possibly infinite, of shape ({n_features},), got shape "
            f"{pattern.shape} with the values {pattern.ravel()[:5].tolist()}."
        )
    return "one", pattern


def read_feature_alphas(alpha, n_features):
    """Return strengths as an array: one number, or one per feature."""
    strengths = np.asarray(alpha, dtype=float)
    if strengths.ndim and strengths.shape != (n_features,):
        raise ValueError(
            "alpha must be one number or one per feature, of shape "
            f"({n_features},), got shape {strengths.shape}."
        )
    if not (strengths >= 0).all():
        raise ValueError(f"alpha must be 0 or more, got {strengths.min()}.")
    return strengths


def read_precision(alpha, n_columns):
    """Return a precision matrix over coefficients and intercept, checked."""
    precision = np.asarray(alpha, dtype=float)
    if precision.shape != (n_columns, n_columns):
        raise ValueError(
            "alpha as a matrix must have a row per feature, and one for the intercept "
            f"if there is one, shape ({n_columns}, {n_columns}), got shape "
            f"{precision.shape}."
        )
    roots = np.sqrt(np.maximum(np.diag(precision), TINY_SQUARE))
    scaled = precision / roots / roots[:, None]
    if not (np.isfinite(scaled).all() and np.allclose(scaled, scaled.T, atol=1e-8)):
        raise ValueError(
            "alpha as a matrix must be finite and symmetric, and this one is not. Pass "
            "(alpha + alpha.T) / 2."
        )
    lowest = np.linalg.eigvalsh(scaled)[0]
    if not lowest > len(scaled) * EPS:
        raise ValueError(
            "alpha as a matrix must be positive definite, got a smallest eigenvalue of "
            f"{lowest:.1e} at a unit diagonal. Add a positive number to its diagonal."
        )
    return (precision + precision.T) / 2
