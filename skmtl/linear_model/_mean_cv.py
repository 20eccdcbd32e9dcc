"""Regression of tasks near a shared centre, with strengths chosen from the data."""

from dataclasses import replace

import numpy as np

from skmtl._compat import StrOptions
from skmtl.base import COMMON_CONSTRAINTS, float_type
from skmtl.couplings import ToMean
from skmtl.problems.exact import Posterior, narrow, pose, pose_moments
from skmtl.problems.newton import needs_iteration
from skmtl.selection import (
    BOTH_ENDS,
    STRENGTHS,
    Candidates,
    RestrictedLikelihood,
    StrengthSearch,
    deal,
    fold_scores,
    generalised_scores,
    left_out_scores,
    mean_curvature,
    read_grid,
    suggest_alphas,
    suggest_levels,
    tabulate,
    warn_of_lists,
)

from ._centred import CentredRegressor
from ._mean_cv_large import choose_by_iteration, warn_of_method
from ._ridge_cv import SplittingRegressor

_N_ALPHAS = 6
_N_LEVELS = 4
# Strengths of the centre, relative to the mean curvature of a task's loss.
_SHARED = np.array([1e-2, 1.0])
_N_FOLDS = 5


class MeanRegularizedRegressorCV(CentredRegressor, SplittingRegressor):
    """Linear tasks that stay near a shared centre, as near as the data say.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_t ||w_t - w_s||^2 +
    alpha_shared ||w_s||^2 + alpha_intercept sum_t (b_t - b_s)^2``, and chooses the
    three strengths by how much tasks differ: from 0, independent tasks, to infinity,
    equal tasks.

    A grid search finds the lowest score, and a continuous search refines it, also
    beyond the grid. Strengths given as a list are chosen from that list.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=None
        Candidate strengths, positive or infinite, for every method except "reml". None
        searches all values.
    alphas_shared : array-like of shape (n_alphas_shared,), default=None
        Candidate strengths of the ridge on the centre's coefficients, 0 or more; its
        intercept is never penalised. None searches all values. ``[0.0]`` leaves the
        centre unpenalised, which needs many more rows than features; with "reml" it is
        then the fixed effect of a mixed model.
    alphas_intercept : array-like of shape (n_alphas_intercept,), default=None
        Strengths of the pull of the intercepts to choose from, positive or infinite,
        for every method except "reml". None searches all values.
    method : {"loo", "reml", "gcv", "cv"}, default="loo"
        Criterion. "loo": exact leave-one-out squared errors. "reml": the restricted
        likelihood of a mixed model, in which tasks are normal draws around the centre,
        and the centre is a normal draw around zero unless `alphas_shared` is ``[0.0]``;
        it assumes that tasks are such draws. "gcv": generalised cross-validation, which
        replaces each row's leverage by the mean. "cv": squared errors on held-out rows,
        from moments of the folds, without refitting on rows.
    cv : int, splitter or iterable of (train, test), default=None
        Folds for ``method="cv"``. An int deals the rows of each task to so many folds;
        None stands for 5.
    alpha_per_feature : bool, default=False
        Whether each feature has its own `alpha`; for "reml" only.
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
    alpha_ : float or ndarray of shape (n_features,)
        Strength of the pull to the centre; infinite if tasks do not differ.
    alpha_shared_ : float
        Strength of the ridge on the centre; infinite if only intercepts are shared.
    alpha_intercept_ : float
        Strength that pulls the intercepts together.
    method_ : {"loo", "reml", "gcv", "cv"}
        What has chosen: `method`, or "cv" if X is large and sparse.
    sigma2_ : float
        Variance of the noise: for "reml" that of the mixed model, else the sum of
        squared errors per degree of freedom left; the squared error on held-out rows
        if X is large and sparse. In units of y squared.
    tau2_ : float or ndarray of shape (n_features,)
        Variance of the tasks' coefficients around the centre, ``sigma2_ / alpha_``.
    tau2_intercept_ : float
        Variance of the tasks' intercepts around the centre's.
    cv_results_ : dict of ndarray
        The candidates: "alpha", "alpha_shared", "alpha_intercept" and "mean_test_score"
        (larger is better): the restricted log likelihood, or the negative squared
        error; NaN for candidates that "loo" did not evaluate. With ``method="cv"`` also
        "split0_test_score" and so on.
    best_score_ : float
        The score of the strengths that were chosen.
    coef_ : ndarray of shape (n_tasks, n_features) or (n_features,)
        Coefficients; 1-d for a single task that was not declared.
    intercept_ : ndarray of shape (n_tasks,) or float
        Intercepts.
    coef_shared_ : ndarray of shape (n_features,)
        Coefficients of the centre.
    intercept_shared_ : float
        Intercept for tasks never seen: it fits all rows at `coef_shared_`.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    moments_ : TaskMoments
        Moments of all rows; kept unless matrices of all features would take far more
        memory than X.
    kkt_ : float
        Gradient that is left, relative to the one at zero; only if X is large and
        sparse.
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
    errors are uncertain, and choosing three strengths overfits them. Each strength that
    is not given is then infinite, unless a finite one raises twice the restricted log
    likelihood by more than twice the log of the number of rows.

    Among nearly equal strengths, larger ones are preferred: all are raised until the
    criterion increases by a relative 0.05 divided by the number of rows.

    "gcv" excludes strengths that leave less than a tenth of the degrees of freedom.

    Where rows are far fewer than features, they are brought to a basis of what they
    span, in which every method is as exact. Where a sparse X is so large that factors
    would take far more memory than it, leverages are out of reach: "cv" takes the
    place of other methods, with a warning, and its folds are fitted by conjugate
    gradients, at strengths a root of ten apart. The models themselves are fitted until
    the gradient is 1e-8 times the one at zero, or warn. There is no ``return_std``.

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
    """

    _parameter_constraints = {
        "alphas": ["array-like", None],
        "alphas_shared": ["array-like", None],
        "alphas_intercept": ["array-like", None],
        "method": [StrOptions({"reml", "loo", "gcv", "cv"})],
        "cv": ["cv_object"],
        "alpha_per_feature": ["boolean"],
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas=None,
        *,
        alphas_shared=None,
        alphas_intercept=None,
        method="loo",
        cv=None,
        alpha_per_feature=False,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
    ):
        self.alphas = alphas
        self.alphas_shared = alphas_shared
        self.alphas_intercept = alphas_intercept
        self.method = method
        self.cv = cv
        self.alpha_per_feature = alpha_per_feature
        self.fit_intercept = fit_intercept
        self.task_column = task_column
        self.handle_unknown = handle_unknown
        self.task_weight = task_weight

    def _read_splits(self, data, X, y, task):
        if self.method != "cv":
            return None
        if self.cv is None:
            return deal(data, _N_FOLDS)
        return super()._read_splits(data, X, y, task)

    def _learn(self, data, splits):
        if self.alpha_per_feature and self.method != "reml":
            raise ValueError(
                f"alpha_per_feature needs method='reml', got {self.method!r}. A grid "
                "of strengths for every feature would be too large."
            )
        if needs_iteration(data) and not self.alpha_per_feature:
            return self._learn_by_iteration(data, splits)
        found = None if self.alpha_per_feature else narrow(data)
        if found is not None:
            return self._learn_narrow(data, found, splits)
        return self._learn_moments(data, splits)

    def _learn_by_iteration(self, data, splits):
        """Fit sparse rows without making them dense."""
        if self.method != "cv":
            warn_of_method(self.method)
        ends = {"alphas": (True,), "alphas_shared": BOTH_ENDS}
        ends |= {"alphas_intercept": (True,)} if self.fit_intercept else {}
        given = {name: vars(self)[name] for name in ends}
        grids = [
            None if grid is None else read_grid(grid, name, *ends[name])
            for name, grid in given.items()
        ]
        grids += [None] * (3 - len(grids))
        fit, learnt = choose_by_iteration(data, splits, grids, self.fit_intercept)
        dtype = float_type(data.X)
        return {
            **self._linear(data.tasks, fit.unpack(), data.layout, dtype),
            **learnt,
        }

    def _learn_narrow(self, data, found, splits):
        """Fit rows that are far fewer than features."""
        learnt = self._learn_moments(found.data, splits)
        del learnt["moments_"]
        for name in ("coef_", "coef_shared_"):
            learnt[name] = found.restore(learnt[name]).astype(float_type(data.X))
        strengths = [learnt[f"{name}_"] for name in STRENGTHS]
        pull = ToMean(*strengths).pull(len(data.tasks), data.X.shape[1])
        return {**learnt, "_fit_of_rows": pose(data, pull, self.fit_intercept)}

    def _learn_moments(self, data, splits):
        """Fit moments of the rows."""
        moments = replace(data, task_weight=None).moments()
        weighted = moments.weighted(data.task_weight)
        if self.method == "reml":
            results = self._likelihoods(weighted)
        else:
            results = self._errors(data, weighted, splits)
        return self._finish(data, moments, weighted, results)

    def _finish(self, data, moments, weighted, results):
        """Return what is learnt at the strengths of the best score."""
        best = self._choose(results["mean_test_score"])
        alpha, shared, level = (results[name][best] for name in STRENGTHS)
        shared, level = float(shared), float(level)
        coupling = ToMean(alpha, shared, level)
        pull = coupling.pull(weighted.n_tasks, weighted.n_features)
        fit = pose_moments(weighted, pull, self.fit_intercept)
        if self.method == "reml":
            sigma2 = RestrictedLikelihood(fit).noise_variance
        else:
            sigma2 = Posterior(fit).noise_variance
        dtype = float_type(data.X)
        return {
            **self._linear(data.tasks, fit.unpack(), data.layout, dtype),
            "alpha_": alpha if alpha.ndim else float(alpha),
            "alpha_shared_": shared,
            "alpha_intercept_": level,
            "sigma2_": float(sigma2),
            "tau2_": sigma2 / alpha,
            "tau2_intercept_": float(sigma2 / level) if level else np.nan,
            "cv_results_": results,
            "best_score_": float(results["mean_test_score"][best]),
            "method_": self.method,
            "moments_": moments,
        }

    def _choose(self, scores):
        """Return the position of the chosen strengths."""
        several = self.method == "reml" and self.alphas_shared is not None
        return int(np.nanargmax(scores)) if several else len(scores) - 1

    def _likelihoods(self, moments):
        """Return the table of strengths that the likelihood search evaluated."""
        moments = moments if self.fit_intercept else moments.about_zero()
        tried = []
        for shared in self._fixed_shared(moments):
            search = StrengthSearch(
                moments,
                shared,
                self.fit_intercept,
                self.alpha_per_feature,
                simplify=shared is None and not self.alpha_per_feature,
            )
            tried.extend(search.search())
        *strengths, criteria = zip(*tried, strict=True)
        return tabulate(strengths, -np.array(criteria) / 2)

    def _fixed_shared(self, moments):
        """Return the given strengths of the centre, or None to search."""
        if self.alphas_shared is None:
            return [None]
        values = read_grid(self.alphas_shared, "alphas_shared", *BOTH_ENDS).tolist()
        if 0 in values and len(values) > 1:
            raise ValueError(
                "alphas_shared must not mix 0 with other strengths for method='reml', "
                f"as their likelihoods are not comparable, got {values}. Leave out 0, "
                "or give only 0."
            )
        n_fixed = moments.n_features + self.fit_intercept
        if values == [0] and moments.weight.sum() <= n_fixed:
            raise ValueError(
                "method='reml' needs more rows than features, got rows of total weight "
                f"{moments.weight.sum():g} and {moments.n_features} features. Leave "
                "alphas_shared at None, or choose another method."
            )
        return values

    def _errors(self, data, moments, splits):
        """Return the table of candidates."""
        candidates = self._candidates(moments)
        table = self._measure(data, moments, splits, candidates)
        warn_of_lists(table, -1, candidates)
        return table

    def _measure(self, data, moments, splits, candidates):
        if self.method == "cv":
            triples, by_fold = fold_scores(data, splits, candidates)
            names = [f"split{k}_test_score" for k in range(len(by_fold))]
            table = tabulate(triples.T, -by_fold.mean(axis=0))
            return table | dict(zip(names, -by_fold, strict=True))
        if self.method == "gcv":
            triples, scores = generalised_scores(moments, candidates)
        else:
            triples, scores = left_out_scores(data, moments, candidates)
        return tabulate(triples.T, -scores)

    def _candidates(self, moments):
        """Return the candidate strengths; a single task has only the centre's."""
        alone = (moments.weight > 0).sum() == 1
        unit, endless = mean_curvature(moments), np.array([np.inf])
        shared = np.append(_SHARED * unit, np.inf)
        if alone:
            alphas, levels = endless, endless
        else:
            alphas = np.append(suggest_alphas(moments, _N_ALPHAS), np.inf)
            levels = suggest_levels(moments, _N_LEVELS)
        if not self.fit_intercept:
            levels = np.zeros(1)
        given = self.alphas, self.alphas_shared, self.alphas_intercept
        free = tuple(each is None for each in given)
        if not (alone or free[0]):
            alphas = read_grid(self.alphas, "alphas", endless=True)
        if not free[1]:
            shared = read_grid(self.alphas_shared, "alphas_shared", *BOTH_ENDS)
        if not (alone or free[2]) and self.fit_intercept:
            levels = read_grid(self.alphas_intercept, "alphas_intercept", endless=True)
        return Candidates(alphas, shared, levels, self.fit_intercept, free)

    def _pull(self, tasks, n_features):
        coupling = ToMean(self.alpha_, self.alpha_shared_, self.alpha_intercept_)
        return coupling.pull(len(tasks), n_features)

    def _noise_variance(self, posterior):
        return self.sigma2_
