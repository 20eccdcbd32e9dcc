"""What all linear models of tasks do alike: read, keep, predict, score."""

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, clone
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl._linalg import calculation
from skmtl.data import (
    multiply_rows,
    read_numeric_target,
    read_queries,
    read_rows,
    read_sample_weight,
    read_task_weight,
)
from skmtl.losses import Squared
from skmtl.metrics import nan_r2_score
from skmtl.problems.exact import has_few_rows, pose, pose_moments
from skmtl.problems.newton import (
    CentredLosses,
    Datafit,
    iterate,
    needs_iteration,
    warn_of_iteration,
)
from skmtl.selection import suggest_alphas

from ._finite import cast, predict_finite, refuse_infinite
from ._units import warn_of_units


class TaskModel(MultiOutputMixin, BaseEstimator, ABC):
    """Keep what was learnt of tasks, and say what a model of tasks accepts."""

    __metadata_request__fit = {"task": True}
    __metadata_request__predict = {"task": True}
    __metadata_request__score = {"task": True}

    def _read_queries(self, X, task):
        """Return the rows to predict, and the position of each row's model."""
        return read_queries(self, X, task)

    def _models_at(self, codes):
        """Return coefficients and intercepts by code; -1 is the shared part."""
        coef = np.concatenate([self.coef_, self.coef_shared_[None]])
        return coef, np.append(self.intercept_, [self.intercept_shared_], axis=0)

    def _keep(self, data, learnt):
        """Put away everything that was learnt, at the end, so that errors keep all."""
        refuse_infinite(learnt, data)
        for name in [name for name in vars(self) if name in _FORGOTTEN]:
            delattr(self, name)
        self._layout = data.layout
        for name, value in learnt.items():
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        if self.task_column is not None:
            tags.input_tags.categorical = True
            tags.input_tags.string = True
            tags.target_tags.multi_output = False
        return tags


class TaskRegressor(RegressorMixin, TaskModel):
    """Read tasks in any layout, and predict with the linear model of each."""

    @abstractmethod
    def _learn(self, data, splits):
        """Return what `fit` learns from rows: attributes by name."""

    def _warn_of_units(self, data):
        """Warn of targets in different units, since tasks share coefficients."""
        warn_of_units(data)

    def _read_splits(self, data, X, y, task):
        """Return the splits of rows by which strengths are chosen, if any are."""
        return

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, task=None):
        """Learn all tasks together.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if `task_column` names one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : object
            The fitted model.
        """
        data = read_rows(
            self,
            X,
            y,
            task=task,
            sample_weight=sample_weight,
            task_weight=self.task_weight,
        )
        self._warn_of_units(data)
        splits = self._read_splits(data, X, y, task)
        with calculation(data.X.shape[1]):
            return self._keep(data, self._learn(data, splits))

    def _linear(self, tasks, models, layout, dtype):
        """Return the attributes that hold the linear models of tasks."""
        coef, intercept = cast(models.coef, dtype), cast(models.intercept, dtype)
        shared = cast(models.coef_shared, dtype)
        single = layout == "single"
        return {
            "tasks_": tasks,
            "n_tasks_": len(tasks),
            "coef_": coef[0] if single else coef,
            "intercept_": intercept[0] if single else intercept,
            "coef_shared_": shared,
            "intercept_shared_": cast(models.intercept_shared, dtype)[()],
        }

    def predict(self, X, task=None):
        """Predict each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_tasks)
            Predictions; a column per task if `fit` had a 2-d y. Rows of tasks never
            seen are predicted with the shared part.
        """
        check_is_fitted(self)
        return self._predict(*self._read_queries(X, task))

    def _predict(self, X, codes):
        """Return finite predictions for rows that have been checked."""
        return predict_finite(lambda rows: self._calculate(rows, codes), X)

    def _calculate(self, X, codes):
        """Return predictions, infinite or NaN where they overflow."""
        if codes is None:
            return X @ self.coef_.T + self.intercept_
        coef, intercept = self._models_at(codes)
        return multiply_rows(X, coef, codes) + intercept[codes]

    def score(self, X, y, sample_weight=None, task=None):
        """Return the coefficient of determination of the predictions.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target; NaN in a 2-d y is left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `predict`.

        Returns
        -------
        float
            R2 over all rows; with a 2-d y the mean of the R2 of its columns.
        """
        check_is_fitted(self)
        target, found = read_numeric_target(self, y)[0], self.predict(X, task)
        weight = read_sample_weight(sample_weight, len(found))
        metric = nan_r2_score if self._layout == "outputs" else r2_score
        return metric(target, found, sample_weight=weight)


# What one way of fitting leaves behind and another does not write.
_FORGOTTEN = frozenset({"moments_", "_fit_of_rows", "kkt_"})


class MomentRegressor(TaskRegressor):
    """Learn from moments of the rows, which can be added up batch by batch.

    A search along strengths poses the rows of a fold once, task weights applied, and
    solves strength by strength.
    """

    @abstractmethod
    def _fit_moments(self, moments):
        """Return the solved problem of all rows so far, to be unpacked."""

    def _strengths(self):
        """Return the names of the parameters that a search scales together."""
        return ["alpha"]

    def _suggest(self, posed, scaled, n_alphas, eps):
        """Return falling strengths that suit what is posed, of a Scaled model."""
        return suggest_alphas(posed, n_alphas)[::-1]

    def _reads_rows(self, data):
        """Return whether tasks are learnt from rows, because moments cost more."""
        return False

    def _pose_rows(self, data):
        """Return what is solved at every strength, from rows."""
        return data.moments()

    def _pose_moments(self, moments):
        """Return the same from moments."""
        return moments

    def _solve(self, posed, fits=()):
        """Return the fit of what was posed, from those before it along a path."""
        return clone(self).set_params(task_weight=None)._fit_moments(posed)

    def _roughened(self):
        """Return the model as it is solved in folds, where errors alone matter."""
        return self

    def _warn_of(self, fits):
        """Warn of fits that have not converged."""

    def _from_moments(self, moments, layout, dtype):
        fit = self._fit_moments(moments)
        learnt = self._linear(moments.tasks, fit.unpack(), layout, dtype)
        return {**learnt, "moments_": moments}

    def _learn(self, data, splits):
        moments = replace(data, task_weight=None).moments()
        return self._from_moments(moments, data.layout, float_type(data.X))

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, task=None):
        """Learn from a further batch, as if all batches had come at once.

        The order of the batches does not matter, and hyper-parameters may be changed
        between them. Tasks may be new in any batch.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features of the batch, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target of the batch.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `fit`.

        Returns
        -------
        self : object
            The model of all batches so far.
        """
        begun = hasattr(self, "_layout")
        if begun and not hasattr(self, "moments_"):
            raise ValueError(
                "partial_fit must follow partial_fit, or a fit that kept moments. This "
                "fit had fewer rows per task than features, or a large sparse X, and "
                "kept none. Start again: clone the model and give it every batch by "
                "partial_fit."
            )
        data = read_rows(
            self, X, y, task=task, sample_weight=sample_weight, reset=not begun
        )
        with calculation(data.X.shape[1]):
            moments = data.moments()
            moments = self.moments_ + moments if begun else moments
            learnt = self._from_moments(moments, data.layout, float_type(data.X))
        return self._keep(data, learnt)


class PulledRegressor(TaskRegressor):
    """Learn with strengths that pull tasks to a centre, or to zero."""

    @abstractmethod
    def _pull(self, tasks, n_features):
        """Return the strengths as a Pull."""

    def _fit_moments(self, moments):
        factor = read_task_weight(self.task_weight, moments.tasks, moments.weight)
        pull = self._pull(moments.tasks, moments.n_features)
        return pose_moments(moments.weighted(factor), pull, self.fit_intercept)


class PulledMomentRegressor(PulledRegressor, MomentRegressor):
    """Learn from moments, or from rows where they are far fewer than features."""

    def _learn(self, data, splits):
        if needs_iteration(data):
            return self._learn_by_iteration(data)
        pull = self._pull(data.tasks, data.X.shape[1])
        if not has_few_rows(data) or not (pull.pattern > 0).all():
            return super()._learn(data, splits)
        fit = pose(data, pull, self.fit_intercept)
        learnt = self._linear(data.tasks, fit.unpack(), data.layout, float_type(data.X))
        return {**learnt, "_fit_of_rows": fit}

    def _learn_by_iteration(self, data):
        """Fit sparse rows without making them dense."""
        pull = self._pull(data.tasks, data.X.shape[1])
        fit = iterate(pose_rows(data, pull, self.fit_intercept))
        warn_of_iteration(fit)
        learnt = self._linear(data.tasks, fit.unpack(), data.layout, float_type(data.X))
        return {**learnt, "kkt_": fit.residual}


def pose_rows(data, pull, fit_intercept):
    """Return the squared losses around a centre, evaluated without matrices."""
    rows = data.stacked() if data.shares_rows else data
    return CentredLosses(Datafit(rows, Squared(), fit_intercept), pull)


def float_type(X):
    """Return float32 for float32 data, else float64."""
    return np.dtype(np.float32 if X.dtype == np.float32 else np.float64)
