"""Base class of count models: fit, predict and score with exposures."""

import numpy as np
from scipy.special import kl_div
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from skmtl._compat import fit_context
from skmtl.data import read_numeric_target, read_sample_weight
from skmtl.losses import Poisson
from skmtl.targets import CountTarget, read_exposure

from ._regressor import TaskRegressor


class TaskCountRegressor(TaskRegressor):
    """Regressors of counts, with linear logarithms of the means."""

    __metadata_request__fit = {"exposure": True}
    __metadata_request__predict = {"exposure": True}
    __metadata_request__score = {"exposure": True}

    def _target(self):
        return CountTarget()

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, task=None, exposure=None):
        """Learn all tasks together.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if `task_column` names one.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Counts, 0 or more. If 2-d, columns are tasks and NaN means not observed.
        sample_weight : float or array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), int or str, default=None
            Task label of each row, or one label for all rows, if X has no task column.
        exposure : array-like of shape (n_samples,), default=None
            How much of time, area or people each row counts over, above 0. The model
            is of the rate ``y / exposure``, of weight ``sample_weight * exposure``,
            which is the same as the exposure's logarithm as an offset.

        Returns
        -------
        self : object
            The fitted model.
        """
        return self._fit(X, y, sample_weight, task, exposure=exposure)

    def _calculate(self, X, codes):
        return Poisson().mean(super()._calculate(X, codes))

    def predict(self, X, task=None, exposure=None):
        """Predict the mean count of each row with the model of its task.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, with the task column if there was one in `fit`.
        task : array-like of shape (n_samples,), int or str, default=None
            Label of each row, or one label for all rows, if `fit` was given labels.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row. Without it, counts are those of an exposure of 1:
            rates.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_tasks)
            Means; a column per task if `fit` had a 2-d y. Rows of tasks never seen are
            predicted with the shared part.
        """
        rate, exposure = super().predict(X, task), read_exposure(exposure)
        if exposure is None:
            return rate
        check_consistent_length(rate, exposure)
        return (rate.T * exposure).T

    def score(self, X, y, sample_weight=None, task=None, exposure=None):
        """Return the share of the Poisson deviance that the predictions explain.

        Parameters
        ----------
        X : {array-like, sparse matrix, dataframe} of shape (n_samples, n_columns)
            Features, as in `predict`.
        y : array-like of shape (n_samples,) or (n_samples, n_tasks)
            Counts; NaN in a 2-d y is left out.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.
        task : array-like of shape (n_samples,), default=None
            Label of each row, as in `predict`.
        exposure : array-like of shape (n_samples,), default=None
            Exposure of each row, as in `predict`.

        Returns
        -------
        float
            1 for exact predictions, 0 for those of one rate for all rows; with a 2-d y
            the mean over its columns.
        """
        check_is_fitted(self)
        mean, y = self.predict(X, task, exposure), read_numeric_target(self, y)[0]
        ones = np.ones(len(mean))
        unit, weight = (
            read_exposure(exposure),
            read_sample_weight(sample_weight, len(y)),
        )
        unit, weight = (ones if each is None else each for each in (unit, weight))
        check_consistent_length(y, mean, weight)
        y, mean = (array.reshape(len(mean), -1) for array in (y, mean))
        columns = zip(y.T, mean.T, strict=True)
        shares = [_explain(*column, unit, weight) for column in columns]
        return float(np.nanmean(shares))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        return tags


def _explain(y, mean, unit, weight):
    """Return the share of a deviance from one rate that is explained, NaN if unseen."""
    seen = ~np.isnan(y) & (weight > 0)
    y, mean, unit, weight = y[seen], mean[seen], unit[seen], weight[seen]
    if not len(y):
        return np.nan
    level = unit * ((weight @ y) / (weight @ unit))
    left, whole = weight @ kl_div(y, mean), weight @ kl_div(y, level)
    if whole > 0:
        return 1 - left / whole
    return float(left == 0)
