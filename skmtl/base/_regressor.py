"""Base class of regressors: fit, predict and score."""

from abc import abstractmethod
from typing import Any, Self

from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl._contracts import Array
from skmtl.data import read_numeric_target, read_sample_weight
from skmtl.metrics import nan_r2_score
from skmtl.targets import NumericTarget, Target, predict_finite

from ._task_model import TaskModel


class TaskRegressor(RegressorMixin, TaskModel):
    """Regressors of tasks, with the squared loss unless `_target` returns another."""

    def _target(self) -> Target:
        return NumericTarget()

    @abstractmethod
    def _raw(self, X: Any, codes: Array | None) -> Array:
        """Return raw predictions of checked rows, infinite or NaN if they overflow."""

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
        """Return predictions, infinite or NaN if they overflow."""
        return self._raw(X, codes)

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
        sample_weight : float, array-like of shape (n_samples,) or (n_samples, n_tasks)
            Weight of each row, or of each cell of a 2-d y.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `predict`.

        Returns
        -------
        float
            R2 over all rows; with a 2-d y the mean of the R2 of its columns.
        """
        check_is_fitted(self)
        target, found = read_numeric_target(self, y)[0], self.predict(X, task)
        weight = read_sample_weight(sample_weight, *found.shape)
        metric = nan_r2_score if self._layout == "outputs" else r2_score
        return float(metric(target, found, sample_weight=weight))
