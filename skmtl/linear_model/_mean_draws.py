"""Intervals, standard deviations, and adaptation to new tasks."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any, Self

import numpy as np
from scipy.stats import t as student
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl._contracts import Array, TaskSet
from skmtl._linalg import calculation
from skmtl._memory import refuse_large
from skmtl.base import LinearRegressor, refuse_exact_fit
from skmtl.data import TaskRows, read_task_weight
from skmtl.problems import pose_moments
from skmtl.problems.exact import Posterior, TaskModels, solve_moments, solve_rows
from skmtl.selection import NewTaskVariances, weigh_tasks
from skmtl.targets import TargetScales, VariancePrior

# Attributes with a number per task, other than coefficients.
_PER_TASK = {"target_scale_", "noise_variance_", "_noise_factor"}
_NO_STD = "Predict without return_std or intervals, or reduce the columns."


class MeanDraws(LinearRegressor):
    """Regressors of tasks that are random draws around a centre."""

    @abstractmethod
    def _relation_of_fit(self, tasks):
        """Return the relation with the strengths of the fit."""

    def predict(self, X: Any, task: Any = None, return_std: bool = False) -> Any:
        """Predict each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.
        return_std : bool, default=False
            Whether to return standard deviations too. They include the noise, with the
            sum of squared errors per degree of freedom left as its variance, and the
            uncertainty of the task. Those of unseen tasks are estimated from errors of
            tasks that are left out, and are infinite if `fit` had a single task.

        Returns
        -------
        prediction : ndarray of shape (n_samples,) or (n_samples, n_tasks)
            Predictions; a column per task if `fit` had a 2-d y. Rows of unseen tasks
            are predicted with the shared part.
        std : ndarray of the same shape
            Standard deviations of the target around the prediction, if `return_std`.
        """
        if not return_std:
            return super().predict(X, task)
        prediction, errors = self._predict_errors(X, task)
        return prediction, errors.std.reshape(prediction.shape)

    def predict_interval(
        self, X: Any, coverage: float = 0.9, task: Any = None
    ) -> Array:
        """Predict an interval for the target of each row.

        A share `coverage` of the targets of new rows is expected within their
        intervals: on average over rows, not in each task. The half width is the
        standard deviation of :meth:`predict` times a quantile.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        coverage : float, default=0.9
            Share of targets within their intervals, above 0 and below 1.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples, 2) or (n_samples, n_tasks, 2)
            Lower and upper ends. Those of unseen tasks allow for the differences
            between tasks, and are infinite if `fit` had a single task.
        """
        read_coverage(coverage)
        prediction, errors = self._predict_errors(X, task)
        half = np.where(
            errors.is_new,
            student.ppf((1 + coverage) / 2, errors.freedom),
            self._quantile_of_seen(coverage, errors),
        )
        half = half.reshape(prediction.shape) * errors.std.reshape(prediction.shape)
        return np.stack([prediction - half, prediction + half], axis=-1)

    def _predict_errors(self, X, task):
        """Return predictions, and the distributions of their errors."""
        check_is_fitted(self)
        X, codes = self._read_queries(X, task)
        prediction = self._predict(X, codes)
        with calculation(X.shape[1]):
            posterior = self._posterior()
            noise = self._noise_variance(posterior)
            if "groupings_" in vars(self):
                errors = predict_grouped_errors(posterior, noise, X, codes)
                return prediction, errors
            units = self._scales, 1 / self._noise_factors[:-1]
            return prediction, predict_errors(posterior, noise, X, codes, *units)

    def _raw_variances(self, rows):
        """Return variances of means of rows by each task, (n_tasks, n_rows), or None.

        They leave out the noise.
        """
        if not hasattr(self, "moments_") or "groupings_" in vars(self):
            return None
        posterior = self._posterior()
        noise, n_tasks = self._noise_variance(posterior), posterior.fit.moments.n_tasks
        if not noise > 0:
            return None
        of_tasks = np.broadcast_to(rows, (n_tasks, *rows.shape))
        variances = posterior.variance(of_tasks, np.arange(n_tasks))
        return noise * variances * self._scales.factor[:, None] ** 2

    def _quantile_of_seen(self, coverage, errors):
        """Return the half width of intervals of seen tasks, in standard deviations."""
        return student.ppf((1 + coverage) / 2, errors.left)

    def _noise_variance(self, posterior):
        return posterior.noise_variance

    def _solve_moments(self, moments):
        """Return the exact fit of moments at the strengths of the fit."""
        moments = self._scales.divide_moments(moments)
        weight = moments.weight
        factor = read_task_weight(self.task_weight, moments.tasks, weight)
        if "_noise_factor" in vars(self):
            own = self._noise_factor
            factor = own if factor is None else factor * own
        relation = self._relation_of_fit(_task_set(moments.tasks, moments.n_features))
        return pose_moments(moments, factor, relation, self.fit_intercept).fit

    @property
    def _scales(self):
        """Scales of the targets in the fit."""
        prior = self._scale_prior and VariancePrior(*self._scale_prior)
        scales = self.target_scale_, self.target_scale_shared_
        return TargetScales(*scales, prior, self.target_centre_)

    @property
    def _noise_factors(self):
        """Common noise variance, relative to that of each task and of unseen ones."""
        own = vars(self).get("_noise_factor", np.ones(len(self.tasks_)))
        return np.append(own, 1 / np.mean(1 / own))

    def _posterior(self):
        if "groupings_" in vars(self):
            return self._read_posterior_of_groupings()
        if hasattr(self, "moments_"):
            return Posterior(self._solve_moments(self.moments_))
        if not hasattr(self, "_fit_of_rows"):
            raise ValueError(
                "Intervals and return_std need moments of the rows or their factors, "
                "and this model kept neither: its sparse X was large, or adapt got "
                "fewer rows than features. Fit all rows at once, or reduce the columns."
            )
        n_features = len(self.coef_shared_)
        refuse_large(3 * 8 * n_features**2, "covariances of features", _NO_STD)
        return Posterior(self._fit_of_rows)

    def _read_posterior_of_groupings(self):
        if "_posterior_of_groupings" not in vars(self):
            raise ValueError(
                "Intervals and return_std need the equations of all groupings, and "
                "this model has none: files of skmtl compare --save leave them out. "
                "Fit the model in Python, or to a single task column."
            )
        return self._posterior_of_groupings

    @fit_context(prefer_skip_nested_validation=True)
    def adapt(
        self, X: Any, y: Any, sample_weight: Any = None, task: Any = None
    ) -> Self:
        """Add one new task from few rows, near the centre that `fit` learnt.

        The other tasks and the centre do not change.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features of the new task, as in `fit`.
        y : array-like of shape (n_samples,)
            Target.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each row.
        task : int or str, default=None
            Label of the new task, unless X has a task column.

        Returns
        -------
        self : object
            The model with one more task.
        """
        check_is_fitted(self)
        if "groupings_" in vars(self):
            raise ValueError(
                "adapt needs one task column, but this model has the groupings "
                f"{list(self.groupings_)}. Fit again with the new rows."
            )
        sample = self._read_new_task(self._target(), X, y, sample_weight, task)
        data = sample.rows
        n_features = data.X.shape[1]
        relation = self._relation_of_fit(_task_set(data.tasks, n_features))
        prior = relation.coupling.strengths(len(data.tasks), n_features)
        strengths = replace(
            prior, centre=np.full(n_features, np.inf), holds_intercept=True
        )
        scales, noise = self._scales.of_new_task(data), self._noise_factors
        if "_noise_factor" in vars(self):
            data = weigh_tasks(data, noise[-1:])
        shared = self.coef_shared_.astype(float) / scales.shared
        intercept = (float(self.intercept_shared_) - scales.centre) / scales.shared
        with calculation(n_features):
            kept = hasattr(self, "moments_")
            if kept or strengths.rotation is not None or not strengths.pattern.all():
                moments = replace(data, task_weight=None).moments()
                weighted = moments.weighted(data.task_weight)
                own_part = scales.divide_moments(weighted)
                own_part = own_part.minus_prediction(shared, intercept)
                fit = solve_moments(own_part, strengths, self.fit_intercept)
                learnt = {"moments_": self.moments_ + moments} if kept else {}
            else:
                rows = slice(None) if data.rows is None else data.rows
                fitted = (data.X @ shared)[rows] + intercept
                own_part = replace(data, y=scales.divide(data).y - fitted)
                fit = solve_rows(own_part, strengths, self.fit_intercept)
                learnt = {}
            coef, own_intercept = strengths.restore(fit.coef, fit.intercept)
            own = TaskModels(
                coef + shared, own_intercept + intercept, shared, intercept
            )
            own = scales.restore(own.add_output_axis()).drop_output_axis()
        learnt |= self._append_variances(scales.factor, noise)
        return self._insert(sample, learnt, own)

    def _append_variances(self, scale, noise):
        """Return the scales and noise variances of all tasks, the new one last."""
        learnt = {"target_scale_": np.append(self.target_scale_, scale)}
        if "_noise_factor" in vars(self):
            learnt["_noise_factor"] = noise
        if "noise_variance_" in vars(self):
            new = np.mean(self.noise_variance_ / self.target_scale_**2) * scale**2
            learnt["noise_variance_"] = np.append(self.noise_variance_, new)
        return learnt

    def _insert(self, sample, learnt, own):
        """Store the models of all tasks and of the new one, in the order of labels."""
        tasks = np.concatenate([self.tasks_, sample.rows.tasks])
        order = np.argsort(tasks)
        coef = np.vstack([self.coef_, own.coef])[order]
        intercept = np.append(self.intercept_, own.intercept)[order]
        models = replace(own, coef=coef, intercept=intercept).add_output_axis()
        dropped = {"moments_", "_fit_of_rows"}
        kept = {name: vars(self)[name] for name in self._learnt}
        kept = {name: value for name, value in kept.items() if name not in dropped}
        rows = replace(sample.rows, X=sample.rows.X.astype(self.coef_.dtype))
        sample = replace(sample, rows=rows)
        learnt |= self._target().shape(sample, models, single=False)
        learnt |= {"tasks_": tasks[order], "n_tasks_": len(tasks)}
        for name in _PER_TASK & learnt.keys():
            learnt[name] = learnt[name][order]
        return self._store(sample, {**kept, **learnt})


def _task_set(labels, n_features):
    return TaskSet(labels, (), np.ones(len(labels), dtype=bool), n_features)


@dataclass(frozen=True)
class Errors:
    """Distributions of the errors of predictions, an entry per row, or row and task.

    Parameters
    ----------
    std : ndarray
        Standard deviations, with the noise.
    freedom : ndarray
        Degrees of freedom of the standard deviations of unseen tasks.
    is_new : ndarray of bool
        Whether the task is unseen.
    noise : float
        Variance of the noise.
    left : float
        Degrees of freedom of the noise.
    """

    std: Array
    freedom: Array
    is_new: Array
    noise: float
    left: float


def predict_grouped_errors(posterior, noise, X, codes):
    """Return the distributions of errors, given labels of several groupings.

    The variance of an unseen label is estimated from those of its grouping, so it has
    one degree of freedom less than there are labels; the sum of variances has those of
    Satterthwaite.
    """
    refuse_exact_fit(noise)
    left, X = posterior.freedom_left, X.astype(float)
    variance, unseen = 1 + posterior.variance(X, codes), posterior.unseen(X, codes)
    between = np.asarray(posterior.system.layout.n_labels) - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.where(unseen > 0, unseen**2 / between, 0.0).sum(axis=1)
        squares += (variance - unseen.sum(axis=1)) ** 2 / left
        freedom = np.where(np.isfinite(squares), variance**2 / squares, 1.0)
    # One label does not show how labels differ.
    variance = np.where(np.isfinite(squares), variance, np.inf)
    is_new = (unseen > 0).any(axis=1)
    return Errors(np.sqrt(noise * variance), freedom, is_new, noise, left)


def predict_errors(posterior, noise, X, codes, scales, ratios):
    """Return the distributions of the errors; code -1 is an unseen task.

    `ratios` are the noise variances of the tasks, relative to `noise`.
    """
    refuse_exact_fit(noise)
    n_tasks, rows = posterior.fit.moments.n_tasks, np.arange(X.shape[0])
    if codes is None:
        codes = np.tile(np.arange(n_tasks), len(rows))
        rows = np.repeat(rows, n_tasks)
    left = float(posterior.fit.moments.weight.sum() - posterior.degrees_of_freedom)
    order = np.argsort(codes, kind="stable")
    offsets = np.searchsorted(codes[order], np.arange(n_tasks + 1))
    variance, freedom = np.empty(len(codes)), np.full(len(codes), left)
    seen = TaskRows(
        X, rows[order], np.zeros(len(codes)), None, offsets, np.arange(n_tasks)
    )
    for group in seen.groups():
        uncertain = posterior.variance(group.X, group.tasks)
        own = ratios[group.tasks][:, None]
        variance[order[group.rows]] = noise * (own + uncertain)
    new = order[: offsets[0]]
    if len(new):
        unseen = X[rows[new]]
        unseen = unseen.toarray() if hasattr(unseen, "toarray") else unseen
        units = scales.factor / scales.shared, ratios
        of_new = NewTaskVariances.of(posterior.fit, *units)
        variance[new], freedom[new] = of_new.at(unseen.astype(float))
    std = np.sqrt(variance) * np.append(scales.factor, scales.shared)[codes]
    return Errors(std, freedom, codes < 0, noise, left)


def read_coverage(coverage):
    """Raise an error unless a coverage is between 0 and 1."""
    if not (isinstance(coverage, Real) and 0 < coverage < 1):
        raise ValueError(
            f"coverage must be a share above 0 and below 1, got {coverage!r}. Use for "
            "example 0.9."
        )
