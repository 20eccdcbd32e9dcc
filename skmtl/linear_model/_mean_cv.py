"""Regression of tasks near a shared centre, with strengths chosen from the data."""

from dataclasses import replace
from numbers import Real

import numpy as np

from skmtl._compat import Interval, StrOptions
from skmtl.couplings import ToMean
from skmtl.problems import (
    Candidates,
    Posterior,
    RestrictedLikelihood,
    StrengthSearch,
    deal,
    fold_scores,
    generalised_scores,
    left_out_scores,
    narrow,
    needs_iteration,
    pose,
    pose_moments,
    suggest_alphas,
    suggest_levels,
)

from ._base import float_type
from ._centred import CentredRegressor
from ._mean_cv_large import choose_by_iteration, warn_of_method
from ._ridge import COMMON_CONSTRAINTS
from ._ridge_cv import SplittingRegressor, read_grid

_N_ALPHAS = 15
_N_LEVELS = 6
_N_FOLDS = 5


class MeanRegularizedRegressorCV(CentredRegressor, SplittingRegressor):
    """Linear tasks that stay near a shared centre, as near as the data say.

    Minimises ``sum_t ||y_t - X_t w_t - b_t||^2 + alpha sum_t ||w_t - w_s||^2 +
    alpha_shared ||w_s||^2 + alpha_intercept sum_t (b_t - b_s)^2``, and chooses `alpha`
    and `alpha_intercept`. How much tasks differ decides: from strengths near 0, tasks
    apart, to infinite ones, tasks alike.

    Parameters
    ----------
    alphas : array-like of shape (n_alphas,), default=None
        Strengths of the pull to choose from, positive, for every method but "reml".
        None for 15 of them, 1e-3 to 1e4 times the mean curvature of a task's loss.
    alphas_intercept : array-like of shape (n_alphas_intercept,), default=None
        Strengths of the pull of the intercepts to choose from, positive or infinite,
        for every method but "reml". None for 5 of them, 1e-3 to 10 times the mean
        number of rows of a task, and infinity.
    method : {"loo", "reml", "gcv", "cv"}, default="loo"
        What chooses. "loo": squared errors on rows left out one by one, exact, near
        the strengths that "gcv" prefers. "reml": the restricted likelihood of a mixed
        model, in which tasks are normal draws around the centre; strengths are
        continuous, and it needs tasks that are such draws. "gcv": generalised
        cross-validation, which replaces each row's leverage by the mean. "cv": squared
        errors on held-out rows, from moments of the folds, without refitting on rows.
    cv : int, splitter or iterable of (train, test), default=None
        Folds for ``method="cv"``. An int deals the rows of each task to so many folds;
        None stands for 5.
    alpha_per_feature : bool, default=False
        Whether each feature has its own `alpha`; for "reml" only.
    alpha_shared : float, default=0.0
        Strength that pulls the centre to zero.
    fit_intercept : bool, default=True
        Whether tasks have an intercept.
    task_column : str, int or list of them, default=None
        Column of X that holds the task of each row, by name or position; a list of
        columns declares nested tasks.
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
    alpha_intercept_ : float
        Strength that pulls the intercepts together.
    sigma2_ : float
        Variance of the noise: for "reml" that of the mixed model, else the sum of
        squared errors per degree of freedom left. In units of y squared.
    tau2_ : float or ndarray of shape (n_features,)
        Variance of the tasks' coefficients around the centre, ``sigma2_ / alpha_``.
    tau2_intercept_ : float
        Variance of the tasks' intercepts around the centre's.
    cv_results_ : dict of ndarray
        What was tried: "alpha", "alpha_intercept" and "mean_test_score", larger being
        better: the restricted log likelihood, or the squared error negated; NaN for
        strengths at which "loo" did not look. With ``method="cv"`` also
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
        Intercept of the centre.
    tasks_ : ndarray of shape (n_tasks,)
        Labels of the tasks: sorted, or the columns of y in their order.
    n_tasks_ : int
        Number of tasks.
    moments_ : TaskMoments
        Moments of all rows.
    n_features_in_ : int
        Number of columns of X in `fit`, with the task column.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    MeanRegularizedRegressor : The same with given strengths.
    MultiTaskRidgeCV : Tasks that share nothing.

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
        "alphas_intercept": ["array-like", None],
        "method": [StrOptions({"reml", "loo", "gcv", "cv"})],
        "cv": ["cv_object"],
        "alpha_per_feature": ["boolean"],
        "alpha_shared": [Interval(Real, 0, None, closed="left")],
        **COMMON_CONSTRAINTS,
    }

    def __init__(
        self,
        alphas=None,
        *,
        alphas_intercept=None,
        method="loo",
        cv=None,
        alpha_per_feature=False,
        alpha_shared=0.0,
        fit_intercept=True,
        task_column=None,
        handle_unknown="shared",
        task_weight=None,
    ):
        self.alphas = alphas
        self.alphas_intercept = alphas_intercept
        self.method = method
        self.cv = cv
        self.alpha_per_feature = alpha_per_feature
        self.alpha_shared = alpha_shared
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
        """Return what is learnt of sparse rows that stay sparse."""
        if self.method != "cv":
            warn_of_method(self.method)
        names = "alphas", "alphas_intercept"
        given = {
            name: read_grid(vars(self)[name], name, endless=True)
            for name in names
            if vars(self)[name] is not None
        }
        # A centre that nothing pulls is not determined by so few rows.
        shared = np.array([self.alpha_shared]) if self.alpha_shared else None
        grids = [given.get("alphas"), shared, given.get("alphas_intercept")]
        grids[2] = grids[2] if self.fit_intercept else None
        fit, learnt = choose_by_iteration(data, splits, grids, self.fit_intercept)
        dtype = float_type(data.X)
        return {
            **self._linear(data.tasks, fit.unpack(), data.layout, dtype),
            **learnt,
        }

    def _learn_narrow(self, data, found, splits):
        """Return what is learnt of rows that are far fewer than features."""
        learnt = self._learn_moments(found.data, splits)
        del learnt["moments_"]
        for name in ("coef_", "coef_shared_"):
            learnt[name] = found.restore(learnt[name]).astype(float_type(data.X))
        strengths = learnt["alpha_"], self.alpha_shared, learnt["alpha_intercept_"]
        pull = ToMean(*strengths).pull(len(data.tasks), data.X.shape[1])
        return {**learnt, "_fit_of_rows": pose(data, pull, self.fit_intercept)}

    def _learn_moments(self, data, splits):
        """Return what is learnt of moments of the rows."""
        moments = replace(data, task_weight=None).moments()
        weighted = moments.weighted(data.task_weight)
        if (weighted.weight > 0).sum() == 1:
            results = tabulate([(np.inf, np.inf, np.nan)])
        elif self.method == "reml":
            results = tabulate(self._likelihoods(weighted))
        else:
            results = self._errors(data, weighted, splits)
        return self._finish(data, moments, weighted, results)

    def _finish(self, data, moments, weighted, results):
        """Return what is learnt at the strengths of the best score."""
        best = int(np.nanargmax(results["mean_test_score"]))
        alpha, level = results["alpha"][best], float(results["alpha_intercept"][best])
        fit = pose_moments(
            weighted, self._pull_at(weighted, alpha, level), self.fit_intercept
        )
        if self.method == "reml":
            sigma2 = RestrictedLikelihood(fit).noise_variance
        else:
            sigma2 = Posterior(fit).noise_variance
        dtype = float_type(data.X)
        return {
            **self._linear(data.tasks, fit.unpack(), data.layout, dtype),
            "alpha_": alpha if alpha.ndim else float(alpha),
            "alpha_intercept_": level,
            "sigma2_": float(sigma2),
            "tau2_": sigma2 / alpha,
            "tau2_intercept_": float(sigma2 / level) if level else np.nan,
            "cv_results_": results,
            "best_score_": float(results["mean_test_score"][best]),
            "method_": self.method,
            "moments_": moments,
        }

    def _likelihoods(self, moments):
        """Return strengths and criteria that were met on the way to the best."""
        n_fixed = moments.n_features + self.fit_intercept
        if not self.alpha_shared and moments.weight.sum() <= n_fixed:
            raise ValueError(
                "method='reml' needs more rows than features, got rows of total weight "
                f"{moments.weight.sum():g} and {moments.n_features} features. Set "
                "alpha_shared above 0, or choose another method."
            )
        moments = moments if self.fit_intercept else moments.about_zero()
        search = StrengthSearch(
            moments, self.alpha_shared, self.fit_intercept, self.alpha_per_feature
        )
        return search.search()

    def _errors(self, data, moments, splits):
        """Return the table of a grid of strengths."""
        candidates = Candidates(
            suggest_alphas(moments, _N_ALPHAS)
            if self.alphas is None
            else read_grid(self.alphas, "alphas"),
            self._levels(moments),
            self.alpha_shared,
            self.fit_intercept,
        )
        if self.method == "cv":
            scores = -fold_scores(data, splits, candidates)
        elif self.method == "gcv":
            scores = -generalised_scores(moments, candidates)[None]
        else:
            scores = -left_out_scores(data, moments, candidates)[None]
        alphas, levels = candidates.pairs().T
        results = {"alpha": alphas, "alpha_intercept": levels}
        results["mean_test_score"] = scores.mean(axis=0)
        if self.method == "cv":
            for k, score in enumerate(scores):
                results[f"split{k}_test_score"] = score
        return results

    def _levels(self, moments):
        if not self.fit_intercept:
            return np.zeros(1)
        if self.alphas_intercept is None:
            return suggest_levels(moments, _N_LEVELS)
        return read_grid(self.alphas_intercept, "alphas_intercept", endless=True)

    def _pull_at(self, moments, alpha, level):
        coupling = ToMean(alpha, self.alpha_shared, level)
        return coupling.pull(moments.n_tasks, moments.n_features)

    def _pull(self, tasks, n_features):
        coupling = ToMean(self.alpha_, self.alpha_shared, self.alpha_intercept_)
        return coupling.pull(len(tasks), n_features)

    def _noise_variance(self, posterior):
        return self.sigma2_


def tabulate(tried):
    """Return the table of likelihoods as scores."""
    alphas, levels, criteria = zip(*tried, strict=True)
    criteria = np.array(criteria)
    return {
        "alpha": np.array(alphas),
        "alpha_intercept": np.array(levels),
        "mean_test_score": np.where(np.isnan(criteria), 0.0, -criteria / 2),
    }
