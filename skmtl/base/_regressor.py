"""Base classes of regressors: fit, predict, score and partial_fit."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl._contracts import Array, Relation, TaskSet
from skmtl._linalg import calculation
from skmtl.data import (
    TaskMoments,
    multiply_rows,
    read_numeric_target,
    read_sample_weight,
    read_task_weight,
)
from skmtl.metrics import nan_r2_score
from skmtl.problems import pose_moments
from skmtl.targets import NumericTarget, Sample, Target, predict_finite

from ._task_model import TaskModel


class TaskRegressor(RegressorMixin, TaskModel):
    """Regressors of tasks, with the squared loss unless `_target` returns another."""

    def _target(self) -> Target:
        return NumericTarget()

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self:
        """Learn all tasks together.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if `task_column` names one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.

        Returns
        -------
        self : object
            The fitted model.
        """
        return self._fit(X, y, sample_weight, task)

    def predict(self, X: Any, task: ArrayLike | None = None) -> Array:
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
            Predictions; a column per task if `fit` had a 2-d y. Rows of unseen tasks
            are predicted with the shared part.
        """
        check_is_fitted(self)
        return self._predict(*self._read_queries(X, task))

    def _predict(self, X: Any, codes: Array | None) -> Array:
        """Return finite predictions for checked rows."""
        return predict_finite(lambda rows: self._predictions(rows, codes), X)

    def _predictions(self, X: Any, codes: Array | None) -> Array:
        """Return predictions, infinite or NaN where they overflow."""
        raw: Array
        if codes is None:
            raw = X @ self.coef_.T + self.intercept_
            return raw
        coef, intercept = self._models_at(codes)
        raw = multiply_rows(X, coef, codes)
        return raw + intercept[codes]

    def score(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> float:
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
        return float(metric(target, found, sample_weight=weight))


class MomentRegressor(TaskRegressor):
    """Regressors with the squared loss and given strengths, with `partial_fit`.

    Moments of the rows add up over batches, so `partial_fit` keeps no rows.
    """

    @abstractmethod
    def _relation(self, tasks: TaskSet) -> Relation:
        """Return the relation of the tasks."""

    def _retain(self, moments: TaskMoments | None, fit: Any) -> dict[str, Any]:
        if moments is not None:
            return {"moments_": moments}
        return {"_fit_of_rows": fit.detail} if fit.is_exact else {}

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self:
        """Learn from a further batch; the result equals a fit to all batches.

        Batches may be in any order, and may have new tasks. Hyper-parameters may change
        between batches.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features of the batch, as in `fit`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Target of the batch.
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
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
                "kept none. Clone the model and pass every batch to partial_fit."
            )
        given = {"sample_weight": sample_weight, "task": task}
        sample = self._target().read(self, X, y, reset=not begun, **given)
        with calculation(sample.rows.X.shape[1]):
            moments = sample.rows.moments()
            moments = self.moments_ + moments if begun else moments
            return self._store(sample, self._learn_moments(sample, moments))

    def _learn_moments(self, sample: Sample, moments: TaskMoments) -> Mapping[str, Any]:
        """Fit the moments and return the fitted attributes by name."""
        tasks, relation, problem = self._pose_moments(moments)
        fit = self._solve(problem, tasks)
        learnt = self._describe(self._target(), sample, tasks, relation, fit)
        return {**learnt, **self._retain(moments, fit)}

    def _pose_moments(self, moments: TaskMoments) -> tuple[TaskSet, Relation, Any]:
        """Return the tasks, their relation, and the problem of their moments."""
        factor = read_task_weight(self.task_weight, moments.tasks, moments.weight)
        weight = moments.weight if factor is None else factor * moments.weight
        labels, orders = moments.tasks, moments.orders
        tasks = TaskSet(labels, orders, weight > 0, moments.n_features)
        relation = self._relation(tasks)
        problem = pose_moments(moments, factor, relation, self.fit_intercept)
        return tasks, relation, problem
