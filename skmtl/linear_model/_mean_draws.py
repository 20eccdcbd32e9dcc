"""Predictive standard deviations, and adaptation to new tasks."""

from abc import abstractmethod
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl._contracts import TaskSet
from skmtl._linalg import calculation
from skmtl._memory import refuse_large
from skmtl.base import LinearRegressor
from skmtl.data import TaskRows, read_task_weight
from skmtl.problems import pose_moments
from skmtl.problems.exact import Posterior, TaskModels, solve_moments, solve_rows
from skmtl.selection import weigh_tasks
from skmtl.targets import TargetScales, VariancePrior

# Attributes with a number per task, other than coefficients.
_PER_TASK = {"target_scale_", "noise_variance_", "_noise_factor"}
_NO_STD = "Predict without return_std, or reduce the columns."


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
            Whether to return standard deviations too, of a model in which tasks are
            random draws around the centre. They include the noise, with the sum of
            squared errors per degree of freedom left as its variance, and the
            uncertainty of the task. They are infinite for an unseen task if `alpha` or
            `alpha_intercept` is 0.

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
        check_is_fitted(self)
        X, codes = self._read_queries(X, task)
        prediction = self._predict(X, codes)
        with calculation(X.shape[1]):
            posterior = self._posterior()
            noise = self._noise_variance(posterior), 1 / self._noise_factors
            std = predict_std(posterior, *noise, X, codes)
        scales = np.append(self.target_scale_, self.target_scale_shared_)
        std = std * (scales[:-1] if codes is None else scales[codes])
        return prediction, std.reshape(prediction.shape)

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
        return TargetScales(self.target_scale_, self.target_scale_shared_, prior)

    @property
    def _noise_factors(self):
        """Common noise variance, relative to that of each task and of unseen ones."""
        own = vars(self).get("_noise_factor", np.ones(len(self.tasks_)))
        return np.append(own, 1 / np.mean(1 / own))

    def _posterior(self):
        if hasattr(self, "moments_"):
            return Posterior(self._solve_moments(self.moments_))
        if not hasattr(self, "_fit_of_rows"):
            raise ValueError(
                "return_std needs moments of the rows or their factors, and this model "
                "kept neither: its sparse X was large, or adapt got fewer rows than "
                "features. Fit all rows at once, or reduce the columns."
            )
        n_features = len(self.coef_shared_)
        refuse_large(3 * 8 * n_features**2, "covariances of features", _NO_STD)
        return Posterior(self._fit_of_rows)

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
        intercept = float(self.intercept_shared_) / scales.shared
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


def predict_std(posterior, sigma2, noise, X, codes):
    """Return the standard deviations of the targets of rows, with the noise.

    `noise` has the noise variances of the tasks and of unseen ones, relative to sigma2.
    """
    if not np.isfinite(sigma2):
        raise ValueError(
            "return_std needs more rows than degrees of freedom, but the model fits "
            "its rows exactly. Raise alpha, or fit more rows."
        )
    n_tasks, n_rows = posterior.fit.moments.n_tasks, X.shape[0]
    if codes is None:
        rows = np.tile(np.arange(n_rows), n_tasks)
        codes = np.repeat(np.arange(n_tasks), n_rows)
        variance = _variance(posterior, X, rows, codes)
        return np.sqrt(sigma2 * (noise[:-1] + variance.reshape(n_tasks, n_rows).T))
    variance = _variance(posterior, X, np.arange(n_rows), codes)
    return np.sqrt(sigma2 * (noise[codes] + variance))


def _variance(posterior, X, rows, codes):
    """Return variances of predictions at ``X[rows]``; code -1 is an unseen task."""
    order = np.argsort(codes, kind="stable")
    n_tasks = posterior.fit.moments.n_tasks
    offsets = np.searchsorted(codes[order], np.arange(n_tasks + 1))
    variance = np.empty(len(codes))
    seen = TaskRows(
        X, rows[order], np.zeros(len(codes)), None, offsets, np.arange(n_tasks)
    )
    for group in seen.groups():
        variance[order[group.rows]] = posterior.variance(group.X, group.tasks)
    new = order[: offsets[0]]
    if len(new):
        unseen = X[rows[new]]
        unseen = unseen.toarray() if hasattr(unseen, "toarray") else unseen
        variance[new] = posterior.variance_of_new_task(unseen.astype(float))
    return variance
