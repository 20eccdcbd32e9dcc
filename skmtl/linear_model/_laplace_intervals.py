"""Intervals of probabilities and counts, by Laplace's method."""

from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import betainc, expit, logsumexp, pdtr
from scipy.stats import norm
from scipy.stats import t as student
from sklearn.utils.validation import check_is_fitted

from skmtl._contracts import Array
from skmtl._linalg import calculation
from skmtl.base import LinearClassifier, LinearCountRegressor, LinearModel
from skmtl.couplings import Rotation
from skmtl.losses import contrasts
from skmtl.problems.newton import LaplacePosterior

from ._mean_draws import read_coverage

# Keep Hessians of up to this many numbers, 16 MB, for intervals.
_N_KEPT = 2**21
# Nodes over the uncertain logarithm of a mean, in standard deviations up to the widest.
# They are close to each other, as a large count hardly varies around its mean.
_N_NODES, _WIDEST = 61, 4.5
# Larger counts are infinite: functions of them over- or underflow.
_LARGEST, _LARGEST_LOG = 1e60, 600.0
# Relative precision of counts beyond a billion.
_PRECISION = 1e-9
# A smaller dispersion is that of Poisson.
_NO_DISPERSION = 1e-8


class LaplaceIntervals(LinearModel):
    """Models of tasks around a centre, with the curvature at their optimum."""

    def _describe(self, target, sample, tasks, relation, fit):
        learnt = super()._describe(target, sample, tasks, relation, fit)
        if tasks.groupings:
            return learnt
        objective = fit.detail
        n_tasks, n_outputs, n_columns = objective.shape
        if n_tasks * (n_outputs * n_columns) ** 2 > _N_KEPT:
            return learnt
        models, has_intercept = fit.models, objective.datafit.fit_intercept
        intercepts = models.intercept_shared[:, None][:, :has_intercept]
        shared = np.column_stack([models.coef_shared, intercepts])
        rotation = objective.strengths.rotation
        if rotation is not None:
            shared = rotation.enter(shared, has_intercept)
            learnt = {**learnt, "_rotation": (rotation.basis, rotation.origin)}
        posterior = LaplacePosterior.of(objective, fit.variable, shared)
        parts = posterior.hessians, posterior.right, posterior.own, posterior.centre
        return {**learnt, "_curvature": (*parts, np.array(n_outputs))}

    def _posterior(self):
        if "groupings_" in vars(self):
            raise ValueError(
                "Intervals need one task column, and this model has the groupings "
                f"{list(self.groupings_)}. Fit the model to one of them."
            )
        if "_curvature" not in vars(self):
            raise ValueError(
                "Intervals need the Hessians of all tasks, and this model kept none: "
                f"they have more than {_N_KEPT:,} numbers, or an older version saved "
                "it. Reduce the columns or the tasks, or fit again."
            )
        *parts, n_outputs = self._curvature
        sizes = int(n_outputs), self.coef_.shape[-1]
        return LaplacePosterior(*parts, *sizes, self._scale())

    def _scale(self):
        """Return the variance of rows' gradients relative to their curvatures."""
        return 1.0

    def _raw_variances(self, rows):
        """Return variances of scores of rows by each task, (n_tasks, n_rows), or None.

        With more than two classes there are none.
        """
        if "_curvature" not in vars(self) or int(self._curvature[-1]) > 1:
            return None
        codes = np.repeat(np.arange(self.n_tasks_), len(rows))
        stacked = np.tile(rows, (self.n_tasks_, 1))
        covariances, _, _ = self._spread(stacked, codes, 0.9)
        return covariances.reshape(self.n_tasks_, len(rows))

    def _spread(self, X, codes, coverage):
        """Return covariances and shifts of raw predictions, and quantiles."""
        n_rows = X.shape[0]
        rows = np.arange(n_rows)
        if codes is None:
            codes = np.tile(np.arange(self.n_tasks_), n_rows)
            rows = np.repeat(rows, self.n_tasks_)
        dense = X.toarray() if hasattr(X, "toarray") else X
        if "_rotation" in vars(self):
            dense = Rotation(*self._rotation).turn(dense)
        with calculation(X.shape[1]):
            posterior = self._posterior()
            covariances = posterior.covariances(dense[rows].astype(float), codes)
            shifts = posterior.shifts(codes)
        level, freedom = (1 + coverage) / 2, max(posterior.n_tasks - 1, 1)
        is_new = posterior.is_new(codes)
        quantiles = np.where(is_new, student.ppf(level, freedom), norm.ppf(level))
        return covariances, shifts, quantiles


class IntervalsOfClasses(LaplaceIntervals, LinearClassifier):
    """Classifiers with intervals of the probabilities."""

    def predict_interval(self, X: Any, coverage: float = 0.9, task: Any = None) -> Any:
        """Predict an interval for the probability of each class.

        It is the interval of the log-odds of the class against the others, by Laplace's
        method: the uncertainty of the coefficients, given the strengths. For an unseen
        task, it allows for the differences between tasks.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        coverage : float, default=0.9
            Share of probabilities within their intervals, above 0 and below 1.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples, n_classes, 2), or list of them
            Lower and upper ends of the probabilities, in the order of `classes_`; one
            array per task if `fit` had a 2-d y.
        """
        read_coverage(coverage)
        check_is_fitted(self)
        X, codes = self._read_queries(X, task)
        scores = self._predict_possible(X, codes).astype(float)
        covariances, shifts, quantiles = self._spread(X, codes, coverage)
        if codes is not None:
            return _intervals(_move(scores, shifts), covariances, quantiles)
        shape = len(scores), self.n_tasks_
        covariances = covariances.reshape(*shape, *covariances.shape[1:])
        quantiles = quantiles.reshape(shape)
        return [
            _intervals(each, covariances[:, k], quantiles[:, k])
            for k, each in enumerate(scores.reshape(shape).T)
        ]


def _move(scores, shifts):
    """Add shifts of raw predictions to scores of one or several outputs."""
    if scores.ndim == 1:
        return scores + shifts[:, 0]
    return scores + shifts @ contrasts(scores.shape[1]).T


def _intervals(scores, covariances, quantiles):
    """Return intervals of probabilities, from covariances of raw predictions.

    Log-odds are differences between scores: those of rounded probabilities are infinite
    beyond about 37.
    """
    if scores.ndim == 1:
        half = _half_widths(scores, covariances[:, 0, 0], quantiles)
        ends = np.stack([scores - half, scores + half], axis=1)
        return expit(np.stack([-ends[:, ::-1], ends], axis=1))
    ends = np.empty((*scores.shape, 2))
    for k in range(scores.shape[1]):
        others = scores.copy()
        others[:, k] = -np.inf
        total = logsumexp(others, axis=1)
        variance = _variance_of_log_odds(others, total[:, None], covariances, k)
        centre = scores[:, k] - total
        half = _half_widths(centre, variance, quantiles)
        ends[:, k] = expit(np.stack([centre - half, centre + half], axis=1))
    return ends


def _half_widths(log_odds, variance, quantiles):
    """Return half the widths of intervals; zero if a task has no other class."""
    return np.where(np.isinf(log_odds), 0.0, quantiles * np.sqrt(variance))


def _variance_of_log_odds(others, total, covariances, k):
    """Return variances of the log-odds of class k against the scores of the others."""
    slopes = -np.exp(others - np.where(np.isinf(total), 0.0, total))
    slopes[:, k] = 1.0
    slopes = slopes @ contrasts(others.shape[1])
    infinite = np.isinf(covariances[:, 0, 0])
    finite = np.where(infinite[:, None, None], 0.0, covariances)
    variance = np.einsum("ij,ijk,ik->i", slopes, finite, slopes)
    return np.where(infinite, np.inf, variance)


class IntervalsOfCounts(LaplaceIntervals, LinearCountRegressor):
    """Count models with intervals of the mean and of the count."""

    def _describe(self, target, sample, tasks, relation, fit):
        learnt = super()._describe(target, sample, tasks, relation, fit)
        if tasks.groupings:
            return learnt
        dispersion, scale = _estimate_dispersion(fit, sample)
        return {**learnt, "_dispersion": dispersion, "_variance_ratio": scale}

    def _scale(self):
        return self._variance_ratio

    def predict_mean_interval(
        self, X: Any, coverage: float = 0.9, task: Any = None, exposure: Any = None
    ) -> Array:
        """Predict an interval for the mean count of each row.

        It is the interval of the logarithm of the mean, by Laplace's method: the
        uncertainty of the coefficients, given the strengths. For an unseen task, it
        allows for the differences between tasks.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        coverage : float, default=0.9
            Share of means within their intervals, above 0 and below 1.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row; None means ones.

        Returns
        -------
        ndarray of shape (n_samples, 2) or (n_samples, n_tasks, 2)
            Lower and upper ends.
        """
        mean, std, quantiles = self._spread_of_log(X, coverage, task, exposure)
        half = np.exp(quantiles * std)
        return np.stack([mean / half, mean * half], axis=-1)

    def predict_interval(
        self, X: Any, coverage: float = 0.9, task: Any = None, exposure: Any = None
    ) -> Array:
        """Predict an interval for the count of each row.

        It has the quantiles of a negative binomial count, whose dispersion is estimated
        from the rows of `fit`, with an uncertain mean: the logarithm of the mean is
        normal, by Laplace's method. As counts are whole numbers, intervals contain at
        least the share `coverage`, and of small counts a larger one.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        coverage : float, default=0.9
            Share of counts within their intervals, above 0 and below 1.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row; None means ones.

        Returns
        -------
        ndarray of shape (n_samples, 2) or (n_samples, n_tasks, 2)
            Smallest and largest count, both within the interval.
        """
        mean, std, quantiles = self._spread_of_log(X, coverage, task, exposure)
        # Few tasks widen the normal distribution to quantiles of Student's t.
        std = std * quantiles / norm.ppf((1 + coverage) / 2)
        known, tail = np.isfinite(std), (1 - coverage) / 2
        ends = np.tile([0.0, np.inf], (*mean.shape, 1))
        for k, level in enumerate((tail, 1 - tail)):
            ends[known, k] = find_counts(
                mean[known], std[known], self._dispersion, level
            )
        return ends

    def _spread_of_log(self, X, coverage, task, exposure):
        """Return medians of the mean, and standard deviations and quantiles of logs."""
        read_coverage(coverage)
        check_is_fitted(self)
        mean = self.predict(X, task, exposure)
        X, codes = self._read_queries(X, task)
        covariances, shifts, quantiles = self._spread(X, codes, coverage)
        mean = mean * np.exp(shifts[:, 0].reshape(mean.shape))
        std = np.sqrt(covariances[:, 0, 0])
        return mean, std.reshape(mean.shape), quantiles.reshape(mean.shape)


def _estimate_dispersion(fit, sample):
    """Return the dispersion of counts, and the ratio of their variance to their mean.

    The variance of a count is ``mean + dispersion mean^2``. The dispersion has the
    expected sum of Pearson's squared residuals; the ratio is that of sums over rows, as
    in the variance of a gradient.
    """
    rows, unit = sample.rows, sample.mean_exposure
    counted = replace(fit.detail.datafit, data=rows)
    raws = counted.predict(fit.models.columns(counted.fit_intercept))
    sums = np.zeros(4)
    for stack, raw in zip(counted.stacks(), raws, strict=True):
        mean, weight = np.exp(raw[:, :, 0]), stack.weight
        squares = weight * (stack.y[:, :, 0] - mean) ** 2
        parts = squares / mean, squares, weight / unit, weight * mean
        sums += [each.sum() for each in parts]
    n_rows, n_parameters = len(rows.y), len(rows.tasks) * fit.detail.shape[2]
    corrected = n_rows / max(n_rows - n_parameters, n_rows / 2)
    pearson, squares, n_exposed, means = sums * [corrected, corrected, 1, 1]
    dispersion = max(pearson - n_exposed, 0.0) / means
    return float(dispersion), float(max(squares * unit / means, 1.0))


def find_counts(mean: Array, std: Array, dispersion: float, level: float) -> Array:
    """Return quantiles of counts with an uncertain mean.

    Parameters
    ----------
    mean, std : ndarray of shape (n_rows,)
        Median of the mean, and standard deviation of its logarithm.
    dispersion : float
        Excess variance of a count given its mean, in squares of the mean.
    level : float
        Probability of a count of at most the quantile.

    Returns
    -------
    ndarray of shape (n_rows,)
        The smallest counts with at least this probability; those beyond 1e9 to nine
        digits, and infinity beyond 1e60.
    """
    nodes = np.linspace(-_WIDEST, _WIDEST, _N_NODES)
    weights = norm.pdf(nodes)
    weights /= weights.sum()
    means = mean[:, None] * np.exp(np.minimum(std[:, None] * nodes, _LARGEST_LOG))
    cdf = _distribution(np.minimum(means, _LARGEST), dispersion)
    low, high = np.full(len(mean), -1.0), np.full(len(mean), 10 * _LARGEST)
    while (high - low > np.maximum(1, _PRECISION * high)).any():
        # Geometric means: the range has many powers of ten.
        least = np.maximum(low, 1)
        middle = np.where(
            high > 2 * least, np.sqrt(least) * np.sqrt(high), (low + high) / 2
        )
        middle = np.clip(np.floor(middle), low + 1, high - 1)
        enough = cdf(middle[:, None]) @ weights >= level
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(high >= _LARGEST, np.inf, high)


def _distribution(mean, dispersion):
    """Return the cumulative distribution of counts."""
    if dispersion < _NO_DISPERSION:
        return lambda count: pdtr(count, mean)
    size = 1 / dispersion
    return lambda count: betainc(size, count + 1, size / (size + mean))
